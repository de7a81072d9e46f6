# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop over a toy problem: one quadratic bowl a view, seen through noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from sge_addon.core.fit import LoopSettings, Step, fit
from sge_addon.core.protocols import Estimate
from sge_addon.core.signs import signs
from sge_addon.core.stopwatch import Stopwatch
from sge_addon.core.view_order import far_apart, view_of_step
from tests.meshes import perspective_view

VIEWS = 4
TARGETS = np.random.default_rng(0).normal(size=(VIEWS, 6)).astype(np.float32)


class Block:
    """Six numbers that remember what was done to them."""

    def __init__(self, name: str = "bowl") -> None:
        self.name = name
        self.value = np.zeros(6, np.float32)
        self.progress: list[float] = []
        self.finished = 0

    def step(self, gradient: np.ndarray, progress: float) -> None:
        self.value = self.value - np.float32(0.1 * (1.0 - progress)) * gradient
        self.progress.append(progress)

    def finish(self) -> None:
        self.finished += 1


class Bowl:
    """A source whose gradient carries noise from the step's seed."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.seen: list[tuple[int, int]] = []

    def estimate(self, view: int, seed: int, progress: float) -> Estimate:
        self.seen.append((view, seed))
        difference = self.block.value - TARGETS[view]
        noisy = difference + np.float32(0.1) * signs(seed, 2).ravel()
        return Estimate(float(np.square(difference).sum()), {self.block.name: noisy})


def start(steps: int = 20, seed: int = 0, **rest) -> tuple[Block, Bowl, Iterator[Step]]:
    block = Block()
    bowl = Bowl(block)
    clock = rest.pop("clock", None)
    given = {"clock": clock} if clock else {}
    return block, bowl, fit([bowl], [block], LoopSettings(steps, VIEWS, seed, **rest), Stopwatch(), **given)


def bits(block: Block) -> list[int]:
    return block.value.view(np.uint32).tolist()


def test_in_slices_as_in_one_go() -> None:
    whole, _, loop = start()
    losses = [step.loss for step in loop]
    sliced, _, loop = start()
    sliced_losses = []
    for count in (1, 7, 2, 100):
        sliced_losses += [step.loss for step in islice(loop, count)]
    assert bits(sliced) == bits(whole)
    assert sliced_losses == losses


def test_same_seed_same_bits_other_seed_other_bits() -> None:
    ends = []
    for seed in (5, 5, 6):
        block, _, loop = start(seed=seed)
        list(loop)
        ends.append(bits(block))
    assert ends[0] == ends[1] != ends[2]


def test_seeds_of_steps_differ() -> None:
    _, bowl, loop = start(steps=50)
    list(loop)
    assert len({seed for _, seed in bowl.seen}) == 50


def test_every_view_once_a_round_in_changing_order() -> None:
    rounds = [[view_of_step(r * 16 + k, 16, 3) for k in range(16)] for r in range(6)]
    assert all(sorted(each) == list(range(16)) for each in rounds)
    assert len({tuple(each) for each in rounds}) == 6


def test_the_first_round_may_have_an_order_of_its_own() -> None:
    _, bowl, loop = start(steps=3 * VIEWS, first_round=(2, 0, 3, 1))
    list(loop)
    _, shuffled, loop = start(steps=3 * VIEWS)
    list(loop)
    assert [view for view, _ in bowl.seen[:VIEWS]] == [2, 0, 3, 1]
    assert bowl.seen[VIEWS:] == shuffled.seen[VIEWS:]


def test_views_far_apart_come_first() -> None:
    ring = []
    for angle in np.arange(8) * (0.25 * np.pi):
        camera = np.eye(4)
        camera[:3, 3] = 3.0 * np.cos(angle), 0.0, 3.0 * np.sin(angle)
        ring.append(replace(perspective_view(8, 8), camera_to_world=camera))
    starts = set()
    for seed in range(8):
        order = far_apart(ring, seed)
        assert order == far_apart(ring, seed)
        assert sorted(order) == list(range(8))
        assert (order[1] - order[0]) % 8 == 4  # the other side
        assert {(view - order[0]) % 8 for view in order[2:4]} == {2, 6}  # and those between
        starts.add(order[0])
    assert len(starts) > 2
    assert sorted(far_apart([ring[0]] * 3, 0)) == [0, 1, 2]


def test_steps_are_numbered_and_progress_reaches_the_end() -> None:
    block, bowl, loop = start(steps=8)
    steps = list(loop)
    assert [step.index for step in steps] == list(range(1, 9))
    assert [step.view for step in steps] == [view for view, _ in bowl.seen]
    assert steps[-1].progress == 1.0
    assert block.progress == [k / 8 for k in range(8)]


def test_the_loss_reported_is_that_of_the_step() -> None:
    _, _, loop = start()
    first = next(loop)
    assert first.loss == pytest.approx(float(np.square(TARGETS[first.view]).sum()))


def test_time_limit_drives_progress_and_ends_the_fit() -> None:
    moments = iter(np.arange(0.0, 1000.0, 0.25))  # a clock that is asked again and again
    block, _, loop = start(steps=10_000, seconds=20.0, clock=lambda: next(moments))
    count = len(list(loop))
    assert 5 < count < 100
    assert block.progress[0] < 0.05
    assert all(a < b for a, b in zip(block.progress, block.progress[1:], strict=False))
    assert 0.9 < block.progress[-1] < 1.0
    assert block.finished == 1


def test_a_generous_time_limit_changes_nothing() -> None:
    unlimited, _, loop = start()
    list(loop)
    limited, _, loop = start(seconds=1e9, clock=lambda: 0.0)
    list(loop)
    assert bits(limited) == bits(unlimited)


def test_exhausting_and_closing_both_finish_once() -> None:
    block, _, loop = start(steps=3)
    list(loop)
    assert block.finished == 1
    block, _, loop = start()
    next(loop)
    assert block.finished == 0
    loop.close()
    assert block.finished == 1


def test_a_failing_source_still_applies_what_was_gathered() -> None:
    block, bowl, loop = start()
    next(loop)

    def fail(*_: object) -> Estimate:
        raise RuntimeError("the view is gone")

    bowl.estimate = fail
    with pytest.raises(RuntimeError, match="view is gone"):
        next(loop)
    assert block.finished == 1


def test_several_sources_step_their_own_blocks() -> None:
    blocks = [Block("a"), Block("b"), Block("untouched")]
    bowls = [Bowl(blocks[0]), Bowl(blocks[1])]
    list(fit(bowls, blocks, LoopSettings(12, VIEWS), Stopwatch()))
    assert bits(blocks[0]) == bits(blocks[1])
    assert not blocks[2].value.any()
    assert [block.finished for block in blocks] == [1, 1, 1]
