# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sums over the pixels near the cells of a grid over a texture, as if a pixel read one point of it.

The grid has levels like a texture. Rows of sums are kept for the cells of all levels, the finest first, each
from its bottom left cell on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .bin_sums import BLOCK, add_pairs, no_pairs, numbered, of_pairs
from .lookups import UVBuffer
from .texture_pyramid import LEVEL_ROUNDING, double, level_count

Array = NDArray[np.float32]


class CellGrid:
    """The cells of all levels of a grid of height x width."""

    def __init__(self, height: int, width: int):
        count = level_count(height, width)
        self.sizes = [(height >> level, width >> level) for level in range(count)]
        self.starts = np.cumsum([0, *(high * wide for high, wide in self.sizes)])

    @property
    def length(self) -> int:
        """Number of cells."""
        return int(self.starts[-1])

    def finest(self, rows: Array) -> Array:
        """Sums of all levels brought to the finest cells: (length, T) to (height, width, T).

        A cell of a coarser level gives a quarter to each that it covers.
        """
        total = None
        for level in reversed(range(len(self.sizes))):
            mine = rows[self.starts[level] : self.starts[level + 1]].reshape(*self.sizes[level], -1)
            if total is not None:
                mine = mine + double(total)
            if not level:
                return mine
            total = mine * np.float32(0.25) if total is not None or mine.any() else None
        raise AssertionError("a grid has a finest level")


class CellSums:
    """Each of P pixels counts, bilinearly, in the four cells about the point it reads.

    cells: (K,) intp, ascending: the cells that have pixels, as rows of a CellGrid.
    """

    def __init__(self, uv: Array, level: Array, grid: CellGrid):
        """uv: (P, 2), wrapped. level: (P,), log2 of finest cells per pixel."""
        chosen = np.clip(np.floor(level + np.float32(LEVEL_ROUNDING)), 0, len(grid.sizes) - 1).astype(np.intp)
        size = np.array(grid.sizes, np.int32).take(chosen, axis=0)  # (P, 2)
        across = _two_cells(uv[:, 0], size[:, 1])
        along = _two_cells(uv[:, 1], size[:, 0])
        start = grid.starts.astype(np.int32).take(chosen)
        corners = [(x, y) for y in along for x in across]
        cell = np.stack([start + y[0] * size[:, 1] + x[0] for x, y in corners])  # (4, P)
        self._weight = np.stack([x[1] * y[1] for x, y in corners])  # (4, P)
        self.cells, self._number = numbered(cell, grid.length)

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return self._number.nbytes + self._weight.nbytes + self.cells.nbytes

    def of(self, columns: Array) -> Array:
        """(T, P) to the sums of each cell, (K, T)."""
        sums = no_pairs(len(columns), len(self.cells))
        step = BLOCK // len(self._number)
        for start in range(0, columns.shape[1], step):
            block = slice(start, start + step)
            weights = self._weight[None, :, block]
            add_pairs(sums, self._number[:, block], weights, list(columns[:, block]))
        return of_pairs(sums, len(columns))


def one_sample(
    lookups: list[UVBuffer], mine: NDArray[np.bool_], pixels: NDArray[np.int32]
) -> tuple[Array, Array]:
    """One of each pixel's samples: uv (P, 2), and level (P,) for pixels, not samples.

    lookups: S buffers of one sample a pixel. mine: (S, P), the samples that may be taken. pixels: (P,).
    """
    turn = pixels % len(lookups)  # no sample is at the centre: in turn, all are as good
    is_mine = np.take_along_axis(mine, turn[None], axis=0)[0]
    sample = np.where(is_mine, turn, mine.argmax(axis=0))
    uv = np.stack([lookup.uv.reshape(-1, 2).take(pixels, axis=0) for lookup in lookups])  # (S, P, 2)
    level = np.stack([lookup.level.reshape(-1).take(pixels) for lookup in lookups])  # (S, P)
    nearer = np.float32(0.5 * np.log2(len(lookups)))
    return (
        np.take_along_axis(uv, sample[None, :, None], axis=0)[0],
        np.take_along_axis(level, sample[None], axis=0)[0] - nearer,
    )


def _two_cells(coordinate: Array, size: NDArray[np.int32]) -> list[tuple[NDArray[np.int32], Array]]:
    """The cells to both sides of a place along one axis, and their weights."""
    place = (coordinate - np.floor(coordinate)) * size - np.float32(0.5)
    left = np.floor(place)
    right_weight = (place - left).astype(np.float32)
    index = left.astype(np.int32)
    return [(index % size, np.float32(1) - right_weight), ((index + 1) % size, right_weight)]
