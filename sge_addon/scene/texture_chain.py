# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an input of a shader back to the image that feeds it: which image, which channels, by which UVs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import bpy

RGB, ALPHA = (0, 1, 2), (3,)
_SEPARATED = {"Red": 0, "Green": 1, "Blue": 2, "X": 0, "Y": 1, "Z": 2}
_SEPARATORS = {"ShaderNodeSeparateColor": "Color", "ShaderNodeSeparateXYZ": "Vector"}


@dataclass(frozen=True)
class Obstacle:
    """A node that keeps an input from being read. what: goes on from "which", in messages."""

    node: str
    what: str


@dataclass(frozen=True, eq=False)
class ImageSource:
    """An image that feeds an input directly.

    node: the Image Texture node; there is an image in it. channels: RGB, ALPHA, or the one that a Separate
    Color node takes out. uv_map: name of a UV map, "" for the one that renders use. uv_transform: (2, 3)
    float32, from (u, v, 1) of the mesh to those of the image. factor: by which nodes multiply it, one value
    or three. factor_node: the last of these nodes, "" where there are none.
    """

    node: bpy.types.ShaderNodeTexImage
    channels: tuple[int, ...]
    uv_map: str
    uv_transform: NDArray[np.float32]
    factor: tuple[float, ...] = (1.0,)
    factor_node: str = ""

    @property
    def image(self) -> bpy.types.Image:
        """The image in the node."""
        return self.node.image


def linked_output(socket: bpy.types.NodeSocket) -> bpy.types.NodeSocket | None:
    """The output that feeds an input, through reroutes; None where nothing is linked, or only muted."""
    while socket.is_linked:
        link = socket.links[0]
        if link.is_muted:
            return None
        if link.from_node.bl_idname != "NodeReroute":
            return link.from_socket
        socket = link.from_node.inputs[0]
    return None


def title(node: bpy.types.Node) -> str:
    """What a node is called on the screen."""
    return node.label or node.name


def image_source(socket: bpy.types.NodeSocket) -> ImageSource | Obstacle | None:
    """What feeds an input: an image, something that cannot be read, or nothing."""
    output = linked_output(socket)
    if output is None:
        return None
    factor, factor_node = np.ones(1), ""
    while (multiplied := _multiplied(output.node)) is not None:
        factor = factor * multiplied[1]
        factor_node = factor_node or title(output.node)
        output = multiplied[0]
    node, channels = output.node, RGB
    if node.mute:
        return Obstacle(title(node), "is muted")
    if node.bl_idname in _SEPARATORS:
        if getattr(node, "mode", "RGB") != "RGB":
            return Obstacle(title(node), f"separates {node.mode}, not RGB")
        channels = (_SEPARATED[output.name],)
        separator, output = node, linked_output(node.inputs[_SEPARATORS[node.bl_idname]])
        if output is None or output.node.bl_idname != "ShaderNodeTexImage" or output.name != "Color":
            return Obstacle(title(separator), "separates something other than an image's color")
        node = output.node
        if node.mute:
            return Obstacle(title(node), "is muted")
    if node.bl_idname != "ShaderNodeTexImage":
        return Obstacle(title(node), f"is of the kind {node.bl_label}")
    if output.name == "Alpha":
        channels = ALPHA
    if node.image is None:
        return Obstacle(title(node), "has no image in it")
    if node.projection != "FLAT":
        return Obstacle(title(node), f"projects its image as {node.projection.title()}, not Flat")
    coordinates = uv_coordinates(node)
    if isinstance(coordinates, Obstacle):
        return coordinates
    return ImageSource(node, channels, *coordinates, tuple(factor.tolist()), factor_node)


