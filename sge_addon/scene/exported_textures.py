# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Textures of exported objects: written beside the mesh as 8-bit PNG, and what the mesh file refers to."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .images import save_png
from .material_graph import STRENGTHS, read_graph
from .texture_values import node_outputs

if TYPE_CHECKING:
    import bpy


def texture_paths(
    file: Path, objects: Sequence[bpy.types.Object], reserved: Collection[Path] = ()
) -> dict[bpy.types.Image, Path]:
    """Where each image of the objects' maps goes: ``<stem>_<image>.png`` beside the file, with a number where
    another image has that or it is among the ``reserved`` files there; upper and lower case are the same."""
    paths: dict[bpy.types.Image, Path] = {}
    taken = {path.name.casefold() for path in reserved}
    for node in map_nodes(objects):
        if node.image not in paths:
            paths[node.image] = free_path(file, node.image.name, taken)
    return paths


def free_path(file: Path, name: str, taken: set[str]) -> Path:
    """``<stem>_<name>.png`` beside the file, with a number where that is ``taken``, and then so, too.

    taken: names of files in lower case.
    """
    number, stem = 1, f"{file.stem}_{plain_name(name)}"
    path = file.with_name(f"{stem}.png")
    while path.name.casefold() in taken:
        number += 1
        path = file.with_name(f"{stem}_{number}.png")
    taken.add(path.name.casefold())
    return path


def save_textures(objects: Sequence[bpy.types.Object], paths: Mapping[bpy.types.Image, Path]) -> None:
    """Write each image: colours sRGB-encoded, data as they are, straight alpha where a material reads it.
    Emission above 1 is scaled to 1."""
    nodes = map_nodes(objects)
    peaks = _emission_peaks(objects)
    for image, path in paths.items():
        showing = [node for node in nodes if node.image == image]
        node = next((node for node in showing if node.outputs["Alpha"].is_linked), showing[0])
        pixels = node_outputs(node)
        pixels[..., :3] /= peaks.get(image, 1.0)
        if not node.outputs["Alpha"].is_linked:
            pixels[..., 3] = 1.0
        save_png(path, pixels, encode_srgb=not image.colorspace_settings.is_data, is_straight=True)


@contextmanager
def saved_textures_shown(
    objects: Sequence[bpy.types.Object], paths: Mapping[bpy.types.Image, Path]
) -> Iterator[None]:
    """Within it, the objects' nodes show the written files instead of the images that were fitted."""
    import bpy

    originals = [(node, node.image) for node in map_nodes(objects)]
    strengths = _strengths(objects, _emission_peaks(objects))
    loaded: dict[bpy.types.Image, bpy.types.Image] = {}
    try:
        for image, path in paths.items():
            loaded[image] = bpy.data.images.load(str(path))
            if image.colorspace_settings.is_data:
                loaded[image].colorspace_settings.name = "Non-Color"
        for node, image in originals:
            node.image = loaded[image]
        for socket, before, peak in strengths:
            socket.default_value = before * peak
        yield
    finally:
        for socket, before, _ in strengths:
            socket.default_value = before
        for node, image in originals:
            node.image = image
        for image in loaded.values():
            bpy.data.images.remove(image)


def map_nodes(objects: Sequence[bpy.types.Object]) -> list[bpy.types.Node]:
    """Image nodes that feed a map of a material, or the color of a shader that lit shading does not know,
    once each."""
    nodes: dict[tuple[str, str], bpy.types.Node] = {}
    for material in materials_of(objects):
        graph = read_graph(material)
        found = [source.image.node for source in graph.maps.values() if source.image is not None]
        if graph.obstacle is not None:
            found = _color_nodes(material)
        for node in found:
            nodes[material.name_full, node.name] = node
    return list(nodes.values())


def plain_name(name: str) -> str:
    """A name that every file system and an obj's material file take."""
    return re.sub(r"[^\w.-]+", "_", name).strip("._") or "texture"


def materials_of(objects: Sequence[bpy.types.Object]) -> list[bpy.types.Material]:
    """All materials in the objects' slots, by name."""
    materials = {slot.material for obj in objects for slot in obj.material_slots if slot.material}
    return sorted(materials, key=lambda each: each.name_full)


def _color_nodes(material: bpy.types.Material) -> Iterator[bpy.types.Node]:
    for link in material.node_tree.links if material.node_tree else ():
        node = link.from_node
        feeds_color = link.to_socket.name in ("Base Color", "Color") and link.from_socket.name == "Color"
        if feeds_color and node is not None and node.type == "TEX_IMAGE" and node.image is not None:
            yield node


def _emission_peaks(objects: Sequence[bpy.types.Object]) -> dict[bpy.types.Image, float]:
    """The largest value, where above 1, of images that are nothing but emission."""
    peaks: dict[bpy.types.Image, float] = {}
    others: set[bpy.types.Image] = set()
    for material in materials_of(objects):
        for name, source in read_graph(material).maps.items():
            if source.image is None:
                continue
            if name != "emission":
                others.add(source.image.image)
            elif source.image.image.is_float and source.image.image not in peaks:
                peaks[source.image.image] = float(node_outputs(source.image.node)[..., :3].max(initial=0.0))
    return {image: peak for image, peak in peaks.items() if peak > 1.0 and image not in others}


def _strengths(
    objects: Sequence[bpy.types.Object], peaks: Mapping[bpy.types.Image, float]
) -> list[tuple[bpy.types.NodeSocket, float, float]]:
    """Inputs of emission's strength, their values, and the peaks by which they grow."""
    strengths = []
    for material in materials_of(objects):
        graph = read_graph(material)
        source = graph.maps["emission"].image
        if source is not None and source.image in peaks and graph.emission_strength is not None:
            socket = graph.shader.inputs[STRENGTHS[graph.shader.bl_idname]]
            strengths.append((socket, graph.emission_strength, peaks[source.image]))
    return strengths
