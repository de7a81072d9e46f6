# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects under modifiers, made from arrays, and what Blender's own scene makes of them."""

from __future__ import annotations

import bpy
import numpy as np

from tests.blender.test_objects import add_cube, add_object

COUNTED = ("objects", "meshes", "scenes", "shape_keys", "actions", "collections", "materials", "node_groups")


def add_grid(name: str = "Grid", side: int = 4) -> bpy.types.Object:
    """A wavy square of side x side vertices, open all around, with a UV map."""
    y, x = np.mgrid[0:side, 0:side] / (side - 1.0)
    points = np.stack([x, y, 0.1 * np.sin(5.0 * x)], axis=-1).reshape(-1, 3)
    index = np.arange(side * side).reshape(side, side)
    quads = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], axis=-1).reshape(-1, 4)
    obj = add_object(name, points.tolist(), quads.tolist())
    layer = obj.data.uv_layers.new(name="UVMap")
    layer.uv.foreach_set("vector", points[quads.ravel(), :2].astype(np.float32).ravel())
    return obj


def add_cage(name: str = "Cage") -> bpy.types.Object:
    """A cube, turned, moved and unevenly scaled, as evaluated positions depend on all of it."""
    obj = add_cube(name)
    obj.location, obj.rotation_euler, obj.scale = (0.2, 0.5, -0.1), (0.3, 0.2, 0.1), (1.0, 0.6, 1.4)
    bpy.context.view_layer.update()
    return obj


def add_subsurf(
    obj: bpy.types.Object, levels: int = 2, render: int | None = None
) -> bpy.types.SubsurfModifier:
    modifier = obj.modifiers.new("Subdivision", "SUBSURF")
    modifier.levels, modifier.render_levels = levels, levels if render is None else render
    return modifier


def nodes_modifier(obj: bpy.types.Object, name: str = "Nodes") -> bpy.types.NodeTree:
    """The group of a new Geometry Nodes modifier, its geometry input and output not yet linked."""
    tree = bpy.data.node_groups.new(name, "GeometryNodeTree")
    for direction in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=direction, socket_type="NodeSocketGeometry")
    tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    obj.modifiers.new(name, "NODES").node_group = tree
    return tree


def add_inflating_nodes(obj: bpy.types.Object, distance: float = 0.2) -> None:
    """Geometry Nodes that move every vertex along its normal."""
    tree = nodes_modifier(obj, "Inflate")
    entry, leave = tree.nodes["Group Input"], tree.nodes["Group Output"]
    move, normal = tree.nodes.new("GeometryNodeSetPosition"), tree.nodes.new("GeometryNodeInputNormal")
    scale = tree.nodes.new("ShaderNodeVectorMath")
    scale.operation = "SCALE"
    scale.inputs["Scale"].default_value = distance
    tree.links.new(normal.outputs["Normal"], scale.inputs[0])
    tree.links.new(scale.outputs["Vector"], move.inputs["Offset"])
    tree.links.new(entry.outputs[0], move.inputs["Geometry"])
    tree.links.new(move.outputs["Geometry"], leave.inputs[0])


def add_object_without_data(name: str) -> bpy.types.Object:
    """An Empty."""
    obj = bpy.data.objects.new(name, None)
    bpy.context.scene.collection.objects.link(obj)
    return obj


def add_armature(obj: bpy.types.Object) -> bpy.types.Object:
    """An armature of one bone, turned, that moves the object's upper vertices."""
    data = bpy.data.armatures.new("Rig")
    rig = bpy.data.objects.new("Rig", data)
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    bone = data.edit_bones.new("Bone")
    bone.head, bone.tail = (0.0, 0.0, 0.0), (0.0, 0.0, 1.0)
    bpy.ops.object.mode_set(mode="OBJECT")
    rig.pose.bones["Bone"].rotation_mode = "XYZ"
    rig.pose.bones["Bone"].rotation_euler = (0.4, 0.2, 0.0)
    group = obj.vertex_groups.new(name="Bone")
    for vertex in obj.data.vertices:
        group.add([vertex.index], 1.0 if vertex.co.z > 0.0 else 0.25, "REPLACE")
    modifier = obj.modifiers.new("Armature", "ARMATURE")
    modifier.object = rig
    return rig


def counts() -> dict[str, int]:
    """How many of each kind of data the file has."""
    return {kind: len(getattr(bpy.data, kind)) for kind in COUNTED}


def moved(start: np.ndarray, amount: float = 0.1, seed: int = 0) -> np.ndarray:
    """The positions, each moved at random."""
    noise = np.random.default_rng(seed).normal(size=start.shape)
    return (start + amount * noise).astype(np.float32)
