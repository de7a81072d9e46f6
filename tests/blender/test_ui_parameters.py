# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of values that can be fitted: ticks, reasons, what is stored."""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import pytest

import sge_addon
from sge_addon.scene.stored_settings import settings_from_scene
from sge_addon.ui import panels
from sge_addon.ui.parameter_list import listed_choices
from tests.blender.recorded_layout import drawn
from tests.blender.stacked_objects import painted, with_bones, with_displace


@pytest.fixture(autouse=True)
def registered(empty_file: None) -> Iterator[None]:
    sge_addon.register()
    yield
    sge_addon.unregister()


def selected() -> bpy.types.Object:
    obj = with_displace(painted(), 0.25)
    obj.select_set(True)
    return obj


def names() -> list[str]:
    return [
        values.name for idname, values in drawn(panels.SGE_PT_parameters).operators if "parameter" in idname
    ]


def test_values_of_the_selected_objects_are_listed_with_what_they_are():
    selected()
    layout = drawn(panels.SGE_PT_parameters)
    assert "Displace: Strength" in layout.texts
    assert "0.25" in layout.texts
    assert names()[0] == "Cup:location"
    assert len(names()) == len(set(names()))


def test_a_tick_is_stored_and_taken_back():
    selected()
    name = 'Cup:modifiers["Displace"].strength'
    assert bpy.ops.sge.toggle_parameter(name=name) == {"FINISHED"}
    assert bpy.ops.sge.toggle_parameter(name="Cup:location") == {"FINISHED"}
    assert settings_from_scene(bpy.context.scene).parameters == (name, "Cup:location")
    bpy.ops.sge.toggle_parameter(name=name)
    assert settings_from_scene(bpy.context.scene).parameters == ("Cup:location",)


def test_what_cannot_be_fitted_says_why_and_is_not_ticked():
    obj = selected()
    obj.keyframe_insert("location")
    (button,) = [
        values
        for idname, values in drawn(panels.SGE_PT_parameters).operators
        if getattr(values, "name", "") == "Cup:location"
    ]
    assert "animated" in button.obstacle
    with pytest.raises(RuntimeError, match="animated"):
        bpy.ops.sge.toggle_parameter(name=button.name, obstacle=button.obstacle)
    assert settings_from_scene(bpy.context.scene).parameters == ()


def test_ticks_that_name_nothing_stay_visible_so_that_they_can_be_taken_away():
    selected()
    bpy.context.scene.sge.parameters = "Gone:location; Cup:location[2]"
    assert {"Gone:location", "Cup:location[2]"} <= set(names())


def test_of_large_armatures_the_active_bone_and_ticked_ones_are_listed():
    obj = with_bones(painted(), 0.0)
    rig = bpy.data.objects["Rig"]
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    for index in range(20):
        bone = rig.data.edit_bones.new(f"More{index}")
        bone.tail = (0.0, 0.0, 0.1)
    bpy.ops.object.mode_set(mode="OBJECT")
    rig.data.bones.active = rig.data.bones["Tip"]
    ticked = 'Rig:pose.bones["More3"].location'
    assert 'Rig:pose.bones["Tip"].rotation_quaternion' in [
        each.name for each in listed_choices(obj, "viewport")
    ]
    obj.select_set(True)
    bpy.context.scene.sge.parameters = ticked
    assert ticked in names()
    assert not any("More4" in name for name in names())


def test_values_in_the_settings_survive_the_file(tmp_path):
    texts = ('A:modifiers["a, b"].x', "B;C:location")
    from sge_addon.core.settings import FitSettings
    from sge_addon.scene.stored_settings import store_settings

    store_settings(bpy.context.scene, FitSettings(parameters=texts))
    path = str(tmp_path / "kept.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    assert settings_from_scene(bpy.context.scene).parameters == texts
