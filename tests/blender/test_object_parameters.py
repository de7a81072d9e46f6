# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which values can be fitted, what they are called, and why others are refused."""

from __future__ import annotations

import math

import bpy
import numpy as np
import pytest

from sge_addon.core.camera_parameters import rotation_matrix
from sge_addon.core.errors import FitError, TargetLost
from sge_addon.scene.chosen_parameters import chosen_parameters, find_parameter
from sge_addon.scene.object_parameters import parameters_of
from sge_addon.scene.parameter_evaluator import FittedObject, ParameterEvaluator
from sge_addon.scene.parameter_values import read_value, stored_value, write_value
from sge_addon.scene.parameter_write_back import ParameterWriter
from sge_addon.scene.stack_evaluator import ModifierStack
from tests.blender.small_world import positions_of
from tests.blender.stacked_objects import (
    painted,
    socket_of,
    with_bones,
    with_displace,
    with_nodes,
    with_open_shell,
    with_smile,
)


def evaluated(obj: bpy.types.Object) -> np.ndarray:
    """(V, 3) world, of Blender's own evaluation."""
    bpy.context.view_layer.update()
    copy = obj.evaluated_get(bpy.context.evaluated_depsgraph_get())
    points = np.array([vertex.co for vertex in copy.to_mesh().vertices])
    copy.to_mesh_clear()
    matrix = np.array(obj.matrix_world)
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def everything() -> bpy.types.Object:
    obj = with_nodes(with_displace(with_smile(painted(), 0.0), 0.1), 0.0)
    return with_bones(obj, 0.0)


def test_all_kinds_of_values_are_listed_with_labels_and_limits():
    obj = everything()
    found = {each.name: each for each in parameters_of(obj)}
    for path in (
        "location",
        "rotation_euler",
        "scale",
        'modifiers["Displace"].strength',
        'key_blocks["Smile"].value',
        socket_of(obj, "Height"),
        socket_of(obj, "Shift"),
    ):
        assert f"Cup:{path}" in found
    assert 'Rig:pose.bones["Tip"].rotation_quaternion' in found
    assert 'Rig:pose.bones["Root"].location' in found
    assert not any("Basis" in name or "Count" in name for name in found)
    assert found[f"Cup:{socket_of(obj, 'Height')}"].maximum == (2.0,)
    assert found['Cup:key_blocks["Smile"].value'].minimum == (0.0,)
    assert found['Cup:modifiers["Displace"].strength'].label == "Displace: Strength"
    assert len(found["Cup:location"].value) == 3
    assert all(not each.obstacle for each in found.values())


def test_values_without_effect_as_the_modifier_is_set_are_not_listed():
    obj = painted()
    obj.modifiers.new("Bend", "SIMPLE_DEFORM").deform_method = "BEND"
    obj.modifiers.new("Array", "ARRAY").use_relative_offset = False
    paths = [each.path for each in parameters_of(obj)]
    assert 'modifiers["Bend"].angle' in paths
    assert 'modifiers["Bend"].factor' not in paths
    assert not any("Array" in path for path in paths)


def test_both_versions_names_of_a_node_groups_input_are_understood():
    obj = with_nodes(painted(), 0.0)
    identifier = next(
        each.identifier for each in obj.modifiers[0].node_group.interface.items_tree if each.name == "Height"
    )
    for path in (
        f'modifiers["GeometryNodes"]["{identifier}"]',
        f'modifiers["GeometryNodes"].properties.inputs.{identifier}.value',
    ):
        choice = find_parameter([obj], f"Cup:{path}")
        assert choice.name == f"Cup:{path}"
        assert write_value(obj, choice, (0.5,))
        assert read_value(obj, choice) == (0.5,)


