# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the vertices of a cage may go beside the planes of its Mirror modifiers: those on a plane stay on it,
so that they stay merged with their images; the others stay on their side, so that they never merge."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cage import Cage

Array = NDArray[np.float32]
Doubles = NDArray[np.float64]

_MARGIN = 1.01  # of the distance at which a vertex would merge
_ROUNDING = 8.0 * 2.0**-23  # of the largest coordinate: lost on the way to Blender and back


class MirrorRules:
    """What the planes of one cage demand of the positions of its vertices.

    projectors: (N, 3, 3) float64, onto the directions in which each vertex may move.
    """

    def __init__(self, cage: Cage) -> None:
        start = cage.positions.astype(np.float64)
        self._start = start
        self._points = np.asarray([plane.point for plane in cage.planes], np.float64).reshape(-1, 3)
        self._normals = np.asarray([plane.normal for plane in cage.planes], np.float64).reshape(-1, 3)
        # A vertex is half as far from the plane as from its image.
        merge = 0.5 * np.asarray([plane.merge for plane in cage.planes], np.float64)
        rounding = _ROUNDING * float(np.abs(start).max(initial=0.0))
        self._margins = np.maximum(_MARGIN * merge, rounding)
        distances = self._distances(start)  # (N, P)
        self._on = (np.abs(distances) < merge) | (np.abs(distances) <= rounding)
        self._sides = np.where(distances < 0.0, -1.0, 1.0)
        self.projectors = self._projectors()
        self._held = np.flatnonzero(self._on.any(axis=1))

    def projected(self, vectors: NDArray[np.floating[Any]]) -> Array:
        """(N, 3) gradients or displacements without what leads off a plane."""
        if not len(self._held):
            return vectors.astype(np.float32)
        result = vectors.astype(np.float32)
        result[self._held] = self._within(vectors[self._held], self._held)
        return result

    def enforced(self, positions: Array) -> Array:
        """(N, 3) the nearest positions that the planes allow; the same array where all are allowed."""
        if not len(self._points):
            return positions
        result = positions.astype(np.float64)
        held = self._held
        result[held] = self._start[held] + self._within(result[held] - self._start[held], held)
        lacking = np.where(self._on, 0.0, self._margins - self._sides * self._distances(result))
        pushes = np.maximum(lacking, 0.0) * self._sides  # (N, P)
        for plane, normal in enumerate(self._normals):
            result += pushes[:, plane, None] * normal
        allowed = result.astype(np.float32)
        return positions if np.array_equal(allowed, positions) else allowed

    def reach(self, directions: Doubles) -> tuple[Doubles, Doubles]:
        """How far each vertex may go from its start along its direction, (N, 3), and how far against it: (N,)
        each, in lengths of that, infinite where no plane is in the way."""
        leaving = [_along(directions, normal) for normal in self._normals]
        towards = -self._sides * np.stack(leaving, axis=-1) if leaving else np.zeros_like(self._sides)
        room = np.maximum(self._sides * self._distances(self._start) - self._margins, 0.0)
        limits = np.divide(room, np.abs(towards), out=np.full_like(room, np.inf), where=towards != 0.0)
        limits[self._on] = np.inf
        forwards = np.where(towards > 0.0, limits, np.inf).min(axis=1, initial=np.inf)
        backwards = np.where(towards < 0.0, limits, np.inf).min(axis=1, initial=np.inf)
        return forwards, backwards

    def _distances(self, positions: Doubles) -> Doubles:
        """(N, P) signed, from each plane."""
        result = np.empty((len(positions), len(self._points)))
        for plane, (point, normal) in enumerate(zip(self._points, self._normals, strict=True)):
            result[:, plane] = _along(positions - point, normal)
        return result

    def _within(self, vectors: NDArray[np.floating[Any]], which: NDArray[np.int64]) -> Doubles:
        result: Doubles = np.einsum("nij,nj->ni", self.projectors[which], vectors)
        return result

    def _projectors(self) -> Doubles:
        result = np.tile(np.eye(3), (len(self._on), 1, 1))
        for combination in np.unique(self._on, axis=0):
            if combination.any():
                _, lengths, across = np.linalg.svd(self._normals[combination])
                across = across[: len(lengths)][lengths > 1e-6]  # parallel planes count once
                result[(self._on == combination).all(axis=1)] = np.eye(3) - across.T @ across
        return result


def _along(vectors: Doubles, normal: Doubles) -> Doubles:
    """(N,) of (N, 3); no product by BLAS, whose threads would keep spinning after it."""
    result: Doubles = vectors[:, 0] * normal[0] + vectors[:, 1] * normal[1] + vectors[:, 2] * normal[2]
    return result
