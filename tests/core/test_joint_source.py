# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shape and texture in one loop: whose turn it is, and what is kept when the shape rests."""

from __future__ import annotations

import weakref

import numpy as np

from sge_addon.core.geometry_buffer import GeometryBuffer
from sge_addon.core.joint_source import JointParts, JointSource
from sge_addon.core.protocols import Estimate


class Source:
    """Its gradient's name is its own."""

    def __init__(self, name: str) -> None:
        self._name = name

    def estimate(self, view: int, seed: int, progress: float) -> Estimate:
        return Estimate(progress, {self._name: np.zeros(1, np.float32)})

    def estimate_with_geometry(
        self, view: int, seed: int, progress: float
    ) -> tuple[Estimate, GeometryBuffer]:
        raise AssertionError("the texture is fitted through pictures of its own")


def test_the_shape_steps_until_it_rests_and_the_texture_now_and_then_and_after() -> None:
    parts = JointParts(Source("texture"), interval=3, first=1)
    source = JointSource(Source("shape"), parts, lambda: None, 0.8)
    steps = [sorted(source.estimate(0, 0, step / 10).gradients) for step in range(10)]
    shape, texture = ["shape"], ["texture"]
    assert steps == [texture, shape, [*shape, *texture], shape, shape, [*shape, *texture], shape, shape] + (
        [texture] * 2
    )


def test_a_shape_that_rests_is_let_go_of_before_the_texture_goes_on() -> None:
    shape, told = Source("shape"), []
    source = JointSource(
        shape,
        JointParts(Source("texture"), interval=1, on_rest=lambda: told.append("texture")),
        lambda: told.append("shape"),
        0.5,
    )
    source.estimate(0, 0, 0.4)
    seen = weakref.ref(shape)
    del shape
    assert seen() is not None
    assert told == []
    for progress in (0.5, 0.6):
        source.estimate(0, 0, progress)
        assert seen() is None
    assert told == ["shape", "texture"]
