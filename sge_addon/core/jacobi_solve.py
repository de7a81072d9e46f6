# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Solves with M + lambda L without any factor: Jacobi's iteration, accelerated by Chebyshev's polynomials
(Golub and Van Loan, section 10.1.5), in as many steps as the spectrum asks for: few where lambda is small.
What is constant stays, exactly.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .crew import Crew
from .row_products import RowProducts, Scratch, row_crew
from .sparse_matrix import neighbours

Array = NDArray[np.float32]


class JacobiSystem:
    """One topology. edges: (E, 2), distinct. masses: (V,). lanes: columns worked on at once, 1 or 4."""

    def __init__(self, edges: NDArray[np.int32], masses: Array, lanes: int) -> None:
        self._edges = edges
        self._masses = masses
        self._degrees = np.bincount(edges.ravel(), minlength=len(masses)).astype(np.float32)
        self._lanes = lanes
        self._last_radius = 0.0, 0.0  # lambda, and what belongs to it
        self._of_ones: tuple[float, int, Array] | None = None  # (V, 1): what so many steps make of ones

    def steps(self, smoothing: float, left: float) -> int:
        """That leave so much of a solution at the most: half by the iteration, half for constants to stay."""
        radius = self._radius(smoothing)
        return 1 if radius == 0.0 else math.ceil(math.acosh(2.0 / left) / math.acosh(1.0 / radius))

    def solve(self, smoothing: float, right: Array, steps: int) -> Array:
        """About x of (M + smoothing L) x = M right; (V, C) float32, C up to the number of lanes."""
        known = self._of_ones
        if known is None or known[:2] != (smoothing, steps):
            ones = np.ones((len(right), 1), np.float32)
            known = self._of_ones = (smoothing, steps, self._iterate(smoothing, ones, steps))
        return self._iterate(smoothing, right, steps) / known[2]

    def _iterate(self, smoothing: float, right: Array, steps: int) -> Array:
        weights = 1.0 / (self._masses + np.float32(smoothing) * self._degrees)
        shares = np.repeat(np.float32(smoothing) * weights, self._lanes)
        wide = np.zeros((len(right), self._lanes), np.float32)
        np.multiply(right, (self._masses * weights)[:, None], out=wide[:, : right.shape[1]])
        own = wide.ravel()
        squared = self._radius(smoothing) ** 2
        before, x, sums, relaxation = np.zeros_like(own), own.copy(), np.empty_like(own), 2.0
        for _ in range(steps - 1):
            relaxation = 1.0 / (1.0 - 0.25 * squared * relaxation)
            self._around.multiply(x, sums, self._crew)
            sums *= shares
            sums += own
            sums -= before
            sums *= np.float32(relaxation)
            sums += before
            before, x, sums = x, sums, before
        return x.reshape(-1, self._lanes)[:, : right.shape[1]]

    @cached_property
    def _crew(self) -> Crew[Scratch]:
        return row_crew(self._lanes)

    @cached_property
    def _around(self) -> RowProducts:
        """Sums over neighbours."""
        return RowProducts(neighbours(self._edges, len(self._masses)), self._lanes, unit=True)

    def _radius(self, smoothing: float) -> float:
        """Of the spectrum of Jacobi's iteration, at the most."""
        if self._last_radius[0] != smoothing:
            shares = smoothing * self._degrees
            self._last_radius = smoothing, float((shares / (self._masses + shares)).max(initial=0.0))
        return self._last_radius[1]
