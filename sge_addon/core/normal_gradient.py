# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exact derivative of shading normals (group_normals): from the loss's gradient by normals to that by
positions."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .assembly import Assembly
from .corner_cycles import corner_cycles
from .group_normals import Doubles, GroupAreas, area_sums, distinct_groups
from .vectors import cross, dot

Array = NDArray[np.float32]

# What the area vectors of a group at least add up to, of their lengths: where triangles are folded onto each
# other, their normal turns without measure when a vertex moves.
_LEAST_SHARE = 0.05


class NormalGradient:
    """Of one topology. Where group areas are not known, only triangles about which something is known are
    touched in a step."""

    def __init__(self, assembly: Assembly) -> None:
        self._triangles = assembly.triangles
        self._group_count = len(assembly.group_offsets) - 1
        self._groups = np.ascontiguousarray(distinct_groups(assembly))

    @cached_property
    def _all_vertices(self) -> NDArray[np.intp]:
        return self._triangles.T.ravel().astype(np.intp)

    @cached_property
    def _all_groups(self) -> NDArray[np.intp]:
        return self._groups.T.ravel().astype(np.intp)

    def pulls(
        self, columns: Array, by_group: Array, group_areas: GroupAreas | None = None
    ) -> tuple[NDArray[np.intp], Array]:
        """(3 T,) vertices, of which one may occur more than once, and (3, 3 T) the gradient by their
        positions.

        columns: (3, V) positions. by_group: (3, G) gradient of the loss by the groups' unit normals.
        group_areas: of these positions, where they are known.
        """
        if group_areas is not None:
            by_area = self._by_area_vector(self._all_groups, group_areas.sums, group_areas.lengths, by_group)
            return self._all_vertices, cross(group_areas.edges, by_area[:, None]).reshape(3, -1)
        known = np.zeros(self._group_count + 1, bool)
        known[:-1] = by_group.any(axis=0)
        # All triangles of a group whose normal matters, also those without a pixel.
        a, b, c = known.take(self._groups).T
        touched = np.flatnonzero(a | b | c)
        vertices = corner_cycles(self._triangles, touched)
        corners = columns.take(vertices, axis=1)
        edges = corners[:, 1:4] - corners[:, 2:]  # (3, 3, T): each opposite of its corner
        groups = self._groups.take(touched, axis=0).T.ravel().astype(np.intp)
        sums, lengths = area_sums(groups, cross(edges[:, 1], edges[:, 2]), self._group_count)
        by_area = self._by_area_vector(groups, sums, lengths, by_group)
        return vertices[:3].ravel().astype(np.intp), cross(edges, by_area[:, None]).reshape(3, -1)

    def _by_area_vector(
        self, groups: NDArray[np.intp], sums: Doubles, lengths: Doubles, by_group: Array
    ) -> Array:
        """(3, T): the gradient by the triangles' area vectors. groups: (3 T,), by corner. sums, lengths: of
        GroupAreas."""
        squared = np.maximum(dot(sums, sums), np.square(_LEAST_SHARE * lengths) + 1e-30)
        # d unit(s) / ds = (1 - n n^T) / |s|.
        along = dot(by_group, sums) / squared
        given = np.zeros((3, self._group_count + 1), np.float32)
        np.divide(by_group - sums * along, np.sqrt(squared), out=given[:, :-1], casting="unsafe")
        first, second, third = np.split(given.take(groups, axis=1), 3, axis=1)
        first += second
        first += third
        return first
