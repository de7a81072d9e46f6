# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators and panels."""

from __future__ import annotations

import bpy

from ..scene import stored_settings
from . import fit_operators, loss_plot, panels, reference_operators
from .running_fit import RunningFit

CLASSES = (*fit_operators.CLASSES, *reference_operators.CLASSES, *panels.CLASSES)


def register() -> None:
    """Register stored settings, classes, and the handler that ends a running fit at a file load."""
    stored_settings.register()
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.TOPBAR_MT_file_import.append(panels.draw_import)
    bpy.app.handlers.load_pre.append(fit_operators.end_fit_before_load)


def unregister() -> None:
    """Undo ``register``; a running fit ends and keeps what it reached."""
    if RunningFit.current is not None:
        RunningFit.current.close()
    bpy.types.TOPBAR_MT_file_import.remove(panels.draw_import)
    bpy.app.handlers.load_pre.remove(fit_operators.end_fit_before_load)
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
    stored_settings.unregister()
    loss_plot.free()
