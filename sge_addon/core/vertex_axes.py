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

from .group_normals import area_sums
from .perturbation import Axes
from .surface_ends import across_edges
from .vectors import cross, dot

Array = NDArray[np.float32]

_SHARP = 0.9  # the length of the mean of unit normals, weighted by area, below which a surface bends sharply


class VertexAxes:
    """Of one topology. triangles: (F, 3). materials: (F,), of each triangle."""

    def __init__(self, triangles: NDArray[np.int32], materials: NDArray[np.int32], vertex_count: int) -> None:
        self._triangles = triangles
        self._corners = triangles.T.ravel().astype(np.intp)
        self._count = vertex_count
        self._at_border = _at_borders(triangles, materials, vertex_count)

    def at(self, positions: Array) -> Axes:
        """The normals of the vertices at positions (V, 3); no line where all directions tell."""
        points = np.ascontiguousarray(positions.T)
        a, b, c = (points.take(corner, axis=1) for corner in self._triangles.T)  # (3, F)
        sums, areas = area_sums(self._corners, cross(b - a, c - a), self._count)
        lengths = np.sqrt(dot(sums, sums))
        tells = (lengths > _SHARP * areas) & ~self._at_border
        lines = np.zeros((self._count, 3), np.float32)
        np.divide(sums.T, lengths[:, None], out=lines, where=tells[:, None], casting="unsafe")
        return Axes(lines)


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
