# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a fit is divided into stages."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sge_addon.core.schedule import ShapeSchedule
from sge_addon.core.stage_plan import plan_stages


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
    assert all(stage.share == 1.0 for stage in plan[:-1])
    if steps > count:
        moving = sum(stage.share * stage.steps for stage in plan)
        # As without stages, but in the last stage one step at least.
        assert moving == pytest.approx(max(share * steps, plan[-1].first_step + 1))


def test_a_single_stage_is_the_fit_as_it_was() -> None:
    (stage,) = plan_stages(1000, 1, 0.85)
    own = ShapeSchedule(1000, share=stage.share, window=stage.window, shape_steps=0.85 * 1000)
    plain = ShapeSchedule(1000, share=0.85)
    for progress in (0.0, 0.3, 0.849, 0.9, 1.0):
        assert own.epsilon_pixels(progress) == plain.epsilon_pixels(progress)
        assert own.learning_rate(progress, 2562) == plain.learning_rate(progress, 2562)
        assert own.smoothing(progress, 2562) == plain.smoothing(progress, 2562)


def test_schedule_goes_on_where_the_stage_before_left_it() -> None:
    """As if there were no stages: the rate in any step is that of the whole fit."""
    whole = ShapeSchedule(400, share=0.85)
    for stage in plan_stages(400, 3, 0.85):
        own = ShapeSchedule(400, share=stage.share, window=stage.window, shape_steps=0.85 * 400)
        for step in range(stage.steps):
            rate = whole.learning_rate((stage.first_step + step) / 400, 2562)
            assert own.learning_rate(step / stage.steps, 2562) == pytest.approx(rate)


def test_references_are_halved_but_never_to_nothing() -> None:
    first, second, third = plan_stages(100, 3)
    assert [stage.side(512) for stage in (first, second, third)] == [128, 256, 512]
    assert [stage.side(24) for stage in (first, second, third)] == [16, 16, 24]
    assert first.side(10) == 10
