# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The support of a vertex: the triangles whose pixels may change when it moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .assembly import Assembly


@dataclass(frozen=True, eq=False)
class Support:
    """For each triangle, the vertices that have it in their support.

    offsets: (F + 1,) int64, vertices: (M,) int32; or corners: (F, 3) int32 where the support is
    narrow, which is the same thing with three vertices a triangle.
    """

    vertex_count: int
    offsets: NDArray[np.int64]
    vertices: NDArray[np.int32]
    corners: NDArray[np.int32] | None = None

    def rows(self, triangles: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """(index into ``triangles``, vertex) of every pair of the given triangles' lists."""
        first = self.offsets[triangles]
        length = self.offsets[triangles + 1] - first
        row = np.repeat(np.arange(len(triangles)), length)
        within = np.arange(len(row)) - np.repeat(np.cumsum(length) - length, length)
        return row, self.vertices[first[row] + within]


def narrow_support(assembly: Assembly) -> Support:
    """Triangles that contain the vertex. Unbiased where shading does not depend on normals, or they are flat."""
    corners = assembly.triangles
    offsets = 3 * np.arange(len(corners) + 1, dtype=np.int64)
    return Support(len(assembly.positions), offsets, corners.ravel(), corners)


def full_support(assembly: Assembly) -> Support:
    """Also the triangles that share a normal group with those: moving a vertex tilts their normals.

    Unbiased for every shading of design section 2; more noise, since more pixels are listened to.
    """
    # Triangle T depends on group G (a corner of T is in it), G on its triangles, those on their vertices.
    triangle_count = len(assembly.triangles)
    group_of_corner = assembly.normal_groups.ravel()
    first = assembly.group_offsets[group_of_corner]
    length = assembly.group_offsets[group_of_corner + 1] - first
    owner = np.repeat(np.repeat(np.arange(triangle_count), 3), length)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(length) - length, length)
    neighbour = assembly.group_triangles[np.repeat(first, length) + within]
    vertex_count = len(assembly.positions)
    pairs = owner[:, None].astype(np.int64) * vertex_count + assembly.triangles[neighbour]  # (P, 3)
    pairs = np.unique(pairs)
    owner, vertices = np.divmod(pairs, vertex_count)
    offsets = np.zeros(triangle_count + 1, np.int64)
    np.cumsum(np.bincount(owner, minlength=triangle_count), out=offsets[1:])
    return Support(vertex_count, offsets, vertices.astype(np.int32))
