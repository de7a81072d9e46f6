# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's materials as the lit shading takes them, with the maps that are to be fitted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.errors import FitError
from ..core.material_maps import MAP_KINDS, SHADED_COLUMNS, LitMaterial, MaterialMap
from ..core.surface import Material
from .lit_material_rules import extension_problems, material_notices, source_problems
from .material_graph import DEFAULTS, MaterialGraph, read_graph
from .materials import Slot, check_texture, used_slots
from .texture_chain import ImageSource
from .texture_values import map_values, node_outputs, resampled, within_bounds
from .uv_maps import uv_map_of_material

if TYPE_CHECKING:
    import bpy

Array = NDArray[np.float32]


def lit_materials_of_objects(
    objects: Sequence[bpy.types.Object],
    *,
    maps: Sequence[str] = (),
    size: int = 0,
    constants: Sequence[str] = (),
) -> tuple[list[tuple[Material, ...]], list[str]]:
    """For each object, a Material with ``lit`` per slot (one where it has no slot); and notices.

    maps: that are fitted, as textures of ``size`` x ``size``, those in ``constants`` as one texel. They
    start from what there is, resampled; from ``MapKind.initial`` where the material says nothing.
    Raises FitError by material, node and input for what the lit shading cannot read or a fit cannot write.
    """
    fitted = {name: 1 if name in constants else size for name in maps if name in SHADED_COLUMNS}
    reader = _Reader(fitted)
    made: dict[str, Material] = {"unused": Material("unused", lit=_plain())}
    notices: dict[str, None] = {}
    result = []
    for obj in objects:
        of_object = [made["unused"]] * max(1, len(obj.material_slots))
        for slot in used_slots(obj):
            graph = read_graph(slot.material)
            for problem in slot_problems(obj, slot, graph, tuple(fitted)):
                raise problem
            name = slot_name(slot)
            key = material_key(slot)
            if key not in made:
                made[key] = reader.material(key, graph)
                notices |= dict.fromkeys(material_notices(graph, name, tuple(fitted)))
            of_object[slot.index] = made[key]
        result.append(tuple(of_object))
    return result, list(notices)


def lit_material_problems(
    objects: Sequence[bpy.types.Object], *, maps: Sequence[str] = ()
) -> Iterator[FitError]:
    """Every error that ``lit_materials_of_objects`` could raise, without decoding an image."""
    for obj in objects:
        for slot in used_slots(obj):
            yield from slot_problems(obj, slot, read_graph(slot.material), maps)


def slot_problems(
    obj: bpy.types.Object, slot: Slot, graph: MaterialGraph, maps: Sequence[str]
) -> Iterator[FitError]:
    """What keeps lit shading from reading the material of a slot, or a fit from writing its ``maps``."""
    name = slot_name(slot)
    problems = [*source_problems(graph, name, maps, obj.name)]
    for map_name, source in graph.maps.items():
        if source.image is not None and not (map_name == "emission" and graph.emission_strength == 0.0):
            try:
                check_texture(source.image.image)
            except FitError as error:
                problems.append(error)
    if obj.type == "MESH":
        try:
            uv_map = uv_map_of_material(graph, obj.data, name, obj.name)
        except FitError as error:
            problems.append(error)
        else:
            problems += extension_problems(graph, name, obj, slot.index, uv_map)
    yield from {str(problem): problem for problem in problems}.values()


def material_key(slot: Slot) -> str:
    """Of ``Material.key``: names the material, or the slot where there is none."""
    return f"material {slot.material.name_full}" if slot.material else f"{slot.key}, lit"


def slot_name(slot: Slot) -> str:
    """What a slot's material is called in messages."""
    return slot.material.name if slot.material else f"of {slot.owner.name}"


def map_key(material: str, name: str, graph: MaterialGraph, size: int) -> str:
    """Of ``MaterialMap.key``: maps that read the same channels of one image share a texture.

    material: the material's key. size: of the fitted texture; 1 for a constant, which nobody shares.
    """
    image = graph.maps[name].image
    if image is None or size == 1:
        return f"{material}, {name}"
    channels = "".join("RGBA"[channel] for channel in image.channels)
    factor = "" if image.factor_node == "" else f" times {image.factor}"
    flipped = " with green flipped" if name == "normal" and graph.flips_green else ""
    return f"image {image.image.name_full} {channels}{factor}{flipped}, {name}"


