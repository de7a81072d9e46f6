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
    """Faces with matrices of one size. weights: (F, K, m), the transpose of S's blocks; or (F, 3 K, 3 m).

    rows, columns: which part is theirs of the rows (F m) and columns (F K) of all buckets.
    """

    weights: Array
    rows: slice
    columns: slice

    @property
    def is_scalar(self) -> bool:
        return len(self.weights) * self.weights.shape[1] == self.columns.stop - self.columns.start

    def forwards(self, moved: Array, steps: Array) -> None:
        """Writes to ``steps``, (R, 3), what ``moved``, (C, 3), does; rows and columns of all buckets."""
        weights = self.weights.transpose(0, 2, 1)
        self._multiply(weights, moved[self.columns], steps[self.rows])

    def backwards(self, gradient: Array, shares: Array) -> None:
        """The transpose: from (R, 3) to (C, 3)."""
        self._multiply(self.weights, gradient[self.rows], shares[self.columns])

    def _multiply(self, weights: Array, right: Array, result: Array) -> None:
        count, height, width = weights.shape
        components = 3 if self.is_scalar else 1
        right = right.reshape(count, width, components)
        out = result.reshape(count, height, components)
        size = height * width * components
        if size <= (_LARGEST_PRODUCT if self.is_scalar else _LARGEST_MATRIX):
            np.matmul(weights, right, out=out)
        else:
            np.einsum("fik,fkj->fij", weights, right, out=out)


@dataclass(frozen=True, eq=False)
class LinearMap:
    """A core.cage.CageMap. origin: (N, 3) float32 world, the cage c0; rest: (V, 3), the surface x0 of it."""

    origin: Array
    rest: Array
    _buckets: tuple[_Bucket, ...] = field(repr=False)
    # Of all buckets, end to end; what fills a matrix up to its size has weight 0.
    _rows: NDArray[np.int64] = field(repr=False)  # (R,), vertices of the surface
    _columns: NDArray[np.int64] = field(repr=False)  # (C,), vertices of the cage
    # Where each vertex of the surface is among the rows and one more, which is zero.
    _places: NDArray[np.int64] = field(repr=False)

    def apply(self, cage: Array) -> Array:
        """(V, 3) float32 world: the surface's vertices for a cage's, (N, 3)."""
        # Five times faster than an index in brackets, as all of these.
        moved = np.take(cage - self.origin, self._columns, axis=0)
        steps = np.empty((len(self._rows) + 1, 3), np.float32)
        steps[-1] = 0.0
        for bucket in self._buckets:
            bucket.forwards(moved, steps)
        result: Array = np.take(steps, self._places, axis=0)
        result += self.rest
        return result

    def pulled_back(self, gradient: Array) -> Array:
        """(N, 3) float32: dL/dc of a gradient dL/dx, (V, 3)."""
        gathered = np.take(gradient.astype(np.float32, copy=False), self._rows, axis=0)
        shares = np.empty((len(self._columns), 3), np.float32)
        for bucket in self._buckets:
            bucket.backwards(gathered, shares)
        count = len(self.origin)
        sums = [np.bincount(self._columns, shares[:, axis], count) for axis in range(3)]
        return np.stack(sums, axis=1).astype(np.float32)

    @property
    def stored_bytes(self) -> int:
        """Memory of the matrices and their places."""
        indices = self._rows.nbytes + self._columns.nbytes + self._places.nbytes
        return indices + sum(bucket.weights.nbytes for bucket in self._buckets)


def linear_map(origin: Array, rest: Array, parts: FaceRows, threshold: float) -> LinearMap:
    """From the rows of S; weights up to ``threshold`` count as zero."""
    parts = _pruned(parts, threshold)
    lengths = parts.columns.lengths
    row_counts = np.bincount(parts.faces, minlength=len(lengths))
    heights = -(-row_counts // _PADDING) * _PADDING
    widths = np.where(lengths <= _PADDING, lengths, -(-lengths // _PADDING) * _PADDING)
    used = np.flatnonzero((row_counts > 0) & (lengths > 0))
    buckets: list[_Bucket] = []
    rows: list[NDArray[np.int64]] = []
    columns: list[NDArray[np.int64]] = []
    places = np.full(len(rest), -1, np.int64)
    row_end = column_end = 0
    for height, width in np.unique(np.stack([heights[used], widths[used]], axis=1), axis=0).tolist():
        faces = used[(heights[used] == height) & (widths[used] == width)]
        matrices = _matrices(parts, faces, height, width)
        rows.append(matrices.rows.ravel())
        columns.append(matrices.columns.ravel())
        of_rows = slice(row_end, row_end := row_end + rows[-1].size)
        of_columns = slice(column_end, column_end := column_end + columns[-1].size)
        buckets.append(_Bucket(matrices.weights, of_rows, of_columns))
        places[matrices.own_rows] = of_rows.start + matrices.own_places
    places[places < 0] = row_end
    none = np.zeros(0, np.int64)
    return LinearMap(
        origin, rest, tuple(buckets), np.concatenate([none, *rows]), np.concatenate([none, *columns]), places
    )


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


@dataclass(frozen=True, eq=False)
class _Matrices:
    """Of F faces. rows: (F, m), columns: (F, K), filled up with 0. weights: as in _Bucket. own_rows: without
    what fills up; own_places: where in ``rows`` they are."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    weights: Array
    own_rows: NDArray[np.int64]
    own_places: NDArray[np.int64]


def _matrices(parts: FaceRows, faces: NDArray[np.int64], height: int, width: int) -> _Matrices:
    size = parts.weights.shape[1:]  # () or (3, 3)
    first = np.searchsorted(parts.faces, faces)
    row_counts = np.searchsorted(parts.faces, faces, side="right") - first
    local = np.repeat(np.arange(len(faces)), row_counts)  # of each row, its face
    within = counted(row_counts)
    which = first[local] + within  # of each row, its place in ``parts``
    rows = np.zeros((len(faces), height), np.int64)
    rows[local, within] = parts.rows[which]

    lengths = parts.columns.lengths
    face, items = parts.columns.expanded(faces)
    columns = np.zeros((len(faces), width), np.int64)
    columns[face, counted(lengths[faces])] = items

    row_lengths = lengths[parts.faces]
    starts = np.cumsum(row_lengths) - row_lengths
    of_row = np.repeat(np.arange(len(which)), row_lengths[which])  # of each weight
    column = counted(row_lengths[which])
    weights = np.zeros((len(faces), width, height, *size), np.float32)
    weights[local[of_row], column, within[of_row]] = parts.weights[starts[which][of_row] + column]
    if size:  # (F, K, m, out, in) to (F, K in, m out)
        weights = weights.transpose(0, 1, 4, 2, 3).reshape(len(faces), 3 * width, 3 * height)
    return _Matrices(rows, columns, np.ascontiguousarray(weights), parts.rows[which], local * height + within)
