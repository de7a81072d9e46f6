# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Normals of vertices as Blender has them: those of the polygons around, by the angles of their corners."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bin_sums import sums_by_bin
from .surface import Surface
from .vectors import cross, dot

Array = NDArray[np.float32]


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
        # Axis by axis: numbers in a row are read and written several times faster than vectors.
        points = np.ascontiguousarray(positions.T, np.float32)
        a, b, c = (np.take(points, corner, axis=1) for corner in self._triangles.T)  # (3, F)
        areas = cross(b - a, c - a)
        normals = _unit(sums_by_bin(self._polygons, areas, self._polygon_count))
        edges = _unit(np.take(points, self._ends, axis=1) - np.take(points, self._starts, axis=1))
        cosines = -dot(edges, np.take(edges, self._before, axis=1))
        angles = np.arccos(np.clip(cosines, -1.0, 1.0))
        weighted = np.take(normals, self._owners, axis=1) * angles
        return np.ascontiguousarray(_unit(sums_by_bin(self._starts, weighted, self._count)).T)


def _unit(vectors: Array) -> Array:
    lengths = np.sqrt(dot(vectors, vectors))
    return vectors / np.where(lengths > 0.0, lengths, np.float32(1.0))
