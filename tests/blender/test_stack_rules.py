# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fit cannot go through is named before it begins, with the modifier and the remedy."""

from __future__ import annotations

import re
from collections.abc import Callable

import bpy
import pytest

from sge_addon.scene import stack_rules
from sge_addon.scene.stack_losses import evaluation_time
from sge_addon.scene.stack_rules import stack_notices, stack_problems
from tests.blender.stacks import (
    add_armature,
    add_grid,
    add_inflating_nodes,
    add_object_without_data,
    add_subsurf,
    counts,
    nodes_modifier,
)
from tests.blender.test_objects import add_cube

Objects = list[bpy.types.Object]


def problems(*objects: bpy.types.Object, level: str = "viewport", texture: bool = False) -> list[str]:
    bpy.context.view_layer.update()
    before = counts()
    found = [str(each) for each in stack_problems(objects, level, texture=texture)]
    assert counts() == before
    return found


def notices(*objects: bpy.types.Object, level: str = "viewport") -> list[str]:
    bpy.context.view_layer.update()
    before = counts()
    found = stack_notices(objects, level)
    assert counts() == before
    return found


def check(found: list[str], *patterns: str) -> None:
    """One text to each pattern, and nothing more."""
    assert len(found) == len(patterns), found
    for text, pattern in zip(found, patterns, strict=True):
        assert re.search(pattern, text), text


def add_nodes_of_primitives(obj: bpy.types.Object) -> None:
    tree = nodes_modifier(obj, "Primitive")
    cube = tree.nodes.new("GeometryNodeMeshCube")
    tree.links.new(cube.outputs["Mesh"], tree.nodes["Group Output"].inputs[0])


def add_instances(obj: bpy.types.Object) -> None:
    tree = nodes_modifier(obj, "Scatter")
    node = tree.nodes.new("GeometryNodeGeometryToInstance")
    tree.links.new(tree.nodes["Group Input"].outputs[0], node.inputs[0])
    tree.links.new(node.outputs[0], tree.nodes["Group Output"].inputs[0])


def add_remesh(obj: bpy.types.Object) -> None:
    modifier = obj.modifiers.new("Voxels", "REMESH")
    modifier.mode, modifier.voxel_size = "VOXEL", 0.2


def add_empty_mask(obj: bpy.types.Object) -> None:
    obj.vertex_groups.new(name="Nothing")
    obj.modifiers.new("Mask", "MASK").vertex_group = "Nothing"


def test_good_stacks_have_neither_problems_nor_notices():
    obj, other = add_grid(), add_cube("Without")
    add_subsurf(obj)
    obj.modifiers.new("Solidify", "SOLIDIFY")
    add_inflating_nodes(obj)
    assert problems(obj, other, texture=True) == []
    assert notices(obj, other) == []


@pytest.mark.parametrize(
    ("lose", "pattern"),
    [
        (add_empty_mask, "'Grid': its modifier 'Mask' leaves no faces .*change its settings, or switch"),
        (add_instances, "'Grid': its modifier 'Scatter' leaves no faces .*Realize Instances"),
        (add_remesh, r"'Grid': no fit goes through its modifier 'Voxels' \(Remesh\): its faces do not tell"),
        (add_nodes_of_primitives, r"'Primitive' \(Geometry Nodes\) makes faces that do not tell"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_what_loses_faces_or_their_origin_is_found_among_others(
    lose: Callable[[bpy.types.Object], None], pattern: str
):
    obj = add_grid()
    add_subsurf(obj, 1)
    lose(obj)
    obj.modifiers.new("Last", "TRIANGULATE")
    check(problems(obj), pattern)
    obj.modifiers[1].show_viewport = False
    check(problems(obj))
    check(problems(obj, level="render"), pattern)


def test_faces_without_a_base_are_named():
    mesh = bpy.data.meshes.new("Line")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0)], [(0, 1)], [])
    obj = bpy.data.objects.new("Line", mesh)
    bpy.context.scene.collection.objects.link(obj)
    obj.modifiers.new("Screw", "SCREW")
    check(problems(obj), "'Line': its base mesh has no faces to fit")


