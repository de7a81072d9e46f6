# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators and panels."""

from __future__ import annotations

import bpy

from ..scene import stored_settings
from . import compare_operators, fit_handlers, fit_operators, loss_plot, panels, reference_operators

CLASSES = (*fit_operators.CLASSES, *compare_operators.CLASSES, *reference_operators.CLASSES, *panels.CLASSES)


def register() -> None:
    """Register stored settings, classes, and the handlers that look after a running fit."""
    stored_settings.register()
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.TOPBAR_MT_file_import.append(panels.draw_import)
    fit_handlers.register()
    compare_operators.register()


def unregister() -> None:
    """Undo ``register``; a running fit ends and keeps what it reached."""
    compare_operators.unregister()
    fit_handlers.unregister()
    bpy.types.TOPBAR_MT_file_import.remove(panels.draw_import)
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
    stored_settings.unregister()
    loss_plot.free()
