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

from ..core.errors import FitError
from ..core.material_maps import SHADED_COLUMNS
from .displacement import displacement_of
from .exported_textures import plain_name
from .files import check_writable
from .images import check_image, save_exr, save_png, stored_pixels
from .lit_materials import slot_name
from .material_graph import MaterialGraph, read_graph
from .materials import used_slots
from .texture_values import map_values, node_outputs

if TYPE_CHECKING:
    import bpy

Array = NDArray[np.float32]

COLOURS = ("base_color", "emission")
UNBOUNDED = ("emission", "height")  # which may exceed what PNG holds


@dataclass(frozen=True, eq=False)
class _MapFile:
    """name: of the map. graph: of the material that has it; None where it is the object's height. owner:
    what the file's name begins with. number: above 1 where others begin with the same."""

    owner: str
    number: int
    obj: bpy.types.Object
    graph: MaterialGraph | None
    name: str

    @property
    def stem(self) -> str:
        return _stem(self.owner, self.number, self.name)


def map_paths(folder: Path, objects: Sequence[bpy.types.Object], maps: Sequence[str]) -> list[Path]:
    """The files that ``export_maps`` writes, unless what they hold makes them end in .exr. No two are the
    same, also where a file system does not tell upper from lower case."""
    return [folder / f"{file.stem}.png" for file in _files(objects, maps)]


def check_map_export(folder: Path, objects: Sequence[bpy.types.Object], maps: Sequence[str]) -> None:
    """Raise FitError, before work starts, where ``export_maps`` could not write a file, or would write over
    the file of an image that this scene shows."""
    meshes = [obj for obj in objects if obj.type == "MESH"]
    shown = _files_of_images()
    for file in _files(meshes, maps):
        for suffix in (".png", ".exr") if file.name in UNBOUNDED else (".png",):
            path = folder / f"{file.stem}{suffix}"
            check_writable(path)
            image = shown.get(path.resolve())
            if image is not None:
                raise FitError(
                    f"The {file.name} map of '{file.obj.name}' would be written over '{path}', the file of "
                    f"the image '{image}': export into another folder, or pack the image.",
                    subject=image,
                )


def export_maps(
    folder: Path, objects: Sequence[bpy.types.Object], maps: Sequence[str], depth: str = "8"
) -> tuple[list[Path], list[str]]:
    """Write maps of the objects' materials as they are now; the files, and notices.

    Objects with several materials get ``<object>_<material>_<map>``; where names are the same but for what
    a file's name cannot hold, the later ones have a number, which a notice says. Constants become images of
    one texel.
    Colours are sRGB-encoded, emission is color times strength, a normal n is stored as 0.5 + 0.5 n (OpenGL's
    green), other maps as they are; heights are those of what displaces the object. depth: '8' for 8 bits a
    channel, '16' and 'float' for 16. Emission above 1, and heights below 0 or above 1, become a linear EXR
    file. Raises FitError for what cannot be read or written.
    """
    written, notices = [], []
    for file in _files(objects, maps):
        if file.number > 1:
            own, others = (_stem(file.owner, number, "<map>") for number in (file.number, 1))
            notices.append(f"Maps of '{file.obj.name}' are '{own}', since others are '{others}'.")
        values = _heights(file.obj) if file.graph is None else _values(file.graph, file.name)
        path = folder / f"{file.stem}.png"
        beyond = values.max(initial=0.0) > 1.0 or values.min(initial=0.0) < 0.0
        if file.name in UNBOUNDED and beyond:
            path = path.with_suffix(".exr")
            notices.append(f"'{path.name}' is linear EXR, since its {file.name} exceeds what PNG holds.")
            save_exr(path, values)
        else:
            save_png(path, values, encode_srgb=file.name in COLOURS, depth=8 if depth == "8" else 16)
        written.append(path)
    return written, list(dict.fromkeys(notices))


def _files(objects: Sequence[bpy.types.Object], maps: Sequence[str]) -> Iterator[_MapFile]:
    stems: set[str] = set()
    for obj in objects:
        for owner, graph, names in _owners(obj, maps):
            number = 1
            while stems & {_stem(owner, number, name).casefold() for name in names}:
                number += 1
            stems |= {_stem(owner, number, name).casefold() for name in names}
            for name in names:
                yield _MapFile(owner, number, obj, None if name == "height" else graph, name)


def _owners(
    obj: bpy.types.Object, maps: Sequence[str]
) -> Iterator[tuple[str, MaterialGraph | None, list[str]]]:
    """What names of files begin with, the material, and the maps of which there are files."""
    shaded = [name for name in maps if name in SHADED_COLUMNS]
    heights = ["height"] if "height" in maps else []
    of_object, slots = plain_name(obj.name), used_slots(obj)
    if len(slots) == 1:
        yield of_object, read_graph(slots[0].material), shaded + heights
        return
    for slot in slots:
        yield f"{of_object}_{plain_name(slot_name(slot))}", read_graph(slot.material), shaded
    yield of_object, None, heights


def _stem(owner: str, number: int, name: str) -> str:
    return f"{owner}_{name}" if number == 1 else f"{owner}_{number}_{name}"


def _files_of_images() -> dict[Path, str]:
    """Names of the images that are read from files, by these."""
    import bpy

    return {
        Path(bpy.path.abspath(image.filepath, library=image.library)).resolve(): image.name
        for image in bpy.data.images
        if image.source == "FILE" and image.filepath and image.packed_file is None
    }


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
