# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Joins the vertices that glTF and PLY repeat where UVs or normals differ, so that seams stay closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import bpy

CORNER_NORMALS = "sge_corner_normal"


def join_repeated_vertices(mesh: bpy.types.Mesh) -> None:
    """Join vertices at exactly the same place. UVs stay per corner; normals too, as sharp edges."""
    import bmesh

    first = _first_at_same_place(mesh)
    repeated = np.flatnonzero(first != np.arange(len(first)))
    if len(repeated) == 0:
        return
    if keeps_normals := mesh.has_custom_normals and any(polygon.use_smooth for polygon in mesh.polygons):
        normals = np.empty(3 * len(mesh.loops), np.float32)
        mesh.corner_normals.foreach_get("vector", normals)
        mesh.attributes.new(CORNER_NORMALS, "FLOAT_VECTOR", "CORNER").data.foreach_set("vector", normals)
    edit = bmesh.new()
    try:
        edit.from_mesh(mesh)
        edit.verts.ensure_lookup_table()
        targets = {edit.verts[index]: edit.verts[first[index]] for index in repeated.tolist()}
        bmesh.ops.weld_verts(edit, targetmap=targets)
        edit.to_mesh(mesh)
    finally:
        edit.free()
    clear_custom_normals(mesh)
    if keeps_normals:
        attribute = mesh.attributes[CORNER_NORMALS]
        normals = np.empty(3 * len(mesh.loops), np.float32)
        attribute.data.foreach_get("vector", normals)
        mesh.attributes.remove(attribute)
        mesh.normals_split_custom_set(normals.reshape(-1, 3))
    mesh.update()


def clear_custom_normals(mesh: bpy.types.Mesh) -> None:
    """Let faces and sharp edges alone say how the mesh is shaded."""
    attribute = mesh.attributes.get("custom_normal")
    if attribute is not None:
        mesh.attributes.remove(attribute)


def _first_at_same_place(mesh: bpy.types.Mesh) -> NDArray[np.int64]:
    """For each vertex the lowest index of a vertex with the same position: (V,)."""
    positions = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.attributes["position"].data.foreach_get("vector", positions)
    _, first, inverse = np.unique(
        positions.reshape(-1, 3) + 0.0, axis=0, return_index=True, return_inverse=True
    )
    return first[inverse.ravel()]
