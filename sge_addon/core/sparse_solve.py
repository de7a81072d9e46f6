# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Solves with I + lambda L: sparse Cholesky for meshes of moderate size, where cholespy is at hand; else a
multigrid, which needs no factor, to a few percent.

A factor takes as long as some 60 solves. Where lambda has fallen, that of the former one serves on: with
S = (I + lambda_0 L)^-1 and r = lambda / lambda_0, what is asked for is (r + (1 - r) S)^-1 S, of which two to
four solves with S leave an eighth at the most (Chebyshev's iteration; Golub and Van Loan, section 10.1.5).
That is done until it has taken as long as another factor would.
"""

from __future__ import annotations

import importlib.util
import math
import warnings
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .laplacian import laplacian_entries
from .multigrid import Multigrid

_MANY_VERTICES = 60_000  # from here on a factor and its solves cost more than a multigrid's
_FACTOR_SOLVES = 60  # that take as long as a factorisation: 59 of 2 562 vertices, 79 of 10 242
_MOST_LEFT = 0.125  # of an error, by solves with the factor of another lambda
_MOST_SOLVES = 4


class SmoothingSystem:
    """The matrix I + lambda L of one topology. What solves need is made by the first of them, and kept."""

    def __init__(self, triangles: NDArray[np.int32], vertex_count: int) -> None:
        self._triangles = triangles
        self.vertex_count = vertex_count
        self._smoothing = -1.0  # whose factor there is
        self._solver: Any = None  # a cholespy solver
        self._extra_solves = 0  # that its use for other smoothings has taken
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
        count = solves_needed(ratio)
        is_dear = count > _MOST_SOLVES or self._extra_solves + count - 1 > _FACTOR_SOLVES
        if self._solver is None or is_dear:
            self._factorise(smoothing)
            ratio, count = 1.0, 1
        self._extra_solves += count - 1
        return self._iterate(ratio, count, right)

    def forget(self) -> None:
        """Free what solves need; the next one makes it anew."""
        self._solver = self._laplacian = self._multigrid = None

    def _iterate(self, ratio: float, count: int, right: NDArray[np.float32]) -> NDArray[np.float32]:
        """x of (r + (1 - r) S) x = S right, whose spectrum is in [r, 1], by ``count`` solves."""
        residual = self._solve_once(np.ascontiguousarray(right, np.float32))
        if count == 1:
            return residual
        middle, radius = 0.5 * (1.0 + ratio), 0.5 * (1.0 - ratio)
        weight = radius / middle
        step = residual * np.float32(1.0 / middle)
        x = step
        for _ in range(count - 1):
            residual = residual - np.float32(ratio) * step - np.float32(1.0 - ratio) * self._solve_once(step)
            following = 1.0 / (2.0 * middle / radius - weight)
            step = np.float32(following * weight) * step + np.float32(2.0 * following / radius) * residual
            x = x + step
            weight = following
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
        self._extra_solves = 0


def solves_needed(ratio: float) -> int:
    """With the factor of one lambda, for ``ratio`` times that; too many where it is not in (0, 1]."""
    if ratio == 1.0:
        return 1
    if not 0.0 < ratio < 1.0:
        return _MOST_SOLVES + 1
    # What is left after k is 1 / T_k, the polynomial that is largest outside of the spectrum.
    return math.ceil(math.acosh(1.0 / _MOST_LEFT) / math.acosh((1.0 + ratio) / (1.0 - ratio)))


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
