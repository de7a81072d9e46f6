# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Normals of vertices as Blender has them: those of the polygons around, by the angles of their corners."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .surface import Surface


class VertexNormals:
    """Of one topology; the polygons' outlines are found in the surface's triangles."""

    def __init__(self, surface: Surface) -> None:
        triangles = surface.triangles.astype(np.int64)
        self._count = count = len(surface.positions)
        polygons = (
            np.arange(len(triangles)) if surface.polygons is None else surface.polygons.astype(np.int64)
        )
        self._triangles, self._polygons = triangles, polygons
        self._polygon_count = int(polygons.max()) + 1
        # An edge that a polygon's triangles run along in both directions is inside of it.
        starts, ends = triangles.ravel(), np.roll(triangles, -1, axis=1).ravel()
        owners = np.repeat(polygons, 3)
        forwards = (owners * count + starts) * count + ends
        backwards = (owners * count + ends) * count + starts
        outline = ~np.isin(forwards, backwards)
        starts, ends, owners = starts[outline], ends[outline], owners[outline]
        # Corner i is where edge i begins; there the edge ends that has this corner's vertex as its end.
        leaving, arriving = np.lexsort((starts, owners)), np.lexsort((ends, owners))
        self._starts, self._ends, self._owners = starts[leaving], ends[leaving], owners[leaving]
        rank = np.empty(len(leaving), np.int64)
        rank[leaving] = np.arange(len(leaving))
        self._before = rank[arriving]

    def of(self, positions: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """(V, 3) of unit length for (V, 3) positions; zero where a vertex has no face with an area."""
        a, b, c = (positions[corner] for corner in self._triangles.T)
        areas = np.cross(b - a, c - a)
        normals = _unit(_sums(areas, self._polygons, self._polygon_count))
        edges = _unit(positions[self._ends] - positions[self._starts])
        cosines = -(edges * edges[self._before]).sum(axis=1)
        angles = np.arccos(np.clip(cosines, -1.0, 1.0))
        weighted = normals[self._owners] * angles[:, None]
        return _unit(_sums(weighted, self._starts, self._count)).astype(np.float32)


def _sums(vectors: NDArray[np.floating[Any]], owners: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """(count, 3) of (N, 3)."""
    return np.stack([np.bincount(owners, vectors[:, axis], count) for axis in range(3)], axis=1)


def _unit(vectors: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    lengths = np.sqrt(np.square(vectors).sum(axis=1, keepdims=True))
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0.0)
