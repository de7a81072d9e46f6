# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One level of a multigrid: smoothing and residuals of mass + lambda Laplacian, and the way to the next.

Mass and Laplacian are the real and the imaginary part of one matrix, so that they go to the next level
by one product, and another lambda only weighs them anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .aggregation import aggregates
from .crew import Crew
from .row_products import BLOCK, RowProducts, Scratch
from .sparse_matrix import SparseMatrix, Values, from_entries, product

Flat = NDArray[np.float32]  # (rows * lanes,), lanes fastest

# What is constant on aggregates is smoothed by so many damped Jacobi steps with the Laplacian, after each of
# which small weights go: nearly linear interpolation, of few entries.
_TRANSFER_STEPS = 6
_TRANSFER_DAMPING = 2.0 / 3.0
_SMALL_WEIGHT = 0.05
_SHRINKS = 0.7  # a level that shrinks less is not worth it
# Jacobi's steps are 1 / diagonal, or shorter, such that no row of them times A adds up to more than this, in
# absolute values: so eigenvalues stay below 2, where smoothing converges, however interpolation weighs.
_ROW_BOUND = 1.9


class Level:
    """A = mass + lambda Laplacian of one level, after ``weigh``, and what a cycle works in.

    matrix: (V, V) complex, with its whole diagonal. lanes: 1 or 4. crew: who does the work.
    x: the cycle's approximation. right: what comes from the level above.
    """

    def __init__(self, matrix: SparseMatrix, lanes: int, crew: Crew[Scratch]) -> None:
        self.lanes = lanes
        self._crew = crew
        self._complex_diagonal = matrix.diagonal()
        off = matrix.rows() != matrix.columns
        starts = np.concatenate([[0], np.cumsum(off)])[matrix.starts]
        others = SparseMatrix(starts, matrix.columns[off], matrix.values[off], matrix.width)
        # On the mesh itself all neighbours weigh the same, so that one factor serves.
        same = bool((others.values == others.values[:1]).all())
        self._common = complex(others.values[0]) if same and len(others.values) else 0j
        self._others = None if same else others
        self._counts = np.diff(starts)
        self._products = RowProducts(others, lanes, unit=True)
        self._diagonal = self._jacobi = np.empty(0, np.float32)
        self._factor: np.float32 | None = None
        size = matrix.height * lanes
        self.x, self.right, self._residual = (np.zeros(size, np.float32) for _ in range(3))

    def weigh(self, smoothing: float) -> None:
        """Set lambda."""
        diagonal = _weighed(self._complex_diagonal, smoothing)
        rows = np.abs(diagonal)
        if self._others is None:
            self._factor = np.float32(self._common.real + smoothing * self._common.imag)
            rows += self._counts * abs(self._factor)
        else:
            others = self._others
            values = _weighed(others.values, smoothing)
            rows += np.bincount(others.rows(), np.abs(values), minlength=len(rows))
            self._products = RowProducts(replace(others, values=values), self.lanes)
        self._diagonal = np.repeat(diagonal.astype(np.float32), self.lanes)
        steps = 1.0 / np.maximum(diagonal, rows / _ROW_BOUND)
        self._jacobi = np.repeat(steps.astype(np.float32), self.lanes)

    def multiply(self, x: Flat, out: Flat) -> Flat:
        """A x into out."""

        def work(blocks: range, scratch: Scratch) -> None:
            for rows, image in self._images(x, blocks, scratch):
                out[rows] = image

        self._crew.share(self._products.blocks(), work)
        return out

    def residual(self, right: Flat) -> Flat:
        """right - A x of the level's x; valid until the next call."""

        def work(blocks: range, scratch: Scratch) -> None:
            for rows, image in self._images(self.x, blocks, scratch):
                np.subtract(right[rows], image, out=self._residual[rows])

        self._crew.share(self._products.blocks(), work)
        return self._residual

    def smooth(self, right: Flat, fresh: bool) -> Flat:
        """The level's x after one step of Jacobi's; fresh: from 0."""
        if fresh:
            return np.multiply(right, self._jacobi, out=self.x)

        def work(blocks: range, scratch: Scratch) -> None:
            for rows, image in self._images(self.x, blocks, scratch):
                np.subtract(right[rows], image, out=image)
                np.multiply(image, self._jacobi[rows], out=self._residual[rows])

        self._crew.share(self._products.blocks(), work)
        self.x += self._residual
        return self.x

    def _images(self, x: Flat, blocks: range, scratch: Scratch) -> Iterator[tuple[slice, Flat]]:
        """Block by block its part of a vector, and A x there, which may be overwritten."""
        length = BLOCK * self.lanes
        for number in blocks:
            image = self._products.sums(number, x, scratch)
            rows = slice(number * length, number * length + len(image))
            if self._factor is not None:
                image *= self._factor
            own = scratch.own[: len(image)]
            np.multiply(self._diagonal[rows], x[rows], out=own)
            image += own
            yield rows, image


def _weighed(values: Values, smoothing: float) -> NDArray[np.float64]:
    """mass + lambda Laplacian."""
    return np.asarray(values.real + smoothing * values.imag, np.float64)


def transfer_from(matrix: SparseMatrix) -> SparseMatrix | None:
    """(V, aggregates): how the next level's values are spread over this one's; None where there is nothing
    worth gathering. Vertices that are joined to no other get nothing: smoothing alone serves them."""
    of = aggregates(matrix)
    count = int(of.max(initial=-1)) + 1
    if count == 0 or count > _SHRINKS * matrix.height:
        return None
    rows = matrix.rows()
    degree = matrix.diagonal().imag
    weights = -_TRANSFER_DAMPING * matrix.values.imag / np.where(degree > 0.0, degree, 1.0)[rows]
    weights[rows == matrix.columns] += 1.0
    smoothing = SparseMatrix(matrix.starts, matrix.columns, weights, matrix.width)
    joined = np.flatnonzero(of >= 0)
    transfer = from_entries(joined, of[joined], np.ones(len(joined)), matrix.height, count)
    for _ in range(_TRANSFER_STEPS):
        transfer = _without_small(product(smoothing, transfer))
    return transfer


def _without_small(transfer: SparseMatrix) -> SparseMatrix:
    """The large weights alone, scaled such that rows again add up to 1."""
    kept = transfer.values > _SMALL_WEIGHT
    rows, columns, weights = transfer.rows()[kept], transfer.columns[kept], transfer.values[kept]
    total = np.bincount(rows, weights, minlength=transfer.height)
    return from_entries(rows, columns, weights / total[rows], transfer.height, transfer.width)
