# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A coarser mesh that steps in a surface's place: the surface follows, and takes over where it stands."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core.coarse_mesh import CoarseMesh, coarsened, unchanged
from sge_addon.core.position_block import CoarseGradient, PositionBlock
from sge_addon.core.schedule import ShapeSchedule
from tests.meshes import icosphere

CONSTANT = ShapeSchedule(rate=(0.05, 0.05), refining=(0.0, 0.0), smoothing_range=(40.0, 40.0))


def sphere() -> tuple[np.ndarray, np.ndarray, CoarseMesh]:
    points, triangles = icosphere(4)  # 2 562 vertices, edges of 0.07
    return points, triangles, coarsened(unchanged(points, triangles), points, 0.1, 20)


def pull(points: np.ndarray) -> np.ndarray:
    """A smooth field on the unit sphere."""
    return np.stack([np.sin(2.0 * points[:, 1]), points[:, 0] * points[:, 2], points[:, 2] - 0.5], axis=1)


def by_coarse(mesh: CoarseMesh, fine: np.ndarray) -> CoarseGradient:
    """What a force on the fine vertices is on the coarse ones."""
    sums = [np.bincount(mesh.cluster, column, len(mesh.sizes)) for column in fine.T]
    return CoarseGradient(mesh, np.stack(sums, axis=1).astype(np.float32))


def test_coarse_steps_are_those_that_the_fine_mesh_would_take() -> None:
    points, triangles, mesh = sphere()
    fine, coarse = (PositionBlock("sphere", points, triangles, CONSTANT) for _ in range(2))
    for step in range(5):
        gradient = (1.0 + 0.2 * step) * pull(points).astype(np.float32)
        fine.step(gradient, 0.5)
        coarse.step(by_coarse(mesh, gradient), 0.5)
    moved, expected = coarse.value - points, fine.value - points
    assert np.linalg.norm(moved - expected) < 0.05 * np.linalg.norm(expected)


def test_looking_on_changes_no_bit() -> None:
    points, triangles, mesh = sphere()
    seen, unseen = (PositionBlock("sphere", points, triangles, CONSTANT) for _ in range(2))
    for step in range(4):
        gradient = by_coarse(mesh, np.roll(pull(points), step, axis=1))
        for block in (seen, unseen):
            block.step(gradient, 0.5)
        assert np.abs(seen.shown - points).max() > 0.01
    assert (seen.value == unseen.value).all()
    last = pull(points).astype(np.float32)
    for block in (seen, unseen):
        block.step(last, 0.5)
    assert (seen.value == unseen.value).all()


def test_values_are_other_arrays_after_steps_alone() -> None:
    points, triangles, mesh = sphere()
    block = PositionBlock("sphere", points, triangles, CONSTANT)
    before = block.value
    block.step(by_coarse(mesh, pull(points)), 0.5)
    after = block.value
    assert after is not before
    assert (before == points).all()
    assert block.value is after


def test_the_fine_mesh_takes_over_where_it_has_followed() -> None:
    points, triangles, mesh = sphere()
    block, same = (PositionBlock("sphere", points, triangles, CONSTANT) for _ in range(2))
    pulls = pull(points).astype(np.float32)
    for _ in range(3):
        block.step(by_coarse(mesh, pulls), 0.5)
        same.step(pulls, 0.5)
    reached = block.value
    block.step(pulls, 0.5)
    same.step(pulls, 0.5)
    step = np.linalg.norm(block.value - reached, axis=1)
    assert 0.0 < step.max() < 0.1
    # Momentum and the size of steps go on as well.
    assert np.linalg.norm(block.value - same.value) < 0.05 * np.linalg.norm(same.value - points)


def test_a_finer_coarse_mesh_takes_over_from_a_coarser_one() -> None:
    points, triangles, mesh = sphere()
    coarser = coarsened(mesh, points, 0.25, 20)
    assert len(coarser.sizes) < 0.5 * len(mesh.sizes)
    block, same = (PositionBlock("sphere", points, triangles, CONSTANT) for _ in range(2))
    pulls = pull(points).astype(np.float32)
    for each in (coarser, coarser, mesh, mesh):
        block.step(by_coarse(each, pulls), 0.5)
        same.step(pulls, 0.5)
    assert np.linalg.norm(block.value - same.value) < 0.08 * np.linalg.norm(same.value - points)


def test_the_coarse_mesh_is_where_the_fine_one_is_until_it_steps_itself() -> None:
    points, triangles, mesh = sphere()
    block = PositionBlock("sphere", points, triangles, CONSTANT)
    assert (block.of(mesh) == mesh.positions(points)).all()
    block.step(pull(points).astype(np.float32), 0.5)
    assert (block.of(mesh) == mesh.positions(block.value)).all()
    block.step(by_coarse(mesh, pull(points)), 0.5)
    np.testing.assert_allclose(block.of(mesh), mesh.positions(block.value), atol=2e-3)


def test_later_stages_and_restrictions_find_the_fine_mesh() -> None:
    points, triangles, mesh = sphere()
    block = PositionBlock("sphere", points, triangles, CONSTANT)
    block.step(by_coarse(mesh, pull(points)), 0.5)
    reached = block.value
    later = PositionBlock("sphere", reached, triangles, CONSTANT)
    later.inherit(block)
    gradient = pull(points).astype(np.float32)
    block.restrict(lambda free: free + np.float32(1.0))
    np.testing.assert_allclose(block.value, reached + 1.0, atol=1e-6)
    block.step(gradient, 0.5)
    later.step(gradient, 0.5)
    np.testing.assert_allclose(block.value - 1.0, later.value, atol=1e-5)


def test_nothing_moves_where_nothing_pulls() -> None:
    points, triangles, mesh = sphere()
    block = PositionBlock("sphere", points, triangles, CONSTANT)
    block.step(by_coarse(mesh, np.zeros_like(points)), 0.5)
    assert (block.value == points).all()


@pytest.mark.parametrize("mobility", [None, np.ones(2562, np.float32)])
def test_only_what_moves_alike_may_be_coarse(mobility: np.ndarray | None) -> None:
    points, triangles, _ = sphere()
    block = PositionBlock("sphere", points, triangles, CONSTANT, mobility)
    assert block.may_be_coarse is (mobility is None)