def test_other_numbers_of_modifiers_can_be_named_and_single_places_of_vectors():
    obj = with_open_shell(painted(), 0.1)
    assert find_parameter([obj], 'Cup:modifiers["Solidify"].edge_crease_rim').value == (0.0,)
    choice = find_parameter([obj], "Cup:location[2]")
    assert (choice.free, choice.name) == ((2,), "Cup:location[2]")
    assert find_parameter([obj], "Cup:rotation_euler[0]").rotation == ""


def test_names_with_quotes_and_colons_are_found():
    obj = with_displace(painted("A:B"), 0.1)
    obj.modifiers[0].name = 'Say "Hi", now; then'
    choice = next(each for each in parameters_of(obj) if each.path.endswith("strength"))
    assert find_parameter([obj], choice.name) == choice
    assert read_value(obj, choice) == (pytest.approx(0.1),)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Mug:location", r"'Mug:location' names no object of the fit.*'Cup', 'Rig'"),
        ("location", "names no object"),
        ('Cup:modifiers["Solid"].thickness', r"Object 'Cup' has no value .*it has: location, rotation_euler"),
        ('Cup:modifiers["Displace"].direction', "is a choice, which a fit cannot change"),
        ('Cup:modifiers["Displace"].show_viewport', "is a switch"),
        ("Cup:location[3]", "has 3 places"),
        ('Rig:pose.bones["Tip"].rotation_quaternion[1]', "turns as a whole"),
    ],
)
def test_what_is_not_there_or_no_number_is_refused_by_name(name: str, message: str):
    with pytest.raises(FitError, match=message):
        find_parameter([everything()], name)


@pytest.mark.parametrize(("socket", "kind"), [("Count", "whole numbers"), ("Switch", "a switch")])
def test_whole_numbers_and_switches_of_node_groups_are_refused(socket: str, kind: str):
    obj = with_nodes(painted(), 0.0)
    with pytest.raises(FitError, match=kind):
        find_parameter([obj], f"Cup:{socket_of(obj, socket)}")


def obstacle(obj: bpy.types.Object, path: str) -> str:
    with pytest.raises(FitError, match="cannot be fitted") as refused:
        chosen_parameters([obj], [path])
    return str(refused.value)


def test_values_that_would_not_stay_are_refused():
    obj = everything()
    obj.keyframe_insert("location")
    assert "animated or driven" in obstacle(obj, "Cup:location")
    obj.data.shape_keys.key_blocks["Smile"].driver_add("value")
    assert "animated or driven" in obstacle(obj, 'Cup:key_blocks["Smile"].value')
    obj.modifiers["Displace"].driver_add("strength")
    assert "animated or driven" in obstacle(obj, 'Cup:modifiers["Displace"].strength')
    obj.lock_scale = (True, True, True)
    assert "locked" in obstacle(obj, "Cup:scale")
    obj.constraints.new("LIMIT_LOCATION")
    assert "constraints hold it" in obstacle(obj, "Cup:rotation_euler")
    rig = bpy.data.objects["Rig"]
    rig.pose.bones["Tip"].constraints.new("COPY_ROTATION")
    assert "constraints hold it" in obstacle(obj, 'Rig:pose.bones["Tip"].rotation_quaternion')
    rig.data.pose_position = "REST"
    assert "rest position" in obstacle(obj, 'Rig:pose.bones["Root"].location')
    obj.modifiers["Displace"].show_viewport = False
    assert "switched off in viewports" in obstacle(obj, 'Cup:modifiers["Displace"].mid_level')


