# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deterministic gradient of one picture by vertex positions (Rasterized Edge Gradients, and shading).

Three parts: what surfaces carry along when they move (colours and normals slide over the pixels), what their
outlines cover and uncover, and how shading changes with the normals. The first two are forces on the points
that are seen, the third is one on their normals; both are summed by triangle, spread over its corners by
barycentric coordinates (corner_marks), and the third goes on through the vertex normals.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .assembly import Assembly
from .corner_marks import place_matrices
from .edge_buffers import EdgeBuffers
from .edge_outlines import Matched, Outlines
from .normal_gradient import NormalGradient
from .view import View

Array = NDArray[np.float32]
Indices = NDArray[np.intp]


class EdgeGradient:
    """Of one topology. shaded: whether pictures depend on normals: shading does, or normals are matched."""

    def __init__(self, assembly: Assembly, shaded: bool) -> None:
        self._triangles = assembly.triangles
        self._groups = assembly.normal_groups
        self._vertex_count = len(assembly.positions)
        self._group_count = len(assembly.group_offsets) - 1
        self._places = place_matrices(assembly.triangles, assembly.marks)
        self._outlines = Outlines(assembly, shaded)
        self._normals = NormalGradient(assembly) if shaded else None

    def positions(
        self,
        buffers: EdgeBuffers,
        positions: Array,
        view: View,
        clip: NDArray[np.float64],
        matched: Matched,
    ) -> Array:
        """(V, 3) gradient of the picture's summed loss. positions: (V, 3), and clip: (4, 4) world to clip, as
        drawn, jitter included."""
        ids = buffers.id.ravel()
        covered = np.flatnonzero(ids)
        bins = ids.take(covered).astype(np.intp) - 1
        force = buffers.force.reshape(-1, 4).take(covered, axis=0)
        turn = buffers.turn.reshape(-1, 4).take(covered, axis=0)
        marks = np.stack([force[:, 3], turn[:, 3]])
        weight = matched.reference.weight
        if weight is not None:
            counted = weight.ravel().take(covered)[:, None]
            force, turn = force * counted, turn * counted
        outlined, pulls = self._outlines.forces(buffers, positions, view, clip, matched)
        triangles, by_corner = self._by_corner(bins, marks, force)
        vertices = [outlined, *self._triangles.take(triangles, axis=0).T]
        values = [pulls.T, *by_corner]
        if self._normals is not None:
            triangles, by_corner = self._by_corner(bins, marks, turn)
            groups = self._groups.take(triangles, axis=0).T
            by_group = _sums([*groups], [*by_corner], self._group_count)
            triangles, by_corner = self._normals.to_corners(positions, by_group)
            vertices += [*self._triangles.take(triangles, axis=0).T]
            values += [*by_corner]
        return _sums(vertices, values, self._vertex_count)

    def _by_corner(self, bins: Indices, marks: Array, values: Array) -> tuple[Indices, Array]:
        """(T,) the triangles that occur and (3, 3, T) [corner, axis, triangle] the sums of values (N, >= 3)
        times the barycentric coordinates. bins: (N,) triangles. marks: (2, N)."""
        count = len(self._triangles)
        seen = np.flatnonzero(np.bincount(bins, minlength=count))
        moments = np.empty((3, 3, len(seen)))  # [(1, x, y), axis, triangle]
        for axis in range(3):
            column = values[:, axis].astype(np.float64)
            moments[0, axis] = np.bincount(bins, column, count).take(seen)
            for row in (0, 1):
                moments[1 + row, axis] = np.bincount(bins, column * marks[row], count).take(seen)
        places = self._places.take(seen, axis=2)
        corners = [sum(places[corner, row] * moments[row] for row in range(3)) for corner in range(3)]
        return seen, np.stack(corners).astype(np.float32)


def _sums(bins: list[NDArray[Any]], values: list[Array], count: int) -> Array:
    """(count, 3): values, (3, N) each, summed by their bins, (N,) each."""
    joined = np.concatenate(bins)
    columns = np.concatenate(values, axis=1)
    sums = np.empty((count, 3), np.float32)
    for axis in range(3):
        sums[:, axis] = np.bincount(joined, columns[axis], count)
    return sums
