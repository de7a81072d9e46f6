# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Positions stepped by plain Adam, as in the paper whose estimator this is (Deliot, Heitz, Belcour 2024):
every coordinate by itself, at one rate from first to last, with nothing that holds neighbours together.

It is the baseline that core/large_steps.py is measured against.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .large_steps import rms_radius
from .schedule import ShapeSchedule

Array = NDArray[np.float32]

RATE = 0.01  # of the size, a step; see docs/decisions.md, "Shape estimators"
_BETA_MOMENTUM = 0.9
_BETA_SCALE = 0.999
_LEAST = 1e-8


class Adam:
    """Kingma, Ba 2015, algorithm 1: both moments for every element, corrected for their start at zero."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._momentum = np.zeros(shape, np.float32)
        self._scale = np.zeros(shape, np.float32)
        self._steps = 0

    def direction(self, gradient: Array) -> Array:
        """What to subtract, times the learning rate; of the order of 1 in every element."""
        self._steps += 1
        self._momentum *= _BETA_MOMENTUM
        self._momentum += (1.0 - _BETA_MOMENTUM) * gradient
        self._scale *= _BETA_SCALE
        self._scale += (1.0 - _BETA_SCALE) * np.square(gradient)
        mean = self._momentum / np.float32(1.0 - _BETA_MOMENTUM**self._steps)
        square = self._scale / np.float32(1.0 - _BETA_SCALE**self._steps)
        direction: Array = mean / (np.sqrt(square) + np.float32(_LEAST))
        return direction

    def inherit(self, earlier: Adam) -> None:
        """Go on with the moments of an earlier stage, where they are of the same elements."""
        if earlier._momentum.shape == self._momentum.shape:
            self._momentum, self._scale = earlier._momentum.copy(), earlier._scale.copy()
            self._steps = earlier._steps


class AdamBlock:
    """Stands where a PositionBlock stands, and is made as one: (V, 3) float32, world space; or (V, C),
    anything else that vertices have in world units.

    triangles, schedule: of no effect, since steps are neither smoothed nor shortened. mobility: (V,) in
    [0, 1] or None; steps are scaled by it, and vertices at 0 stay where they are. size: of the surface, by
    which steps are measured; None for the rms radius of the positions.
    """

    def __init__(
        self,
        name: str,
        positions: Array,
        triangles: NDArray[np.int32],
        schedule: ShapeSchedule,
        mobility: Array | None = None,
        size: float | None = None,
    ) -> None:
        self.name = name
        self.value = positions.astype(np.float32)
        self._mobility = None if mobility is None else mobility[:, None].astype(np.float32)
        self._size = rms_radius(positions) if size is None else size
        self._adam = Adam(positions.shape)

    @property
    def shown(self) -> Array:
        """(V, 3) where the surface's vertices are: the value itself."""
        return self.value

    def step(self, gradient: Array, progress: float) -> None:
        """gradient: (V, 3) of the loss with respect to positions. progress: of no effect."""
        # In units of the size, so that a scene in millimetres fits as the same one in metres.
        direction = self._adam.direction(np.float32(self._size) * gradient)
        if self._mobility is not None:
            direction = direction * self._mobility
        self.value = self.value - np.float32(RATE * self._size) * direction

    def restrict(self, allowed: Callable[[Array], Array]) -> None:
        """Move vertices to where ``allowed`` puts them, (V, 3) for (V, 3)."""
        self.value = allowed(self.value)

    def inherit(self, earlier: AdamBlock) -> None:
        """Go on where the block of an earlier stage stood, as far as that is known of other vertices."""
        self._adam.inherit(earlier._adam)
        self._size = earlier._size

    def rest(self) -> None:
        """Nothing is kept that only steps need but the moments."""

    def finish(self) -> None:
        """Nothing is held back between steps."""
