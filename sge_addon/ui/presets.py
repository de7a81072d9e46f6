# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets in the header of the main panel: those that come with the extension, and the user's own."""

from __future__ import annotations

import bpy
from bl_operators.presets import AddPresetBase
from bl_ui.utils import PresetPanel

from ..formats.preset_files import BUNDLED, POINTER, SUBFOLDER
from .placement import portable_fields


class SGE_OT_preset_add(AddPresetBase, bpy.types.Operator):  # type: ignore[misc]
    """Keep the settings under a name of your own, for all files; or remove the chosen preset"""

    bl_idname = "sge.preset_add"
    bl_label = "Add SGE Fit Preset"
    preset_menu = "SGE_PT_presets"
    preset_subdir = SUBFOLDER
    preset_defines = [f"{POINTER} = bpy.context.scene.sge"]
    preset_values = [f"{POINTER}.{name}" for name in portable_fields()]


class SGE_PT_presets(PresetPanel, bpy.types.Panel):
    bl_idname = "SGE_PT_presets"
    bl_label = "SGE Fit Presets"
    preset_subdir = SUBFOLDER
    preset_operator = "script.execute_preset"
    preset_add_operator = SGE_OT_preset_add.bl_idname


def register() -> None:
    """Let Blender find the presets that come with the extension."""
    bpy.utils.register_preset_path(str(BUNDLED.parents[1]))


def unregister() -> None:
    """Undo ``register``."""
    bpy.utils.unregister_preset_path(str(BUNDLED.parents[1]))


CLASSES = (SGE_OT_preset_add, SGE_PT_presets)