def fitted_emission_strength(graph: MaterialGraph) -> float:
    """The strength under which a fitted emission is stored: the material's own, 1 where it has none."""
    return graph.emission_strength or 1.0


class _Reader:
    """Makes materials, reading each image once."""

    def __init__(self, fitted: dict[str, int]) -> None:
        """fitted: size of the texture by map."""
        self._fitted = fitted
        self._outputs: dict[tuple[str, bool], Array] = {}
        self._textures: dict[str, Array] = {}

    def material(self, key: str, graph: MaterialGraph) -> Material:
        maps = {name: self._map(key, name, graph) for name in SHADED_COLUMNS}
        strength = fitted_emission_strength(graph) if "emission" in self._fitted else graph.emission_strength
        lit = LitMaterial(
            maps,
            ior=graph.ior,
            specular_level=graph.specular_level,
            normal_strength=graph.normal_strength,
            emission_strength=strength or 0.0,
            alpha_clip=graph.alpha_clip,
        )
        return Material(key, lit=lit)

    def _map(self, material: str, name: str, graph: MaterialGraph) -> MaterialMap:
        source = graph.maps[name]
        size = self._fitted.get(name, 0)
        is_dark = name == "emission" and not graph.emission_strength
        image = None if is_dark else source.image
        key = map_key(material, name, graph, size)
        if not size:
            if image is None:
                return MaterialMap(key, (0.0,) * 3 if is_dark else source.value)
            texture = self._values(image, name, graph.flips_green)
            return MaterialMap(key, _mean(texture), texture, image.uv_transform)
        if key not in self._textures:
            self._textures[key] = within_bounds(self._start(image, name, graph, size), name)
        texture = self._textures[key]
        transform = np.eye(2, 3, dtype=np.float32) if source.image is None else source.image.uv_transform
        return MaterialMap(key, _mean(texture), texture, transform, fitted=True)

    def _start(self, image: ImageSource | None, name: str, graph: MaterialGraph, size: int) -> Array:
        """(size, size, C): what is there already; the initial value where nobody has set any."""
        if image is not None:
            return resampled(self._values(image, name, graph.flips_green), size, size, name)
        source = graph.maps[name]
        says_nothing = source.obstacle is not None or _same(source.value, DEFAULTS[name])
        if name == "emission":
            says_nothing = source.obstacle is not None or not graph.emission_strength
        value = MAP_KINDS[name].initial if says_nothing else source.value
        return np.full((size, size, len(value)), value, np.float32)

    def _values(self, image: ImageSource, name: str, flips_green: bool) -> Array:
        which = (image.image.name_full, image.node.outputs["Alpha"].is_linked)
        if which not in self._outputs:
            self._outputs[which] = node_outputs(image.node)
        return map_values(self._outputs[which], image, name, flips_green=flips_green)


def _mean(texture: Array) -> tuple[float, ...]:
    return tuple(texture.mean(axis=(0, 1), dtype=np.float64).tolist())


def _same(value: tuple[float, ...], default: tuple[float, ...]) -> bool:
    return bool(np.allclose(value, default, atol=1e-6))


def _plain() -> LitMaterial:
    """Of slots that no face uses."""
    maps = {name: MaterialMap(f"unused, {name}", value) for name, value in DEFAULTS.items()}
    return LitMaterial(maps, emission_strength=0.0)


def fitted_textures(materials: Sequence[Sequence[Material]]) -> dict[str, Array]:
    """The textures that are parameters of the fit, (H, W, C) by ``MaterialMap.key``."""
    return {each.key: each.texture for each in _fitted_maps(materials) if each.texture is not None}


def _fitted_maps(materials: Sequence[Sequence[Material]]) -> Iterator[MaterialMap]:
    for of_object in materials:
        for material in of_object:
            if material.lit is not None:
                yield from (each for each in material.lit.maps.values() if each.fitted)
