# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Solves with M + lambda L, M a diagonal, by conjugate gradients, preconditioned by a multigrid of smoothed
aggregation (Vanek, Mandel and Brezina 1996).

Levels belong to the mesh, whatever lambda is. One of Jacobi's steps smooths before and after, so that a cycle
is symmetric. Nothing here calls BLAS.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .laplacian import laplacian_entries
from .multigrid_level import Flat, Level, transfer_from
from .row_products import BLOCK, RowProducts, row_crew
from .sparse_matrix import SparseMatrix, from_entries, product

_COARSEST = 300  # vertices, for which the inverse is kept
_REPEATED = 1  # the level whose cycle is gone through twice, since it costs a tenth of the mesh's own
# Of the whole way, in the norm of the system's energy: the step that goes less far is the last. It leaves a
# quarter of itself: 5 % of the solution's energy norm, 2 to 3 % of its length, on meshes mostly in two steps.
_SHORT_STEP = 0.2
_MOST_STEPS = 30


class Multigrid:
    """All levels of one mesh. lanes: columns that are worked on at once, 1 or 4. masses: (V,), or of all."""

    def __init__(
        self,
        triangles: NDArray[np.int32],
        vertex_count: int,
        lanes: int,
        masses: NDArray[np.float32] | float = 1.0,
    ) -> None:
        matrix = _mass_and_laplacian(triangles, vertex_count, masses)
        self._lanes = lanes
        self._crew = row_crew(lanes)
        self._levels = [Level(matrix, lanes, self._crew)]
        self._transfers: list[tuple[RowProducts, RowProducts]] = []  # to the next level, and back
        while matrix.height > _COARSEST:
            transfer = transfer_from(matrix)
            if transfer is None:
                break
            back = transfer.transposed()
            matrix = product(back, product(matrix, transfer))
            self._transfers.append((RowProducts(back, lanes), RowProducts(transfer, lanes)))
            self._levels.append(Level(matrix, lanes, self._crew))
        self._last = matrix
        self._inverse: NDArray[np.float32] | None = None
        self._smoothing: float | None = None

    def solve(self, smoothing: float, right: NDArray[np.float32]) -> NDArray[np.float32]:
        """x of (M + smoothing L) x = right; (V, C) float32, C up to the number of lanes."""
        if smoothing != self._smoothing:
            self._smoothing = smoothing
            for level in self._levels:
                level.weigh(smoothing)
            self._inverse = _inverse(self._last, smoothing) if self._last.height <= _COARSEST else None
        largest = max(float(right.max()), -float(right.min()))
        if largest == 0.0:
            return np.zeros_like(right)
        wide = np.zeros((len(right), self._lanes), np.float32)
        np.divide(
            right, largest, out=wide[:, : right.shape[1]]
        )  # gradients may be so small that squares vanish
        x = self._conjugate_gradients(wide.ravel()).reshape(-1, self._lanes)
        return x[:, : right.shape[1]] * np.float32(largest)

    def _conjugate_gradients(self, residual: Flat) -> Flat:
        """All columns as one vector. residual: the right side, overwritten."""
        x, direction, image = np.zeros_like(residual), np.zeros_like(residual), np.empty_like(residual)
        previous = way = 0.0
        for _ in range(_MOST_STEPS):
            z = self._cycle(0, residual)
            rho = _dot(residual, z)
            if rho <= 0.0:  # nothing is left
                break
            direction *= np.float32(rho / previous if previous else 0.0)
            direction += z
            self._levels[0].multiply(direction, image)
            factor = rho / _dot(direction, image)
            _add_scaled(x, factor, direction)
            way += factor * rho  # the squares of the steps' lengths add up, being orthogonal
            if previous and factor * rho <= _SHORT_STEP**2 * way:
                break
            _add_scaled(residual, -factor, image)
            previous = rho
        return x

    def _cycle(self, number: int, right: Flat) -> Flat:
        """About the solve on one level, linear in ``right``; valid until the next call for this level."""
        level = self._levels[number]
        if level is self._levels[-1]:
            if self._inverse is None:
                return level.smooth(right, fresh=True)
            return np.einsum("ij,jc->ic", self._inverse, right.reshape(-1, self._lanes)).ravel()
        down, up = self._transfers[number]
        level.smooth(right, fresh=True)
        for _ in range(2 if number == _REPEATED else 1):
            below = down.multiply(level.residual(right), self._levels[number + 1].right, self._crew)
            up.multiply(self._cycle(number + 1, below), level.x, self._crew, add=True)
            level.smooth(right, fresh=False)
        return level.x


def _mass_and_laplacian(
    triangles: NDArray[np.int32], vertex_count: int, masses: NDArray[np.float32] | float
) -> SparseMatrix:
    """M + i L."""
    rows, columns, laplacian = laplacian_entries(triangles, vertex_count)
    values = 1j * laplacian
    values[-vertex_count:] += masses  # the diagonal
    return from_entries(rows, columns, values, vertex_count, vertex_count)


def _inverse(matrix: SparseMatrix, smoothing: float) -> NDArray[np.float32]:
    """The dense inverse, by Gauss and Jordan; the matrix is positive definite, so that no pivot is sought."""
    dense = np.zeros((matrix.height, matrix.height))
    dense[matrix.rows(), matrix.columns] = matrix.values.real + smoothing * matrix.values.imag
    for k in range(len(dense)):
        pivot = dense[k, k]
        row, column = dense[k] / pivot, dense[:, k].copy()
        dense -= np.multiply.outer(column, row)
        dense[k], dense[:, k] = row, -column / pivot
        dense[k, k] = 1.0 / pivot
    return dense.astype(np.float32)


def _dot(a: Flat, b: Flat) -> float:
    """Block by block, whose sums are added in double precision."""
    size = 4 * BLOCK
    return sum(float(np.einsum("i,i->", a[k : k + size], b[k : k + size])) for k in range(0, len(a), size))


def _add_scaled(x: Flat, factor: float, direction: Flat) -> None:
    """x += factor direction, block by block in the cache."""
    size = 4 * BLOCK
    for k in range(0, len(x), size):
        x[k : k + size] += np.float32(factor) * direction[k : k + size]
