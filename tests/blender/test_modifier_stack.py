# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modifiers are called linear where Blender's evaluation is linear, and black boxes where it is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
import pytest

from sge_addon.core.cage import TopologyChanged
from sge_addon.core.errors import FitError
from sge_addon.scene.modifier_stack import described_stack
from sge_addon.scene.stack_evaluator import ModifierStack
from tests.blender.stacks import (
    add_armature,
    add_cage,
    add_grid,
    add_inflating_nodes,
    add_object_without_data,
    add_subsurf,
    moved,
    nodes_modifier,
)
from tests.blender.test_objects import add_cube

Make = Callable[[bpy.types.Object], Any]


def plain(kind: str, **values: Any) -> Make:
    """A modifier of the kind with these values."""

    def make(obj: bpy.types.Object) -> None:
        modifier = obj.modifiers.new("It", kind)
        for name, value in values.items():
            setattr(modifier, name, value)

    make.__name__ = "-".join([kind.lower(), *values])
    return make


def hook(falloff: str) -> Make:
    def make(obj: bpy.types.Object) -> None:
        centre = add_object_without_data("Centre")
        centre.rotation_euler, centre.location = (0.4, 0.3, 0.2), (0.1, 0.0, 0.0)
        modifier = obj.modifiers.new("It", "HOOK")
        modifier.object, modifier.falloff_type, modifier.falloff_radius = centre, falloff, 2.0
        modifier.vertex_indices_set(range(8))

    make.__name__ = f"hook-{falloff.lower()}"
    return make


def displace(direction: str, coordinates: str) -> Make:
    def make(obj: bpy.types.Object) -> None:
        modifier = obj.modifiers.new("It", "DISPLACE")
        modifier.direction, modifier.texture_coords, modifier.strength = direction, coordinates, 0.2
        modifier.texture = bpy.data.textures.new("Clouds", "CLOUDS")

    make.__name__ = f"displace-{direction.lower()}-{coordinates.lower()}"
    return make


def armature(preserve_volume: bool = False, segments: int = 1) -> Make:
    def make(obj: bpy.types.Object) -> None:
        rig = add_armature(obj)
        obj.modifiers["Armature"].use_deform_preserve_volume = preserve_volume
        rig.data.bones["Bone"].bbone_segments = segments
        rig.pose.bones["Bone"].bbone_curveinx = 0.5

    make.__name__ = f"armature-{'volume' if preserve_volume else segments}"
    return make


def lattice(obj: bpy.types.Object) -> None:
    data = bpy.data.lattices.new("Lattice")
    data.points_u = data.points_v = data.points_w = 3
    data.points[13].co_deform.x += 0.5
    other = bpy.data.objects.new("Lattice", data)
    bpy.context.scene.collection.objects.link(other)
    other.scale = (3.0, 3.0, 3.0)
    obj.modifiers.new("It", "LATTICE").object = other


def shrinkwrap(obj: bpy.types.Object) -> None:
    target = add_cage("Target")
    add_subsurf(target, 2)
    obj.modifiers.new("It", "SHRINKWRAP").target = target


def constant_array(obj: bpy.types.Object) -> None:
    modifier = obj.modifiers.new("It", "ARRAY")
    modifier.use_relative_offset, modifier.use_constant_offset = False, True


LINEAR = [
    plain("SUBSURF", levels=2),
    plain("SUBSURF", levels=2, subdivision_type="SIMPLE"),
    plain("SUBSURF", levels=1, use_limit_surface=False),
    plain("MIRROR", use_mirror_merge=False),
    constant_array,
    hook("NONE"),
    plain("SMOOTH", iterations=3),
    plain("CORRECTIVE_SMOOTH", use_only_smooth=True),
    plain("TRIANGULATE"),
    plain("EDGE_SPLIT", use_edge_angle=False),
    plain("SCREW", steps=4),
    displace("Z", "UV"),
    displace("RGB_TO_XYZ", "UV"),
    armature(),
    armature(preserve_volume=True),
]
NOT_LINEAR = [
    plain("ARRAY"),
    plain("MIRROR", use_bisect_axis=(True, False, False)),
    hook("SMOOTH"),
    lattice,
    shrinkwrap,
    plain("LAPLACIANSMOOTH"),
    plain("CORRECTIVE_SMOOTH", use_only_smooth=True, smooth_type="LENGTH_WEIGHTED"),
    plain("CAST"),
    plain("SIMPLE_DEFORM", angle=0.5),
    plain("SOLIDIFY", thickness=0.1),
    plain("WIREFRAME"),
    plain("WELD", merge_threshold=0.2),
    plain("EDGE_SPLIT"),
    plain("WAVE"),
    displace("NORMAL", "UV"),
    displace("Z", "LOCAL"),
    armature(segments=6),
    add_inflating_nodes,
]