def test_lost_uv_maps_count_where_a_texture_is_fitted():
    obj = add_grid()
    tree = nodes_modifier(obj, "Bare")
    remove = tree.nodes.new("GeometryNodeRemoveAttribute")
    remove.inputs["Name"].default_value = "UVMap"
    tree.links.new(tree.nodes["Group Input"].outputs[0], remove.inputs["Geometry"])
    tree.links.new(remove.outputs["Geometry"], tree.nodes["Group Output"].inputs[0])
    check(problems(obj, texture=False))
    check(problems(obj, texture=True), r"'Grid': its modifier 'Bare' \(Geometry Nodes\) leaves no UV map")


def test_simulations_are_refused_without_evaluating_them():
    obj = add_grid()
    obj.modifiers.new("Flag", "CLOTH")
    obj.modifiers.new("Frames", "BUILD")
    check(
        problems(obj),
        r"'Grid': no fit goes through its modifier 'Flag' \(Cloth\): it is simulated .* Apply it, or switch",
        r"its modifier 'Frames' \(Build\): it shows other faces at every frame",
    )
    obj.modifiers["Flag"].show_viewport = obj.modifiers["Frames"].show_viewport = False
    check(problems(obj))


def test_simulation_zones_are_refused():
    obj = add_grid()
    tree = nodes_modifier(obj, "Zone")
    entry, leave = (
        tree.nodes.new("GeometryNodeSimulationInput"),
        tree.nodes.new("GeometryNodeSimulationOutput"),
    )
    entry.pair_with_output(leave)
    check(problems(obj), "'Zone' .*Simulation Zone")


def test_shapes_of_other_fitted_objects_are_refused_by_name():
    obj, target, middle, free = (add_grid(name) for name in ("Grid", "Target", "Middle", "Free"))
    obj.modifiers.new("Wrap", "SHRINKWRAP").target = middle
    middle.modifiers.new("Union", "BOOLEAN").object = target
    pattern = "'Grid': its modifier 'Wrap' depends on the shape of 'Target', which is fitted at the same time"
    check(problems(obj, target), pattern)
    check(problems(obj, free))
    middle.modifiers["Union"].show_viewport = False
    check(problems(obj, target))


def test_objects_that_nodes_read_are_found():
    obj, other, third = (add_grid(name) for name in ("Grid", "Other", "Third"))
    tree = nodes_modifier(obj, "Reader")
    tree.links.new(tree.nodes["Group Input"].outputs[0], tree.nodes["Group Output"].inputs[0])
    info = tree.nodes.new("GeometryNodeObjectInfo")
    info.inputs["Object"].default_value = other
    check(problems(obj, other), "'Reader' depends on the shape of 'Other'")
    info.inputs["Object"].default_value = None
    check(problems(obj, other))
    socket = tree.interface.new_socket("Friend", in_out="INPUT", socket_type="NodeSocketObject")
    modifier = obj.modifiers["Reader"]
    if bpy.app.version >= (5, 2):
        getattr(modifier.properties.inputs, socket.identifier).value = third
    else:
        modifier[socket.identifier] = third
    check(problems(obj, other, third), "'Reader' depends on the shape of 'Third'")


def test_members_of_a_collection_are_found():
    obj, other = add_grid(), add_cube("Cutter")
    collection = bpy.data.collections.new("Cutters")
    collection.objects.link(other)
    modifier = obj.modifiers.new("Cut", "BOOLEAN")
    modifier.operand_type, modifier.collection = "COLLECTION", collection
    check(problems(obj, other), "'Cut' depends on the shape of 'Cutter'")


def test_the_place_of_another_fitted_object_is_said():
    obj, other = add_grid(), add_cube("Centre")
    obj.modifiers.new("Mirror", "MIRROR").mirror_object = other
    check(problems(obj, other))
    check(notices(obj, other), "'Grid': its modifier 'Mirror' depends on the place of 'Centre'")
    check(notices(obj))


def test_shape_keys_that_do_not_show_are_refused():
    obj = add_grid()
    add_subsurf(obj)
    obj.shape_key_add(name="Basis")
    key = obj.shape_key_add(name="Smile")
    obj.active_shape_key_index = 1
    key.value = 0.0
    check(problems(obj), "'Grid': its active shape key 'Smile' has the value 0, .*give it the value 1")
    obj.show_only_shape_key = True
    check(problems(obj))
    obj.show_only_shape_key, key.value, key.mute = False, 1.0, True
    check(problems(obj), "'Smile' is muted, .*unmute it")
    obj.active_shape_key_index = 0
    check(problems(obj))


