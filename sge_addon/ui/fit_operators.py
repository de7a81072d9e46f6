# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fit, Continue, Pause and Stop: a modal operator over the plain loop."""

from __future__ import annotations

import time
from typing import ClassVar

import bpy

from .checked import Checked, refuse_if_wrong
from .compare_operators import wants
from .error_report import reported_errors
from .harmless_events import is_harmless, is_navigation
from .live_rate import LiveRate
from .preferences import live_share
from .redraw import redraw_regions, show_status
from .running_fit import RunningFit, targets

SECONDS_PER_TICK = 0.08  # many steps, then a look at events
TICK_WHILE_PAUSED = 0.25


class _ModalFit(bpy.types.Operator):
    """What Fit and Continue share. ``make`` gives the fit to drive and may raise FitError."""

    cost: ClassVar[float] = 0.0  # of showing results, as far as known from the last fit

    def make(self, context: bpy.types.Context) -> RunningFit:
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        fit = None
        with reported_errors(self):
            fit = self.make(context)
            self._told = 0
            while not fit.finished:
                fit.advance(SECONDS_PER_TICK)
        if fit is None:
            return {"CANCELLED"}
        self._tell(fit)
        return {"FINISHED"}

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        with reported_errors(self):
            self._fit = self.make(context)
            self._told = 0
            self._timer = context.window_manager.event_timer_add(0.01, window=context.window)
            context.window_manager.modal_handler_add(self)
            self._fit.rate = LiveRate(time.perf_counter(), live_share(), _ModalFit.cost)
            show_status(context.window_manager, draw_status)
            return {"RUNNING_MODAL"}
        return {"CANCELLED"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self._fit.finished:  # closed from outside
            return self._end(context)
        if wants(context, event):  # though it may have been opened before the fit began
            return {"PASS_THROUGH"}
        with reported_errors(self):
            if event.type == "ESC" and event.value == "PRESS":
                self._fit.stop()
            elif event.type == "SPACE" and event.value == "PRESS" and not event.ctrl:
                toggle_pause(context)
            elif event.type == "TIMER":
                self._tick(context)
            elif is_navigation(event):
                self._fit.rate.user_acts()
        if self._fit.finished:
            return self._end(context)
        return {"PASS_THROUGH"} if is_harmless(context, event) else {"RUNNING_MODAL"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator: another file is loaded, or the window is closed."""
        self._fit.close()
        self._end(context)

    def _tick(self, context: bpy.types.Context) -> None:
        """Run for a while; show how it stands where that keeps to its share of the time."""
        fit, rate = self._fit, self._fit.rate
        if fit.paused:
            if time.perf_counter() - rate.turn_ended > TICK_WHILE_PAUSED:
                fit.check()
                rate.rests(time.perf_counter())
            return
        now = time.perf_counter()
        rate.turn_begins(now)
        shows_results = rate.results_due(now)
        shows_figures = shows_results or rate.figures_due(now)
        wrote = fit.seconds_writing
        fit.advance(SECONDS_PER_TICK, live=shows_results)
        self._tell(fit)
        rate.turn_ends(
            time.perf_counter(),
            fit.seconds_writing - wrote,
            results=shows_results,
            figures=shows_figures,
        )
        _ModalFit.cost = rate.cost
        if shows_figures:
            show_status(context.window_manager, draw_status)

    def _tell(self, fit: RunningFit) -> None:
        for notice in fit.notices[self._told :]:
            self.report({"WARNING"}, notice)
        self._told = len(fit.notices)

    def _end(self, context: bpy.types.Context) -> set[str]:
        self._tell(self._fit)
        context.window_manager.event_timer_remove(self._timer)
        show_status(context.window_manager, None)
        Checked.forget()  # what was found before the fit may be mended by it
        if self._fit.ended_by:
            self.report({"INFO"}, self._fit.ended_by)
        if self._fit.has_undo_step:
            return {"CANCELLED"}
        # Finished even after an error: what was written is one step of undo.
        return {"FINISHED"}


class SGE_OT_fit(_ModalFit):
    """Fit the selected meshes to the references. Esc stops and keeps what was reached; Undo brings \
everything back"""

    bl_idname = "sge.fit"
    bl_label = "Fit"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if RunningFit.current is not None:
            cls.poll_message_set("A fit is running")
            return False
        if not targets(context):
            cls.poll_message_set("Select at least one mesh")
            return False
        return True

    def make(self, context: bpy.types.Context) -> RunningFit:
        refuse_if_wrong(context)
        return RunningFit(context)


class SGE_OT_continue_fit(_ModalFit):
    """Go on with the last fit from where it was. After its last step, as many more as Steps says, at the \
fine settings that it ended with"""

    bl_idname = "sge.continue_fit"
    bl_label = "Continue"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        if RunningFit.current is not None:
            cls.poll_message_set("A fit is running")
            return False
        if RunningFit.kept is None:
            cls.poll_message_set("No fit has ended since this file was opened")
            return False
        return True

    def make(self, context: bpy.types.Context) -> RunningFit:
        return RunningFit.go_on(context)


class SGE_OT_forget_fit(bpy.types.Operator):
    """Free the memory that is kept so that the last fit can go on"""

    bl_idname = "sge.forget_fit"
    bl_label = "Forget the Last Fit"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return RunningFit.kept is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        RunningFit.kept = None
        redraw_regions(context.window_manager, "UI")
        return {"FINISHED"}


class SGE_OT_pause(bpy.types.Operator):
    """Pause the fit, or resume it. Space does the same"""

    bl_idname = "sge.pause"
    bl_label = "Pause"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return RunningFit.current is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        toggle_pause(context)
        return {"FINISHED"}


class SGE_OT_stop(bpy.types.Operator):
    """Stop the fit and keep what was reached. Press again to skip the final measurement"""

    bl_idname = "sge.stop"
    bl_label = "Stop"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return RunningFit.current is not None

    def execute(self, _context: bpy.types.Context) -> set[str]:
        with reported_errors(self):
            if RunningFit.current is not None:
                RunningFit.current.stop()
        return {"FINISHED"}


def toggle_pause(context: bpy.types.Context) -> None:
    """Pause the running fit, or resume it."""
    fit = RunningFit.current
    if fit is not None:
        if fit.paused:
            fit.resume()
        else:
            fit.pause()
        show_status(context.window_manager, draw_status)


def draw_status(header: bpy.types.Header, _context: bpy.types.Context) -> None:
    """The status bar while a fit runs."""
    layout = header.layout
    if RunningFit.current is not None:
        layout.label(text=RunningFit.current.status(), translate=False)
    layout.separator_spacer()
    layout.template_reports_banner()
    layout.separator_spacer()
    layout.template_status_info()


def draw_buttons(layout: bpy.types.UILayout) -> None:
    """Fit, or Continue beside it; while a fit runs its progress, Pause and Stop."""
    row = layout.row(align=True)
    row.scale_y = 1.5
    running, kept = RunningFit.current, RunningFit.kept
    if running is None:
        row.operator("sge.fit", icon="PLAY")
        if kept is not None:
            row.operator("sge.continue_fit", icon="FF")
            row.operator("sge.forget_fit", text="", icon="X")
        return
    progress = running.progress
    if progress is None:
        row.progress(factor=0.0, text="Setting up")
    elif running.paused or progress.stage == "Fitting":
        paused = "Paused at " if running.paused else ""
        row.progress(factor=progress.fraction, text=f"{paused}{progress.step} / {progress.steps}")
    else:
        row.progress(factor=progress.fraction, text=progress.stage)
    row.operator("sge.pause", text="", icon="PLAY" if running.paused else "PAUSE", depress=running.paused)
    row.operator("sge.stop", text="", icon="CANCEL")


CLASSES = (SGE_OT_fit, SGE_OT_continue_fit, SGE_OT_forget_fit, SGE_OT_pause, SGE_OT_stop)
