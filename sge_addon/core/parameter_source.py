# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of modifiers and objects fitted between the other steps, to pictures of several views at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from .background import TRANSPARENT, Background
from .camera_refinement import level_sizes
from .parameter_block import ParameterBlock, ParameterChange
from .parameter_fit import ParameterFit, Shown
from .parameter_values import State
from .protocols import Estimate
from .reference import Reference
from .stopwatch import Stopwatch

VIEWS = 8  # at most, in a round
ITERATIONS = 8  # at a size, at most
FINEST = 2  # sizes that later rounds go through


@dataclass(frozen=True)
class ParameterSchedule:
    """When values are fitted, as functions of progress in [0, 1]: in ``rounds`` spread evenly from ``start``
    to ``end``; where that is beyond 1, steps that are added to a whole fit have one more. outlines: rounds
    that look at alpha alone, since colours are not known yet."""

    start: float = 0.0
    end: float = 1.0
    rounds: int = 12
    outlines: int = 0

    def due(self, progress: float) -> int:
        """How many rounds there should have been by now."""
        if not self.start <= progress < self.end:
            return 0
        share = (progress - self.start) / (min(self.end, 1.0) - self.start)
        return min(math.floor(share * self.rounds + 1e-9) + 1, self.rounds)


@dataclass(frozen=True, eq=False)
class Comparison:
    """How pictures are compared. match, loss: as in FitSettings."""

    match: tuple[str, ...]
    loss: str
    background: Background = TRANSPARENT


class ParameterSource:
    """A core.protocols.GradientSource of the parameter block, silent in most steps.

    Its loss is the cost as the last round began with the finest pictures, on the scale of squared
    differences.
    """

    def __init__(
        self,
        block: ParameterBlock,
        references: Sequence[Reference],
        opened: Callable[[], AbstractContextManager[Shown]],
        schedule: ParameterSchedule,
        comparison: Comparison,
        stopwatch: Stopwatch,
    ) -> None:
        """references: the training views; members of the list may be replaced. opened: the surfaces at any
        values, for one round."""
        self._block = block
        self._references = references
        self._opened = opened
        self._schedule = schedule
        self._comparison = comparison
        self._stopwatch = stopwatch
        self._rounds = 0
        self._loss = 0.0

    def estimate(self, view: int, seed: int, progress: float) -> Estimate:
        """The values that fit best where a round is due."""
        if self._schedule.due(progress) <= self._rounds:
            return Estimate(self._loss, {})
        number, self._rounds = self._rounds, self._schedule.due(progress)
        with self._stopwatch.stage("parameters"), self._opened() as shown:
            change, self._loss = self._round(number, shown)
        return Estimate(self._loss, {self._block.name: change})

    def _round(self, number: int, shown: Shown) -> tuple[ParameterChange, float]:
        stride = math.ceil(len(self._references) / VIEWS)
        references = list(self._references)[number % stride :: stride]
        compared = self._comparison
        match = ("alpha",) if number < self._schedule.outlines else compared.match
        fit = ParameterFit(self._block.space, match, compared.loss, shown, compared.background)
        state: State = self._block.state
        units = fit.units([each.view for each in references], state)
        if not units.any():
            return ParameterChange(state, units > 0.0), self._loss
        sizes = level_sizes(references[0].view.width, references[0].view.height)
        sizes = sizes[-FINEST:] if self._block.tried else [max(sizes[0] // 2, 1), *sizes]
        costs = []
        for long_side in sizes:
            state, cost = fit.refined(references, state, units, long_side, ITERATIONS)
            costs.append(cost)
        return ParameterChange(state, units > 0.0), costs[-1]
