# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preconditioned steps: smooth, indifferent to the gradient's scale, and still where they must be."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core import sparse_solve
from sge_addon.core.laplacian import edges_of
from sge_addon.core.large_steps import AdamUniform
from sge_addon.core.position_block import PositionBlock
from sge_addon.core.schedule import ShapeSchedule
from tests.meshes import icosphere

CONSTANT = ShapeSchedule(rate=(0.05, 0.05), smoothing_range=(19.0, 19.0))


def roughness(vectors: np.ndarray, triangles: np.ndarray) -> float:
    """Mean squared difference along edges, relative to the mean squared length: 2 for noise."""
    a, b = edges_of(triangles).T
    along_edges = np.square(vectors[a] - vectors[b]).sum(axis=1).mean()
    return float(along_edges / np.square(vectors).sum(axis=1).mean())


def noise(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 3)).astype(np.float32)


def test_direction_keeps_the_gradients_shape() -> None:
    gradient = noise(50)
    direction = AdamUniform(gradient.shape).direction(gradient)
    np.testing.assert_allclose(direction, gradient / np.abs(gradient).max(), rtol=1e-5)


def test_directions_do_not_depend_on_the_losss_scale() -> None:
    small, large = AdamUniform((50, 3)), AdamUniform((50, 3))
    for step in range(5):
        gradient = noise(50, step)
        np.testing.assert_allclose(large.direction(1000 * gradient), small.direction(gradient), rtol=1e-4)


def test_no_gradient_no_direction() -> None:
    adam = AdamUniform((4, 3))
    assert not adam.direction(np.zeros((4, 3), np.float32)).any()
    assert np.isfinite(adam.direction(np.ones((4, 3), np.float32))).all()


def test_first_step_without_smoothing_goes_against_the_gradient() -> None:
    points, triangles = icosphere(1)
    schedule = ShapeSchedule(rate=(0.1, 0.1), smoothing_range=(1e-12, 1e-12), vertices=len(points))
    block = PositionBlock("sphere", points, triangles, schedule)
    gradient = noise(len(points))
    block.step(gradient, 0.0)
    # The rms radius of the unit sphere's vertices is 1.
    np.testing.assert_allclose(block.value, points - 0.1 * gradient / np.abs(gradient).max(), atol=2e-6)


def test_steps_of_a_noisy_gradient_are_smooth() -> None:
    points, triangles = icosphere(3)
    block = PositionBlock("sphere", points, triangles, CONSTANT)
    gradient = noise(len(points))
    block.step(gradient, 0.0)
    assert roughness(gradient, triangles) > 1.8
    assert roughness(block.value - points, triangles) < 0.05


def test_a_translation_passes_through_unchanged_in_shape() -> None:
    points, triangles = icosphere(2)
    block = PositionBlock("sphere", points, triangles, CONSTANT)
    for _ in range(3):
        block.step(np.tile(np.float32([1, 0, 0]), (len(points), 1)), 0.0)
    movement = block.value - points
    assert movement[:, 0].max() < -0.01
    np.testing.assert_allclose(movement, np.tile(movement[:1], (len(points), 1)), atol=2e-5)


def test_a_change_of_lambda_moves_nothing() -> None:
    points, triangles = icosphere(2)
    block = PositionBlock("sphere", points, triangles, ShapeSchedule())
    block.step(noise(len(points)), 0.0)
    before = block.value.copy()
    still = PositionBlock("sphere", before, triangles, ShapeSchedule())
    still.step(np.zeros_like(points), 0.99)
    np.testing.assert_allclose(still.value, before, atol=2e-5)


def test_lambda_is_annealed_in_few_stages() -> None:
    schedule = ShapeSchedule()
    values = [schedule.smoothing(t, 2562) for t in np.linspace(0.0, 1.0, 500)]
    assert values[0] == pytest.approx(10.0)
    assert values[-1] == pytest.approx(1.0)
    assert ShapeSchedule(steps=1600).smoothing(1.0, 2562) == pytest.approx(2.0)
    assert len(set(values)) == schedule.stages
    assert (np.diff(values) <= 0.0).all()


@pytest.mark.parametrize("steps", [50, 100, 400])
def test_without_noise_steps_end_as_much_smaller_as_a_fit_is_longer(steps: int) -> None:
    once, twice = (ShapeSchedule(steps=n).for_edges() for n in (steps, 2 * steps))
    longer = 2 * steps / max(steps, 60)  # all steps of longer fits are smaller, from 60 on
    ends = [each.learning_rate(1.0, 2562) for each in (once, twice)]
    assert ends[1] == pytest.approx(0.5 * longer**-0.3 * ends[0])


