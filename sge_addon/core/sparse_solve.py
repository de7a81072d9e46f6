# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Solves with I + lambda L: sparse Cholesky for meshes of moderate size, where cholespy is at hand; else a
multigrid, which needs no factor, to a few percent.

A factor takes as long as some 60 solves. Where lambda has fallen a little, that of the former one serves on:
with S = (I + lambda_0 L)^-1 and r = lambda / lambda_0, what is asked for is (r + (1 - r) S)^-1 S, and
8 (S - (1 - r) S^2) / (1 + 6 r + r^2) is nearest to it of all that take two solves (Chebyshev's polynomial
of degree 2): it leaves (1 - r)^2 / (1 + 6 r + r^2) at the most. That is done until it has taken as long as
another factor would.
"""

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
_FACTOR_SOLVES = 60  # that take as long as a factorisation: 59 of 2 562 vertices, 79 of 10 242
_LEAST_RATIO = 0.36  # of a lambda to that of the factor: an eighth is left


class SmoothingSystem:
    """The matrix I + lambda L of one topology. What solves need is made by the first of them, and kept."""

    def __init__(self, triangles: NDArray[np.int32], vertex_count: int) -> None:
        self._triangles = triangles
        self.vertex_count = vertex_count
        self._smoothing = -1.0  # whose factor there is
        self._solver: Any = None  # a cholespy solver
        self._second_solves = 0  # that its use for smaller smoothings has taken
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
        ratio = smoothing / self._smoothing
        serves = ratio == 1.0 or (_LEAST_RATIO <= ratio < 1.0 and self._second_solves < _FACTOR_SOLVES)
        if self._solver is None or not serves:
            self._factorise(smoothing)
            ratio = 1.0
        x = self._solve_once(np.ascontiguousarray(right, np.float32))
        if ratio != 1.0:
            self._second_solves += 1
            x = np.float32(8.0 / (1.0 + 6.0 * ratio + ratio**2)) * (
                x - np.float32(1.0 - ratio) * self._solve_once(x)
            )
        return x

    def forget(self) -> None:
        """Free what solves need; the next one makes it anew."""
        self._solver = self._laplacian = self._multigrid = None

    def _solve_once(self, right: NDArray[np.float32]) -> NDArray[np.float32]:
        x = np.empty(right.shape, np.float32)
        self._solver.solve(right, x)
        return x

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
        self._second_solves = 0


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
