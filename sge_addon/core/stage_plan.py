# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a fit is divided into stages, from coarse to fine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# Steps of a stage relative to those of the next.
STEP_RATIO = 0.2
SMALLEST_SIDE = 16  # pixels; below, nothing of an object is left


@dataclass(frozen=True)
class Stage:
    """steps: of this stage; first_step: how many come before. halvings: how often the references' sides
    are halved. window: the part of the whole fit's schedule that it runs through, in [0, 1].
    is_last: with it the fit ends."""

    steps: int
    first_step: int
    halvings: int
    window: tuple[float, float]
    is_last: bool

    def side(self, long_side: int) -> int:
        """The long side of a reference in this stage, in pixels."""
        return max(long_side >> self.halvings, min(long_side, SMALLEST_SIDE))


def plan_stages(steps: int, count: int, final_share: float = 1.0) -> list[Stage]:
    """``count`` stages, fewer where there are fewer steps; the later the longer.

    final_share: part of the last stage in which the shape moves, which the windows are measured in.
    """
    count = min(count, steps)
    weights = [STEP_RATIO ** (count - 1 - number) for number in range(count)]
    ends = [
        max(round(steps * sum(weights[: number + 1]) / sum(weights)), number + 1) for number in range(count)
    ]
    ends[-1] = steps
    whole = _shape_steps(steps, ends[-2] if count > 1 else 0, final_share)
    stages = []
    for number, end in enumerate(ends):
        begin = ends[number - 1] if number else 0
        is_last = number == count - 1
        window = (begin / whole, 1.0 if is_last else end / whole)
        stages.append(Stage(end - begin, begin, count - 1 - number, window, is_last))
    return stages


def shape_steps(plan: Sequence[Stage], final_share: float) -> float:
    """The steps in which the shape moves: all but the rest of the last stage."""
    return _shape_steps(plan[-1].first_step + plan[-1].steps, plan[-1].first_step, final_share)


def _shape_steps(steps: int, last_begins: int, final_share: float) -> float:
    return last_begins + final_share * (steps - last_begins)
