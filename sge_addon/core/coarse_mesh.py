# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A coarser mesh that moves with a fine one, for pictures whose pixels are larger than triangles.

Vertices are gathered around roots no two of which share an edge, across short edges only; triangles whose
corners are in three clusters stay, and each cluster becomes one vertex, at the mean of its own. So what a
picture of the coarse mesh costs is a function of the fine one's positions, and its gradient goes back to them
in equal parts; or the coarse mesh steps itself, and the fine one follows it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .aggregation import aggregates
from .laplacian import edges_of
from .row_products import RowProducts, row_crew
from .sparse_matrix import SparseMatrix, neighbours

Array = NDArray[np.float32]
Triangles = NDArray[np.int32]

_SHRINKS = 0.6  # a mesh that shrinks less is not worth it
_LANES = 4
# What is constant on clusters is smoothed by so many means over neighbours; what their own means are then
# short of is added as often.
_SMOOTHING_STEPS, _CORRECTIONS = 4, 2


@dataclass(frozen=True, eq=False)
class _Round:
    """In which the vertices of a mesh were gathered. cluster: (N,) into what each. sizes: (C,) how many each
    gathers. joined: (N, N) an entry for each vertex itself and for each that a short edge joins to it."""

    cluster: NDArray[np.intp]
    sizes: Array
    joined: SparseMatrix

    def spread(self, values: Array) -> Array:
        """(N, 3) smooth, whose means over clusters are about the values (C, 3)."""
        products, crew = RowProducts(self.joined, _LANES, unit=True), row_crew(_LANES)
        shares = np.repeat(1.0 / np.diff(self.joined.starts).astype(np.float32), _LANES)

        def smoothed(of_clusters: Array) -> Array:
            x = np.zeros((len(self.cluster), _LANES), np.float32)
            x[:, :3] = of_clusters.take(self.cluster, axis=0)
            x, sums = x.ravel(), np.empty(x.size, np.float32)
            for _ in range(_SMOOTHING_STEPS):
                np.multiply(products.multiply(x, sums, crew), shares, out=x)
            return np.ascontiguousarray(x.reshape(-1, _LANES)[:, :3])

        wanted, found = values, smoothed(values)
        for _ in range(_CORRECTIONS):
            wanted = wanted + (values - _means(self.cluster, self.sizes, found))
            found = smoothed(wanted)
        return found


@dataclass(frozen=True, eq=False)
class CoarseMesh:
    """cluster: (V,) the coarse vertex of each fine one. sizes: (C,) how many each gathers. triangles: (T, 3)
    of coarse vertices. origins: (T,) for each a fine triangle that it comes from. rounds: of gathering, from
    the fine mesh on."""

    cluster: NDArray[np.intp]
    sizes: Array
    triangles: Triangles
    origins: NDArray[np.intp]
    rounds: tuple[_Round, ...] = field(default=(), repr=False)

    def positions(self, fine: Array) -> Array:
        """(C, 3) for fine (V, 3): the means of the clusters."""
        return _means(self.cluster, self.sizes, fine)

    def gradient(self, coarse: Array) -> Array:
        """(V, 3) by fine positions, for (C, 3) by coarse ones: the transpose of ``positions``."""
        return (coarse / self.sizes[:, None]).take(self.cluster, axis=0)

    def spread(self, motion: Array) -> Array:
        """(V, 3) a smooth motion of the fine mesh that moves the coarse one by about ``motion``, (C, 3)."""
        for each in reversed(self.rounds):
            motion = each.spread(motion)
        return motion


def unchanged(positions: Array, triangles: Triangles) -> CoarseMesh:
    """The mesh itself: positions (V, 3), triangles (F, 3)."""
    count = len(positions)
    return CoarseMesh(np.arange(count), np.ones(count, np.float32), triangles, np.arange(len(triangles)))


def coarsened(mesh: CoarseMesh, positions: Array, shortest: float, least: int) -> CoarseMesh:
    """The mesh with edges contracted that are shorter than ``shortest``, to about twice that; itself where
    hardly any is, or fewer than ``least`` vertices or no triangles would be left. positions: (V, 3), fine."""
    while True:
        coarse = mesh.positions(positions)
        gathered = _gathered(coarse, mesh.triangles, shortest)
        if len(gathered.sizes) > _SHRINKS * len(coarse) or len(gathered.sizes) < least:
            return mesh
        triangles, origins = _contracted(gathered.cluster.take(mesh.triangles).astype(np.int32))
        if len(triangles) == 0:
            return mesh
        cluster = gathered.cluster.take(mesh.cluster)
        sizes = np.bincount(cluster, minlength=len(gathered.sizes)).astype(np.float32)
        mesh = CoarseMesh(cluster, sizes, triangles, mesh.origins.take(origins), (*mesh.rounds, gathered))


def _gathered(positions: Array, triangles: Triangles, shortest: float) -> _Round:
    """One round: stars of vertices become one each."""
    count = len(positions)
    edges = edges_of(triangles)
    along = positions.take(edges[:, 0], axis=0) - positions.take(edges[:, 1], axis=0)
    short = edges[np.square(along).sum(axis=1) < shortest * shortest]
    joined = neighbours(short, count, with_own=True)
    cluster = aggregates(joined, reach=1).astype(np.intp)
    alone = np.flatnonzero(cluster < 0)
    gathered = int(cluster.max(initial=-1)) + 1
    cluster[alone] = gathered + np.arange(len(alone))
    return _Round(cluster, np.bincount(cluster).astype(np.float32), joined)


def _means(cluster: NDArray[np.intp], sizes: Array, values: Array) -> Array:
    """(C, 3) of values (N, 3) over their clusters."""
    means = np.empty((len(sizes), 3), np.float32)
    for axis in range(3):
        sums = np.bincount(cluster, values[:, axis], len(sizes))
        np.divide(sums, sizes, out=means[:, axis], casting="unsafe")
    return means


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
