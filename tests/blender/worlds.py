# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lights and worlds for tests."""

from __future__ import annotations

import bpy


def add_light(
    kind: str,
    *,
    name: str = "Light",
    energy: float = 1.0,
    color: tuple[float, float, float] = (1.0, 1.0, 1.0),
    location: tuple[float, float, float] = (0.0, 0.0, 0.0),
    rotation: tuple[float, float, float] = (0.0, 0.0, 0.0),
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> bpy.types.Object:
    data = bpy.data.lights.new(name, kind)
    data.energy, data.color = energy, color
    obj = bpy.data.objects.new(name, data)
    obj.location, obj.rotation_euler, obj.scale = location, rotation, scale
    bpy.context.scene.collection.objects.link(obj)
    return obj


def new_world(color: tuple[float, float, float], strength: float = 1.0) -> bpy.types.World:
    """A constant world of the scene."""
    world = bpy.data.worlds.new("Sky World")
    if world.node_tree is None:
        world.use_nodes = True
    bpy.context.scene.world = world
    background = next(node for node in world.node_tree.nodes if node.bl_idname == "ShaderNodeBackground")
    background.inputs["Color"].default_value = (*color, 1.0)
    background.inputs["Strength"].default_value = strength
    return world


def environment_world(
    image: bpy.types.Image, strength: float = 1.0, rotation: tuple[float, float, float] | None = None
) -> bpy.types.Node | None:
    """The scene lit by an equirectangular image; its Mapping node, where it is turned."""
    world = new_world((1.0, 1.0, 1.0), strength)
    tree = world.node_tree
    background = next(node for node in tree.nodes if node.bl_idname == "ShaderNodeBackground")
    texture = tree.nodes.new("ShaderNodeTexEnvironment")
    texture.image = image
    tree.links.new(texture.outputs["Color"], background.inputs["Color"])
    if rotation is None:
        return None
    mapping = tree.nodes.new("ShaderNodeMapping")
    mapping.inputs["Rotation"].default_value = rotation
    coordinates = tree.nodes.new("ShaderNodeTexCoord")
    tree.links.new(coordinates.outputs["Generated"], mapping.inputs["Vector"])
    tree.links.new(mapping.outputs["Vector"], texture.inputs["Vector"])
    return mapping
