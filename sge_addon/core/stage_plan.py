# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a fit is divided into stages, from coarse to fine."""

from __future__ import annotations

from dataclasses import dataclass

# Steps of a stage relative to those of the next.
STEP_RATIO = 0.2
SMALLEST_SIDE = 16  # pixels; below, nothing of an object is left


@dataclass(frozen=True)
class Stage:
    """steps: of this stage; first_step: how many come before. halvings: how often the references' sides
    are halved. share: part of its steps in which the shape moves. window: the part of the whole fit's
    schedule that the shape runs through in them, in [0, 1]."""

    steps: int
    first_step: int
    halvings: int
    share: float
    window: tuple[float, float]

    def side(self, long_side: int) -> int:
        """The long side of a reference in this stage, in pixels."""
        return max(long_side >> self.halvings, min(long_side, SMALLEST_SIDE))


def plan_stages(steps: int, count: int, share: float = 1.0) -> list[Stage]:
    """``count`` stages, fewer where there are fewer steps; the later the longer.

    share: part of all steps in which the shape moves; it rests at the end of the last stage.
    """
    count = min(count, steps)
    weights = [STEP_RATIO ** (count - 1 - number) for number in range(count)]
    ends = [
        max(round(steps * sum(weights[: number + 1]) / sum(weights)), number + 1) for number in range(count)
    ]
    ends[-1] = steps
    shape_steps = share * steps
    stages = []
    for number, end in enumerate(ends):
        begin = ends[number - 1] if number else 0
        is_last = number == count - 1
        own_share = max(shape_steps - begin, 1.0) / (end - begin) if is_last and number else 1.0
        stages.append(
            Stage(
                steps=end - begin,
                first_step=begin,
                halvings=count - 1 - number,
                share=share if count == 1 else own_share,
                window=(min(begin / shape_steps, 1.0), 1.0 if is_last else min(end / shape_steps, 1.0)),
            )
        )
    return stages
