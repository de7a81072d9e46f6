# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Solves with I + lambda L: sparse Cholesky where cholespy is at hand, else conjugate gradients."""

from __future__ import annotations

import importlib.util
import warnings
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .laplacian import laplacian_entries

Array = NDArray[np.floating[Any]]

_TOLERANCE = 1e-5  # of the residual, relative to the right side; positions keep 6 digits in any case
_MAX_ITERATIONS = 1000


class SmoothingSystem:
    """The matrix I + lambda L of one topology; one factor in memory at a time."""

    def __init__(self, triangles: NDArray[np.int32], vertex_count: int) -> None:
        self._rows, self._columns, self._values = laplacian_entries(triangles, vertex_count)
        self.vertex_count = vertex_count
        self._smoothing = -1.0
        self._solver: Any = None  # a cholespy solver
        order = np.argsort(self._rows, kind="stable")
        self._sorted_columns = self._columns[order]
        self._sorted_values = self._values[order]
        self._starts = np.searchsorted(self._rows[order], np.arange(vertex_count))

    def apply(self, smoothing: float, x: Array) -> NDArray[np.float64]:
        """(I + smoothing L) x; x: (V, C)."""
        x = x.astype(np.float64)
        products = x[self._sorted_columns] * self._sorted_values[:, None]
        return x + smoothing * np.add.reduceat(products, self._starts, axis=0)

    def solve(self, smoothing: float, right: Array, guess: Array | None = None) -> NDArray[np.float32]:
        """x of (I + smoothing L) x = right; (V, C) float32. guess: where iterations start."""
        if smoothing == 0.0:
            return right.astype(np.float32)
        if not _has_cholespy():
            return self._conjugate_gradients(smoothing, right, guess).astype(np.float32)
        if self._solver is None or smoothing != self._smoothing:
            self._factorise(smoothing)
        x = np.empty(right.shape, np.float32)
        self._solver.solve(np.ascontiguousarray(right, np.float32), x)
        return x

    def forget(self) -> None:
        """Free the factor; the next solve makes it anew."""
        self._solver = None

    def _factorise(self, smoothing: float) -> None:
        from cholespy import CholeskySolverF, MatrixType

        self.forget()  # one factor in memory at a time
        values = smoothing * self._values
        values[-self.vertex_count :] += 1.0
        self._solver = CholeskySolverF(self.vertex_count, self._rows, self._columns, values, MatrixType.COO)
        self._smoothing = smoothing

    def _conjugate_gradients(self, smoothing: float, right: Array, guess: Array | None) -> Array:
        """Jacobi-preconditioned, all columns at once with step sizes of their own."""
        inverse_diagonal = 1.0 / (1.0 + smoothing * self._values[-self.vertex_count :, None])
        right = right.astype(np.float64)
        x = np.zeros_like(right) if guess is None else guess.astype(np.float64)
        residual = right - self.apply(smoothing, x)
        goal = _TOLERANCE * np.linalg.norm(right, axis=0) + 1e-30
        direction = z = inverse_diagonal * residual
        rho = (residual * z).sum(axis=0)
        for _ in range(_MAX_ITERATIONS):
            if (np.linalg.norm(residual, axis=0) <= goal).all():
                break
            image = self.apply(smoothing, direction)
            curvature = (direction * image).sum(axis=0)
            step = np.divide(rho, curvature, out=np.zeros_like(rho), where=curvature > 0.0)
            x += step * direction
            residual -= step * image
            z = inverse_diagonal * residual
            previous, rho = rho, (residual * z).sum(axis=0)
            ratio = np.divide(rho, previous, out=np.zeros_like(rho), where=previous > 0.0)
            direction = z + ratio * direction
        return x


@cache
def _has_cholespy() -> bool:
    """Asked once, so that the warning appears once."""
    if importlib.util.find_spec("cholespy") is not None:
        return True
    warnings.warn(
        "cholespy is not installed: shape steps use slower conjugate gradients. Install the SGE Fit "
        "extension, which carries it, or 'pip install cholespy' into Blender's Python.",
        stacklevel=3,
    )
    return False
