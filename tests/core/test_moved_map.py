# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Surfaces moved after their cages: where vertices come to be, and what gradients say of the cage."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core.cage import Cage
from sge_addon.core.cage_block import CageBlock
from sge_addon.core.moved_map import MovedMap
from sge_addon.core.schedule import ShapeSchedule
from sge_addon.core.surface import Surface, smooth_groups
from tests.meshes import icosphere

RNG = np.random.default_rng(3)
MATRIX = np.eye(4)
MATRIX[:3] = RNG.normal(size=(3, 4))
CAGE = RNG.normal(size=(5, 3)).astype(np.float32)


class Halves:
    """Surface vertices midway between neighbouring vertices of a ring of five."""

    def apply(self, cage: np.ndarray) -> np.ndarray:
        return 0.5 * (cage + np.roll(cage, -1, axis=0))

    def pulled_back(self, gradient: np.ndarray) -> np.ndarray:
        return 0.5 * (gradient + np.roll(gradient, 1, axis=0))


@pytest.mark.parametrize("shaped", [None, Halves()])
def test_pulling_back_is_the_transpose_of_applying(shaped: Halves | None) -> None:
    """<g, f(c) - f(0)> = <f^T g, c>."""
    moved = MovedMap(MATRIX, shaped)
    gradient = RNG.normal(size=(5, 3)).astype(np.float32)
    applied = moved.apply(CAGE) - moved.apply(np.zeros_like(CAGE))
    assert (gradient * applied).sum() == pytest.approx((moved.pulled_back(gradient) * CAGE).sum(), rel=1e-5)


def test_the_matrix_moves_what_the_cage_shapes() -> None:
    moved = MovedMap(MATRIX, Halves()).apply(CAGE)
    for vertex, there in zip(Halves().apply(CAGE), moved, strict=True):
        assert np.allclose(there, (MATRIX @ np.append(vertex, 1.0))[:3], atol=1e-5)


def block_of(matrix: np.ndarray) -> CageBlock:
    points, triangles = icosphere(1)
    points = points.astype(np.float32)
    offsets = np.arange(0, 3 * len(triangles) + 1, 3, dtype=np.int64)
    face = np.arange(len(triangles), dtype=np.int32)
    cage = Cage(points, triangles, offsets, triangles.ravel(), face, map=MovedMap(matrix))
    moved = cage.map.apply(points)
    surface = Surface("S", moved, triangles, smooth_groups(triangles), cage=cage)
    return CageBlock("positions S", surface, ShapeSchedule(10))


def test_a_block_with_another_map_shows_its_value_through_it() -> None:
    block = block_of(np.eye(4))
    shown, value = block.shown, block.value
    block.remap(MovedMap(MATRIX))
    assert block.shown is not shown
    assert np.array_equal(block.value, value)
    assert np.allclose(block.shown, MovedMap(MATRIX).apply(value))


def test_steps_of_a_moved_surface_are_those_of_the_surface_at_rest() -> None:
    """Turned with the surface, a gradient moves the cage as it would have without the turn."""
    angle = np.radians(70.0)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    turn[:3, 3] = (1.0, 2.0, 3.0)
    at_rest, turned = block_of(np.eye(4)), block_of(turn)
    gradient = RNG.normal(size=at_rest.value.shape).astype(np.float32)
    at_rest.step(gradient, 0.0)
    turned.step((gradient @ turn[:3, :3].T).astype(np.float32), 0.0)
    assert np.abs(at_rest.value - turned.value).max() < 1e-5
    assert np.abs(MovedMap(turn).apply(at_rest.value) - turned.shown).max() < 1e-5
