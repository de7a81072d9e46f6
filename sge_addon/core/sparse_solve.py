# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Solves with M + lambda L, M the diagonal of vertices' masses: sparse Cholesky for meshes of moderate size,
where cholespy is at hand; else a multigrid, which needs no factor, to a few percent.

A factor takes as long as some 60 solves. Until that is spent on doing without another one, solves may leave
3 %: Jacobi's iteration, where lambda is small; three solves with the factor that there is, where lambda has
fallen a little. With S = (M + lambda_0 L)^-1 M and r = lambda / lambda_0, what is asked for is then
(r + (1 - r) S)^-1 S (Chebyshev's iteration; Golub and Van Loan, section 10.1.5).
"""

from __future__ import annotations

import importlib.util
import warnings
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .jacobi_solve import JacobiSystem
from .laplacian import edges_of, laplacian_entries
from .multigrid import Multigrid

Array = NDArray[np.float32]

_MANY_VERTICES = 60_000  # from here on a factor and its solves cost more than a multigrid's
_FACTOR_SOLVES = 60  # that take as long as a factorisation: 59 of 2 562 vertices, 79 of 10 242
_LEAST_RATIO = 0.36  # of a lambda to that of the factor
_SOLVES = 3  # with the factor of another lambda
_LEFT = 0.0315  # at the most, by either
_MOST_STEPS = 10  # of Jacobi's, each of which takes as long as so many solves of many vertices, and of a few
_STEP_SOLVES, _FEW_VERTICES = 0.2, 2000  # twice as many and more: 0.9 of 600, 0.43 of 2 562, 0.24 of 10 242


class SmoothingSystem:
    """The matrix of one topology. What solves need is made by the first of them, and kept.

    masses: (V,), None for 1.
    """

    def __init__(self, triangles: NDArray[np.int32], vertex_count: int, masses: Array | None = None) -> None:
        self._triangles = triangles
        self.vertex_count = vertex_count
        self._masses = np.ones(vertex_count, np.float32) if masses is None else masses
        self._smoothing = -1.0  # whose factor there is
        self._solver: Any = None  # a cholespy solver
        self._spent = 0.0  # on doing without another one, in solves
        self._laplacian: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]] | None = None
        self._jacobi: JacobiSystem | None = None
        self._multigrid: Multigrid | None = None

    def solve(self, smoothing: float, right: Array) -> Array:
        """x of (M + smoothing L) x = M right; (V, C) float32, C up to 4."""
        if smoothing == 0.0:
            return right.astype(np.float32)
        right = np.ascontiguousarray(right, np.float32)
        lanes = 1 if right.shape[1] == 1 else 4
        has_factors = self.vertex_count < _MANY_VERTICES and _has_cholespy()
        if has_factors and smoothing == self._smoothing:
            return self._solve_once(right)
        if not has_factors or self._spent < _FACTOR_SOLVES:
            x = self._solve_cheaply(smoothing, right, lanes)
            if x is not None:
                return x
        if has_factors:
            self._factorise(smoothing)
            return self._solve_once(right)
        if self._multigrid is None:
            self._multigrid = Multigrid(self._triangles, self.vertex_count, lanes, self._masses)
        return self._multigrid.solve(smoothing, right * self._masses[:, None])

    def _solve_cheaply(self, smoothing: float, right: Array, lanes: int) -> Array | None:
        """As ``solve``, up to 3 % of it left, without another factor; None where that would take longer."""
        if self._jacobi is None:
            self._jacobi = JacobiSystem(edges_of(self._triangles), self._masses, lanes)
        steps = self._jacobi.steps(smoothing, _LEFT)
        cost = steps * _STEP_SOLVES * (1.0 + _FEW_VERTICES / self.vertex_count)
        serves = self._solver is not None and _LEAST_RATIO <= smoothing / self._smoothing < 1.0
        if steps <= _MOST_STEPS and not (serves and cost > _SOLVES):
            self._spent += max(cost - 1.0, 0.0)
            return self._jacobi.solve(smoothing, right, steps)
        if serves:
            self._spent += _SOLVES - 1
            return self._iterate(smoothing / self._smoothing, self._solve_once(right))
        return None

    def forget(self) -> None:
        """Free what solves need; the next one makes it anew."""
        self._solver = self._laplacian = self._jacobi = self._multigrid = None
        self._smoothing = -1.0

    def _iterate(self, ratio: float, right: Array) -> Array:
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
        return x

    def _solve_once(self, right: Array) -> Array:
        x = np.empty(right.shape, np.float32)
        self._solver.solve(right * self._masses[:, None], x)
        return x

    def _factorise(self, smoothing: float) -> None:
        from cholespy import CholeskySolverF, MatrixType

        self._solver = None  # one factor in memory at a time
        if self._laplacian is None:
            self._laplacian = laplacian_entries(self._triangles, self.vertex_count)
        rows, columns, values = self._laplacian
        values = values * smoothing
        values[-self.vertex_count :] += self._masses  # the diagonal
        self._solver = CholeskySolverF(self.vertex_count, rows, columns, values, MatrixType.COO)
        self._smoothing = smoothing
        self._spent = 0.0


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
