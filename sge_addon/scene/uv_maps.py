# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which UV map a material's textures are laid by, and the coordinates in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.errors import FitError, Remedy
from .material_graph import MaterialGraph, read_graph

if TYPE_CHECKING:
    import bpy


def rendered_uv_map(mesh: bpy.types.Mesh) -> str:
    """Name of the UV map that renders use, "" where there is none."""
    return next((layer.name for layer in mesh.uv_layers if layer.active_render), "")


def uv_map_of_material(graph: MaterialGraph, mesh: bpy.types.Mesh, material: str, owner: str) -> str:
    """Name of the one UV map that a material's images are laid by on a mesh; "" where it has none.

    material, owner: names of the material and the object, for messages. Raises FitError where two maps
    want two UV maps, or one that the mesh has not.
    """
    rendered = rendered_uv_map(mesh)
    by_uv_map: dict[str, str] = {}
    for name, source in graph.maps.items():
        if source.image is not None:
            by_uv_map.setdefault(source.image.uv_map or rendered, name)
            if name == "normal" and source.socket is not None:
                by_uv_map.setdefault(source.socket.node.uv_map or rendered, "the tangents of normal")
    if len(by_uv_map) > 1:
        users = ", ".join(f"{name} by '{uv_map}'" for uv_map, name in by_uv_map.items())
        raise FitError(
            f"Material '{material}': its images are laid by different UV maps on object '{owner}' ({users}): "
            "bake them into one UV map, or name one and the same in their UV Map and Normal Map nodes.",
            subject=owner,
        )
    wanted = next(iter(by_uv_map), rendered)
    if wanted and wanted not in mesh.uv_layers:
        known = ", ".join(f"'{layer.name}'" for layer in mesh.uv_layers) or "none"
        raise FitError(
            f"Object '{owner}' has no UV map '{wanted}', which material '{material}' names (it has {known}): "
            "rename one of its UV maps, or name another in the material's UV Map and Normal Map nodes.",
            subject=owner,
        )
    if by_uv_map and not wanted:
        raise FitError(
            f"Object '{owner}' has no UV map for the images of material '{material}': unwrap it "
            "(UV > Smart UV Project).",
            subject=owner,
            remedy=Remedy.UNWRAP,
        )
    return wanted


def uv_maps_of_slots(obj: bpy.types.Object, mesh: bpy.types.Mesh) -> list[str]:
    """For each material slot, the UV map that its material's images are laid by. Raises FitError."""
    materials = [slot.material for slot in obj.material_slots] or [None]
    return [
        uv_map_of_material(read_graph(material), mesh, material.name if material else "", obj.name)
        for material in materials
    ]


def corner_uvs(mesh: bpy.types.Mesh, uv_map: str) -> NDArray[np.float32]:
    """(L, 2) of the mesh's face corners in one of its UV maps."""
    layer = mesh.uv_layers[uv_map]
    uvs = np.empty((len(mesh.loops), 2), np.float32)
    if len(layer.uv) == len(uvs):
        layer.uv.foreach_get("vector", uvs.ravel())
    else:
        layer.data.foreach_get("uv", uvs.ravel())  # in Edit Mode the fast path is empty
    return uvs


def corners_of_slot(mesh: bpy.types.Mesh, index: int, slots: int) -> NDArray[np.bool_]:
    """(L,) whether a face corner belongs to a material slot; beyond the last of ``slots``: to the last."""
    materials = np.zeros(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("material_index", materials)
    totals = np.zeros(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("loop_total", totals)
    return np.repeat(np.clip(materials, 0, max(0, slots - 1)) == index, totals)
