# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator that opens Compare and hears mouse and keys while it is open."""

from __future__ import annotations

import time
from typing import Any

import bpy

from .compare import Comparison
from .error_report import reported_errors
from .harmless_events import over_viewport
from .redraw import redraw_regions
from .running_fit import RunningFit, targets

_INTERVAL = 0.1  # seconds between two looks for changes
_SHARE = 0.05  # of the time that making pictures anew may take
_MOUSE = {"LEFTMOUSE", "MOUSEMOVE", "INBETWEEN_MOUSEMOVE"}
_KEYS = {"ESC", "D", "S", "LEFT_ARROW", "RIGHT_ARROW"}


class SGE_OT_compare(bpy.types.Operator):
    """Look through the selected reference's camera and compare its image with the render of the fit: drag \
the divider, or show the difference. Press again, or Esc, to close"""

    bl_idname = "sge.compare"
    bl_label = "Compare"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if Comparison.current is not None:
            return True
        if not 0 <= context.scene.sge.active_reference < len(context.scene.sge.references):
            cls.poll_message_set("Select a reference in the list")
            return False
        if RunningFit.current is None and not targets(context):
            cls.poll_message_set("Select the mesh to compare")
            return False
        return True

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        if Comparison.current is not None:
            Comparison.current.close(context.window_manager)
            return {"FINISHED"}
        with reported_errors(self):
            self._comparison = Comparison(context)
            self._next_look = 0.0
            manager = context.window_manager
            self._timer = manager.event_timer_add(_INTERVAL, window=context.window)
            manager.modal_handler_add(self)
            redraw_regions(manager, "UI")
            return {"RUNNING_MODAL"}
        return {"CANCELLED"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        comparison = self._comparison
        if Comparison.current is not comparison:  # closed from outside
            return self._end(context)
        if event.type == "TIMER":
            self._look_for_changes(context)
        elif comparison.is_dragging and event.type in _MOUSE:
            if event.type == "LEFTMOUSE" and event.value == "RELEASE":
                comparison.is_dragging = False
            self._wipe_to(context, event)
            return {"RUNNING_MODAL"}
        elif wants(context, event):
            self._hear(context, event)
        else:
            return {"PASS_THROUGH"}
        if Comparison.current is not comparison:
            return self._end(context)
        return {"PASS_THROUGH"} if event.type == "TIMER" else {"RUNNING_MODAL"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator: another file is loaded, or the window is closed."""
        self._comparison.close(context.window_manager)
        self._end(context)

    def _hear(self, context: bpy.types.Context, event: bpy.types.Event) -> None:
        comparison = self._comparison
        if event.type == "LEFTMOUSE":
            comparison.is_dragging = True
            self._wipe_to(context, event)
        elif event.type == "ESC":
            comparison.close(context.window_manager)
        elif event.type == "D":
            comparison.against = "render" if comparison.against == "difference" else "difference"
        elif event.type == "S":
            comparison.is_side_by_side = not comparison.is_side_by_side
        else:
            stored = context.scene.sge
            step = 1 if event.type == "RIGHT_ARROW" else -1
            stored.active_reference = (stored.active_reference + step) % len(stored.references)
            self._next_look = 0.0
            self._look_for_changes(context)
            redraw_regions(context.window_manager, "UI")
        redraw_regions(context.window_manager, "WINDOW")

    def _wipe_to(self, context: bpy.types.Context, event: bpy.types.Event) -> None:
        found = self._comparison.frame_under(context, event.mouse_x, event.mouse_y)
        if found is not None:
            box, x, _ = found
            self._comparison.wipe = min(max((x - box.x) / box.width, 0.0), 1.0)
            redraw_regions(context.window_manager, "WINDOW")

    def _look_for_changes(self, context: bpy.types.Context) -> None:
        begin = time.perf_counter()
        if begin < self._next_look:
            return
        done = False
        with reported_errors(self):
            if self._comparison.refresh(context):
                cost = time.perf_counter() - begin
                self._next_look = begin + cost / _SHARE
            done = True
        if not done:
            self._comparison.close(context.window_manager)

    def _end(self, context: bpy.types.Context) -> set[str]:
        context.window_manager.event_timer_remove(self._timer)
        return {"FINISHED"}


def wants(context: bpy.types.Context, event: bpy.types.Event) -> bool:
    """Whether an event is meant for Compare: what a running fit must let through to it."""
    comparison = Comparison.current
    if comparison is None:
        return False
    if comparison.is_dragging and event.type in _MOUSE:
        return True
    if event.value != "PRESS":
        return False
    found = comparison.frame_under(context, event.mouse_x, event.mouse_y)
    if found is None:
        return False
    box, x, y = found
    if event.type == "LEFTMOUSE":
        return box.holds(x, y) and not comparison.is_side_by_side
    has_modifier = event.ctrl or event.alt or event.shift or event.oskey
    return event.type in _KEYS and not has_modifier and over_viewport(context, event)


def draw_compare_button(layout: bpy.types.UILayout) -> None:
    """The button that opens and closes Compare."""
    layout.operator("sge.compare", icon="SPLIT_VERTICAL", depress=Comparison.current is not None)


@bpy.app.handlers.persistent
def close_before_load(*_arguments: Any) -> None:
    """Close Compare before its camera goes away with the file."""
    if Comparison.current is not None:
        Comparison.current.close(bpy.context.window_manager)


@bpy.app.handlers.persistent
def note_undo(*_arguments: Any) -> None:
    """Undo changes objects without the usual notes."""
    if Comparison.current is not None:
        Comparison.current.scene_changed()


_HANDLERS = (("load_pre", close_before_load), ("undo_post", note_undo), ("redo_post", note_undo))


def register() -> None:
    """Ask Blender to be told."""
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)


def unregister() -> None:
    """Undo ``register``; Compare closes."""
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).remove(handler)
    close_before_load()


CLASSES = (SGE_OT_compare,)
