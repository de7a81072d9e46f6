# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators and panels."""

from __future__ import annotations

import bpy

from ..scene import stored_settings
from . import (
    checked,
    compare_operators,
    fit_handlers,
    fit_operators,
    import_references,
    loss_plot,
    make_references,
    panels,
    parameter_list,
    preferences,
    presets,
    reference_list,
    reference_operators,
    remedies,
)

CLASSES = (
    *preferences.CLASSES,
    *presets.CLASSES,
    *fit_operators.CLASSES,
    *compare_operators.CLASSES,
    *reference_operators.CLASSES,
    *import_references.CLASSES,
    *make_references.CLASSES,
    *reference_list.CLASSES,
    *checked.CLASSES,
    *parameter_list.CLASSES,
    *remedies.CLASSES,
    *panels.CLASSES,
)
# Modules that tell Blender more than their classes, such as handlers.
LISTENERS = (fit_handlers, compare_operators, checked, import_references, presets, preferences)


def register() -> None:
    """Register stored settings, classes, and what listens to Blender."""
    stored_settings.register()
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    for listener in LISTENERS:
        listener.register()


def unregister() -> None:
    """Undo ``register``; a running fit ends and keeps what it reached."""
    for listener in reversed(LISTENERS):
        listener.unregister()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
    stored_settings.unregister()
    loss_plot.free()
