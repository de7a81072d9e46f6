# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small symmetric systems of equations, one a texel, solved for all texels side by side.

An entry of all systems is one array, so that a decomposition into L D L^T is a few dozen operations on long
arrays: a twentieth of the time of one call of LAPACK a system. Entries that are zero in all systems, such
as those between two channels of a colour, are left out and never filled in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Pairs = Sequence[tuple[int, int]]

# Systems handled at once: the arrays of a block stay in the processor's cache.
BLOCK = 8192


def solve_systems(entries: Array, pairs: Pairs, damping: Array, sides: Array) -> Array:
    """x with (A + diag(damping)) x = b, for N systems of C unknowns and R right sides each.

    entries: (T, N) of the symmetric positive semi-definite A, of the ``pairs`` (row <= column), which have
    the whole diagonal among them. damping: (C, N). sides: (C, R, N). Returns (C, R, N).
    """
    found = np.empty_like(sides)
    for block in _blocks(entries.shape[1]):
        matrix = {(j, i): entries[t, block] for t, (i, j) in enumerate(pairs)}
        lower, pivots = _decomposed(matrix, damping[:, block])
        x = [side[:, block].copy() for side in sides]  # each (R, N')
        for (row, column), factor in lower.items():
            x[row] -= factor * x[column]
        for value, pivot in zip(x, pivots, strict=True):
            value /= pivot
        for (row, column), factor in reversed(lower.items()):
            x[column] -= factor * x[row]
        for unknown, value in enumerate(x):
            found[unknown, :, block] = value
    return found


def multiply_systems(entries: Array, pairs: Pairs, vectors: Array) -> Array:
    """A x for N systems: entries (T, N), vectors (C, R, N) to (C, R, N)."""
    product = np.zeros_like(vectors)
    for block in _blocks(entries.shape[1]):
        for t, (row, column) in enumerate(pairs):
            entry = entries[t, block]
            product[row, :, block] += entry * vectors[column, :, block]
            if row != column:
                product[column, :, block] += entry * vectors[row, :, block]
    return product


def _blocks(count: int) -> Iterator[slice]:
    for start in range(0, count, BLOCK):
        yield slice(start, start + BLOCK)


def _decomposed(
    matrix: dict[tuple[int, int], Array], damping: Array
) -> tuple[dict[tuple[int, int], Array], list[Array]]:
    """L by (row, column), column by column and then row by row, and D of matrix + diag(damping) = L D L^T.

    matrix: the lower triangle by (row, column).
    """
    lower: dict[tuple[int, int], Array] = {}
    scaled: dict[tuple[int, int], Array] = {}  # L D
    pivots: list[Array] = []
    size = len(damping)
    for column in range(size):
        # What rounding takes below the damping would be no positive number.
        pivot = matrix[column, column] + damping[column]
        for k in range(column):
            if (column, k) in lower:
                pivot -= lower[column, k] * scaled[column, k]
        pivot = np.maximum(pivot, damping[column])
        pivots.append(pivot)
        for row in range(column + 1, size):
            entry = matrix.get((row, column))
            for k in range(column):
                if (row, k) in lower and (column, k) in scaled:
                    change = lower[row, k] * scaled[column, k]
                    entry = -change if entry is None else entry - change
            if entry is not None:
                scaled[row, column] = entry
                lower[row, column] = entry / pivot
    return lower, pivots
