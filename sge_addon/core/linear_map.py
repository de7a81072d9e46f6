# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A surface that hangs linearly on its cage: x = x0 + S (c - c0), with a sparse S.

Vertices of the surface that lie on one face of the base mesh hang on the same few vertices of the base, so
that S is kept as one small dense matrix to each face: positions are gathered once a face, not once a vertex.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .cage_rings import Lists, counted

Array = NDArray[np.float32]

_PADDING = 4  # sizes of matrices are rounded up to multiples, so that there are few kinds
# Products above these sizes would be shared out to the threads of OpenBLAS, which then spin for 0.1 s.
_LARGEST_PRODUCT = 200_000  # multiplications, matrix by matrix
_LARGEST_MATRIX = 9_000  # elements, matrix by vector


@dataclass(frozen=True, eq=False)
class FaceRows:
    """What S has of one base face: its rows are vertices of the surface, its columns those of the base.

    rows: (M,) int, vertices of the surface. columns: lists of the base's vertices, one for each face.
    faces: (M,) int, in ascending order: which face's columns a row has.
    weights: a row after the other, one number (or a 3 x 3 block: (W, 3, 3)) for each of its columns: (W,).
    """

    rows: NDArray[np.int64]
    faces: NDArray[np.int64]
    columns: Lists
    weights: Array


@dataclass(frozen=True, eq=False)
class _Bucket:
    """Faces with matrices of one size. rows: (F, m), columns: (F, K) int32; places beyond a face's own have
    weight 0. weights: (F, K, m), the transpose of S's blocks; or (F, 3 K, 3 m)."""

    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    weights: Array

    @property
    def is_scalar(self) -> bool:
        return self.weights.shape[1] == self.columns.shape[1]

    def forwards(self, moved: Array) -> Array:
        """(F m, 3) for (N, 3)."""
        gathered = moved[self.columns]  # (F, K, 3)
        count = gathered.shape[0]
        if self.is_scalar:
            right = gathered.transpose(0, 2, 1)
            product = self._product(right, self.weights)  # (F, 3, m)
            return product.transpose(0, 2, 1).reshape(-1, 3)
        return self._product(gathered.reshape(count, 1, -1), self.weights).reshape(-1, 3)

    def backwards(self, gradient: Array) -> Array:
        """(F K, 3) for (V, 3)."""
        gathered = gradient[self.rows]  # (F, m, 3)
        count = gathered.shape[0]
        if self.is_scalar:
            return self._product(self.weights, gathered).reshape(-1, 3)
        return self._product(self.weights, gathered.reshape(count, -1, 1)).reshape(-1, 3)

    def _product(self, left: Array, right: Array) -> Array:
        inner = left.shape[2]
        size = left.shape[1] * inner * right.shape[2]
        if size <= (_LARGEST_PRODUCT if self.is_scalar else _LARGEST_MATRIX):
            return np.matmul(left, right)
        result: Array = np.einsum("fik,fkj->fij", left, right)
        return result


@dataclass(frozen=True, eq=False)
class LinearMap:
    """A core.cage.CageMap. origin: (N, 3) float32 world, the cage c0; rest: (V, 3), the surface x0 of it."""

    origin: Array
    rest: Array
    _buckets: tuple[_Bucket, ...] = field(repr=False)
    # Where each vertex of the surface is among the rows of all buckets and one more, which is zero.
    _places: NDArray[np.int32] = field(repr=False)
    _columns: NDArray[np.int32] = field(repr=False)  # of all buckets, end to end

    def apply(self, cage: Array) -> Array:
        """(V, 3) float32 world: the surface's vertices for a cage's, (N, 3)."""
        moved = cage - self.origin
        parts = [bucket.forwards(moved) for bucket in self._buckets]
        steps = np.concatenate([*parts, np.zeros((1, 3), np.float32)])
        result = np.take(steps, self._places, axis=0)
        result += self.rest
        return result

    def pulled_back(self, gradient: Array) -> Array:
        """(N, 3) float32: dL/dc of a gradient dL/dx, (V, 3)."""
        count = len(self.origin)
        if not self._buckets:
            return np.zeros((count, 3), np.float32)
        shares = np.concatenate([bucket.backwards(gradient) for bucket in self._buckets])
        sums = [np.bincount(self._columns, shares[:, axis], count) for axis in range(3)]
        return np.stack(sums, axis=1).astype(np.float32)

    @property
    def stored_bytes(self) -> int:
        """Memory of the matrices."""
        return sum(each.weights.nbytes + each.rows.nbytes + each.columns.nbytes for each in self._buckets)

    def block(self, vertex: int, base_vertex: int) -> NDArray[np.float64]:
        """(3, 3): how far the surface's ``vertex`` moves for each axis along which the base's does."""
        result = np.zeros((3, 3))
        for bucket in self._buckets:
            for face, row in np.argwhere(bucket.rows == vertex):
                for column in np.flatnonzero(bucket.columns[face] == base_vertex):
                    if bucket.is_scalar:
                        result += bucket.weights[face, column, row] * np.eye(3)
                    else:
                        result += bucket.weights[face, 3 * column :, 3 * row :][:3, :3].T
        return result


