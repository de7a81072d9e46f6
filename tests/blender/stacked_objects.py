# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects under modifiers, with shape keys and on bones, for tests of fitted values."""

from __future__ import annotations

import bpy
import numpy as np

from tests.blender.small_world import add_sphere
from tests.meshes import waves


def painted(name: str = "Cup") -> bpy.types.Object:
    """A smooth, painted ellipsoid of radius about 1 at the origin."""
    return add_sphere(name, (1.0, 0.8, 0.9), colour=waves(32, 32))


def with_displace(obj: bpy.types.Object, strength: float) -> bpy.types.Object:
    modifier = obj.modifiers.new("Displace", "DISPLACE")
    modifier.strength, modifier.mid_level = strength, 0.0
    return obj


def with_open_shell(obj: bpy.types.Object, thickness: float) -> bpy.types.Object:
    """Without its upper part, and with a wall."""
    import bmesh

    mesh = bmesh.new()
    mesh.from_mesh(obj.data)
    bmesh.ops.delete(mesh, geom=[v for v in mesh.verts if v.co.z > 0.45], context="VERTS")
    mesh.to_mesh(obj.data)
    mesh.free()
    modifier = obj.modifiers.new("Solidify", "SOLIDIFY")
    modifier.thickness = thickness
    return obj


def with_smile(obj: bpy.types.Object, value: float) -> bpy.types.Object:
    """With a shape key that pulls its front out."""
    obj.shape_key_add(name="Basis")
    key = obj.shape_key_add(name="Smile")
    for point in key.data:
        point.co.y -= 0.5 * max(0.0, -point.co.y) ** 2
    key.value = value
    return obj


def with_bones(obj: bpy.types.Object, degrees: float) -> bpy.types.Object:
    """On an armature of two bones along Z, "Root" and "Tip"; Tip is turned about its X."""
    data = bpy.data.armatures.new("Rig")
    rig = bpy.data.objects.new("Rig", data)
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    root, tip = data.edit_bones.new("Root"), data.edit_bones.new("Tip")
    root.head, root.tail = (0.0, 0.0, -1.0), (0.0, 0.0, 0.0)
    tip.head, tip.tail, tip.parent = (0.0, 0.0, 0.0), (0.0, 0.0, 1.0), root
    bpy.ops.object.mode_set(mode="OBJECT")
    for name, sign in (("Root", -1.0), ("Tip", 1.0)):
        group = obj.vertex_groups.new(name=name)
        for vertex in obj.data.vertices:
            weight = float(np.clip(0.5 + sign * 2.0 * vertex.co.z, 0.0, 1.0))
            if weight > 0.0:
                group.add([vertex.index], weight, "REPLACE")
    obj.modifiers.new("Armature", "ARMATURE").object = rig
    rig.pose.bones["Tip"].rotation_quaternion = (np.cos(np.radians(degrees) / 2), *_x(degrees))
    bpy.context.view_layer.update()
    return obj


def _x(degrees: float) -> tuple[float, float, float]:
    return (float(np.sin(np.radians(degrees) / 2)), 0.0, 0.0)


def with_nodes(obj: bpy.types.Object, height: float) -> bpy.types.Object:
    """With a node group that lifts points by its input Height, and with a vector, a number, a switch."""
    tree = bpy.data.node_groups.new("Lift", "GeometryNodeTree")
    sockets = tree.interface
    sockets.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    lift = sockets.new_socket("Height", in_out="INPUT", socket_type="NodeSocketFloat")
    lift.min_value, lift.max_value, lift.default_value = -2.0, 2.0, height
    sockets.new_socket("Shift", in_out="INPUT", socket_type="NodeSocketVector")
    sockets.new_socket("Count", in_out="INPUT", socket_type="NodeSocketInt")
    sockets.new_socket("Switch", in_out="INPUT", socket_type="NodeSocketBool")
    sockets.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    given, result = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    move, along = tree.nodes.new("GeometryNodeSetPosition"), tree.nodes.new("ShaderNodeVectorMath")
    position, add = tree.nodes.new("GeometryNodeInputPosition"), tree.nodes.new("ShaderNodeVectorMath")
    along.operation, add.operation = "SCALE", "ADD"
    tree.links.new(given.outputs["Geometry"], move.inputs["Geometry"])
    tree.links.new(position.outputs["Position"], along.inputs["Vector"])
    tree.links.new(given.outputs["Height"], along.inputs["Scale"])
    tree.links.new(along.outputs["Vector"], add.inputs[0])
    tree.links.new(given.outputs["Shift"], add.inputs[1])
    tree.links.new(add.outputs["Vector"], move.inputs["Offset"])
    tree.links.new(move.outputs["Geometry"], result.inputs["Geometry"])
    obj.modifiers.new("GeometryNodes", "NODES").node_group = tree
    bpy.context.view_layer.update()
    return obj


def socket_of(obj: bpy.types.Object, name: str) -> str:
    """The path of an input of its node group, as this version of Blender writes it."""
    modifier = obj.modifiers["GeometryNodes"]
    identifier = next(
        each.identifier for each in modifier.node_group.interface.items_tree if each.name == name
    )
    if hasattr(modifier, "properties"):
        return f'modifiers["GeometryNodes"].properties.inputs.{identifier}.value'
    return f'modifiers["GeometryNodes"]["{identifier}"]'
