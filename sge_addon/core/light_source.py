# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The light fitted between the other steps, to pixels of all views at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .light_block import GREY, LightBlock, LightChange
from .light_fit import LightFit, neutral_response, scaled
from .light_parameters import LightState
from .lit_pixels import LitPixelReader, ShadedPixels, pixels_of_views
from .map_shader import MapShader
from .protocols import Estimate
from .stopwatch import Stopwatch

Array = NDArray[np.float64]

# Of all views together: enough for a hundred numbers, and little beside a step. Fewer where there are many
# lights, so that no fit of them takes longer than with eight.
PIXELS, _PIXELS_AND_LIGHTS = 24_000, 200_000
# Standard deviation of base colours that are a texture; what is plainer than this says nothing of its level.
_PLAIN = 0.01
# Of light and reach in turn, until no lamp's reach changes by more than a part of this size.
_ATTEMPTS, _SAME_REACH = 4, 0.01
# Base colours are scaled by no more than this at once: before they are fitted, they say little.
_LARGEST_FACTOR = 4.0


@dataclass(frozen=True)
class LightSchedule:
    """When the light is fitted, as functions of progress in [0, 1]: at the start, when maps are still plain
    and take no part in what light does, then ever more seldom, up to ``end``. refits: how often in all."""

    start: float = 0.0
    end: float = 0.9
    refits: int = 24

    def due(self, progress: float) -> int:
        """How often it should have been fitted by now."""
        if not self.start <= progress < self.end:
            return 0
        share = (progress - self.start) / (self.end - self.start)
        return min(math.floor(math.sqrt(share) * self.refits + 1e-9) + 1, self.refits)


class LightSource:
    """A core.protocols.GradientSource of the light block, silent in most steps.

    Its loss is that of the pixels before the light was last fitted.
    """

    def __init__(
        self,
        block: LightBlock,
        reader: LitPixelReader,
        shader: MapShader,
        views: int,
        loss: str,
        seed: int,
        stopwatch: Stopwatch,
        schedule: LightSchedule | None = None,
    ) -> None:
        """views: number of training views. loss, seed: as in FitSettings."""
        self._block = block
        self._reader = reader
        self._shader = shader
        self._views = views
        self._loss_name = loss
        self._seed = seed
        self._stopwatch = stopwatch
        self._schedule = schedule or LightSchedule()
        self._done = 0
        self._loss = 0.0

    def estimate(self, view: int, seed: int, progress: float) -> Estimate:
        """The light that fits best where one is due."""
        due = self._schedule.due(progress)
        if due <= self._done:
            return Estimate(self._loss, {})
        is_first, self._done = self._done == 0, due
        with self._stopwatch.stage("light"):
            count = min(PIXELS, _PIXELS_AND_LIGHTS // len(self._block.parameters.names))
            gathered = pixels_of_views(self._reader, self._views, count, self._seed)
            pixels = ShadedPixels(gathered, self._shader)
            if not pixels.weight.any():
                return Estimate(self._loss, {})
            state, self._loss = self._solved(pixels, is_first)
            change = self._held(state, pixels)
        return Estimate(self._loss, {self._block.name: change})

    def _solved(self, pixels: ShadedPixels, is_first: bool) -> tuple[LightState, float]:
        """The best light, and what the pixels cost before. Lamps reach as far as their power lets them, so
        that both are found in turn."""
        parameters, state = self._block.parameters, self._block.state
        before = 0.0
        for attempt in range(_ATTEMPTS):
            unlimited = is_first and attempt == 0
            fitted = LightFit(parameters, pixels, self._loss_name, state, unlimited)
            found, cost, _ = fitted.solve(state, looks_around=unlimited)
            before = before if attempt else cost
            old, new = (np.asarray(parameters.reaches(each)) for each in (state, found))
            state = found
            limited = np.isfinite(old)
            if not limited.any():
                break
            if not unlimited and np.abs(np.log(new[limited] / old[limited])).max() < _SAME_REACH:
                break
        return state, before

    def _held(self, state: LightState, pixels: ShadedPixels) -> LightChange:
        """Light and base colours scaled against each other as the block's documentation says."""
        block = self._block
        if block.level is None:
            block.level = _level(pixels)
        if not block.base_colours:
            return LightChange(state, np.ones(3))
        if block.parameters.is_unknown:
            factor = block.level / np.maximum(pixels.base_colour, 1e-6)
        else:
            response = neutral_response(block.parameters, pixels, state)
            given, found = (
                np.einsum("kc,kc->c", response, each.coefficients) for each in (block.parameters.start, state)
            )
            factor = np.divide(found, given, out=np.ones(3), where=(given > 0.0) & (found > 0.0))
        factor = np.clip(factor, 1.0 / _LARGEST_FACTOR, _LARGEST_FACTOR)
        return LightChange(scaled(state, 1.0 / factor), factor)


def _level(pixels: ShadedPixels) -> float:
    """Mean base colour that an unknown light is held against: that of textures that were there before."""
    if pixels.base_colour_spread < _PLAIN:
        return GREY
    return float(np.clip(pixels.base_colour.mean(), 0.05, 0.8))