def test_differences_between_viewports_and_renders_are_said():
    obj = add_grid()
    subdivision = add_subsurf(obj, levels=1, render=2)
    check(
        notices(obj),
        "'Grid': its modifier 'Subdivision' subdivides 1 times in viewports and 2 times in renders, and a "
        "fit at the Level Viewport 1 times: choose the Level Render",
    )
    check(notices(obj, level="render"), "at the Level Render 2 times: choose the Level Viewport")
    subdivision.show_viewport = False
    check(notices(obj), "'Subdivision' is switched on in renders and off in viewports.*leaves it out.*Render")
    check(notices(obj, level="render"), "at the Level Render goes through it: choose the Level Viewport")


def test_simplification_is_said():
    obj = add_grid()
    add_subsurf(obj, 3)
    render = bpy.context.scene.render
    render.use_simplify, render.simplify_subdivision, render.simplify_subdivision_render = True, 1, 3
    check(notices(obj), "'Grid': scene 'Scene' simplifies its modifier 'Subdivision' to 1 of 3 levels")
    check(notices(obj, level="render"))


def test_what_changes_with_the_frame_is_said():
    obj = add_grid()
    bpy.context.scene.frame_set(7)
    solid = obj.modifiers.new("Shell", "SOLIDIFY")
    solid.keyframe_insert("thickness", frame=1)
    pattern = r"'Grid': its modifier 'Shell' changes with the frame \(its Thickness is animated\); .*frame 7"
    check(notices(obj), pattern)
    obj.animation_data_clear()
    check(notices(obj))
    driver = solid.driver_add("thickness").driver
    driver.expression = "0.1"
    check(notices(obj))
    driver.expression = "frame / 100"
    check(notices(obj), pattern)
    obj.modifiers.clear()
    obj.modifiers.new("Ripple", "WAVE")
    check(notices(obj), "'Ripple' changes with the frame")
    obj.modifiers.clear()
    rig = add_armature(obj)
    check(notices(obj))
    rig.pose.bones["Bone"].keyframe_insert("rotation_euler", frame=1)
    check(notices(obj), r"'Armature' changes with the frame \(it reads 'Rig', animated\)")


def test_nodes_that_read_the_time_are_said():
    obj = add_grid()
    add_inflating_nodes(obj)
    group = obj.modifiers[0].node_group
    check(notices(obj))
    group.nodes.new("GeometryNodeInputSceneTime")
    check(notices(obj), "'Inflate' changes with the frame .*Scene Time")


def test_slow_evaluation_is_said_with_the_slowest_modifier(monkeypatch: pytest.MonkeyPatch):
    obj = add_grid()
    add_subsurf(obj, 5)
    obj.modifiers.new("Triangulate", "MASK")
    check(notices(obj))
    monkeypatch.setattr(stack_rules, "SLOW", 0.0)
    check(notices(obj), r"'Grid': its modifiers take \d+ ms to evaluate, most of it 'Subdivision'.*lower its")


def test_a_subdivision_that_blender_puts_off_is_counted():
    """The last one, which it leaves to whoever draws or reads the mesh: millions of faces are not made in the
    time that none takes."""
    obj = add_grid()
    modifier = add_subsurf(obj, 0)
    nothing, _ = evaluation_time(obj, "viewport")
    modifier.levels = 7
    much, slowest = evaluation_time(obj, "viewport")
    assert slowest == "Subdivision"
    assert much > 10.0 * nothing


def test_particles_and_collisions_leave_the_mesh_as_it_is():
    obj = add_grid()
    obj.modifiers.new("Hair", "PARTICLE_SYSTEM")
    obj.modifiers.new("Collision", "COLLISION")
    assert problems(obj) == []
    assert notices(obj) == []


def test_curves_and_empties_are_left_to_other_rules():
    curve = bpy.data.objects.new("Curve", bpy.data.curves.new("Curve", "CURVE"))
    bpy.context.scene.collection.objects.link(curve)
    assert problems(curve, add_object_without_data("Empty")) == []
    assert notices(curve, add_object_without_data("Empty")) == []
