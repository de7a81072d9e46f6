# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain Adam: Kingma and Ba's formulas by hand, indifferent to units, and still where it must be."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core.adam_block import RATE, Adam, AdamBlock
from sge_addon.core.cage_block import CageBlock
from sge_addon.core.height_block import HeightBlock
from sge_addon.core.large_steps import rms_radius
from sge_addon.core.schedule import ShapeSchedule
from tests.core.polygon_stacks import box, catmull_clark
from tests.core.test_cage_block import caged
from tests.core.test_height_block import flat_field, grid
from tests.meshes import icosphere

SCHEDULE = ShapeSchedule()


def noise(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 3)).astype(np.float32)


def test_three_steps_by_hand() -> None:
    adam = Adam((2,))
    first = adam.direction(np.float32([2.0, -0.5]))
    np.testing.assert_allclose(first, [1.0, -1.0], rtol=1e-5)
    # m = 0.9 * 0.2 + 0.1 * 1 = 0.28, over 0.19; v = 0.999 * 0.004 + 0.001 * 1 = 0.004996, over 0.001999.
    # The other element: m = -0.045 + 0.05 = 0.005; v = 0.999 * 0.00025 + 0.00025 = 0.00049975.
    second = adam.direction(np.float32([1.0, 0.5]))
    np.testing.assert_allclose(second, [1.473684 / 1.580891, 0.026316 / 0.5], rtol=1e-4)
    # Nothing more: m = 0.252, over 0.271; v = 0.004991004, over 0.002997001. And 0.0045; 0.00049925.
    third = adam.direction(np.zeros(2, np.float32))
    np.testing.assert_allclose(third, [0.929889 / 1.290476, 0.016605 / 0.408147], rtol=1e-4)


def test_elements_do_not_know_of_each_other() -> None:
    together, alone = Adam((2,)), Adam((1,))
    for step in range(5):
        gradient = noise(1, step)[0, :2]
        found = together.direction(gradient * np.float32([1.0, 1000.0]))
        np.testing.assert_array_equal(found[:1], alone.direction(gradient[:1]))
    assert 0.0 < abs(found[1]) <= 1.5


def test_what_is_never_seen_stays() -> None:
    adam = Adam((4, 3))
    assert not adam.direction(np.zeros((4, 3), np.float32)).any()
    assert np.isfinite(adam.direction(np.ones((4, 3), np.float32))).all()


def test_the_first_step_moves_every_coordinate_by_the_rate() -> None:
    points, triangles = icosphere(1)
    points = 3.0 * points
    block = AdamBlock("sphere", points, triangles, SCHEDULE)
    gradient = noise(len(points))
    block.step(gradient, 0.0)
    np.testing.assert_allclose(block.value, points - 3.0 * RATE * np.sign(gradient), atol=1e-5)


def test_the_rate_is_the_same_at_the_end() -> None:
    points, triangles = icosphere(1)
    blocks = [AdamBlock("sphere", points, triangles, SCHEDULE) for _ in range(2)]
    for block, progress in zip(blocks, (0.0, 1.0), strict=True):
        block.step(noise(len(points)), progress)
    np.testing.assert_array_equal(blocks[0].value, blocks[1].value)


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_units_of_length_do_not_matter(scale: float) -> None:
    """A mesh in other units has positions of another size, and derivatives of the inverse."""
    points, triangles = icosphere(1)
    metres = AdamBlock("sphere", points, triangles, SCHEDULE)
    others = AdamBlock("sphere", np.float32(scale) * points, triangles, SCHEDULE)
    for step in range(4):
        gradient = 1e-4 * noise(len(points), step)
        metres.step(gradient, 0.0)
        others.step(gradient / np.float32(scale), 0.0)
    np.testing.assert_allclose(others.value / scale, metres.value, atol=2e-6)


def test_mobility_scales_movement_and_pinned_vertices_keep_their_bits() -> None:
    points, triangles = icosphere(2)
    points = points * np.float32(1.7) + np.float32(0.3)
    mobility = np.linspace(-0.5, 1.0, len(points), dtype=np.float32).clip(0.0)
    whole = AdamBlock("whole", points, triangles, SCHEDULE)
    block = AdamBlock("some", points, triangles, SCHEDULE, mobility)
    for step in range(20):
        for each in (whole, block):
            each.step(noise(len(points), step), step / 20)
    pinned = mobility == 0.0
    assert (block.value[pinned].view(np.uint32) == points[pinned].view(np.uint32)).all()
    np.testing.assert_allclose(block.value - points, mobility[:, None] * (whole.value - points), atol=1e-5)


def test_a_later_stage_goes_on_with_the_moments_of_the_same_vertices() -> None:
    points, triangles = icosphere(1)
    block = AdamBlock("sphere", points, triangles, SCHEDULE)
    for step in range(3):
        block.step(noise(len(points), step), 0.0)
    later = AdamBlock("sphere", block.value, triangles, SCHEDULE)
    later.inherit(block)
    for each in (block, later):
        each.step(noise(len(points), 3), 0.0)
    np.testing.assert_array_equal(later.value, block.value)
    other, faces = icosphere(2)
    finer = AdamBlock("sphere", other, faces, SCHEDULE)
    finer.inherit(block)
    finer.step(noise(len(other)), 0.0)
    moved = np.abs(finer.value - other)
    np.testing.assert_allclose(moved, RATE, rtol=1e-3)


def test_a_cage_steps_along_the_pulled_back_gradient() -> None:
    start = caged(box(3), [catmull_clark])
    block = CageBlock("cage", start, SCHEDULE, rule=AdamBlock)
    plain = AdamBlock("plain", start.cage.positions, start.cage.triangles, SCHEDULE)
    for step in range(3):
        gradient = noise(len(start.positions), step)
        block.step(gradient, 0.0)
        plain.step(start.cage.map.pulled_back(gradient), 0.0)
    np.testing.assert_array_equal(block.value, plain.value)
    np.testing.assert_array_equal(block.shown, start.cage.map.apply(block.value))


def test_heights_step_by_the_rate_along_their_lines() -> None:
    _, triangles, _ = grid(5)
    field = flat_field(5, np.full((8, 8), 0.25, np.float32))
    start = field.positions(field.heights)
    block = HeightBlock("height", start, triangles, SCHEDULE, field, rule=AdamBlock)
    gradient = noise(len(start))
    block.step(gradient, 0.0)
    expected = np.zeros_like(start)
    expected[:, 2] = -RATE * rms_radius(start) * np.sign(gradient[:, 2])
    np.testing.assert_allclose(block.value - start, expected, atol=1e-6)
