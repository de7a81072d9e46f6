# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metallic and roughness of obj files, whose materials name an image for each of the two.

Blender's exporter finds images that are linked straight to the shader. What is one channel of an image, as
where both are packed in one, becomes a grey image of its own, which is linked while the exporter runs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .exported_textures import free_path, materials_of
from .images import save_png
from .material_graph import read_graph
from .texture_chain import ImageSource
from .texture_values import map_values, node_outputs

if TYPE_CHECKING:
    import bpy

GLOSS = ("metallic", "roughness")
COLOURS = ("base_color", "emission")


@dataclass(frozen=True, eq=False)
class GlossImage:
    """socket: of the shader, which an image feeds. path: the grey image that it becomes; None where the image
    is linked straight."""

    material: bpy.types.Material
    name: str
    socket: bpy.types.NodeSocket
    source: ImageSource
    path: Path | None


def gloss_images(
    file: Path, objects: Sequence[bpy.types.Object], reserved: Collection[Path] = ()
) -> list[GlossImage]:
    """What images say of metallic and roughness; own files are ``<stem>_<material>_<map>.png``."""
    taken = {path.name.casefold() for path in reserved}
    found = []
    for material in materials_of(objects):
        maps = read_graph(material).maps
        for name in GLOSS:
            socket, source = maps[name].socket, maps[name].image
            if socket is None or source is None:
                continue
            is_straight = socket.links[0].from_socket == source.node.outputs["Color"]
            path = None if is_straight else free_path(file, f"{material.name}_{name}", taken)
            found.append(GlossImage(material, name, socket, source, path))
    return found


def save_gloss(images: Sequence[GlossImage]) -> None:
    """Write the grey images, 8 bits as they are."""
    for each in images:
        if each.path is not None:
            values = map_values(node_outputs(each.source.node), each.source, each.name)
            save_png(each.path, np.repeat(values, 3, axis=2), encode_srgb=False)


def correct_images(objects: Sequence[bpy.types.Object]) -> None:
    """Images of imported obj files as they are meant, where Blender's importer takes them otherwise: those
    that hold no colour are not sRGB, and alpha that is read by a node of its own dims no colour."""
    graphs = [read_graph(material) for material in materials_of(objects)]
    sources = [(name, source.image) for graph in graphs for name, source in graph.maps.items()]
    shown = [(name, source.image) for name, source in sources if source is not None]
    colours = {image for name, image in shown if name in COLOURS}
    for image in {image for name, image in shown if name in (*GLOSS, "normal")} - colours:
        image.colorspace_settings.name = "Non-Color"
    for image in {image for name, image in shown if name == "alpha"} & colours:
        image.alpha_mode = "CHANNEL_PACKED"


@contextmanager
def saved_gloss_shown(images: Sequence[GlossImage]) -> Iterator[None]:
    """Within it, nodes that show the grey images feed the shaders."""
    import bpy

    made = []
    try:
        for each in images:
            if each.path is None:
                continue
            tree, before = each.material.node_tree, each.socket.links[0].from_socket
            node = tree.nodes.new("ShaderNodeTexImage")
            made.append((tree, each.socket, before, node))
            node.image = bpy.data.images.load(str(each.path))
            node.image.colorspace_settings.name = "Non-Color"
            coordinates = each.source.node.inputs["Vector"]
            if coordinates.is_linked:
                tree.links.new(coordinates.links[0].from_socket, node.inputs["Vector"])
            tree.links.new(node.outputs["Color"], each.socket)
        yield
    finally:
        for tree, socket, before, node in made:
            image = node.image
            tree.nodes.remove(node)
            tree.links.new(before, socket)
            if image is not None:
                bpy.data.images.remove(image)
