# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials, nodes and images that tests of maps are made of."""

from __future__ import annotations

import bpy
import numpy as np


def add_quad(name: str, *materials: bpy.types.Material | None) -> bpy.types.Object:
    """A square per material (at least one), each using its slot, with UVs from 0 to 1."""
    count = max(1, len(materials))
    mesh = bpy.data.meshes.new(name)
    corners = [(x, y, float(i)) for i in range(count) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))]
    mesh.from_pydata(corners, [], [range(4 * i, 4 * i + 4) for i in range(count)])
    mesh.uv_layers.new(name="UVMap")
    for material in materials:
        mesh.materials.append(material)
    mesh.polygons.foreach_set("material_index", range(count))
    obj = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(obj)
    return obj


def add_material(name: str) -> bpy.types.Material:
    """With a Principled BSDF at its output."""
    material = bpy.data.materials.new(name)
    if material.node_tree is None:  # before Blender 5
        material.use_nodes = True
    return material


def principled(material: bpy.types.Material) -> bpy.types.Node:
    """The first Principled BSDF of a material."""
    return next(node for node in material.node_tree.nodes if node.bl_idname == "ShaderNodeBsdfPrincipled")


def node_of(material: bpy.types.Material, kind: str) -> bpy.types.Node:
    """A new node."""
    return material.node_tree.nodes.new(kind)


def image_node(material: bpy.types.Material, image: bpy.types.Image) -> bpy.types.Node:
    """A new Image Texture node that shows an image."""
    node = node_of(material, "ShaderNodeTexImage")
    node.image = image
    return node


def link(
    material: bpy.types.Material,
    source: bpy.types.Node,
    target: bpy.types.Node,
    socket: str | int,
    *,
    output: str | int = 0,
) -> None:
    """Link an output of one node, the first if no other is named, to an input of another."""
    material.node_tree.links.new(source.outputs[output], target.inputs[socket])


def byte_image(
    name: str, code: tuple[int, int, int, int], *, is_data: bool = False, size: tuple[int, int] = (4, 2)
) -> bpy.types.Image:
    """An 8-bit image of one colour, given as the numbers that are stored; size: (width, height)."""
    image = bpy.data.images.new(name, *size, alpha=True, is_data=is_data)
    image.pixels.foreach_set(np.tile(np.array(code, np.float32) / 255.0, size[0] * size[1]))
    image.update()
    return image


def outputs_of(image: bpy.types.Image) -> np.ndarray:
    """(H, W, 4) as stored."""
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(height, width, 4)
