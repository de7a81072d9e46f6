# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fit read and left behind, digested: a later fit can only go on from the very same.

Traces are (what, digest) pairs; ``what`` is said to the user where the digest is another one later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import FitError
from .cameras import view_from_camera
from .fitted_maps import FittedMap, map_image_of
from .material_graph import MaterialGraph, read_graph
from .materials import base_colour_image
from .objects import base_positions
from .references import NORMAL_IMAGE, background_image
from .uv_maps import corner_uvs, rendered_uv_map

if TYPE_CHECKING:
    import bpy

Traces = dict[str, bytes]
_RESULTS = {"measured", "psnr_before", "psnr_after"}  # of a row: what a fit writes there itself


def object_traces(obj: bpy.types.Object, *, is_lit: bool = False) -> Traces:
    """Shape, topology, UV maps, place and materials of a mesh object. is_lit: with all that lit shading
    reads of the materials, apart from pixels."""
    mesh, name = obj.data, f"Object '{obj.name}'"
    corners = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    graphs = [read_graph(slot.material) for slot in obj.material_slots] if is_lit else []
    used = {each.image.uv_map for graph in graphs for each in graph.maps.values() if each.image is not None}
    uvs = [
        corner_uvs(mesh, each) for each in sorted(used | {rendered_uv_map(mesh)}) if each in mesh.uv_layers
    ]
    shown = [slot.material.session_uid if slot.material else 0 for slot in obj.material_slots]
    images = [base_colour_image(slot.material) for slot in obj.material_slots]
    settings = {f"{name}: its materials' settings": digest([_settings(each) for each in graphs])}
    return {
        f"{name}: its faces": digest(corners, np.int64(len(mesh.polygons))),
        f"{name}: its vertices": digest(base_positions(obj)),
        f"{name}: its UV map": digest(*uvs),
        f"{name}: its transform": digest(np.array(obj.matrix_world)),
        f"{name}: its materials": digest(shown, [image.session_uid if image else 0 for image in images]),
        **(settings if is_lit else {}),
    }


def _settings(graph: MaterialGraph) -> list[Any]:
    """What lit shading reads of a material without its pixels."""
    sources = [
        (
            name,
            source.value,
            (_identity(source.image.image), source.image.channels, source.image.uv_map, source.image.factor)
            if source.image is not None
            else source.obstacle,
            None if source.image is None else source.image.uv_transform.tolist(),
        )
        for name, source in graph.maps.items()
    ]
    return [sources, graph.ior, graph.specular_level, graph.normal_strength, graph.emission_strength] + [
        graph.alpha_clip,
        graph.flips_green,
    ]


def map_traces(fitted: FittedMap) -> Traces:
    """The pixels of a fitted map's image. (What constants hold is among the materials' settings.)"""
    image = map_image_of(fitted)
    return image_traces(image) if image is not None else {}


def image_traces(image: bpy.types.Image) -> Traces:
    """The pixels of a fitted image."""
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    return {f"Image '{image.name}'": digest(pixels)}


def reference_traces(scene: bpy.types.Scene) -> Traces:
    """The rows in use, or all cameras with background images; each camera and which image it shows."""
    rows = [row for row in scene.sge.references if row.enabled]
    cameras = [row.camera for row in rows]
    if not scene.sge.references:
        cameras = sorted((obj for obj in scene.objects if obj.type == "CAMERA"), key=lambda obj: obj.name)
    options = [sorted((name, value) for name, value in _options(row)) for row in rows]
    names = [camera.name if camera else "" for camera in cameras]
    traces = {"The list of references": digest(names, options)}
    for camera in cameras:
        image = background_image(camera) if camera else None
        if image is not None and all(image.size):
            view = view_from_camera(camera, *image.size)
            normals = camera.data.get(NORMAL_IMAGE)
            traces[f"Camera '{camera.name}'"] = digest(
                view.world_to_clip, _identity(image), _identity(normals) if normals else ()
            )
    return traces


def _options(row: bpy.types.PropertyGroup) -> Iterator[tuple[str, Any]]:
    """What a row says, apart from what a fit writes there."""
    for item in row.bl_rna.properties:
        if item.identifier not in _RESULTS | {"rna_type", "name"}:
            value = getattr(row, item.identifier)
            yield item.identifier, value.session_uid if item.type == "POINTER" and value else repr(value)


def _identity(image: bpy.types.Image) -> tuple[Any, ...]:
    return (
        image.session_uid,
        tuple(image.size),
        image.filepath,
        image.colorspace_settings.name,
        image.alpha_mode,
    )


def digest(*values: Any) -> bytes:
    """Arrays by their bytes, anything else as it is written."""
    result = hashlib.blake2b(digest_size=16)
    for value in values:
        if isinstance(value, np.ndarray | np.generic):
            array: NDArray[Any] = np.ascontiguousarray(value)
            result.update(repr(array.shape).encode())
            result.update(array.tobytes())
        else:
            result.update(repr(value).encode())
    return result.digest()


def check_unchanged(before: Mapping[str, bytes], now: Mapping[str, bytes]) -> None:
    """Raises FitError naming the first thing that is not as it was."""
    for what in (*before, *now):
        if before.get(what) != now.get(what):
            state = "removed" if what not in now else "changed" if what in before else "added"
            raise FitError(
                f"The fit cannot go on, because something was {state} since it ended: {what}. Undo that, or "
                "press Fit to begin anew."
            )