def test_the_shortest_fits_begin_with_the_largest_steps_where_shapes_move_alone() -> None:
    def first(steps: int, textured: bool = False) -> float:
        return ShapeSchedule(steps).for_edges(textured).learning_rate(0.0, 2562)

    assert first(20) == first(60) > first(100) > first(400)
    assert first(20, textured=True) == first(100, textured=True) > first(400, textured=True)


def test_the_shortest_fits_end_with_small_steps_too() -> None:
    two, twenty = (ShapeSchedule(steps=steps).for_edges() for steps in (2, 20))
    assert two.learning_rate(1.0, 2562) == twenty.learning_rate(1.0, 2562)
    assert two.learning_rate(1.0, 2562) < 0.1 * two.learning_rate(0.0, 2562)


def test_gradients_may_be_old_from_the_middle_of_the_shape_s_part_on() -> None:
    schedule = ShapeSchedule(share=0.6).for_edges()
    assert all(ShapeSchedule().bears_delay(t) for t in (0.0, 1.0))  # noise is averaged anyway
    assert [schedule.bears_delay(t) for t in (0.0, 0.29, 0.31, 1.0)] == [False, False, True, True]


def test_pictures_are_small_at_first_only_where_textures_rest() -> None:
    alone, beside = ShapeSchedule().for_edges(), ShapeSchedule().for_edges(textured=True)
    assert [alone.halvings(t, 512, 2562) for t in (0.0, 0.6, 0.9, 0.96)] == [3, 2, 1, 0]
    assert [alone.halvings(t, 256, 2562) for t in (0.0, 0.6, 0.9)] == [2, 1, 0]
    assert beside.halvings(0.0, 512, 2562) == 0


def test_small_pictures_keep_64_pixels_and_finer_meshes_leave_them_sooner() -> None:
    schedule = ShapeSchedule().for_edges()
    assert [schedule.halvings(0.0, side, 2562) for side in (64, 127, 128, 200, 1024)] == [0, 0, 1, 1, 4]
    sizes = [
        [512 >> schedule.halvings(t, 512, count) for count in (642, 2562, 41_000)] for t in (0.4, 0.7, 0.9)
    ]
    assert all(sides == sorted(sides) and sides[0] < sides[-1] for sides in sizes)
    assert sizes[0][:2] == [64, 64]


def test_long_fits_look_at_larger_pictures_for_a_larger_part() -> None:
    def whole(steps: int) -> float:
        schedule = ShapeSchedule(steps).for_edges()
        return float(np.mean([schedule.halvings(t, 512, 2562) == 0 for t in np.linspace(0.0, 1.0, 200)]))

    assert whole(20) == whole(200) == pytest.approx(0.05, abs=0.01)
    assert whole(200) < whole(400) < whole(800) == whole(5000) < 0.25


def test_short_fits_look_at_the_smallest_pictures_for_a_larger_part() -> None:
    def smallest(steps: int) -> float:
        schedule = ShapeSchedule(steps).for_edges()
        return float(np.mean([schedule.halvings(t, 512, 2562) == 3 for t in np.linspace(0.0, 1.0, 200)]))

    assert smallest(20) == smallest(40) > smallest(80) > smallest(200)


def test_without_noise_fine_meshes_start_as_boldly_as_coarse_ones() -> None:
    noisy, exact = ShapeSchedule(), ShapeSchedule().for_edges()
    assert noisy.learning_rate(0.0, 40 * 2562) < 0.2 * noisy.learning_rate(0.0, 2562)
    assert exact.learning_rate(0.0, 40 * 2562) == exact.learning_rate(0.0, 2562)
    assert exact.learning_rate(1.0, 16 * 2562) == pytest.approx(0.5 * exact.learning_rate(1.0, 2562))
    for careful in (ShapeSchedule().for_edges(textured=True), ShapeSchedule().for_edges(displaced=True)):
        assert careful.refining == noisy.refining


def test_pairs_of_meshes_alone_step_as_without_noise() -> None:
    pairs, edges = ShapeSchedule(60).for_meshes_alone(), ShapeSchedule(60).for_edges()
    assert pairs.learning_rate(1.0, 2562) == edges.learning_rate(1.0, 2562)
    assert pairs.momentum == edges.momentum
    assert pairs.halvings(0.0, 256, 2562) == edges.halvings(0.0, 256, 2562) == 2
    lit = ShapeSchedule(60).for_meshes_alone(lit=True)
    assert lit.halvings(0.0, 256, 2562) == 0
    assert lit.limit > pairs.limit > 0.0 == ShapeSchedule().limit
    assert min(pairs.tilt, lit.tilt) > 0.0 == edges.tilt


