# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes for fitted maps that a material has no image for, wired as Blender's glTF importer wires them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .texture_chain import RGB, linked_output

if TYPE_CHECKING:
    import bpy

# Channels of glTF's packed image of metallic and roughness.
PACKED = {"roughness": (1,), "metallic": (2,)}
_OUTPUTS = ("Red", "Green", "Blue")
_IMAGE_X, _BETWEEN_X, _UV_X = -640.0, -320.0, -860.0  # left of the shader
_ROW_HEIGHT, _ROW_WIDTH, _NODE_HEIGHT = 300.0, 840.0, 280.0
_ROWS = {"base_color": 0.0, "metallic": -300.0, "roughness": -300.0, "emission": -600.0, "normal": -900.0}
_ALPHA_ROW = -1200.0


def add_image_node(
    shader: bpy.types.Node, image: bpy.types.Image, name: str, coordinates: bpy.types.Node | str
) -> bpy.types.Node:
    """A new Image Texture node in the row of a map, left of the shader.

    coordinates: an Image Texture node whose coordinates it shares, or the name of a UV map, "" for the one
    that renders use.
    """
    tree = shader.id_data
    x, y = _free_row(shader, _ROWS.get(name, _ALPHA_ROW))
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    node.location = x + _IMAGE_X, y
    if isinstance(coordinates, str):
        if coordinates:
            uv_map = tree.nodes.new("ShaderNodeUVMap")
            uv_map.uv_map = coordinates
            uv_map.location = x + _UV_X, y - 120.0
            tree.links.new(uv_map.outputs["UV"], node.inputs["Vector"])
    else:
        output = linked_output(coordinates.inputs["Vector"])
        if output is not None:
            tree.links.new(output, node.inputs["Vector"])
    return node


def link_map(node: bpy.types.Node, channels: tuple[int, ...], socket: bpy.types.NodeSocket) -> None:
    """Link channels of an Image Texture node to an input, in place of what is linked there."""
    tree = node.id_data
    if channels == RGB:
        output = node.outputs["Color"]
    elif channels == (3,):
        output = node.outputs["Alpha"]
    else:
        output = _separator(node).outputs[_OUTPUTS[channels[0]]]
    tree.links.new(output, socket)


def add_normal_map(
    socket: bpy.types.NodeSocket, uv_map: str, image: bpy.types.Node | None
) -> bpy.types.NodeSocket:
    """The Color of a new Normal Map node before a shader's Normal.

    uv_map: "" for the one that renders use. image: the Image Texture node that it goes beside.
    """
    tree = socket.id_data
    node = tree.nodes.new("ShaderNodeNormalMap")
    node.uv_map = uv_map
    x, y = _free_row(socket.node, _ROWS["normal"]) if image is None else _place(image)
    node.location = x + (_BETWEEN_X if image is None else _BETWEEN_X - _IMAGE_X), y
    tree.links.new(node.outputs["Normal"], socket)
    return node.inputs["Color"]


def unlink(socket: bpy.types.NodeSocket) -> bool:
    """Take away what is linked to an input; whether there was anything."""
    links = tuple(socket.links)
    for link in links:
        socket.id_data.links.remove(link)
    return bool(links)


def _separator(node: bpy.types.Node) -> bpy.types.Node:
    """The Separate Color node of an image, made where there is none."""
    for link in node.outputs["Color"].links:
        if link.to_node.bl_idname == "ShaderNodeSeparateColor" and link.to_node.mode == "RGB":
            return link.to_node
    separator = node.id_data.nodes.new("ShaderNodeSeparateColor")
    x, y = _place(node)
    separator.location = x + _BETWEEN_X - _IMAGE_X, y
    node.id_data.links.new(node.outputs["Color"], separator.inputs["Color"])
    return separator


def _free_row(shader: bpy.types.Node, below: float) -> tuple[float, float]:
    """Where the shader is, and a height from which a row of nodes left of it covers no other node."""
    x, top = _place(shader)
    y = top + below
    others = [(*_place(node), node.width) for node in shader.id_data.nodes if node != shader]
    while any(
        left < x and left + width > x - _ROW_WIDTH - 20.0 and abs(height - y) < _NODE_HEIGHT
        for left, height, width in others
    ):
        y -= _ROW_HEIGHT
    return x, y


def _place(node: bpy.types.Node) -> tuple[float, float]:
    """In the tree, whatever frames it is in."""
    place = node.location_absolute
    return place[0], place[1]
