# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fit through modifiers makes of each modifier of the objects under fit."""

from __future__ import annotations

from collections.abc import Sequence

import bpy

from ..scene.modifier_stack import described_stack

# By kind: what it is called, and its icon.
_SHOWN = {
    "linear": ("Linear", "CHECKMARK"),
    "black box": ("Black Box", "TIME"),
    "shading only": ("Shading Only", "SHADING_RENDERED"),
    "hidden": ("Hidden", "HIDE_ON"),
    "unsupported": ("Not Supported", "ERROR"),
}
_TOLD = ("black box", "unsupported")  # kinds whose reasons are shown


def draw_modifiers(
    objects: Sequence[bpy.types.Object], layout: bpy.types.UILayout, stored: bpy.types.PropertyGroup
) -> None:
    """One row a modifier: linear (a map is probed once), black box (Blender evaluates it in every step), or
    why not. Nothing where no object has any."""
    stacked = [obj for obj in objects if obj.modifiers]
    if not stacked:
        layout.label(text="No modifiers to fit through", icon="INFO")
        return
    box = layout.box().column(align=True)
    box.active = stored.through_modifiers
    for obj in stacked:
        if len(stacked) > 1:
            box.label(text=obj.name, translate=False, icon="OUTLINER_OB_MESH")
        for each in described_stack(obj, stored.level):
            kind, icon = _SHOWN[each.kind]
            row = box.split(factor=0.5)
            row.label(text=each.name, translate=False, icon=icon)
            row.label(text=kind)
            if each.kind in _TOLD and each.reason:
                told = box.row()
                told.active = False
                told.label(text=each.reason, icon="BLANK1")
