# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop: one view, one estimate, one update a step; a plain generator.

It knows neither timers nor windows. The modal operator and the headless script both drive it, so
that a fit in slices gives the same bits as a fit in one go.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass

from .protocols import Blocks, GradientSource, ParameterBlock, PictureAhead
from .signs import step_seed
from .stopwatch import Stopwatch
from .view_order import view_of_step


@dataclass(frozen=True)
class Step:
    """One finished step. index: from 1. progress: in [0, 1]. loss: mean over the view's pixels.
    seconds: that the step took."""

    index: int
    view: int
    loss: float
    progress: float
    seconds: float


@dataclass(frozen=True)
class LoopSettings:
    """steps, seed as in FitSettings; seconds: 0 for no limit; views: number of training views.

    after: steps that an earlier loop has taken; this one takes ``steps`` more, at the schedules' end.
    first_round: the order of the views in the first round, shuffled if empty.
    """

    steps: int
    views: int
    seed: int = 0
    seconds: float = 0.0
    after: int = 0
    first_round: tuple[int, ...] = ()

    def view(self, index: int) -> int:
        """That of a step, from 0."""
        return view_of_step(index, self.views, self.seed, self.first_round)


def fit(
    sources: list[GradientSource],
    blocks: Blocks,
    settings: LoopSettings,
    stopwatch: Stopwatch,
    clock: Callable[[], float] = time.perf_counter,
    ahead: PictureAhead | None = None,
) -> Generator[Step]:
    """Step all blocks that any source has a gradient for; yields after each step.

    sources: in the order in which they estimate; a step's loss is the last one's. ahead: the one of them
    that is told of the step after the next.
    Closing the generator, or exhausting it, applies what the blocks have gathered.
    """
    by_name = {block.name: block for block in blocks}
    begin = clock()
    try:
        for index in range(settings.after, settings.after + settings.steps):
            started = clock()
            elapsed = started - begin
            progress = 1.0 if settings.after else index / settings.steps
            if settings.seconds > 0.0:
                if elapsed >= settings.seconds:
                    return
                progress = max(progress, elapsed / settings.seconds)
            view = settings.view(index)
            seed = step_seed(settings.seed, index)
            following = index + 1
            if ahead is not None and following < settings.after + settings.steps:
                seed_then = step_seed(settings.seed, following)
                ahead.expect(settings.view(following), seed_then, following / settings.steps)
            losses = [_step(source, by_name, view, seed, progress, stopwatch) for source in sources]
            yield Step(
                index=index + 1,
                view=view,
                loss=losses[-1],
                progress=(index + 1 - settings.after) / settings.steps,
                seconds=clock() - started,
            )
    finally:
        for block in blocks:
            block.finish()


def _step(
    source: GradientSource,
    blocks: Mapping[str, ParameterBlock],
    view: int,
    seed: int,
    progress: float,
    stopwatch: Stopwatch,
) -> float:
    """Estimate, and step; the loss. Gradients, which may be large, do not outlive it."""
    estimate = source.estimate(view, seed, progress)
    with stopwatch.stage("optimise"):
        for name, gradient in estimate.gradients.items():
            blocks[name].step(gradient, progress)
    return estimate.loss
