# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fit and Stop: a modal operator over the plain loop."""

from __future__ import annotations

import time

import bpy

from .error_report import reported_errors
from .running_fit import RunningFit, targets

SECONDS_PER_TICK = 0.08  # many steps, then a look at events
SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 5.0  # seconds between two redraws
SHARE_OF_REDRAWS = 0.1  # of the time, at most
NAVIGATION = ("WHEEL", "MIDDLEMOUSE", "TRACKPAD", "NDOF", "NUMPAD", "MOUSE", "INBETWEEN", "TIMER", "WINDOW")


class SGE_OT_fit(bpy.types.Operator):
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

    def execute(self, context: bpy.types.Context) -> set[str]:
        fit = None
        with reported_errors(self):
            fit = RunningFit(context)
            self._told = 0
            while not fit.finished:
                fit.advance(SECONDS_PER_TICK)
        if fit is None:
            return {"CANCELLED"}
        self._tell(fit)
        return {"FINISHED"}

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        with reported_errors(self):
            self._fit = RunningFit(context)
            self._told = 0
            self._timer = context.window_manager.event_timer_add(0.01, window=context.window)
            context.window_manager.modal_handler_add(self)
            self._redrawing = 0.0
            self._shown = self._ticked = time.perf_counter()
            _show_status(context, self._fit.status())
            return {"RUNNING_MODAL"}
        return {"CANCELLED"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self._fit.finished:  # closed from outside
            return self._end(context)
        with reported_errors(self):
            if event.type == "ESC" and event.value == "PRESS":
                self._fit.stop()
            elif event.type == "TIMER":
                self._tick(context)
        if self._fit.finished:
            return self._end(context)
        return {"PASS_THROUGH"} if _is_harmless(context, event) else {"RUNNING_MODAL"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator, as when another file is loaded."""
        self._fit.close()
        self._end(context)

    def _tick(self, context: bpy.types.Context) -> None:
        """Run for a while; show how it stands where enough time has passed since the last redraw."""
        begin = time.perf_counter()
        # A viewport draws several times after a change, to smooth its edges: all of that counts.
        self._redrawing += begin - self._ticked
        pause = min(max(SHORTEST_PAUSE, self._redrawing / SHARE_OF_REDRAWS), LONGEST_PAUSE)
        is_due = begin - self._shown >= pause
        self._fit.advance(SECONDS_PER_TICK, live=is_due)
        self._tell(self._fit)
        self._ticked = time.perf_counter()
        if is_due:
            self._shown, self._redrawing = self._ticked, 0.0
            _show_status(context, self._fit.status())

    def _tell(self, fit: RunningFit) -> None:
        for notice in fit.notices[self._told :]:
            self.report({"WARNING"}, notice)
        self._told = len(fit.notices)

    def _end(self, context: bpy.types.Context) -> set[str]:
        self._tell(self._fit)
        context.window_manager.event_timer_remove(self._timer)
        _show_status(context, None)
        # Finished even after an error: what was written is one step of undo.
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


def _show_status(context: bpy.types.Context, text: str | None) -> None:
    """Set the status bar and redraw the sidebars. Viewports redraw by themselves when a mesh changes."""
    if context.workspace is not None:
        context.workspace.status_text_set(text)
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()


def _is_harmless(context: bpy.types.Context, event: bpy.types.Event) -> bool:
    """Whether an event may reach the rest of Blender: looking around, and clicks outside viewports.

    Anything else, Ctrl-Z first of all, could change what is being fitted or add steps of undo.
    """
    if event.type in {"LEFTMOUSE", "RIGHTMOUSE"}:
        return not _over_viewport(context, event)
    return event.type.startswith(NAVIGATION)


def _over_viewport(context: bpy.types.Context, event: bpy.types.Event) -> bool:
    for area in context.screen.areas if context.screen else ():
        if area.type != "VIEW_3D" or not _contains(area, event):
            continue
        # Regions overlap: a panel lies on top of the window region.
        return not any(_contains(r, event) for r in area.regions if r.type != "WINDOW")
    return False


def _contains(box: bpy.types.Area | bpy.types.Region, event: bpy.types.Event) -> bool:
    return 0 <= event.mouse_x - box.x < box.width and 0 <= event.mouse_y - box.y < box.height


@bpy.app.handlers.persistent
def end_fit_before_load(_path: str) -> None:
    """End a running fit before its objects go away with the file."""
    if RunningFit.current is not None:
        RunningFit.current.close()


CLASSES = (SGE_OT_fit, SGE_OT_stop)
