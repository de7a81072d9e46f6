# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a fit is divided into stages."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sge_addon.core.schedule import ShapeSchedule
from sge_addon.core.stage_plan import plan_stages, shape_steps


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 100, 1000])
@pytest.mark.parametrize("count", [1, 2, 3, 6])
@pytest.mark.parametrize("share", [1.0, 0.85])
def test_stages_follow_one_another_and_use_every_step(steps: int, count: int, share: float) -> None:
    plan = plan_stages(steps, count, share)
    assert len(plan) == min(count, steps)
    assert sum(stage.steps for stage in plan) == steps
    assert all(stage.steps >= 1 for stage in plan)
    for before, after in pairwise(plan):
        assert after.first_step == before.first_step + before.steps
        assert after.window[0] == pytest.approx(before.window[1])
        assert after.halvings == before.halvings - 1
    assert (plan[0].first_step, plan[-1].halvings) == (0, 0)
    assert (plan[0].window[0], plan[-1].window[1]) == (0.0, 1.0)
    assert [stage.is_last for stage in plan] == [False] * (len(plan) - 1) + [True]


def test_a_single_stage_is_the_fit_as_it_was() -> None:
    (stage,) = plan_stages(1000, 1, 0.85)
    own = ShapeSchedule(
        1000, share=0.85, window=stage.window, shape_steps=shape_steps(plan_stages(1000, 1, 0.85), 0.85)
    )
    plain = ShapeSchedule(1000, share=0.85)
    for progress in (0.0, 0.3, 0.849, 0.9, 1.0):
        assert own.epsilon_pixels(progress) == plain.epsilon_pixels(progress)
        assert own.learning_rate(progress, 2562) == plain.learning_rate(progress, 2562)
        assert own.smoothing(progress, 2562) == plain.smoothing(progress, 2562)


def test_schedule_goes_on_where_the_stage_before_left_it() -> None:
    """The shape of the last stage comes to rest before its end; of the others it does not."""
    plan = plan_stages(400, 3, 0.85)
    total = shape_steps(plan, 0.85)
    rates = []
    for stage in plan:
        share = 0.85 if stage.is_last else 1.0
        schedule = ShapeSchedule(400, share=share, window=stage.window, shape_steps=total)
        rates += [schedule.learning_rate(step / stage.steps, 2562) for step in (0, stage.steps)]
    assert rates[1] == pytest.approx(rates[2])
    assert rates[3] == pytest.approx(rates[4])
    whole = ShapeSchedule(400, share=1.0, shape_steps=total)
    assert (rates[0], rates[-1]) == (whole.learning_rate(0.0, 2562), whole.learning_rate(1.0, 2562))


def test_references_are_halved_but_never_to_nothing() -> None:
    first, second, third = plan_stages(100, 3)
    assert [stage.side(512) for stage in (first, second, third)] == [128, 256, 512]
    assert [stage.side(24) for stage in (first, second, third)] == [16, 16, 24]
    assert first.side(10) == 10
