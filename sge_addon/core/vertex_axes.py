# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The line along which it tells to move a vertex: the surface's normal.

Within the surface a vertex slides without changing what is seen, to first order, so that what pairs of
pictures say of it is noise: from the vertex itself and, worse, in the pixels of its neighbours. Not so
where the surface ends or bends sharply, or another material begins.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .perturbation import Axes
from .surface_ends import across_edges

Array = NDArray[np.float32]

_SHARP = 0.9  # the length of the mean of unit normals, weighted by area, below which a surface bends sharply


class VertexAxes:
    """Of one topology. triangles: (F, 3). materials: (F,), of each triangle."""

    def __init__(self, triangles: NDArray[np.int32], materials: NDArray[np.int32], vertex_count: int) -> None:
        self._triangles = triangles
        self._count = vertex_count
        self._at_border = _at_borders(triangles, materials, vertex_count)

    def at(self, positions: Array) -> Axes:
        """The normals of the vertices at positions (V, 3); no line where all directions tell."""
        # Axis by axis: numbers in a row are read and written several times faster than vectors.
        points = np.ascontiguousarray(positions.T)
        a, b, c = (points.take(corner, axis=1) for corner in self._triangles.T)  # (3, F)
        u, v = b - a, c - a
        normals = [u[i] * v[j] - u[j] * v[i] for i, j in ((1, 2), (2, 0), (0, 1))]
        areas = np.sqrt(normals[0] ** 2 + normals[1] ** 2 + normals[2] ** 2)
        sums = np.stack([self._by_vertex(axis) for axis in normals])
        lengths = np.sqrt(np.square(sums).sum(axis=0))
        tells = (lengths > _SHARP * self._by_vertex(areas)) & ~self._at_border
        lines = np.zeros((self._count, 3), np.float32)
        np.divide(sums.T, lengths[:, None], out=lines, where=tells[:, None], casting="unsafe")
        return Axes(lines)

    def _by_vertex(self, of_triangle: Array) -> NDArray[np.float64]:
        """(V,) sums of (F,) over the triangles around each vertex."""
        sums = np.zeros(self._count)
        for corner in self._triangles.T:
            sums += np.bincount(corner, of_triangle, self._count)
        return sums


def _at_borders(
    triangles: NDArray[np.int32], materials: NDArray[np.int32], vertex_count: int
) -> NDArray[np.bool_]:
    """(V,) the ends of edges that do not lie between exactly two triangles, of one material."""
    across = across_edges(triangles)  # (F, 3), by the corner opposite of the edge
    outer = (across < 0) | (materials.take(across, mode="clip") != materials[:, None])
    at_border = np.zeros(vertex_count, np.bool_)
    for turn in (1, 2):
        at_border[np.roll(triangles, turn, axis=1)[outer]] = True
    return at_border
