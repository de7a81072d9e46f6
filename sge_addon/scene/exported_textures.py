# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Base colour textures of exported objects: written beside the mesh, and what the mesh file refers to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .images import image_to_array, save_png

if TYPE_CHECKING:
    import bpy


def texture_paths(file: Path, objects: Sequence[bpy.types.Object]) -> dict[bpy.types.Image, Path]:
    """Where each base colour image of the objects goes: ``<stem>_<image>.png`` beside the file."""
    paths: dict[bpy.types.Image, Path] = {}
    for node in base_color_nodes(objects):
        name, number = _plain(node.image.name), 1
        while node.image not in paths:
            path = file.with_name(f"{file.stem}_{name}{'' if number == 1 else f'_{number}'}.png")
            number += 1
            if path not in paths.values():
                paths[node.image] = path
    return paths


def save_textures(paths: Mapping[bpy.types.Image, Path]) -> None:
    """Write each image as sRGB-encoded 8-bit PNG."""
    for image, path in paths.items():
        save_png(path, image_to_array(image))


@contextmanager
def saved_textures_shown(
    objects: Sequence[bpy.types.Object], paths: Mapping[bpy.types.Image, Path]
) -> Iterator[None]:
    """Within it, the objects' nodes show the written files instead of the images that were fitted."""
    import bpy

    originals = [(node, node.image) for node in base_color_nodes(objects)]
    loaded = {image: bpy.data.images.load(str(path)) for image, path in paths.items()}
    try:
        for node, image in originals:
            node.image = loaded[image]
        yield
    finally:
        for node, image in originals:
            node.image = image
        for image in loaded.values():
            bpy.data.images.remove(image)


def base_color_nodes(objects: Sequence[bpy.types.Object]) -> list[bpy.types.Node]:
    """Image nodes that feed a Base Color, or the Color of a simpler shader, once each."""
    materials = {slot.material for obj in objects for slot in obj.material_slots if slot.material}
    nodes: dict[tuple[str, str], bpy.types.Node] = {}
    for material in sorted(materials, key=lambda each: each.name_full):
        for link in material.node_tree.links if material.node_tree else ():
            node = link.from_node
            feeds_color = link.to_socket.name in ("Base Color", "Color") and link.from_socket.name == "Color"
            if feeds_color and node.type == "TEX_IMAGE" and node.image is not None:
                nodes[material.name_full, node.name] = node
    return list(nodes.values())


def _plain(name: str) -> str:
    """A name that every file system and an obj's material file take."""
    return re.sub(r"[^\w.-]+", "_", name).strip("._") or "texture"
