# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exact derivative of shading normals: from the loss's gradient by normals to that by positions.

A group's normal is the unit vector along the sum of its triangles' area vectors (b - a) x (c - a).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .assembly import Assembly

Columns = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


class NormalGradient:
    """Of one topology. Only triangles about which something is known are touched in a step."""

    def __init__(self, assembly: Assembly) -> None:
        self._triangles = assembly.triangles
        self._group_count = len(assembly.group_offsets) - 1
        groups = assembly.normal_groups
        a, b, c = groups.T
        # A triangle counts once in each of its groups; the number one past the last is of no group.
        none = np.int32(self._group_count)
        distinct = np.stack([a, np.where(b == a, none, b), np.where((c == a) | (c == b), none, c)], axis=1)
        self._groups = np.ascontiguousarray(distinct)
        self._group_triangles = assembly.group_triangles
        self._offsets = assembly.group_offsets

    def to_corners(
        self, positions: NDArray[np.float32], by_group: NDArray[np.float32]
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """(T,) triangles and (3, T, 3) the gradient by the position of each corner, [corner, triangle, axis].

        positions: (V, 3). by_group: (G, 3) gradient of the loss by the groups' unit normals.
        """
        known = np.zeros(self._group_count + 1, bool)
        known[:-1] = by_group.any(axis=1)
        touched = np.flatnonzero(known.take(self._groups).any(axis=1))
        # All triangles of a group whose normal matters, also those without a pixel.
        corners = positions.take(self._triangles.take(touched, axis=0), axis=0)  # (T, 3, 3)
        a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
        edge_a, edge_b, edge_c = b - c, c - a, a - b
        area = np.cross(edge_c, edge_b)  # (a - b) x (c - a): against (b - a) x (c - a), so:
        np.negative(area, out=area)
        groups = self._groups.take(touched, axis=0)
        by_area = self._by_area_vector(groups, area, by_group)
        return touched, np.stack([np.cross(edge, by_area) for edge in (edge_a, edge_b, edge_c)])

    def _by_area_vector(
        self, groups: NDArray[np.int32], area: NDArray[np.float32], by_group: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """(T, 3): the gradient by the triangles' area vectors. groups, area: (T, 3) of these triangles."""
        count = self._group_count + 1
        flat = groups.ravel()
        sums = np.stack([np.bincount(flat, np.repeat(area[:, axis], 3), count) for axis in range(3)], axis=1)
        squared = np.maximum(np.einsum("gc,gc->g", sums, sums), 1e-30)[:, None]
        padded = np.zeros((count, 3))
        padded[:-1] = by_group
        # d unit(s) / ds = (1 - n n^T) / |s|.
        across = padded - sums * (np.einsum("gc,gc->g", padded, sums)[:, None] / squared)
        across /= np.sqrt(squared)
        across[-1] = 0.0
        return across.astype(np.float32).take(groups, axis=0).sum(axis=1)
