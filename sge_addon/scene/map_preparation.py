# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Before a lit fit writes: new images for its maps, and materials that show them.

A map takes the channels of a copy of the image that it was read from, whose other channels stay. One without
an image gets channels of a new image, laid out as glTF has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.material_maps import SHADED_COLUMNS
from ..core.reference import resize_area
from .fitted_images import FittedImage, image_of, new_fitted_image
from .fitted_maps import FittedMap, write_maps
from .lit_materials import map_key, material_key
from .material_graph import SOCKETS, STRENGTHS, MaterialGraph, read_graph
from .material_writer import MaterialWriter
from .materials import Slot, used_slots
from .own_materials import assign_material, new_shader, own_material, with_nodes
from .texture_chain import ALPHA, ImageSource
from .texture_values import node_outputs
from .uv_maps import rendered_uv_map, uv_map_of_material

if TYPE_CHECKING:
    import bpy

Array = NDArray[np.float32]

_COLOURS = ("base_color", "emission")


def prepare_fitted_maps(
    objects: Sequence[bpy.types.Object], textures: Mapping[str, Array], depth: str = "float"
) -> tuple[dict[str, FittedMap], list[str]]:
    """Make and wire what holds the objects' fitted maps, show ``textures`` in it; by key, and notices.

    textures: (H, W, C) by ``MaterialMap.key``, as ``lit_materials_of_objects`` gives them; one texel becomes
    the value of an input. depth: of the images, '8', '16' or 'float'. The user's own images are not written;
    materials that others use as well become single-user copies.
    """
    images = MapImages(textures, depth)
    fitted: dict[str, FittedMap] = {}
    notices: list[str] = []
    by_material: dict[str, list[tuple[bpy.types.Object, Slot]]] = {}
    for obj in objects:
        for slot in used_slots(obj):
            users = by_material.setdefault(material_key(slot), [])
            if all((slot.owner, slot.index) != (other.owner, other.index) for _, other in users):
                users.append((obj, slot))
    for key, users in by_material.items():
        slots = [slot for _, slot in users]
        keys = _fitted_keys(key, read_graph(slots[0].material), textures)
        if keys:
            material = own_material(slots[0], slots, notices)
            for slot in slots:
                assign_material(slot, material)
            _write_material(material, users[0][0], keys, images, fitted, notices)
    write_maps(fitted, {key: textures[key] for key in fitted})
    return fitted, notices


def _fitted_keys(material: str, graph: MaterialGraph, textures: Mapping[str, Array]) -> dict[str, str]:
    """Keys of a material's fitted maps, by name."""
    found = {}
    for name in SHADED_COLUMNS:
        for size in (1, 2):  # a constant, and any texture
            key = map_key(material, name, graph, size)
            if key in textures and (textures[key].shape[:2] == (1, 1)) == (size == 1):
                found[name] = key
    return found


def _write_material(
    material: bpy.types.Material,
    obj: bpy.types.Object,
    keys: Mapping[str, str],
    images: MapImages,
    fitted: dict[str, FittedMap],
    notices: list[str],
) -> None:
    graph = read_graph(material)
    if graph.shader is None:
        _keep_values(new_shader(with_nodes(material)), graph)
        graph = read_graph(material)
    uv_map = uv_map_of_material(graph, obj.data, material.name, obj.name) if obj.type == "MESH" else ""
    if obj.type == "MESH" and uv_map == rendered_uv_map(obj.data):
        uv_map = ""
    writer = MaterialWriter(material, graph, keys, images, uv_map)
    for name, part in writer.write().items():
        key = keys[name]
        fitted[key] = fitted[key].also(part) if key in fitted else part
    notices += writer.notices


def _keep_values(shader: bpy.types.Node, graph: MaterialGraph) -> None:
    """Give a new Principled BSDF what the surface was like without it."""
    for name in ("base_color", "metallic", "roughness"):
        value = graph.maps[name].value
        socket = shader.inputs[SOCKETS[shader.bl_idname][name]]
        socket.default_value = (*value, 1.0) if len(value) == 3 else value[0]
    shader.inputs["Specular IOR Level"].default_value = graph.specular_level
    shader.inputs[STRENGTHS[shader.bl_idname]].default_value = 0.0


@dataclass(eq=False)
class MapImage:
    """A new image, and the keys of the maps in its channels."""

    fitted: FittedImage
    keys: dict[int, str] = field(default_factory=dict)

    @property
    def image(self) -> bpy.types.Image:
        """As it is in the file."""
        return image_of(self.fitted)

    def has_room(self, channels: tuple[int, ...], size: tuple[int, int]) -> bool:
        """Whether a map of this size fits into channels that no other has."""
        return self.fitted.pixels.shape[:2] == size and not self.keys.keys() & set(channels)

    def channels_of(self, key: str) -> tuple[int, ...]:
        """Those that hold a map."""
        return tuple(sorted(channel for channel, each in self.keys.items() if each == key))


class MapImages:
    """The new images of one fit."""

    def __init__(self, textures: Mapping[str, Array], depth: str) -> None:
        """textures: start content by key. depth: of the images."""
        self._textures = textures
        self._depth = depth
        self._by_key: dict[str, MapImage] = {}
        self._by_origin: dict[str, list[MapImage]] = {}

    def is_constant(self, key: str) -> bool:
        """Whether a map is one texel."""
        return self._textures[key].shape[:2] == (1, 1)

    def size(self, key: str) -> tuple[int, int]:
        """(H, W) of a map."""
        height, width = self._textures[key].shape[:2]
        return height, width

    def of(
        self, key: str, name: str, channels: tuple[int, ...], source: ImageSource | None, stem: str
    ) -> MapImage:
        """The image for a map: the one that has it, a copy of ``source`` or a new one with room in
        ``channels``; it is made where there is none. stem: of a new image's name."""
        if key in self._by_key:
            return self._by_key[key]
        origin = f"copy of {source.image.name_full}" if source is not None else f"new {stem}"
        images = self._by_origin.setdefault(origin, [])
        size = self.size(key)
        found = next((image for image in images if image.has_room(channels, size)), None)
        if found is None:
            pixels = np.ones((*size, 4), np.float32) if source is None else _resized(source, size)
            of_colour = channels == ALPHA and source is not None and not _is_data(source)
            found = MapImage(
                new_fitted_image(
                    stem,
                    pixels,
                    depth=self._depth,
                    is_data=name not in _COLOURS and not of_colour,
                    is_shown=False,
                )
            )
            images.append(found)
        self.claim(found, channels, key)
        return found

    def claim(self, image: MapImage, channels: tuple[int, ...], key: str) -> None:
        """Give a map channels of an image that has room for it."""
        image.keys |= dict.fromkeys(channels, key)
        self._by_key[key] = image


def _is_data(source: ImageSource) -> bool:
    return bool(source.image.colorspace_settings.is_data)


def _resized(source: ImageSource, size: tuple[int, int]) -> Array:
    """(H, W, 4) as the node puts it out, by area; alpha 1 where nothing reads it."""
    pixels = resize_area(node_outputs(source.node), size[1], size[0])
    if not source.node.outputs["Alpha"].is_linked:
        pixels[..., 3] = 1.0
    return pixels
