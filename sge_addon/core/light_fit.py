# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The light that explains given pixels best while the maps rest: exact differences and least squares.

Losses other than 'l2' weigh pixels down that are far off (Huber 1964): what no light explains does not pull.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .colour import log_encoded, log_encoded_slope
from .levenberg_marquardt import Linearised, minimise
from .light_parameters import CONSTANT, LightParameters, LightState
from .light_prior import weak_prior
from .lit_pixels import ShadedPixels
from .picture_residual import KNEE

Array = NDArray[np.float64]

ITERATIONS = 20
TURNS = 16  # all around, of which one is near enough for steps to find the best
SMALLEST_STEP = 5e-4  # of a coefficient, in units of what it began with; of the turn, in radians
# Radians between turns that are looked at; between two of them what the world adds is taken for linear.
TURN_STEP = 0.02


@dataclass(frozen=True, eq=False)
class LightModel:
    """Colours of pixels as a function of the light. floor: (N, 3) at the parameters' floor; bases:
    (K, N, 3), what a unit of each coefficient adds."""

    floor: Array
    bases: Array


class LightFit:
    """One fit of the light to pixels. loss: as in FitSettings."""

    def __init__(
        self,
        parameters: LightParameters,
        pixels: ShadedPixels,
        loss: str,
        at: LightState,
        unlimited: bool = False,
    ) -> None:
        """at: whose reaches the lights have all along, or everywhere if ``unlimited``."""
        self._parameters = parameters
        self._pixels = pixels
        self._loss = loss
        self._target = _encoded(pixels.target) if loss == "log_l1" else pixels.target
        self._turns = parameters.turns
        self._total = max(float(pixels.weight.sum()), 1e-30)
        self._model = _model(parameters, pixels, at, unlimited)
        self._world: dict[int, Array] = {}  # by turn, in units of TURN_STEP
        self._turn: float | None = None  # of which the bases are
        start = parameters.start.coefficients.max(axis=1)
        self._units = np.maximum(at.coefficients.max(axis=1), np.maximum(1e-3 * start, 1e-9))  # (K,)
        if parameters.is_unknown:
            self._units[:] = CONSTANT
        shown = self._model.bases[0] * CONSTANT if parameters.is_unknown else pixels.target
        scale = float(pixels.mean(np.square(shown)).mean())
        self._prior = weak_prior(parameters, self._units, at, scale)

    def solve(self, start: LightState, looks_around: bool = False) -> tuple[LightState, float, float]:
        """The best light from ``start`` on, and the cost before and after, on the scale of the loss.

        looks_around: begin with the best of turns all around, if the world may be turned.
        """
        before = self._cost(start)
        if looks_around and self._parameters.turns:
            start = self._best_turn(start)
        self._turns = self._parameters.turns
        found = minimise(start, self._linearise, self._cost, self._step, ITERATIONS, SMALLEST_STEP)
        return found.state, before, found.costs[-1]

    def _best_turn(self, start: LightState) -> LightState:
        self._turns = False
        angles = start.turn + (np.arange(TURNS) - TURNS // 2) * (2.0 * np.pi / TURNS)
        angles = np.floor(angles / TURN_STEP) * TURN_STEP
        found = [
            minimise(replace(start, turn=float(angle)), self._linearise, self._cost, self._step, 4, 1e-2)
            for angle in angles
        ]
        return min(found, key=lambda each: each.costs[-1]).state

    def _cost(self, state: LightState) -> float:
        residual = self._residual(state)[0]
        squares = np.square(residual)
        if self._loss != "l2":
            size = np.abs(residual)
            squares = np.where(size > KNEE, 2.0 * KNEE * size - KNEE**2, squares)
        mean = float(np.einsum("nc,n->", squares, self._pixels.weight)) / (3.0 * self._total)
        return mean + self._prior.cost(state.coefficients)

    def _step(self, state: LightState, change: Array) -> LightState:
        return self._parameters.stepped(state, change * np.append(np.repeat(self._units, 3), 1.0))

    def _linearise(self, state: LightState, _: bool) -> Linearised:
        residual, slope = self._residual(state)
        weights = np.repeat(self._pixels.weight[:, None] / (3.0 * self._total), 3, axis=1)
        if self._loss != "l2":
            weights *= KNEE / np.maximum(np.abs(residual), KNEE)
        free = np.flatnonzero(self._parameters.free)
        size = 3 * len(self._units) + 1
        gradient, curvature = np.zeros(size), np.zeros((size, size))
        by_turn = self._by_turn(state) * slope if self._turns else None
        bases = self._bases(state.turn)
        for channel in range(3):
            columns = bases[free, :, channel] * (self._units[free, None] * slope[:, channel])  # (K', N)
            weighed = columns * weights[:, channel]
            places = 3 * free + channel
            gradient[places] = np.einsum("kn,n->k", weighed, residual[:, channel])
            curvature[np.ix_(places, places)] = np.einsum("kn,ln->kl", weighed, columns)
            if by_turn is not None:
                along = by_turn[:, channel] * weights[:, channel]
                gradient[-1] += np.einsum("n,n->", along, residual[:, channel])
                curvature[-1, -1] += np.einsum("n,n->", along, by_turn[:, channel])
                curvature[places, -1] = curvature[-1, places] = np.einsum("kn,n->k", columns, along)
        self._prior.add(state.coefficients, gradient, curvature)
        self._hold_bound(state, gradient, curvature)
        return Linearised(self._cost(state), gradient, curvature)

    def _hold_bound(self, state: LightState, gradient: Array, curvature: Array) -> None:
        """What is off stays so, and what stands at its bound and would go beyond it rests."""
        at_low = (state.coefficients <= self._parameters.low[:, None]) & (gradient[:-1].reshape(-1, 3) > 0.0)
        held = np.flatnonzero((at_low | ~self._parameters.free[:, None]).ravel())
        gradient[held] = 0.0
        curvature[held] = 0.0
        curvature[:, held] = 0.0

    def _residual(self, state: LightState) -> tuple[Array, Array]:
        """(N, 3) as the loss compares, and its derivative to the colour."""
        above = state.coefficients - self._parameters.floor
        colour = self._model.floor + np.einsum("knc,kc->nc", self._bases(state.turn), above)
        if self._loss != "log_l1":
            return colour - self._target, np.ones_like(colour)
        return _encoded(colour) - self._target, log_encoded_slope(colour.astype(np.float32)).astype(
            np.float64
        )

    def _bases(self, turn: float) -> Array:
        bases = self._model.bases
        if self._parameters.turns and turn != self._turn:
            number = math.floor(turn / TURN_STEP)
            part = turn / TURN_STEP - number
            bases[-1] = self._world_at(number)
            if part:
                bases[-1] += part * (self._world_at(number + 1) - bases[-1])
            self._turn = turn
        return bases

    def _by_turn(self, state: LightState) -> Array:
        """(N, 3): derivative of the colours to the world's turn."""
        number = math.floor(state.turn / TURN_STEP)
        difference = self._world_at(number + 1) - self._world_at(number)
        return difference * (state.coefficients[-1] / TURN_STEP)

    def _world_at(self, number: int) -> Array:
        """(N, 3): what a unit of the world adds, turned by so many steps."""
        if number not in self._world:
            lights = self._parameters.probes(LightState(self._parameters.floor, number * TURN_STEP))[-1]
            self._world[number] = (self._pixels.colour(lights) - self._model.floor) / self._parameters.probe[
                -1
            ]
        return self._world[number]


def _encoded(colour: Array) -> Array:
    return log_encoded(colour.astype(np.float32)).astype(np.float64)


def neutral_response(parameters: LightParameters, pixels: ShadedPixels, at: LightState) -> Array:
    """(K, 3): what a unit of each coefficient adds to neutral surfaces, in the mean over the pixels."""
    floor, *raised = (pixels.mean(pixels.neutral_colour(lights)) for lights in parameters.probes(at))
    return np.array([seen - floor for seen in raised]) / parameters.probe[:, None]


def scaled(state: LightState, factor: Array) -> LightState:
    """The light brighter by a factor (3,)."""
    return replace(state, coefficients=state.coefficients * factor)


def _model(parameters: LightParameters, pixels: ShadedPixels, at: LightState, unlimited: bool) -> LightModel:
    floor, *raised = (pixels.colour(lights) for lights in parameters.probes(at, unlimited))
    bases = [(seen - floor) / amount for seen, amount in zip(raised, parameters.probe, strict=True)]
    return LightModel(floor, np.array(bases))
