# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The displacement of a material: Image Texture, Displacement, Material Output, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..core.errors import FitError
from .animation import is_path_animated
from .materials import check_texture, source_node

if TYPE_CHECKING:
    import bpy


def displacement_node(material: bpy.types.Material) -> bpy.types.Node | None:
    """The node behind the output's Displacement, of whatever type; None where nothing is linked."""
    if material.node_tree is None:
        return None
    output = material.node_tree.get_output_node("ALL") or material.node_tree.get_output_node("EEVEE")
    return source_node(output.inputs["Displacement"]) if output is not None else None


def height_image_node(node: bpy.types.Node) -> bpy.types.ShaderNodeTexImage | None:
    """The Image Texture behind a Displacement node's height, with an image in it; else None."""
    source = source_node(node.inputs["Height"]) if "Height" in node.inputs else None
    if source is None or source.bl_idname != "ShaderNodeTexImage" or source.image is None:
        return None
    return source


def uv_map_of_node(node: bpy.types.ShaderNodeTexImage) -> str | None:
    """The UV map that an Image Texture reads by, "" for the one of renders; None where by other means."""
    socket = node.inputs["Vector"]
    source = source_node(socket)
    if source is None:
        return ""
    if source.bl_idname == "ShaderNodeUVMap":
        return source.uv_map
    if source.bl_idname == "ShaderNodeTexCoord" and _output_behind(socket) == "UV":
        return ""
    return None


def node_problems(material: bpy.types.Material) -> Iterator[FitError]:
    """What keeps a material's displacement from being fitted."""
    node = displacement_node(material)
    owner = f"Material '{material.name}'"
    if node.bl_idname != "ShaderNodeDisplacement":
        yield FitError(
            f"{owner} is displaced by the node '{node.label or node.name}' ({node.bl_label}); a height map "
            "needs a Displacement node: put one there.",
            subject=material.name,
        )
        return
    for name in ("Midlevel", "Scale", "Normal"):
        if node.inputs[name].is_linked:
            yield FitError(
                f"{owner}: {name} of its Displacement node comes from "
                f"'{source_node(node.inputs[name]).name}'; heights along the normal are fitted: unlink it.",
                subject=material.name,
            )
        if is_path_animated(material.node_tree, node.inputs[name].path_from_id("default_value")):
            yield FitError(
                f"{owner}: {name} of its Displacement node is animated, so that what a fit writes there "
                "would not stay: remove its keyframes or driver.",
                subject=material.name,
            )
    if not node.inputs["Scale"].is_linked and node.inputs["Scale"].default_value == 0.0:
        yield FitError(
            f"{owner}: its Displacement node has the scale 0, with which no height shows: set another.",
            subject=material.name,
        )
    source = source_node(node.inputs["Height"])
    if source is None:
        return
    reader = height_image_node(node)
    if reader is None:
        missing = (
            "without an image" if source.bl_idname == "ShaderNodeTexImage" else "which is no Image Texture"
        )
        yield FitError(
            f"{owner}: the height of its Displacement node comes from '{source.label or source.name}', "
            f"{missing}: link an Image Texture with an image, or unlink it.",
            subject=material.name,
        )
        return
    if uv_map_of_node(reader) is None or reader.projection != "FLAT":
        yield FitError(
            f"{owner}: its height '{reader.image.name}' is not read by a UV map as it is: link a UV Map node "
            f"to '{reader.name}', with projection Flat.",
            subject=material.name,
        )
    if _output_behind(node.inputs["Height"]) != "Color":
        yield FitError(
            f"{owner}: its height is the alpha of '{reader.image.name}': link Color to Displacement instead.",
            subject=material.name,
        )
    try:
        check_texture(reader.image)
    except FitError as error:
        yield error


def _output_behind(socket: bpy.types.NodeSocket) -> str:
    """Name of the output that feeds an input, through reroutes."""
    while socket.links[0].from_node.bl_idname == "NodeReroute":
        socket = socket.links[0].from_node.inputs[0]
    return socket.links[0].from_socket.name
