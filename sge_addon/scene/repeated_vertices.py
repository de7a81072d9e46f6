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
SAME_NORMAL = 1e-3  # difference of unit vectors


def join_repeated_vertices(mesh: bpy.types.Mesh) -> None:
    """Join vertices at exactly the same place. UVs stay per corner; edges where normals differ turn sharp."""
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
        normals = normals.reshape(-1, 3)
        mesh.edges.foreach_set("use_edge_sharp", _edges_between_normals(mesh, normals))
        mesh.normals_split_custom_set(normals)
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


def _edges_between_normals(mesh: bpy.types.Mesh, normals: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Edges at one of whose ends the two faces have different normals: (E,). normals: (L, 3) per corner."""
    count = len(mesh.loops)
    vertices, edges = np.empty(count, np.int32), np.empty(count, np.int32)
    mesh.loops.foreach_get("vertex_index", vertices)
    mesh.loops.foreach_get("edge_index", edges)
    starts, totals = np.empty(len(mesh.polygons), np.int32), np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("loop_start", starts)
    mesh.polygons.foreach_get("loop_total", totals)
    following = np.arange(1, count + 1)
    following[starts + totals - 1] = starts
    # The face's normals at both ends of the edge, the end with the lower vertex index first.
    ends = np.stack([normals, normals[following]], axis=1)  # (L, 2, 3)
    swapped = vertices > vertices[following]
    ends[swapped] = ends[swapped][:, ::-1]
    order = np.argsort(edges, kind="stable")
    first, second = order[:-1], order[1:]
    differs = np.linalg.norm(ends[first] - ends[second], axis=2).max(axis=1) > SAME_NORMAL
    sharp = np.zeros(len(mesh.edges), bool)
    sharp[edges[first][differs & (edges[first] == edges[second])]] = True
    return sharp
