# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sums over the pixels that fall into the same cell of a grid over a texture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


class CellSums:
    """Each of P pixels is in one cell; sums run over the pixels of a cell.

    cells: (K,) intp, ascending, the flat indices of the cells that have pixels.
    """

    def __init__(self, cell_of_pixel: NDArray[np.int32]):
        """cell_of_pixel: (P,) int32."""
        self._order = np.argsort(cell_of_pixel, kind="stable").astype(np.int32)  # (P,)
        ordered = cell_of_pixel[self._order]
        self._starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]][: len(ordered)])  # (K,)
        self.cells = ordered[self._starts].astype(np.intp)

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return self._order.nbytes + self._starts.nbytes + self.cells.nbytes

    def of(self, columns: Array) -> Array:
        """(T, P) to the sums of each cell, (K, T)."""
        sums: Array = np.add.reduceat(columns.take(self._order, axis=1), self._starts, axis=1)
        return sums.T


def cells_of_uv(uv: Array, size: tuple[int, int]) -> NDArray[np.int32]:
    """Flat index of the cell in which a place lies: uv (P, 2), wrapped; size: (h, w) of the grid."""
    height, width = size
    place = uv - np.floor(uv)
    # A place just below 1 may round up to the size itself.
    column = np.minimum(place[:, 0] * np.float32(width), width - 1).astype(np.int32)
    row = np.minimum(place[:, 1] * np.float32(height), height - 1).astype(np.int32)
    return np.add(row * np.int32(width), column)
