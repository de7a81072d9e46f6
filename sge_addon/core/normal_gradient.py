# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exact derivative of shading normals: from the loss's gradient by normals to that by positions.

A group's normal is the unit vector along the sum of its triangles' area vectors (b - a) x (c - a).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .assembly import Assembly
from .corner_cycles import corner_cycles

Array = NDArray[np.float32]

# What the area vectors of a group at least add up to, of their lengths: where triangles are folded onto each
# other, their normal turns without measure when a vertex moves.
_LEAST_SHARE = 0.05


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

    def to_corners(self, columns: Array, by_group: Array) -> tuple[NDArray[np.intp], Array]:
        """(T,) triangles and (3, 3, T) the gradient by the position of each corner, [axis, corner, triangle].

        columns: (3, V) positions. by_group: (3, G) gradient of the loss by the groups' unit normals.
        """
        known = np.zeros(self._group_count + 1, bool)
        known[:-1] = by_group.any(axis=0)
        # All triangles of a group whose normal matters, also those without a pixel.
        a, b, c = known.take(self._groups).T
        touched = np.flatnonzero(a | b | c)
        corners = columns.take(corner_cycles(self._triangles, touched), axis=1)
        edges = corners[:, 1:4] - corners[:, 2:]  # (3, 3, T): each opposite of its corner
        groups = self._groups.take(touched, axis=0).T.ravel()
        by_area = self._by_area_vector(groups, _cross(edges[:, 1], edges[:, 2]), by_group)
        return touched, _cross(edges, by_area[:, None])

    def _by_area_vector(self, groups: NDArray[np.int32], area: Array, by_group: Array) -> Array:
        """(3, T): the gradient by the triangles' area vectors. groups: (3 T,), by corner; area: (3, T)."""
        count = self._group_count + 1
        by_corner = np.concatenate([area, area, area], axis=1)
        sums = np.array([np.bincount(groups, axis, count) for axis in by_corner])  # (3, G + 1)
        given = np.zeros((3, count))
        given[:, :-1] = by_group
        lengths = np.sqrt((area * area).sum(axis=0))
        areas = np.bincount(groups, np.concatenate([lengths, lengths, lengths]), count)
        squared = np.maximum((sums * sums).sum(axis=0), np.square(_LEAST_SHARE * areas) + 1e-30)
        # d unit(s) / ds = (1 - n n^T) / |s|.
        given -= sums * ((given * sums).sum(axis=0) / squared)
        given /= np.sqrt(squared)
        given[:, -1] = 0.0
        return given.astype(np.float32).take(groups, axis=1).reshape(3, 3, -1).sum(axis=1)


def _cross(a: Array, b: Array) -> Array:
    """(3, ...) each; an order faster than np.cross along the other axis."""
    product = np.empty(a.shape, np.float32)
    for axis, (first, second) in enumerate(((1, 2), (2, 0), (0, 1))):
        np.multiply(a[first], b[second], out=product[axis])
        product[axis] -= a[second] * b[first]
    return product
