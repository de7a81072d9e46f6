# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is believed of a light before pixels are looked at: squares that are added to theirs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .light_parameters import DEGREES, LightParameters, LightState
from .spherical_harmonics import basis

Array = NDArray[np.float64]

# Part of the mean square of the pixels that it costs a light to double: one that gives less than a
# ten-thousandth of what is seen stays about where it was.
_BEFORE = 1e-8
# Part of what the constant would add to the pixels that a harmonic of a higher degree costs.
_SMOOTH = 3e-4
# The same, of radiance below zero in the mean over all directions.
_NEGATIVE = 0.3
_DIRECTIONS = 128


@dataclass(frozen=True, eq=False)
class LightPrior:
    """units: (K,) in which unknowns are counted. pull: (K, 3) towards ``centre`` (K, 3). directions: (D, K)
    harmonics; negative: what radiance below zero costs there."""

    units: Array
    pull: Array
    centre: Array
    directions: Array
    negative: float

    def cost(self, coefficients: Array) -> float:
        """On the scale of a mean over pixels and channels."""
        off = (coefficients - self.centre) / self.units[:, None]
        below = np.minimum(np.einsum("dk,kc->dc", self.directions, coefficients), 0.0)
        pulled = float(np.einsum("kc,kc,kc->", off, off, self.pull))
        return (pulled + self.negative * float(np.square(below).sum())) / 3.0

    def add(self, coefficients: Array, gradient: Array, curvature: Array) -> None:
        """To the equations of the pixels: gradient (3 K + 1,), curvature (3 K + 1, 3 K + 1), in ``units``."""
        off = (coefficients - self.centre) / self.units[:, None]
        below = np.minimum(np.einsum("dk,kc->dc", self.directions, coefficients), 0.0)
        seen = self.directions * self.units  # (D, K)
        for channel in range(3):
            places = 3 * np.arange(len(self.units)) + channel
            gradient[places] += self.pull[:, channel] * off[:, channel] / 3.0
            curvature[places, places] += self.pull[:, channel] / 3.0
            active = seen[below[:, channel] < 0.0]
            gradient[places] += self.negative / 3.0 * np.einsum("dk,d->k", seen, below[:, channel])
            curvature[np.ix_(places, places)] += self.negative / 3.0 * np.einsum("dk,dl->kl", active, active)


def weak_prior(parameters: LightParameters, units: Array, before: LightState, scale: float) -> LightPrior:
    """Hardly felt where pixels tell. before: where the light stood. scale: mean square of the pixels; of an
    unknown light, of what radiance 1 from all sides shows."""
    count = len(units)
    if not parameters.is_unknown:
        pull = np.full((count, 3), _BEFORE * scale)
        return LightPrior(units, pull, before.coefficients, np.zeros((0, count)), 0.0)
    pull = np.where(DEGREES == 0, 0.0, _SMOOTH * scale)[:, None].repeat(3, axis=1)
    directions = basis(_spread(_DIRECTIONS))
    return LightPrior(units, pull, np.zeros((count, 3)), directions, _NEGATIVE * scale / _DIRECTIONS)


def _spread(count: int) -> Array:
    """(count, 3) unit vectors in all directions, on a Fibonacci spiral."""
    index = np.arange(count) + 0.5
    z = 1.0 - 2.0 * index / count
    around = np.pi * (1.0 + 5.0**0.5) * index
    radius = np.sqrt(1.0 - z * z)
    return np.stack([radius * np.cos(around), radius * np.sin(around), z], axis=-1)