def test_pinned_vertices_keep_their_bits() -> None:
    points, triangles = icosphere(2)
    points = points * np.float32(1.7) + np.float32(0.3)
    mobility = np.linspace(-0.5, 1.0, len(points), dtype=np.float32).clip(0.0)
    block = PositionBlock("sphere", points, triangles, ShapeSchedule(), mobility)
    for step in range(20):
        block.step(noise(len(points), step), step / 20)
    pinned = mobility == 0.0
    assert (block.value[pinned].view(np.uint32) == points[pinned].view(np.uint32)).all()
    assert (np.abs(block.value[~pinned] - points[~pinned]).max(axis=1) > 0.0).all()


def test_mobility_scales_movement() -> None:
    points, triangles = icosphere(2)
    gradient = np.tile(np.float32([0, 1, 0]), (len(points), 1))
    half = PositionBlock("half", points, triangles, CONSTANT, np.full(len(points), 0.5, np.float32))
    whole = PositionBlock("whole", points, triangles, CONSTANT)
    half.step(gradient, 0.0)
    whole.step(gradient, 0.0)
    np.testing.assert_allclose(half.value - points, 0.5 * (whole.value - points), atol=1e-6)


@pytest.mark.parametrize("with_factor", [True, False])
def test_two_components_do_not_pull_at_each_other(with_factor: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if with_factor:
        pytest.importorskip("cholespy")
    monkeypatch.setattr(sparse_solve, "_has_cholespy", lambda: with_factor)
    points, triangles = icosphere(2)
    count = len(points)
    both = np.concatenate([points, points + 5.0]).astype(np.float32)
    faces = np.concatenate([triangles, triangles + np.int32(count)])
    block = PositionBlock("pair", both, faces, CONSTANT)
    gradient = np.zeros_like(both)
    gradient[:count] = 1.0
    for _ in range(3):
        block.step(gradient, 0.0)
    assert np.abs(block.value[:count] - both[:count]).min() > 0.01
    np.testing.assert_allclose(block.value[count:], both[count:], atol=2e-5)


@pytest.mark.parametrize("with_factor", [True, False])
def test_a_vertex_without_triangles_steps_alone(with_factor: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if with_factor:
        pytest.importorskip("cholespy")
    monkeypatch.setattr(sparse_solve, "_has_cholespy", lambda: with_factor)
    points, triangles = icosphere(1)
    positions = np.r_[points, np.float32([[4, 4, 4]])]
    block = PositionBlock("sphere", positions, triangles, CONSTANT)
    block.step(np.zeros_like(positions), 0.0)
    np.testing.assert_allclose(block.value, positions, atol=1e-5)
    gradient = np.zeros_like(positions)
    gradient[-1] = 1.0
    block.step(gradient, 0.0)
    assert (block.value[-1] < 3.99).all()
    np.testing.assert_allclose(block.value[:-1], points, atol=1e-5)


def test_descends_to_the_target_of_a_quadratic() -> None:
    points, triangles = icosphere(2)
    target = points * np.float32([1.3, 0.8, 1.0]) + np.float32([0.1, 0.0, -0.1])
    schedule = ShapeSchedule(vertices=len(points))
    block = PositionBlock("sphere", points, triangles, schedule)
    for step in range(150):
        block.step(block.value - target, step / 150)
    assert np.abs(block.value - target).max() < 0.02


def test_block_that_inherits_steps_as_the_earlier_one_would_have() -> None:
    points, triangles = icosphere(2)
    random = np.random.default_rng(4)
    gradients = random.normal(size=(12, *points.shape)).astype(np.float32)
    earlier = PositionBlock("sphere", points, triangles, CONSTANT)
    for gradient in gradients[:-1]:
        earlier.step(gradient, 0.5)
    later = PositionBlock("sphere", earlier.value, triangles, CONSTANT)
    later.inherit(earlier)
    earlier.step(gradients[-1], 0.5)
    later.step(gradients[-1], 0.5)
    assert later.value == pytest.approx(earlier.value, abs=1e-5)


def test_finer_mesh_inherits_the_length_of_steps() -> None:
    """The same force on the surface, shared by four times the vertices, moves it about as far."""
    moved = []
    coarse_points, coarse_triangles = icosphere(2)
    earlier = PositionBlock("coarse", coarse_points, coarse_triangles, ShapeSchedule())
    for _ in range(5):
        earlier.step((coarse_points * 1e-3 / len(coarse_points)).astype(np.float32), 0.2)
    for points, triangles in (icosphere(2), icosphere(3)):
        block = PositionBlock("sphere", points, triangles, ShapeSchedule())
        block.inherit(earlier)
        for _ in range(40):  # until the momentum is there
            before = block.value
            block.step((points * 1e-3 / len(points)).astype(np.float32), 0.2)
        moved.append(float(np.linalg.norm(block.value - before, axis=1).mean()))
    assert moved[1] == pytest.approx(moved[0], rel=0.25)
