# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shading normals of normal groups: the unit vectors along the sums of their triangles' area vectors
(b - a) x (c - a). Mirrors raster/shaders/normals_frag.glsl."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .assembly import Assembly
from .corner_cycles import corner_cycles
from .vectors import cross, dot

Array = NDArray[np.float32]
Doubles = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GroupAreas:
    """Of all groups of a shape. edges: (3, 3, F) [axis, corner, triangle], each opposite of its corner.
    sums: (3, G) of area vectors, lengths: (G,) of their lengths."""

    edges: Array
    sums: Doubles
    lengths: Doubles

    @cached_property
    def normals(self) -> Array:
        """(3, G), unit."""
        scale = 1.0 / np.sqrt(np.maximum(dot(self.sums, self.sums), 1e-30))
        return (self.sums * scale).astype(np.float32)


class GroupNormals:
    """Of one topology."""

    def __init__(self, assembly: Assembly) -> None:
        self._cycles = corner_cycles(assembly.triangles, np.arange(len(assembly.triangles))).astype(np.intp)
        self._groups = distinct_groups(assembly).T.ravel().astype(np.intp)  # (3 F,), by corner
        self._count = len(assembly.group_offsets) - 1

    def at(self, positions: Array) -> GroupAreas:
        """positions: (V, 3)."""
        corners = np.ascontiguousarray(positions.T).take(self._cycles, axis=1)
        edges = corners[:, 1:4] - corners[:, 2:]
        area = cross(edges[:, 1], edges[:, 2])
        return GroupAreas(edges, *area_sums(self._groups, area, self._count))


def area_sums(groups: NDArray[np.intp], area: Array, count: int) -> tuple[Doubles, Doubles]:
    """(3, count) sums of area vectors (3, T) by groups (3 T,), by corner, and (count,) of their lengths. The
    number ``count`` itself is no group."""
    rows = [np.concatenate([row, row, row]) for row in (*area, np.sqrt(dot(area, area)))]
    sums = np.array([np.bincount(groups, row, count + 1)[:count] for row in rows])
    return sums[:3], sums[3]


def distinct_groups(assembly: Assembly) -> NDArray[np.int32]:
    """(F, 3) the groups of the corners of triangles, each once a triangle: one past the last is no group."""
    a, b, c = assembly.normal_groups.T
    none = np.int32(len(assembly.group_offsets) - 1)
    return np.stack([a, np.where(b == a, none, b), np.where((c == a) | (c == b), none, c)], axis=1)
