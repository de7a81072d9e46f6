# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A coarser mesh that moves with a fine one, for pictures whose pixels are larger than triangles.

Vertices are gathered around roots no two of which share an edge, across short edges only; triangles whose
corners are in three clusters stay, and each cluster becomes one vertex, at the mean of its own. So what a
picture of the coarse mesh costs is a function of the fine one's positions, and its gradient goes back to them
in equal parts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .aggregation import aggregates
from .laplacian import edges_of
from .sparse_matrix import from_entries

Array = NDArray[np.float32]
Triangles = NDArray[np.int32]

_SHRINKS = 0.6  # a mesh that shrinks less is not worth it


@dataclass(frozen=True, eq=False)
class CoarseMesh:
    """cluster: (V,) the coarse vertex of each fine one. sizes: (C,) how many each gathers. triangles: (T, 3)
    of coarse vertices. origins: (T,) for each a fine triangle that it comes from."""

    cluster: NDArray[np.intp]
    sizes: Array
    triangles: Triangles
    origins: NDArray[np.intp]

    def positions(self, fine: Array) -> Array:
        """(C, 3) for fine (V, 3): the means of the clusters."""
        means = np.empty((len(self.sizes), 3), np.float32)
        for axis in range(3):
            sums = np.bincount(self.cluster, fine[:, axis], len(self.sizes))
            np.divide(sums, self.sizes, out=means[:, axis], casting="unsafe")
        return means

    def gradient(self, coarse: Array) -> Array:
        """(V, 3) by fine positions, for (C, 3) by coarse ones: the transpose of ``positions``."""
        return (coarse / self.sizes[:, None]).take(self.cluster, axis=0)


def unchanged(positions: Array, triangles: Triangles) -> CoarseMesh:
    """The mesh itself: positions (V, 3), triangles (F, 3)."""
    count = len(positions)
    return CoarseMesh(np.arange(count), np.ones(count, np.float32), triangles, np.arange(len(triangles)))


def coarsened(mesh: CoarseMesh, positions: Array, shortest: float, least: int) -> CoarseMesh:
    """The mesh with edges contracted that are shorter than ``shortest``, to about twice that; itself where
    hardly any is, or fewer than ``least`` vertices would be left. positions: (V, 3), of the fine one."""
    while True:
        coarse = mesh.positions(positions)
        step = _gathered(coarse, mesh.triangles, shortest)
        if len(step.sizes) > _SHRINKS * len(coarse) or len(step.sizes) < least:
            return mesh
        cluster = step.cluster.take(mesh.cluster)
        sizes = np.bincount(cluster, minlength=len(step.sizes)).astype(np.float32)
        mesh = CoarseMesh(cluster, sizes, step.triangles, mesh.origins.take(step.origins))


def _gathered(positions: Array, triangles: Triangles, shortest: float) -> CoarseMesh:
    """One round: stars of vertices become one each."""
    count = len(positions)
    edges = edges_of(triangles)
    along = positions.take(edges[:, 0], axis=0) - positions.take(edges[:, 1], axis=0)
    tails, heads = edges[np.square(along).sum(axis=1) < shortest * shortest].T
    own = np.arange(count, dtype=np.int32)
    rows, columns = np.concatenate([tails, heads, own]), np.concatenate([heads, tails, own])
    joined = from_entries(rows, columns, np.ones(len(rows)), count, count)
    cluster = aggregates(joined, reach=1).astype(np.intp)
    alone = np.flatnonzero(cluster < 0)
    gathered = int(cluster.max(initial=-1)) + 1
    cluster[alone] = gathered + np.arange(len(alone))
    sizes = np.bincount(cluster).astype(np.float32)
    return CoarseMesh(cluster, sizes, *_contracted(cluster.take(triangles).astype(np.int32)))


def _contracted(triangles: Triangles) -> tuple[Triangles, NDArray[np.intp]]:
    """The triangles (F, 3) that are left, each once, and where they were; two that lie back to back, as where
    a fold closes, are none."""
    a, b, c = triangles.T
    whole = np.flatnonzero((a != b) & (b != c) & (c != a))
    kept = triangles.take(whole, axis=0)
    corners = np.sort(kept, axis=1)
    order = np.lexsort(corners.T)
    corners, whole = corners[order], whole[order]
    is_first = np.ones(len(corners), bool)
    is_first[1:] = (corners[1:] != corners[:-1]).any(axis=1)
    # 1 where the corners run upwards, as 2 5 7 and 5 7 2 do, -1 where they run downwards.
    lowest, rows = kept.argmin(axis=1), np.arange(len(kept))
    runs = np.sign(kept[rows, (lowest + 2) % 3] - kept[rows, (lowest + 1) % 3])[order]
    facing = np.bincount(np.cumsum(is_first) - 1, runs)
    left, origins = corners[is_first], whole[is_first]
    left[facing < 0.0] = left[facing < 0.0][:, [0, 2, 1]]
    stays = facing != 0.0
    return np.ascontiguousarray(left[stays]), origins[stays]
