# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sparse matrices in NumPy: made from entries, transposed, multiplied with one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.inexact[Any]]

_AT_ONCE = 1 << 20  # products of entries that are sorted at once: a few times the processor's cache


@dataclass(frozen=True, eq=False)
class SparseMatrix:
    """Row by row. starts: (height + 1,) int64 into columns (N,) int32, ascending within a row, and values
    (N,), real or complex."""

    starts: NDArray[np.int64]
    columns: NDArray[np.int32]
    values: Values
    width: int

    @property
    def height(self) -> int:
        return len(self.starts) - 1

    def rows(self) -> NDArray[np.int64]:
        """(N,) the row of each entry."""
        return np.repeat(np.arange(self.height), np.diff(self.starts))

    def diagonal(self) -> Values:
        """(height,), zero where a row has no such entry."""
        rows = self.rows()
        own = np.flatnonzero(rows == self.columns)
        values = np.zeros(self.height, self.values.dtype)
        values[rows[own]] = self.values[own]
        return values

    def transposed(self) -> SparseMatrix:
        """The same numbers, not their conjugates."""
        order = np.argsort(self.columns, kind="stable")
        starts = _starts(np.bincount(self.columns, minlength=self.width))
        return SparseMatrix(starts, self.rows()[order].astype(np.int32), self.values[order], self.height)


def from_entries(
    rows: NDArray[Any], columns: NDArray[Any], values: Values, height: int, width: int
) -> SparseMatrix:
    """The matrix with these entries, (N,) each; those of one place are added up."""
    return _joined([_summed(rows.astype(np.int64), columns, values, width)], height, width)


def neighbours(edges: NDArray[np.int32], count: int, with_own: bool = False) -> SparseMatrix:
    """(count, count): 1 where two are joined by one of the edges (E, 2), which are distinct; with_own: on the
    diagonal, too. Columns are not ascending."""
    own = np.arange(count if with_own else 0, dtype=np.int32)
    tails, heads = (np.concatenate([*ends, own]) for ends in (edges.T, edges.T[::-1]))
    starts = _starts(np.bincount(tails, minlength=count))
    narrow = tails.astype(np.uint16) if count <= 1 << 16 else tails  # which NumPy sorts digit by digit
    columns = heads[np.argsort(narrow, kind="stable")]
    return SparseMatrix(starts, columns, np.broadcast_to(np.float32(1.0), len(columns)), count)


def product(left: SparseMatrix, right: SparseMatrix) -> SparseMatrix:
    """left right, of as many entries as the patterns give; some rows at a time, which bounds the memory."""
    lengths = np.diff(right.starts)
    work = _starts(lengths[left.columns])[left.starts]  # products of entries before each row
    parts, row = [], 0
    while row < left.height:
        end = max(int(np.searchsorted(work, work[row] + _AT_ONCE, side="right")) - 1, row + 1)
        entries = slice(int(left.starts[row]), int(left.starts[end]))
        columns = left.columns[entries]
        counts = lengths[columns]
        first = right.starts[columns] - _starts(counts)[:-1]
        chosen = np.repeat(first, counts) + np.arange(int(counts.sum()))
        rows = np.repeat(np.arange(row, end), np.diff(left.starts[row : end + 1]))
        values = np.repeat(left.values[entries], counts) * right.values[chosen]
        parts.append(_summed(np.repeat(rows, counts), right.columns[chosen], values, right.width))
        row = end
    return _joined(parts, left.height, right.width)


def _summed(
    rows: NDArray[np.int64], columns: NDArray[Any], values: Values, width: int
) -> tuple[NDArray[np.int64], Values]:
    """Distinct places (row * width + column), ascending, and the sum of the values at each."""
    keys = rows * width + columns
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else order
    return keys[first], np.add.reduceat(values[order], first) if len(keys) else values


def _joined(parts: list[tuple[NDArray[np.int64], Values]], height: int, width: int) -> SparseMatrix:
    rows, columns = np.divmod(np.concatenate([keys for keys, _ in parts]), width)
    values = np.concatenate([values for _, values in parts])
    return SparseMatrix(_starts(np.bincount(rows, minlength=height)), columns.astype(np.int32), values, width)


def _starts(lengths: NDArray[Any]) -> NDArray[np.int64]:
    """(N + 1,) where each of so long runs begins, and where the last ends."""
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
