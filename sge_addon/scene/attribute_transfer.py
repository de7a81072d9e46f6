# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an old mesh carries, carried over to a new one by nearest points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.surface import Surface

if TYPE_CHECKING:
    import bpy


@dataclass(frozen=True, eq=False)
class NearestPoints:
    """Where a surface is nearest to given points. triangles: (N,) index. weights: (N, 3) barycentric."""

    triangles: NDArray[np.int64]
    weights: NDArray[np.float64]

    def values(self, corners: NDArray[np.floating]) -> NDArray[np.float64]:
        """(N, C): values at the corners of all triangles, (F, 3, C), at the nearest points."""
        result: NDArray[np.float64] = np.einsum("nk,nkc->nc", self.weights, corners[self.triangles])
        return result


class NearestOn:
    """Nearest points on a surface, in world space."""

    def __init__(self, surface: Surface) -> None:
        from mathutils.bvhtree import BVHTree

        self._corners = surface.positions.astype(np.float64)[surface.triangles]  # (F, 3, 3)
        self._tree = BVHTree.FromPolygons(
            surface.positions.tolist(), surface.triangles.tolist(), all_triangles=True
        )

    def __call__(self, points: NDArray[np.floating]) -> NearestPoints:
        """points: (N, 3) world."""
        places = np.empty((len(points), 3))
        triangles = np.empty(len(points), np.int64)
        for number, point in enumerate(points.tolist()):
            place, _, triangles[number], _ = self._tree.find_nearest(point)
            places[number] = place
        return NearestPoints(triangles, _barycentric(places, self._corners[triangles]))


def _barycentric(points: NDArray[np.float64], corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 3) weights of points (N, 3) in the planes of triangles (N, 3, 3), clipped to the triangle."""
    a, b, c = corners.transpose(1, 0, 2)
    along, across, offset = b - a, c - a, points - a
    d00, d01, d11 = ((x * y).sum(axis=1) for x, y in ((along, along), (along, across), (across, across)))
    d20, d21 = (offset * along).sum(axis=1), (offset * across).sum(axis=1)
    area = np.maximum(d00 * d11 - d01 * d01, 1e-30)
    v, w = (d11 * d20 - d01 * d21) / area, (d00 * d21 - d01 * d20) / area
    weights = np.clip(np.stack([1.0 - v - w, v, w], axis=1), 0.0, 1.0)
    result: NDArray[np.float64] = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-30)
    return result


def transfer_faces(made: bpy.types.Mesh, nearest: NearestOn, old: bpy.types.Mesh) -> None:
    """Materials and shading of the faces, by the old face nearest to their middles.

    made: in world space. nearest: on the surface of ``old``, whose loop triangles are calculated.
    """
    centers = np.empty((len(made.polygons), 3), np.float32)
    made.polygons.foreach_get("center", centers.ravel())
    triangles = nearest(centers).triangles
    polygon_of = np.empty(len(old.loop_triangles), np.int32)
    old.loop_triangles.foreach_get("polygon_index", polygon_of)
    for name, kind in (("material_index", np.int32), ("use_smooth", np.bool_)):
        values = np.empty(len(old.polygons), kind)
        old.polygons.foreach_get(name, values)
        made.polygons.foreach_set(name, values[polygon_of[triangles]])


def transfer_groups(made: bpy.types.Mesh, nearest: NearestOn, surface: Surface, old: bpy.types.Mesh) -> None:
    """Weights of all vertex groups, by the numbers that they have in ``old``, at the nearest points."""
    import bmesh

    count = max((element.group + 1 for vertex in old.vertices for element in vertex.groups), default=0)
    if count == 0:
        return
    weights = np.zeros((len(old.vertices), count))
    for vertex in old.vertices:
        for element in vertex.groups:
            weights[vertex.index, element.group] = element.weight
    positions = np.empty((len(made.vertices), 3), np.float32)
    made.attributes["position"].data.foreach_get("vector", positions.ravel())
    values = nearest(positions).values(weights[surface.triangles])
    shape = bmesh.new()
    try:
        shape.from_mesh(made)
        layer = shape.verts.layers.deform.verify()
        for vertex, of_vertex in zip(shape.verts, values, strict=True):
            for group in np.flatnonzero(of_vertex):
                vertex[layer][int(group)] = float(of_vertex[group])
        shape.to_mesh(made)
    finally:
        shape.free()