def bend(obj: bpy.types.Object) -> float:
    """How far evaluation is from being linear, relative to what it does; inf where faces change."""
    bpy.context.view_layer.update()
    stack = ModifierStack(obj)
    start = stack.start
    one, other = (moved(start, 0.05, seed) for seed in (1, 2))
    try:
        at_start, at_one, at_other, at_both = stack.positions([start, one, other, one + other - start])
    except TopologyChanged:
        return np.inf
    return np.abs(at_both - at_one - at_other + at_start).max() / np.abs(at_one - at_start).max()


@pytest.mark.parametrize("make", LINEAR, ids=lambda make: make.__name__)
def test_what_is_called_linear_is_linear(make: Make):
    obj = add_grid(side=6)
    make(obj)
    assert [each.kind for each in described_stack(obj)] == ["linear"]
    assert bend(obj) < 1e-5


@pytest.mark.parametrize("make", NOT_LINEAR, ids=lambda make: make.__name__)
def test_what_is_called_a_black_box_is_not_linear(make: Make):
    obj = add_grid(side=6)
    make(obj)
    (described,) = described_stack(obj)
    assert described.kind == "black box"
    assert described.reason
    assert bend(obj) > 1e-3


@pytest.mark.parametrize(
    "kind", ["WEIGHTED_NORMAL", "NORMAL_EDIT", "UV_PROJECT", "UV_WARP", "VERTEX_WEIGHT_EDIT", "COLLISION"]
)
def test_what_is_called_shading_only_moves_nothing(kind: str):
    obj = add_grid()
    obj.modifiers.new("It", kind)
    bpy.context.view_layer.update()
    assert [each.kind for each in described_stack(obj)] == ["shading only"]
    stack = ModifierStack(obj)
    cage = moved(stack.start)
    np.testing.assert_allclose(stack.positions([cage])[0], cage, atol=1e-6)


def test_nodes_that_only_set_smooth_shading_are_shading_only():
    obj = add_grid()
    tree = nodes_modifier(obj, "Smooth by Angle")
    smooth, join = tree.nodes.new("GeometryNodeSetShadeSmooth"), tree.nodes.new("NodeReroute")
    tree.links.new(tree.nodes["Group Input"].outputs[0], join.inputs[0])
    tree.links.new(join.outputs[0], smooth.inputs["Geometry"])
    tree.links.new(smooth.outputs["Geometry"], tree.nodes["Group Output"].inputs[0])
    assert [each.kind for each in described_stack(obj)] == ["shading only"]
    outer_tree = nodes_modifier(obj, "Outer")
    group = outer_tree.nodes.new("GeometryNodeGroup")
    group.node_tree = tree
    assert [each.kind for each in described_stack(obj)] == ["shading only", "shading only"]
    tree.nodes.new("GeometryNodeSetPosition")
    assert [each.kind for each in described_stack(obj)] == ["black box", "black box"]


@pytest.mark.parametrize(
    "kind",
    ["CLOTH", "SOFT_BODY", "FLUID", "DYNAMIC_PAINT", "BUILD", "EXPLODE", "OCEAN", "MESH_SEQUENCE_CACHE"],
)
def test_simulations_and_caches_are_not_supported(kind: str):
    obj = add_grid()
    obj.modifiers.new("It", kind)
    (described,) = described_stack(obj)
    assert described.kind == "unsupported"
    assert described.reason


@pytest.mark.parametrize("kind", ["REMESH", "SKIN"])
def test_what_makes_faces_without_an_origin_is_not_supported(kind: str):
    obj = add_grid()
    obj.modifiers.new("It", kind)
    bpy.context.view_layer.update()
    assert [each.kind for each in described_stack(obj)] == ["unsupported"]
    with pytest.raises(FitError, match="do not tell from which face"):
        ModifierStack(obj).surface()


def test_hidden_is_by_level():
    obj = add_cube()
    modifier = add_subsurf(obj)
    modifier.show_viewport = False
    assert [each.kind for each in described_stack(obj, "viewport")] == ["hidden"]
    assert [each.kind for each in described_stack(obj, "render")] == ["linear"]
    assert described_stack(obj, "viewport")[0].reason == "switched off in viewports"


def test_every_type_of_modifier_can_be_described():
    obj = add_grid()
    types = bpy.types.Modifier.bl_rna.properties["type"].enum_items.keys()
    added = [each for each in types if not each.startswith("GREASE") and obj.modifiers.new(each, each)]
    described = described_stack(obj)
    assert len(described) == len(obj.modifiers) >= 50
    known = {"linear", "black box", "shading only", "unsupported"}
    assert {each.kind for each in described} == known
    assert "NODES" in added
