# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Positions stepped as in Large Steps in Inverse Rendering of Geometry (Nicolet, Jacobson, Jakob 2021).

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

_BETA_SCALE = 0.999


def rms_radius(positions: NDArray[np.float32]) -> float:
    """Of (V, 3) positions about their mean."""
    return float(np.sqrt(np.square(positions - positions.mean(axis=0)).sum(axis=1).mean()))


class AdamUniform:
    """Adam with the second moment's maximum for every element (Nicolet et al., section 4)."""

    def __init__(self, shape: tuple[int, ...], momentum: float = 0.9) -> None:
        self._beta = momentum
        self._momentum = np.zeros(shape, np.float32)
        self._scale = 0.0
        self._steps = 0

    def direction(self, gradient: NDArray[np.float32]) -> NDArray[np.float32]:
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


class PositionBlock:
    """The vertex positions of one surface: (V, 3) float32, world space; or (V, C), anything else that
    vertices have in world units.

    mobility: (V,) in [0, 1] or None; steps are scaled by it, and vertices at 0 stay where they are.
    size: of the surface, by which steps are measured; None for the rms radius of the positions.
    """

    def __init__(
        self,
        name: str,
        positions: NDArray[np.float32],
        triangles: NDArray[np.int32],
        schedule: ShapeSchedule,
        mobility: NDArray[np.float32] | None = None,
        size: float | None = None,
    ) -> None:
        self.name = name
        self.value = positions.astype(np.float32)
        self._start = self.value.copy()
        self._mobility = None if mobility is None else mobility[:, None].astype(np.float32)
        self._schedule = schedule
        self._size = rms_radius(positions) if size is None else size
        self._system = SmoothingSystem(triangles, len(positions))
        self._adam = AdamUniform(positions.shape, schedule.momentum)
        self._free = self.value.copy()  # x before mobility

    @property
    def shown(self) -> NDArray[np.float32]:
        """(V, 3) where the surface's vertices are: the value itself."""
        return self.value

    def inherit(self, earlier: PositionBlock) -> None:
        """Go on where the block of an earlier stage stood, as far as that is known of other vertices."""
        self._adam.inherit(earlier._adam)
        self._size = earlier._size  # what has taken shape by now may be of another

    def step(self, gradient: NDArray[np.float32], progress: float) -> None:
        """gradient: (V, 3) of the loss with respect to positions."""
        count = len(self.value)
        smoothing = self._schedule.smoothing(progress, count)
        if self._mobility is not None:
            gradient = gradient * self._mobility
        direction = self._adam.direction(self._system.solve(smoothing, gradient))
        rate = np.float32(self._schedule.learning_rate(progress, count) * self._size)
        self._free = self._free - rate * self._system.solve(smoothing, direction)
        self._put_in_place()

    def restrict(self, allowed: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> None:
        """Move vertices to where ``allowed`` puts them, (V, 3) for (V, 3); steps go on from there. It returns
        the same array where nothing is to be moved."""
        restricted = allowed(self._free)
        if restricted is not self._free:
            self._free = restricted
            self._put_in_place()

    def _put_in_place(self) -> None:
        if self._mobility is None:
            self.value = self._free
        else:
            self.value = self._start + self._mobility * (self._free - self._start)

    def rest(self) -> None:
        """No step is to come for a while: free what only steps need."""
        self._system.forget()

    def finish(self) -> None:
        """Nothing is held back between steps."""