def linear_map(origin: Array, rest: Array, parts: FaceRows, threshold: float) -> LinearMap:
    """From the rows of S; weights up to ``threshold`` count as zero."""
    parts = _pruned(parts, threshold)
    lengths = parts.columns.lengths
    row_counts = np.bincount(parts.faces, minlength=len(lengths))
    heights = -(-row_counts // _PADDING) * _PADDING
    widths = np.where(lengths <= _PADDING, lengths, -(-lengths // _PADDING) * _PADDING)
    used = np.flatnonzero((row_counts > 0) & (lengths > 0))
    places = np.full(len(rest), -1, np.int32)
    buckets: list[_Bucket] = []
    count = 0
    for height, width in np.unique(np.stack([heights[used], widths[used]], axis=1), axis=0).tolist():
        faces = used[(heights[used] == height) & (widths[used] == width)]
        buckets.append(_bucket(parts, faces, height, width, places, count))
        count += len(faces) * height
    places[places < 0] = count
    columns = [bucket.columns.ravel() for bucket in buckets]
    merged = np.concatenate([np.zeros(0, np.int32), *columns])
    return LinearMap(origin, rest, tuple(buckets), places, merged)


def _pruned(parts: FaceRows, threshold: float) -> FaceRows:
    """Without the columns of a face that none of its rows needs."""
    lengths = parts.columns.lengths
    row_lengths = lengths[parts.faces]
    magnitude = np.abs(parts.weights.reshape(len(parts.weights), -1)).max(axis=1, initial=0.0)
    slot = np.repeat(parts.columns.offsets[parts.faces], row_lengths) + counted(row_lengths)
    needed = np.zeros(len(parts.columns.items), bool)
    needed[slot[magnitude > threshold]] = True
    weights = np.where(
        (magnitude > threshold).reshape(-1, *[1] * (parts.weights.ndim - 1)), parts.weights, 0.0
    )
    kept = np.add.reduceat(np.r_[needed, False].astype(np.int64), parts.columns.offsets[:-1])
    kept[lengths == 0] = 0
    columns = Lists(np.r_[0, np.cumsum(kept)], parts.columns.items[needed])
    return FaceRows(parts.rows, parts.faces, columns, weights[needed[slot]].astype(np.float32))


def _bucket(
    parts: FaceRows,
    faces: NDArray[np.int64],
    height: int,
    width: int,
    places: NDArray[np.int32],
    before: int,
) -> _Bucket:
    """The matrices of ``faces``; says in ``places`` where products of their rows will stand, from ``before``
    on."""
    size = parts.weights.shape[1:]  # () or (3, 3)
    first = np.searchsorted(parts.faces, faces)
    row_counts = np.searchsorted(parts.faces, faces, side="right") - first
    local = np.repeat(np.arange(len(faces)), row_counts)  # of each row, its face
    within = counted(row_counts)
    which = first[local] + within  # of each row, its place in ``parts``
    rows = np.zeros((len(faces), height), np.int32)
    rows[local, within] = parts.rows[which]
    places[parts.rows[which]] = before + local * height + within

    lengths = parts.columns.lengths
    face, items = parts.columns.expanded(faces)
    columns = np.zeros((len(faces), width), np.int32)
    columns[face, counted(lengths[faces])] = items

    row_lengths = lengths[parts.faces]
    starts = np.cumsum(row_lengths) - row_lengths
    of_row = np.repeat(np.arange(len(which)), row_lengths[which])  # of each weight
    column = counted(row_lengths[which])
    weights = np.zeros((len(faces), width, height, *size), np.float32)
    weights[local[of_row], column, within[of_row]] = parts.weights[starts[which][of_row] + column]
    if size:  # (F, K, m, out, in) to (F, K in, m out)
        weights = weights.transpose(0, 1, 4, 2, 3).reshape(len(faces), 3 * width, 3 * height)
    return _Bucket(rows, columns, np.ascontiguousarray(weights))