def test_values_of_linked_objects_are_refused(tmp_path):
    painted()
    path = str(tmp_path / "lib.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path, copy=True)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    with bpy.data.libraries.load(path, link=True) as (_, wanted):
        wanted.objects = ["Cup"]
    obj = wanted.objects[0]
    bpy.context.scene.collection.objects.link(obj)
    assert "linked from another file" in obstacle(obj, "Cup:location")


def test_the_same_value_twice_is_refused():
    with pytest.raises(FitError, match="are the same value"):
        chosen_parameters([painted()], ["Cup:location", "Cup:location[0]"])


def test_locked_channels_stay_out():
    obj = painted()
    obj.lock_location[1] = True
    obj.lock_rotation[0] = True
    assert find_parameter([obj], "Cup:location").free == (0, 2)
    turn = find_parameter([obj], "Cup:rotation_euler")
    assert (turn.free, turn.rotation) == ((1, 2), "")


@pytest.mark.parametrize("mode", ["XYZ", "ZYX", "QUATERNION", "AXIS_ANGLE"])
def test_rotations_turn_as_rotations_and_are_stored_in_their_mode(mode: str):
    obj = painted()
    obj.rotation_mode = mode
    if mode == "QUATERNION":
        obj.rotation_quaternion = (0.9, 0.3, -0.2, 0.1)  # not of unit length, as scripts leave them
    elif mode == "AXIS_ANGLE":
        obj.rotation_axis_angle = (0.7, 0.0, 0.6, 0.8)
    else:
        obj.rotation_euler = (0.4, -3.5, 1.2)
    bpy.context.view_layer.update()
    before = np.array(obj.matrix_world)[:3, :3]
    choice = next(each for each in parameters_of(obj) if each.rotation)
    turn = np.array([0.2, -0.1, 0.3])
    stored = stored_value(choice, turn)
    write_value(obj, choice, stored)
    bpy.context.view_layer.update()
    after = np.array(obj.matrix_world)[:3, :3]
    assert np.abs(after - rotation_matrix(turn) @ before).max() < 1e-5
    assert stored_value(choice, np.zeros(3)) == choice.value
    if mode == "QUATERNION":
        assert math.hypot(*stored) == pytest.approx(1.0, abs=1e-6)
    if mode == "XYZ":
        assert np.abs(np.subtract(stored, choice.value)).max() < 1.0  # no jump by a turn


VALUES = {
    'Cup:modifiers["Displace"].strength': np.array([0.3]),
    'Cup:key_blocks["Smile"].value': np.array([0.6]),
    'Rig:pose.bones["Tip"].rotation_quaternion': np.radians([20.0, 5.0, 0.0]),
    "Cup:location": np.array([0.2, -0.1, 0.3]),
    "Cup:rotation_euler": np.array([0.0, 0.0, 0.3]),
    "Cup:scale": np.array([1.1, 0.9, 1.2]),
}


def test_evaluation_is_blenders_own_and_touches_nothing():
    obj = everything()
    obj.location = (0.1, 0.0, 0.2)
    bpy.context.view_layer.update()
    names = [*VALUES, f"Cup:{socket_of(obj, 'Height')}", f"Cup:{socket_of(obj, 'Shift')}"]
    values = (*VALUES.values(), np.array([0.2]), np.array([0.1, 0.2, 0.3]))
    choices = chosen_parameters([obj], names)
    before, mesh = evaluated(obj), positions_of("Cup")
    kept = [read_value(bpy.data.objects[each.owner], each) for each in choices]
    counts = [len(getattr(bpy.data, kind)) for kind in ("objects", "meshes", "scenes", "shape_keys")]
    evaluator = ParameterEvaluator([obj], choices)
    with evaluator.opened([FittedObject(before.astype(np.float32))]) as evaluate:
        assert np.abs(evaluate(evaluator.space.start)[0] - before).max() < 1e-5
        found = evaluate(values)[0]
    assert [len(getattr(bpy.data, k)) for k in ("objects", "meshes", "scenes", "shape_keys")] == counts
    assert [read_value(bpy.data.objects[each.owner], each) for each in choices] == kept
    assert np.array_equal(positions_of("Cup"), mesh)
    assert np.array_equal(evaluated(obj), before)
    ParameterWriter(choices).write(evaluator.stored(values))
    assert np.abs(found - before).max() > 0.3
    assert np.abs(evaluated(obj) - found).max() < 1e-5


def test_what_is_only_moved_keeps_the_shape_of_the_fit():
    parent = bpy.data.objects.new("Parent", None)
    bpy.context.scene.collection.objects.link(parent)
    obj = painted()
    obj.parent, parent.scale, parent.rotation_euler = parent, (2.0, 2.0, 2.0), (0.0, 0.5, 0.0)
    choices = chosen_parameters([obj], ["Cup:location", "Cup:scale"])
    start = evaluated(obj).astype(np.float32)
    evaluator = ParameterEvaluator([obj], choices)
    bent = start + np.float32(0.1) * start**2
    with evaluator.opened([FittedObject(bent)]) as evaluate:
        found = evaluate((np.array([0.5, 0.0, 0.0]), np.ones(3)))[0]
    shift = np.array(parent.matrix_world)[:3, :3] @ (0.5, 0.0, 0.0)
    assert np.abs(found - bent - shift).max() < 1e-5


def test_stacks_are_evaluated_with_the_values_and_the_place_of_a_state():
    obj = everything()
    names = [*VALUES, f"Cup:{socket_of(obj, 'Height')}"]
    values = (*VALUES.values(), np.array([0.2]))
    evaluator = ParameterEvaluator([obj], chosen_parameters([obj], names))
    stack = ModifierStack(obj)
    start = stack.positions([stack.start])[0]
    stack.pose(evaluator.pose(0, values))
    found = stack.positions([stack.start])[0]
    with evaluator.opened([FittedObject(start)]) as evaluate:
        assert np.abs(found - evaluate(values)[0]).max() < 1e-5
    assert np.abs(stack.evaluate([stack.start])[0].positions - found).max() < 1e-5
    stack.pose(evaluator.pose(0, evaluator.space.start))
    assert np.abs(stack.positions([stack.start])[0] - start).max() < 1e-5
    place = evaluator.matrix(0, values)
    assert np.allclose(place[:3, 3], VALUES["Cup:location"], atol=1e-6)
    assert evaluator.reshapes(0)


def test_other_vertices_than_before_are_told():
    obj = painted()
    modifier = obj.modifiers.new("Weld", "WELD")
    modifier.merge_threshold = 0.0
    choices = chosen_parameters([obj], ['Cup:modifiers["Weld"].merge_threshold'])
    evaluator = ParameterEvaluator([obj], choices)
    with evaluator.opened([FittedObject(evaluated(obj).astype(np.float32))]) as evaluate:
        assert evaluate(evaluator.space.start) is not None
        assert evaluate((np.array([0.5]),)) is None


def test_writers_find_renamed_owners_and_say_what_is_gone():
    obj = with_displace(painted(), 0.1)
    choices = chosen_parameters([obj], ["Cup:location", 'Cup:modifiers["Displace"].strength'])
    writer = ParameterWriter(choices)
    obj.name = "Mug"
    writer.write([(1.0, 2.0, 3.0), (0.5,)])
    assert tuple(obj.location) == (1.0, 2.0, 3.0)
    assert obj.modifiers[0].strength == 0.5
    traces = writer.traces()
    obj.location.x = 4.0
    assert writer.traces() != traces
    obj.modifiers.clear()
    with pytest.raises(TargetLost, match="strength' was removed"):
        writer.write([(5.0, 2.0, 3.0), (0.7,)])
    assert obj.location.x == 5.0
    bpy.data.objects.remove(obj)
    with pytest.raises(TargetLost, match="'Cup' was deleted"):
        writer.check()


def test_values_that_have_not_changed_keep_their_bits():
    obj = painted()
    obj.rotation_euler = (0.1, 0.2, 0.3)
    choices = chosen_parameters([obj], ["Cup:rotation_euler"])
    evaluator = ParameterEvaluator([obj], choices)
    before = tuple(obj.rotation_euler)
    ParameterWriter(choices).write(evaluator.stored(evaluator.space.start))
    assert tuple(obj.rotation_euler) == before
