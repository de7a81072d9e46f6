# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Solves with I + lambda L: sparse Cholesky for meshes of moderate size, where cholespy is at hand; else a
multigrid, which needs no factor, to a few percent."""

from __future__ import annotations

import importlib.util
import warnings
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .laplacian import laplacian_entries
from .multigrid import Multigrid

_MANY_VERTICES = 60_000  # from here on a factor and its solves cost more than a multigrid's


class SmoothingSystem:
    """The matrix I + lambda L of one topology. What solves need is made by the first of them, and kept."""

    def __init__(self, triangles: NDArray[np.int32], vertex_count: int) -> None:
        self._triangles = triangles
        self.vertex_count = vertex_count
        self._smoothing = -1.0
        self._solver: Any = None  # a cholespy solver
        self._laplacian: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]] | None = None
        self._multigrid: Multigrid | None = None

    def solve(self, smoothing: float, right: NDArray[np.float32]) -> NDArray[np.float32]:
        """x of (I + smoothing L) x = right; (V, C) float32, C up to 4."""
        if smoothing == 0.0:
            return right.astype(np.float32)
        if self.vertex_count >= _MANY_VERTICES or not _has_cholespy():
            if self._multigrid is None:
                lanes = 1 if right.shape[1] == 1 else 4
                self._multigrid = Multigrid(self._triangles, self.vertex_count, lanes)
            return self._multigrid.solve(smoothing, right)
        if self._solver is None or smoothing != self._smoothing:
            self._factorise(smoothing)
        x = np.empty(right.shape, np.float32)
        self._solver.solve(np.ascontiguousarray(right, np.float32), x)
        return x

    def forget(self) -> None:
        """Free what solves need; the next one makes it anew."""
        self._solver = self._laplacian = self._multigrid = None

    def _factorise(self, smoothing: float) -> None:
        from cholespy import CholeskySolverF, MatrixType

        self._solver = None  # one factor in memory at a time
        if self._laplacian is None:
            self._laplacian = laplacian_entries(self._triangles, self.vertex_count)
        rows, columns, values = self._laplacian
        values = values * smoothing
        values[-self.vertex_count :] += 1.0  # the diagonal
        self._solver = CholeskySolverF(self.vertex_count, rows, columns, values, MatrixType.COO)
        self._smoothing = smoothing


@cache
def _has_cholespy() -> bool:
    """Asked once, so that the warning appears once."""
    if importlib.util.find_spec("cholespy") is not None:
        return True
    warnings.warn(
        "cholespy is not installed: shape steps use slower and less exact solves. Install the SGE Fit "
        "extension, which carries it, or 'pip install cholespy' into Blender's Python.",
        stacklevel=3,
    )
    return False
