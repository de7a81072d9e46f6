# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Solves with I + lambda L: sparse Cholesky for meshes of moderate size, where cholespy is at hand; else a
multigrid, which needs no factor, to a few percent.

A factor takes as long as some 60 solves. Where lambda has fallen a little, that of the former one serves on:
with S = (I + lambda_0 L)^-1 and r = lambda / lambda_0, what is asked for is (r + (1 - r) S)^-1 S, of which
three solves leave 3 % at the most (Chebyshev's iteration; Golub and Van Loan, section 10.1.5). That is done
until it has taken as long as another factor would.
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
_LEAST_RATIO = 0.36  # of a lambda to that of the factor
_SOLVES = 3  # with the factor of another lambda


class SmoothingSystem:
    """The matrix I + lambda L of one topology. What solves need is made by the first of them, and kept."""

    def __init__(self, triangles: NDArray[np.int32], vertex_count: int) -> None:
        self._triangles = triangles
        self.vertex_count = vertex_count
        self._smoothing = -1.0  # whose factor there is
        self._solver: Any = None  # a cholespy solver
        self._further_solves = 0  # that its use for smaller smoothings has taken
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
        serves = ratio == 1.0 or (_LEAST_RATIO <= ratio < 1.0 and self._further_solves < _FACTOR_SOLVES)
        if self._solver is None or not serves:
            self._factorise(smoothing)
            ratio = 1.0
        once = self._solve_once(np.ascontiguousarray(right, np.float32))
        return once if ratio == 1.0 else self._iterate(ratio, once)

    def forget(self) -> None:
        """Free what solves need; the next one makes it anew."""
        self._solver = self._laplacian = self._multigrid = None

    def _iterate(self, ratio: float, right: NDArray[np.float32]) -> NDArray[np.float32]:
        """x of (r + (1 - r) S) x = right, whose spectrum is in [r, 1]."""
        middle, radius = 0.5 * (1.0 + ratio), 0.5 * (1.0 - ratio)
        residual, weight = right, radius / middle
        x = step = right * np.float32(1.0 / middle)
        for _ in range(_SOLVES - 1):
            residual = residual - np.float32(ratio) * step - np.float32(1.0 - ratio) * self._solve_once(step)
            following = 1.0 / (2.0 * middle / radius - weight)
            step = np.float32(following * weight) * step + np.float32(2.0 * following / radius) * residual
            x = x + step
            weight = following
        self._further_solves += _SOLVES - 1
        return x

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
        self._further_solves = 0


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
