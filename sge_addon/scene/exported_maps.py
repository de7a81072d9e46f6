# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The maps of objects as image files of their own: ``<object>_<map>.png``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.material_maps import SHADED_COLUMNS
from .displacement import displacement_of
from .exported_textures import plain_name
from .images import check_image, save_exr, save_png, stored_pixels
from .lit_materials import slot_name
from .material_graph import MaterialGraph, read_graph
from .materials import used_slots
from .texture_values import map_values, node_outputs

if TYPE_CHECKING:
    import bpy

Array = NDArray[np.float32]

COLOURS = ("base_color", "emission")


@dataclass(frozen=True, eq=False)
class _MapFile:
    """name: of the map. graph: of the material that has it; None where it is the object's height."""

    stem: str
    obj: bpy.types.Object
    graph: MaterialGraph | None
    name: str


def map_paths(folder: Path, objects: Sequence[bpy.types.Object], maps: Sequence[str]) -> list[Path]:
    """The files that ``export_maps`` writes, unless what they hold makes them end in .exr."""
    return [folder / f"{file.stem}.png" for file in _files(objects, maps)]


def export_maps(
    folder: Path, objects: Sequence[bpy.types.Object], maps: Sequence[str], depth: str = "8"
) -> tuple[list[Path], list[str]]:
    """Write maps of the objects' materials as they are now; the files, and notices.

    Objects with several materials get ``<object>_<material>_<map>``. Constants become images of one texel.
    Colours are sRGB-encoded, emission is color times strength, a normal n is stored as 0.5 + 0.5 n (OpenGL's
    green), other maps as they are; heights are those of what displaces the object. depth: '8' for 8 bits a
    channel, '16' and 'float' for 16. Emission above 1, and heights below 0 or above 1, become a linear EXR
    file. Raises FitError for what cannot be read or written.
    """
    written, notices = [], []
    for file in _files(objects, maps):
        values = _heights(file.obj) if file.graph is None else _values(file.graph, file.name)
        path = folder / f"{file.stem}.png"
        beyond = values.max(initial=0.0) > 1.0 or values.min(initial=0.0) < 0.0
        if file.name in ("emission", "height") and beyond:
            path = path.with_suffix(".exr")
            notices.append(f"'{path.name}' is linear EXR, since its {file.name} exceeds what PNG holds.")
            save_exr(path, values)
        else:
            save_png(path, values, encode_srgb=file.name in COLOURS, depth=8 if depth == "8" else 16)
        written.append(path)
    return written, notices


def _files(objects: Sequence[bpy.types.Object], maps: Sequence[str]) -> Iterator[_MapFile]:
    stems: set[str] = set()
    for obj in objects:
        slots = used_slots(obj)
        for slot in slots:
            graph = read_graph(slot.material)
            owner = plain_name(obj.name)
            if len(slots) > 1:
                owner = f"{owner}_{plain_name(slot_name(slot))}"
            for name in maps:
                if name in SHADED_COLUMNS:
                    stem, number = f"{owner}_{name}", 1
                    while stem in stems:
                        number += 1
                        stem = f"{owner}_{number}_{name}"
                    stems.add(stem)
                    yield _MapFile(stem, obj, graph, name)
        if "height" in maps:
            yield _MapFile(f"{plain_name(obj.name)}_height", obj, None, "height")


def _heights(obj: bpy.types.Object) -> Array:
    """(H, W, 3) of the image that displaces the object; one texel, its midlevel, where there is none."""
    displacement = displacement_of(obj)
    if displacement.image is None:
        return np.full((1, 1, 3), displacement.midlevel, np.float32)
    check_image(displacement.image)
    return np.repeat(stored_pixels(displacement.image)[..., :1], 3, axis=2)


def _values(graph: MaterialGraph, name: str) -> Array:
    """(H, W, C) as a file holds them, linear; one texel of a constant."""
    source = graph.maps[name]
    if source.image is not None:
        values = map_values(
            node_outputs(source.image.node), source.image, name, flips_green=graph.flips_green
        )
    else:
        values = np.array(source.value, np.float32).reshape(1, 1, -1)
    if name == "emission":
        values = values * np.float32(graph.emission_strength or 0.0)
    elif name == "normal":
        values = 0.5 + 0.5 * values
    return values if values.shape[2] == 3 else np.repeat(values, 3, axis=2)
