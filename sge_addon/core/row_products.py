# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Products of a sparse matrix with a few columns at once, without BLAS.

Rows are taken in blocks that stay in the processor's cache. Within a block they are ordered by their
number of entries, so that the k-th entries of all rows that have so many are one gather of whole rows of
the right factor: each of 4 floats, which NumPy moves as one number of 16 bytes. No block needs another's
result, so that a crew of threads shares them, with the same bits as one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .crew import Crew
from .sparse_matrix import SparseMatrix

Rows = NDArray[np.float32]

BLOCK = 1 << 14  # rows at once: 256 KB
_WHOLE = {1: np.float32, 4: np.complex128}  # by lanes: what one row is moved as
_WORTH_SHARING = 4  # blocks
_MOST_GATHERS = 48  # entries of a row beyond these are summed apart


class Scratch:
    """What one thread works in."""

    def __init__(self, lanes: int) -> None:
        self.sums, self.gathered, self.ordered, self.own = (
            np.empty(BLOCK * lanes, np.float32) for _ in range(4)
        )


def row_crew(lanes: int) -> Crew[Scratch]:
    """Threads for products with so many lanes."""
    return Crew(lambda: Scratch(lanes), _WORTH_SHARING)


@dataclass(frozen=True, eq=False)
class _Block:
    """order: where each row of the block is among the ordered, None where they are. gathers: by k, the
    columns of the first so many ordered rows' k-th entries, and their values, (rows * lanes,), or None for
    ones. long_rows: those that have further entries, which stand at ``starts`` of ``rest``."""

    size: int
    order: NDArray[np.intp] | None
    gathers: list[tuple[NDArray[np.intp], Rows | None]]
    long_rows: NDArray[np.intp]
    starts: NDArray[np.intp]
    rest: tuple[NDArray[np.intp], Rows | None]


class RowProducts:
    """One matrix, ready for products with (width, lanes) float32.

    lanes: 1 or 4. unit: its values are all taken as 1.
    """

    def __init__(self, matrix: SparseMatrix, lanes: int, unit: bool = False) -> None:
        self.lanes = lanes
        self.height = matrix.height
        lengths = np.diff(matrix.starts)
        self._blocks = [
            self._block(matrix, lengths, begin, min(begin + BLOCK, matrix.height), unit)
            for begin in range(0, matrix.height, BLOCK)
        ]

    def blocks(self) -> range:
        """Numbers of blocks, for ``sums``; block i has the rows from i * BLOCK on."""
        return range(len(self._blocks))

    def sums(self, number: int, x: Rows, scratch: Scratch) -> NDArray[np.float32]:
        """Rows of one block of (matrix x), flat, lanes fastest; valid until the next call with this scratch.

        x: (width * lanes,) float32, lanes fastest.
        """
        block, lanes = self._blocks[number], self.lanes
        whole = _WHOLE[lanes]
        sums, gathered = scratch.sums[: block.size * lanes], scratch.gathered
        filled = 0
        for k, (columns, weights) in enumerate(block.gathers):
            end = len(columns) * lanes
            into = (gathered if k else sums)[:end]
            np.take(x.view(whole), columns, out=into.view(whole), mode="clip")
            if weights is not None:
                np.multiply(into, weights, out=into)
            if k:
                np.add(sums[:end], into, out=sums[:end])
            else:
                filled = end
        sums[filled:] = 0.0
        if block.order is not None:
            ordered = scratch.ordered[: block.size * lanes]
            np.take(sums.view(whole), block.order, out=ordered.view(whole), mode="clip")
            sums = ordered
        if len(block.long_rows):
            columns, weights = block.rest
            further = x.view(whole)[columns].view(np.float32)
            if weights is not None:
                further *= weights
            further = np.add.reduceat(further.reshape(-1, lanes), block.starts, axis=0)
            sums.reshape(-1, lanes)[block.long_rows] += further
        return sums

    def multiply(self, x: Rows, out: Rows, crew: Crew[Scratch], add: bool = False) -> Rows:
        """matrix x into out, or added to it; both flat, lanes fastest."""
        step = BLOCK * self.lanes

        def work(blocks: range, scratch: Scratch) -> None:
            for number in blocks:
                sums = self.sums(number, x, scratch)
                rows = out[number * step : (number + 1) * step]
                np.add(rows, sums, out=rows) if add else np.copyto(rows, sums)

        crew.share(self.blocks(), work)
        return out

    def _block(
        self, matrix: SparseMatrix, lengths: NDArray[np.int64], begin: int, end: int, unit: bool
    ) -> _Block:
        lengths, starts = lengths[begin:end], matrix.starts[begin:end]
        long_rows = np.flatnonzero(lengths > _MOST_GATHERS)
        more = lengths[long_rows] - _MOST_GATHERS
        offsets = np.cumsum(more) - more
        rest = np.repeat(starts[long_rows] + _MOST_GATHERS - offsets, more) + np.arange(int(more.sum()))
        order = np.argsort(-lengths, kind="stable")
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        lengths, starts = np.minimum(lengths, _MOST_GATHERS)[order], starts[order]
        gathers = []
        for k in range(int(lengths[0])):
            entries = starts[: np.count_nonzero(lengths > k)] + k
            gathers.append((matrix.columns[entries].astype(np.intp), self._weights(matrix, entries, unit)))
        in_order = not (np.diff(back) != 1).any()
        of_rest = matrix.columns[rest].astype(np.intp), self._weights(matrix, rest, unit)
        return _Block(end - begin, None if in_order else back, gathers, long_rows, offsets, of_rest)

    def _weights(self, matrix: SparseMatrix, entries: NDArray[np.int64], unit: bool) -> Rows | None:
        return None if unit else np.repeat(matrix.values[entries].astype(np.float32), self.lanes)
