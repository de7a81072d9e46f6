# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cages that are perturbed themselves although their map is known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sge_addon.core.assembly import assemble
from sge_addon.core.cage import Cage
from sge_addon.core.cage_block import CageBlock
from sge_addon.core.mapped_stack import MappedStack, is_fine
from sge_addon.core.schedule import ShapeSchedule
from sge_addon.core.stacked_surfaces import StackedSurfaces
from tests.meshes import icosphere, orthographic_view, surface


@dataclass(frozen=True)
class Doubling:
    """The surface is twice as large as the cage."""

    def apply(self, cage: np.ndarray) -> np.ndarray:
        return 2.0 * cage

    def pulled_back(self, gradient: np.ndarray) -> np.ndarray:
        return 2.0 * gradient


POINTS, FACES = icosphere(1, 0.5)
CAGE = Cage(
    POINTS,
    FACES,
    face_offsets=3 * np.arange(len(FACES) + 1),
    face_vertices=FACES.ravel(),
    face_of_triangle=np.arange(len(FACES), dtype=np.int32),
    map=Doubling(),
)
SURFACE = replace(surface(2.0 * POINTS, FACES, name="ball"), cage=CAGE)


def test_fine_is_what_has_edges_of_less_than_three_pixels() -> None:
    """The edges are 0.55 and 0.62 long; the nearest view counts."""
    assert not is_fine(SURFACE, [orthographic_view(64, 64, 0.15)])
    assert is_fine(SURFACE, [orthographic_view(64, 64, 0.25)])
    assert not is_fine(SURFACE, [orthographic_view(64, 64, 0.25), orthographic_view(64, 64, 0.15)])


def test_block_by_its_cage_takes_gradients_of_the_cage() -> None:
    schedule = ShapeSchedule(10)
    gradient = np.random.default_rng(0).normal(size=POINTS.shape).astype(np.float32)
    by_surface = CageBlock("ball", SURFACE, schedule)
    by_cage = CageBlock("ball", SURFACE, schedule, by_cage=True)
    by_surface.step(0.5 * gradient, 0.0)
    by_cage.step(gradient, 0.0)
    assert np.array_equal(by_cage.value, by_surface.value)
    assert np.array_equal(by_cage.shown, 2.0 * by_cage.value)


def test_stack_of_a_map_evaluates_it_at_any_cage() -> None:
    block = CageBlock("ball", SURFACE, ShapeSchedule(10), by_cage=True)
    start = assemble([SURFACE])
    stacked = StackedSurfaces([SURFACE], [MappedStack(SURFACE, block)], start)
    moved = block.value + np.float32(0.25)
    resting, shape = stacked.at([stacked.parameters([block]), [moved]])
    assert np.array_equal(resting.positions, SURFACE.positions)
    assert np.array_equal(shape.positions, 2.0 * moved)
    assert shape.assembly is start
    assert np.array_equal(shape.evaluated[0].cage.positions, moved)
    block.remap(Identity())
    (shape,) = stacked.at([[moved]])
    assert np.array_equal(shape.positions, moved)


class Identity:
    """The surface is the cage."""

    def apply(self, cage: np.ndarray) -> np.ndarray:
        return cage

    def pulled_back(self, gradient: np.ndarray) -> np.ndarray:
        return gradient
