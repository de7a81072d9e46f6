# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender does meanwhile: loading and saving files, undo."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import bpy

from ..core.errors import TargetLost
from .redraw import show_status
from .running_fit import RunningFit


@bpy.app.handlers.persistent
def end_fit_before_load(*_arguments: Any) -> None:
    """End a running fit before its objects go away with the file."""
    if RunningFit.current is not None:
        with suppress(TargetLost):  # the file goes away as a whole
            RunningFit.current.close(keep=False)
    RunningFit.kept = None


@bpy.app.handlers.persistent
def end_fit_before_undo(*_arguments: Any) -> None:
    """End a running fit as a step of its own, so that this very undo takes back the fit and no more."""
    fit = RunningFit.current
    if fit is not None:
        fit.has_undo_step = True
        with suppress(TargetLost):
            fit.close("The fit was ended by Undo. Redo brings back what it reached")
        bpy.ops.ed.undo_push(message="Fit")


@bpy.app.handlers.persistent
def write_before_save(*_arguments: Any) -> None:
    """Let a file that is saved during a fit hold what is reached, textures included."""
    if RunningFit.current is not None:
        with suppress(TargetLost):  # ends the fit in its next turn
            RunningFit.current.save()


_HANDLERS = (
    ("load_pre", end_fit_before_load),
    ("undo_pre", end_fit_before_undo),
    ("redo_pre", end_fit_before_undo),
    ("save_pre", write_before_save),
)


def register() -> None:
    """Ask Blender to be told."""
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)


def unregister() -> None:
    """Undo ``register``; a running fit ends and keeps what it reached."""
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).remove(handler)
    if RunningFit.current is not None:
        with suppress(TargetLost):
            RunningFit.current.close(keep=False)
        show_status(bpy.context.window_manager, None)  # its operator is not asked any more
    RunningFit.kept = None
