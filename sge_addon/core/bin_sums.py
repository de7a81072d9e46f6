# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sums of several rows by the same bins.

NumPy adds complex numbers at an index as fast as floats, where both sides are of one type: so many rows are
added up two at a time. ``np.add.reduceat`` takes 10 ns for each bin: four times as long, for a few numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 1 << 15  # bins at once for ``add_pairs``: what stays in the processor's cache
_TWICE = np.complex64(1.0 + 1.0j)


def sums_by_bin(
    bins: NDArray[np.integer[Any]], values: NDArray[np.floating[Any]], count: int
) -> NDArray[np.float32]:
    """(R, count): the rows of values, (R, N), summed by their bins, (N,)."""
    return np.stack([np.bincount(bins, row, count) for row in values]).astype(np.float32)


def no_pairs(row_count: int, bin_count: int) -> NDArray[np.complex64]:
    """What ``add_pairs`` adds to: (bins, pairs of rows), the last row alone if they are odd."""
    return np.zeros((bin_count, -(-row_count // 2)), np.complex64)


def add_pairs(
    sums: NDArray[np.complex64],
    bins: NDArray[np.integer[Any]],
    weights: NDArray[np.float32],
    rows: Sequence[NDArray[np.float32]],
    starts: Sequence[int] = (0,),
) -> None:
    """Add rows, (P,) or (S, P), times weights to ``sums`` by bins.

    bins: (S, P). weights: (len(starts), S, P), of which those of each start are for the bins from it on.
    """
    flat = np.ascontiguousarray(bins, np.intp).reshape(-1)
    # Twice each number, to multiply both of a pair at once.
    both = np.multiply(weights, _TWICE, dtype=np.complex64)
    values = np.empty_like(both)
    for number, of_pair in enumerate(sums.T):
        pair = _paired(rows[2 * number : 2 * number + 2])
        np.multiply(both.view(np.float32), pair.view(np.float32), out=values.view(np.float32))
        for start, from_start in zip(starts, values, strict=True):
            np.add.at(of_pair[start:], flat, from_start.reshape(-1))


def _paired(rows: Sequence[NDArray[np.float32]]) -> NDArray[np.complex64]:
    """One row, or two of them, as one of complex numbers."""
    pair = np.empty(rows[0].shape, np.complex64)
    pair.real = rows[0]
    pair.imag = rows[1] if len(rows) > 1 else 0.0
    return pair


def of_pairs(sums: NDArray[np.complex64], row_count: int) -> NDArray[np.float32]:
    """(bins, row_count): what was added up, in the memory of ``sums``."""
    return sums.view(np.float32)[:, :row_count]


def numbered(index: NDArray[np.int32], length: int) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """The distinct values of ``index``, ascending, and for each entry its value's place among them.
    Values are below ``length``: a table is ten times faster than sorting."""
    is_there = np.zeros(length, np.bool_)
    is_there[index] = True
    distinct = np.flatnonzero(is_there)
    place = np.empty(length, np.int32)
    place[distinct] = np.arange(len(distinct), dtype=np.int32)
    return distinct, place.take(index)
