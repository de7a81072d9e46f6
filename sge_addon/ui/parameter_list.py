# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values that can be fitted beside meshes and textures, each with a tick."""

from __future__ import annotations

from collections.abc import Sequence

import bpy

from ..core.errors import FitError
from ..core.setting_texts import joined_texts, split_texts
from ..scene.chosen_parameters import find_parameter
from ..scene.object_parameters import ParameterChoice, armatures_of, parameters_of
from ..scene.stand_in import Level

MOST_BONES = 6  # that are listed; of larger armatures the active one is, and what is ticked


class SGE_OT_toggle_parameter(bpy.types.Operator):
    """Fit this value, or leave it as it is"""

    bl_idname = "sge.toggle_parameter"
    bl_label = "Fit Value"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    name: bpy.props.StringProperty(name="Name", description="The value as OBJECT:PATH", options={"SKIP_SAVE"})
    obstacle: bpy.props.StringProperty(
        name="Obstacle", description="Why the value cannot be fitted", options={"SKIP_SAVE", "HIDDEN"}
    )

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """The path, or why it cannot be fitted."""
        if properties.obstacle:
            return f"{properties.name} cannot be fitted: {properties.obstacle}"
        return f"Fit {properties.name}, or leave it as it is"

    def execute(self, context: bpy.types.Context) -> set[str]:
        ticked = list(split_texts(context.scene.sge.parameters))
        if self.name in ticked:
            ticked.remove(self.name)
        elif self.obstacle:
            self.report({"ERROR"}, f"{self.name} cannot be fitted: {self.obstacle}")
            return {"CANCELLED"}
        else:
            ticked.append(self.name)
        context.scene.sge.parameters = joined_texts(ticked)
        return {"FINISHED"}


def draw_parameters(
    scene: bpy.types.Scene, objects: Sequence[bpy.types.Object], layout: bpy.types.UILayout
) -> None:
    """The values of the objects with their ticks; below, ticks that belong to none of them."""
    ticked = split_texts(scene.sge.parameters)
    level = scene.sge.level
    drawn: set[str] = set()
    for obj in objects:
        column = layout.column(align=True)
        column.label(text=obj.name, translate=False, icon="OBJECT_DATA")
        for choice in listed_choices(obj, level):
            if choice.name not in drawn:
                drawn.add(choice.name)
                _draw_choice(column, choice, choice.name in ticked)
    others = [name for name in ticked if name not in drawn]
    for name in others:
        try:
            choice = find_parameter(objects, name, level)
        except FitError:
            _toggle(layout.row(), name, name, is_ticked=True, icon="ERROR")
        else:
            _draw_choice(layout, choice, is_ticked=True)


def listed_choices(obj: bpy.types.Object, level: Level) -> list[ParameterChoice]:
    """What is shown of an object: everything, but of large armatures the active bone alone."""
    bones = [bone for armature in armatures_of(obj, level) for bone in armature.data.bones]
    if len(bones) <= MOST_BONES:
        return parameters_of(obj, level)
    active = [armature.data.bones.active for armature in armatures_of(obj, level)]
    return parameters_of(obj, level, {bone.name for bone in active if bone is not None})


def _draw_choice(layout: bpy.types.UILayout, choice: ParameterChoice, is_ticked: bool) -> None:
    row = layout.row(align=True)
    row.active = not choice.obstacle
    split = row.split(factor=0.6)
    _toggle(split, choice.name, choice.label, is_ticked, obstacle=choice.obstacle)
    split.label(text=shown_value(choice), translate=False)


def _toggle(
    layout: bpy.types.UILayout, name: str, label: str, is_ticked: bool, icon: str = "", obstacle: str = ""
) -> None:
    left = layout.row()
    left.alignment = "LEFT"
    tick = "CHECKBOX_HLT" if is_ticked else "CHECKBOX_DEHLT"
    button = left.operator(
        SGE_OT_toggle_parameter.bl_idname, text=label, icon=icon or tick, emboss=False, translate=False
    )
    button.name, button.obstacle = name, obstacle


def shown_value(choice: ParameterChoice) -> str:
    """Its numbers, short."""
    return "  ".join(f"{value:.4g}" for value in choice.value)


CLASSES = (SGE_OT_toggle_parameter,)
