# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which corners of a mesh share a shading normal: smooth fans, split at sharp edges and flat faces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import bpy


def normal_groups(
    mesh: bpy.types.Mesh, corners: NDArray[np.int32], polygons: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Normal groups (F, 3) int32, numbered from 0 without gaps, as ``core.surface.Surface`` has them.

    corners: (F, 3) loop index of each triangle's corner. polygons: (F,) polygon of each triangle.
    A flat polygon is one group. At a vertex the smooth faces form fans as Blender forms them: an
    edge separates them where it is sharp, borders a flat face, or does not join two faces of equal
    winding. A mesh without sharp faces and edges has one group per vertex, whatever its edges join.
    """
    smooth_faces = np.empty(len(mesh.polygons), bool)
    mesh.polygons.foreach_get("use_smooth", smooth_faces)
    sharp_faces = ~smooth_faces
    sharp_edges = np.empty(len(mesh.edges), bool)
    mesh.edges.foreach_get("use_edge_sharp", sharp_edges)
    if not (sharp_faces.any() or sharp_edges.any()):
        return _dense(_loop_integers(mesh, "vertex_index")[corners])
    if sharp_faces.all():
        return _dense(np.repeat(polygons[:, None], 3, axis=1))
    totals = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("loop_total", totals)
    fans = fan_of_corner(
        _loop_integers(mesh, "vertex_index"),
        _loop_integers(mesh, "edge_index"),
        totals,
        sharp_faces,
        sharp_edges,
    )
    of_corner = np.where(sharp_faces[polygons][:, None], len(fans) + polygons[:, None], fans[corners])
    return _dense(of_corner)


def fan_of_corner(
    vertices: NDArray[np.int32],
    edges: NDArray[np.int32],
    polygon_sizes: NDArray[np.int32],
    sharp_faces: NDArray[np.bool_],
    sharp_edges: NDArray[np.bool_],
) -> NDArray[np.int32]:
    """The fan of each corner (loop), named by one of its corners: (L,) int32.

    vertices, edges: (L,) vertex of the corner, edge from it to the polygon's next corner.
    polygon_sizes: (P,), polygons stored one after the other. sharp_faces: (P,). sharp_edges: (E,).
    """
    count = len(vertices)
    loops = np.arange(count, dtype=np.int32)
    ends = np.cumsum(polygon_sizes)
    following = loops + 1
    following[ends - 1] = ends - polygon_sizes
    smooth = np.repeat(~sharp_faces, polygon_sizes)

    first = np.zeros(len(sharp_edges), np.int32)
    last = np.zeros(len(sharp_edges), np.int32)
    first[edges[::-1]] = loops[::-1]
    last[edges] = loops
    across = first[edges] + last[edges] - loops  # the other corner on this edge, where there are two
    joined = (
        (np.bincount(edges, minlength=len(sharp_edges)) == 2)[edges]
        & ~sharp_edges[edges]
        & smooth
        & smooth[across]
        & (vertices[across] != vertices)  # equal where the two faces are wound against each other
    )
    # Stepping over its edge leads from a corner to the next of its fan. So a fan is a path, named by
    # its end, or a cycle, named by its least corner; both found by doubling the stride.
    successor = np.where(joined, following[across], loops)
    reached, least = successor, np.minimum(loops, successor)
    longest_fan = int(np.bincount(vertices).max())
    for _ in range(longest_fan.bit_length()):
        least = np.minimum(least, least[reached])
        reached = reached[reached]
    return np.where(successor[reached] == reached, reached, least).astype(np.int32)


def _dense(groups: NDArray[np.int32]) -> NDArray[np.int32]:
    """The same groups, numbered from 0 without gaps, in the same order."""
    used = np.zeros(int(groups.max()) + 1, bool)
    used[groups] = True
    return (np.cumsum(used, dtype=np.int32) - 1)[groups]


def _loop_integers(mesh: bpy.types.Mesh, name: str) -> NDArray[np.int32]:
    values = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get(name, values)
    return values
