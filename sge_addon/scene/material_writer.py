# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One material of a lit fit: which node shows which new image, which input takes which constant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import numpy as np

from .fitted_images import FittedImage
from .fitted_maps import FittedMap, Input
from .lit_materials import fitted_emission_strength
from .map_wiring import PACKED, add_image_node, add_normal_map, link_map, unlink
from .material_graph import DEFAULTS, STRENGTHS, MaterialGraph
from .texture_chain import ALPHA, RGB, ImageSource, linked_output

if TYPE_CHECKING:
    import bpy

_IDENTITY = np.eye(2, 3, dtype=np.float32)


class _Image(Protocol):
    """A new image with maps in its channels."""

    fitted: FittedImage
    keys: dict[int, str]

    @property
    def image(self) -> bpy.types.Image: ...

    def has_room(self, channels: tuple[int, ...], size: tuple[int, int]) -> bool: ...

    def channels_of(self, key: str) -> tuple[int, ...]: ...


class _Images(Protocol):
    """Where new images come from."""

    def is_constant(self, key: str) -> bool: ...

    def size(self, key: str) -> tuple[int, int]: ...

    def of(
        self, key: str, name: str, channels: tuple[int, ...], source: ImageSource | None, stem: str
    ) -> _Image: ...

    def claim(self, image: _Image, channels: tuple[int, ...], key: str) -> None: ...