def _multiplied(node: bpy.types.Node) -> tuple[bpy.types.NodeSocket, NDArray[np.float64]] | None:
    """What a node multiplies by a constant, as in materials from glTF, and the constant, (1,) or (3,)."""
    if node.mute:
        return None
    if node.bl_idname == "ShaderNodeMath" and node.operation == "MULTIPLY" and not node.use_clamp:
        first, second = node.inputs[:2]
        part = 1.0
    elif node.bl_idname == "ShaderNodeMix" and (node.data_type, node.blend_type) == ("RGBA", "MULTIPLY"):
        inputs = {socket.identifier: socket for socket in node.inputs}
        first, second = inputs["A_Color"], inputs["B_Color"]
        part = _constant(inputs["Factor_Float"])
    elif node.bl_idname == "ShaderNodeMixRGB" and node.blend_type == "MULTIPLY":
        first, second = node.inputs["Color1"], node.inputs["Color2"]
        part = _constant(node.inputs["Fac"])
    else:
        return None
    if linked_output(first) is None and part == 1.0:
        first, second = second, first
    source = linked_output(first)
    if source is None or linked_output(second) is not None or not 0.0 <= part <= 1.0:
        return None
    value = second.default_value
    constant = np.array(value[:3] if hasattr(value, "__len__") else (value,), np.float64)
    return source, 1.0 - part + part * constant


def _constant(socket: bpy.types.NodeSocket) -> float:
    """The value of an input, NaN where it is linked."""
    return float("nan") if linked_output(socket) is not None else socket.default_value


def uv_coordinates(node: bpy.types.ShaderNodeTexImage) -> tuple[str, NDArray[np.float32]] | Obstacle:
    """The UV map that an image is laid by, and the (2, 3) transform of Mapping nodes before it."""
    matrix = np.eye(4)
    socket = node.inputs["Vector"]
    while (output := linked_output(socket)) is not None:
        source = output.node
        if source.bl_idname == "ShaderNodeMapping":
            of_node = np.eye(4) if source.mute else mapping_matrix(source)
            if isinstance(of_node, Obstacle):
                return of_node
            matrix = matrix @ of_node
            socket = source.inputs["Vector"]
            continue
        uv_map = source.uv_map if source.bl_idname == "ShaderNodeUVMap" else ""
        is_uv = source.bl_idname == "ShaderNodeUVMap" or (
            source.bl_idname == "ShaderNodeTexCoord" and output.name == "UV"
        )
        if not is_uv or source.mute or source.from_instancer:
            return Obstacle(title(source), f"gives other coordinates than UVs ({output.name})")
        return uv_map, _affine_2d(matrix)
    if socket.node.bl_idname == "ShaderNodeMapping":
        return Obstacle(title(socket.node), "has no coordinates linked to it")
    return "", _affine_2d(matrix)


def _affine_2d(matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    """Of points (u, v, 0): (2, 3)."""
    return np.ascontiguousarray(matrix[:2, [0, 1, 3]], np.float32)


def mapping_matrix(node: bpy.types.Node) -> NDArray[np.float64] | Obstacle:
    """(4, 4) of a Mapping node."""
    from mathutils import Euler, Matrix

    if node.vector_type == "NORMAL":
        return Obstacle(title(node), "maps normals, not points")
    for name in ("Location", "Rotation", "Scale"):
        if name in node.inputs and linked_output(node.inputs[name]) is not None:
            return Obstacle(title(node), f"has its {name} linked")
    rotation = np.array(Euler(node.inputs["Rotation"].default_value).to_matrix().to_4x4())
    scale = np.array(node.inputs["Scale"].default_value[:])
    place = node.inputs["Location"].default_value if node.vector_type != "VECTOR" else (0.0, 0.0, 0.0)
    if node.vector_type == "TEXTURE":  # the inverse of a point's; a scale of 0 gives 0, as in Blender
        inverse = np.divide(1.0, scale, out=np.zeros(3), where=scale != 0.0)
        return np.diag([*inverse, 1.0]) @ rotation.T @ np.array(Matrix.Translation(place).inverted())
    return np.array(Matrix.Translation(place)) @ rotation @ np.diag([*scale, 1.0])
