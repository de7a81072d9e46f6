# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps as in Large Steps in Inverse Rendering of Geometry (Nicolet, Jacobson, Jakob 2021).

The parameter is u = (I + lambda L) x; its gradient is the solve of x's gradient, and a step of x the solve
of u's step. So u itself is never needed: a change of lambda costs nothing, and what a solve leaves of its
system is relative to a step, not to positions. AdamUniform divides by one number for the whole block, so
that the smoothed direction stays smooth.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .schedule import ShapeSchedule
from .sparse_solve import SmoothingSystem

Array = NDArray[np.float32]

_BETA_SCALE = 0.999


def rms_radius(positions: Array) -> float:
    """Of (V, 3) positions about their mean."""
    return float(np.sqrt(np.square(positions - positions.mean(axis=0)).sum(axis=1).mean()))


class AdamUniform:
    """Adam with the second moment's maximum for every element (Nicolet et al., section 4)."""

    def __init__(self, shape: tuple[int, ...], momentum: float = 0.9) -> None:
        self._beta = momentum
        self._momentum = np.zeros(shape, np.float32)
        self._scale = 0.0
        self._steps = 0

    def direction(self, gradient: Array) -> Array:
        """What to subtract, times the learning rate; of the order of 1."""
        self._steps += 1
        self._momentum *= self._beta
        self._momentum += (1.0 - self._beta) * gradient
        largest = float(np.square(gradient).max(initial=0.0))
        # Departs from the paper, which takes the maximum of the averaged squares: an average of the
        # maxima forgets one bad estimate as quickly, and needs no second array.
        self._scale = _BETA_SCALE * self._scale + (1.0 - _BETA_SCALE) * largest
        scale = np.sqrt(self._scale / (1.0 - _BETA_SCALE**self._steps))
        if scale == 0.0:
            return np.zeros_like(gradient)
        return self._momentum * np.float32(1.0 / ((1.0 - self._beta**self._steps) * scale))

    def inherit(self, earlier: AdamUniform) -> None:
        """Go on with the step sizes of an earlier stage, whose elements may be others and of another number:
        as a sum over pixels, a gradient falls with the share of the surface that an element stands for."""
        ratio = len(earlier._momentum) / len(self._momentum)
        self._scale = earlier._scale * ratio**2
        self._steps = earlier._steps
        if ratio == 1.0:
            self._momentum = earlier._momentum.copy()

    def take_over(self, earlier: AdamUniform, moved: Callable[[Array], Array]) -> None:
        """Go on where ``earlier`` stands, whose elements ``moved`` carries over to these."""
        self._scale, self._steps = earlier._scale, earlier._steps
        self._momentum = moved(earlier._momentum)


class LargeSteps:
    """points: (V, 3) float32, or (V, C), of one mesh, and how they step. size: by which steps are measured.

    masses: (V,) where it is a coarser mesh: how many fine vertices each stands for. Steps are then those of
    the fine mesh, as far as the coarse one can take them.
    """

    def __init__(
        self,
        points: Array,
        triangles: NDArray[np.int32],
        schedule: ShapeSchedule,
        size: float,
        masses: Array | None = None,
    ) -> None:
        self.points = points
        self.size = size
        self.adam = AdamUniform(points.shape, schedule.momentum)
        self._masses = masses
        self._schedule = schedule
        self._count = len(points) if masses is None else round(float(masses.sum(dtype=np.float64)))
        self._system = SmoothingSystem(triangles, len(points), masses)

    def step(self, gradient: Array, progress: float) -> None:
        """gradient: (V, C) of the loss by the points, which are replaced."""
        if self._masses is not None:
            gradient = gradient / self._masses[:, None]
        smoothing = self._schedule.smoothing(progress, self._count)
        direction = self.adam.direction(self._system.solve(smoothing, gradient))
        rate = np.float32(self._schedule.learning_rate(progress, self._count) * self.size)
        self.points = self.points - rate * self._system.solve(smoothing, direction)

    def rest(self) -> None:
        """No step is to come for a while: free what only steps need."""
        self._system.forget()