class MaterialWriter:
    """Wires one material; notices: what is done differently from what one might expect."""

    def __init__(
        self,
        material: bpy.types.Material,
        graph: MaterialGraph,
        keys: Mapping[str, str],
        images: _Images,
        uv_map: str,
    ) -> None:
        """graph: of the material, which has a shader. keys: of the maps to write, by name. uv_map: that new
        nodes name, "" for the one that renders use."""
        self.notices: list[str] = []
        self._material, self._graph, self._keys, self._images = material, graph, keys, images
        self._uv_map = uv_map
        self._held: dict[str, _Image] = {}  # by name of the map
        self._nodes: dict[tuple[int, str], bpy.types.Node] = {}  # new ones, by image and what they share

    def write(self) -> dict[str, FittedMap]:
        """Change the material; where its maps go, by name."""
        textures = [name for name, key in self._keys.items() if not self._images.is_constant(key)]
        self._swap(textures)
        for name in textures:
            if name not in self._held:
                self._add(name)
        fitted = {name: self._fitted(name) for name in self._keys}
        base = linked_output(self._graph.maps["base_color"].socket) if "base_color" in self._held else None
        if base is not None:
            self._material.node_tree.nodes.active = base.node  # what Solid shading shows as Texture
        return fitted

    def _swap(self, textures: list[str]) -> None:
        """Show copies in the nodes whose images are fitted; where that would change a map that is not, leave
        the node, and give the fitted one a node of its own."""
        by_node: dict[str, list[str]] = {}
        for name in textures:
            source = self._graph.maps[name].image
            if source is not None and _is_direct(source, name):
                by_node.setdefault(source.node.name, []).append(name)
        for node_name, names in by_node.items():
            node = self._material.node_tree.nodes[node_name]
            original, sources = node.image, {name: self._graph.maps[name].image for name in names}
            for name, source in sources.items():
                self._held[name] = self._images.of(
                    self._keys[name], name, source.channels, source, original.name
                )
            images = {id(self._held[name]): self._held[name] for name in names}
            image = self._held[names[0]]
            others = [
                other
                for other, source in self._graph.maps.items()
                if other not in names and source.image is not None and source.image.node == node
            ]
            disturbed = [
                other for other in others if image.keys.keys() & set(self._graph.maps[other].image.channels)
            ]
            if len(images) == 1 and not disturbed:
                if others and tuple(original.size) != tuple(image.image.size):
                    self.notices.append(
                        f"Material '{self._material.name}': in place of '{original.name}' it shows a copy of "
                        f"{image.image.size[0]} x {image.image.size[1]} texels, also as {others[0]}."
                    )
                node.image = image.image
                for name, source in sources.items():
                    if source.factor_node:
                        link_map(node, source.channels, self._graph.maps[name].socket)
                continue
            for name in names:
                self._show(name, sources[name].channels, node)
            if disturbed:
                self.notices.append(
                    f"Material '{self._material.name}': '{original.name}' is its {disturbed[0]}, too, and "
                    f"stays that; its {names[0]} gets an image of its own."
                )

    def _add(self, name: str) -> None:
        """A new image for a map, and nodes that show it."""
        key, source = self._keys[name], self._graph.maps[name].image
        if name == "alpha" and self._beside_base_color(key):
            return
        channels = PACKED.get(name, RGB)
        suffix = {"base_color": "", "metallic": "_metallic_roughness", "roughness": "_metallic_roughness"}
        stem = self._material.name + suffix.get(name, f"_{name}")
        self._held[name] = self._images.of(key, name, channels, None, stem)
        self._show(name, self._held[name].channels_of(key), source.node if source is not None else None)

    def _beside_base_color(self, key: str) -> bool:
        """Whether alpha has found room in the image of the base colour, and is shown from there."""
        base = self._graph.maps["base_color"]
        output = linked_output(base.socket) if base.socket is not None else None
        if output is None or output.node.bl_idname != "ShaderNodeTexImage" or output.name != "Color":
            return False
        node = output.node
        transform = _IDENTITY if base.image is None else base.image.uv_transform
        if node.outputs["Alpha"].is_linked or not np.allclose(transform, _IDENTITY):
            return False
        if "base_color" in self._held:
            image = self._held["base_color"]
            if not image.has_room(ALPHA, self._images.size(key)):
                return False
            self._images.claim(image, ALPHA, key)
        elif base.image is not None and tuple(node.image.size) == self._images.size(key)[::-1]:
            image = self._images.of(key, "alpha", ALPHA, base.image, node.image.name)
            node.image = image.image
        else:
            return False
        self._held["alpha"] = image
        link_map(node, ALPHA, self._graph.maps["alpha"].socket)
        return True

    def _show(self, name: str, channels: tuple[int, ...], like: bpy.types.Node | None) -> None:
        """Link a map from a node that shows its image. like: a node whose coordinates it is laid by."""
        image = self._held[name].image
        which = (image.session_uid, like.name if like is not None else "")
        if which not in self._nodes:
            self._nodes[which] = add_image_node(
                self._graph.shader, image, name, self._uv_map if like is None else like
            )
        node = self._nodes[which]
        link_map(node, channels, self._socket(name, node))

    def _socket(self, name: str, image: bpy.types.Node | None) -> bpy.types.NodeSocket:
        """The input that takes a map; of a normal, that of a Normal Map node."""
        socket = self._graph.maps[name].socket
        if name == "normal" and socket.node.bl_idname != "ShaderNodeNormalMap":
            return add_normal_map(socket, self._uv_map, image)
        return socket

    def _fitted(self, name: str) -> FittedMap:
        key = self._keys[name]
        strengths = ((self._strength(), fitted_emission_strength(self._graph)),) if name == "emission" else ()
        if name in self._held:
            held = self._held[name]
            return FittedMap(
                name,
                held.fitted,
                held.channels_of(key),
                strengths=strengths,
                flips_green=name == "normal" and self._graph.flips_green,
            )
        socket = self._socket(name, None)
        if unlink(socket) and self._graph.maps[name].image is not None:
            self.notices.append(
                f"Material '{self._material.name}': its {socket.name} came from "
                f"'{self._graph.maps[name].image.image.name}'; the fitted constant takes its place."
            )
        flips = name == "normal" and self._graph.flips_green
        inputs = (Input.of(socket, self._material),)
        return FittedMap(name, inputs=inputs, strengths=strengths, flips_green=flips)

    def _strength(self) -> Input:
        """The input of emission's strength, set to what the fit assumes."""
        socket = self._graph.shader.inputs[STRENGTHS[self._graph.shader.bl_idname]]
        unlink(socket)
        socket.default_value = fitted_emission_strength(self._graph)
        return Input.of(socket, self._material)


def _is_direct(source: ImageSource, name: str) -> bool:
    """Whether the source's channels can hold the map: not one channel a colour, nor three different values
    the luminance."""
    if len(DEFAULTS[name]) == 3:
        return source.channels == RGB
    return len(source.channels) == 1 or len(set(source.factor)) == 1
