# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stochastic gradients of cages through whatever modifiers make of them: both shapes are evaluated outside,
and pixels are ascribed to the faces of the base mesh that they came from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..core.background import TRANSPARENT, Background
from ..core.estimator import sum_over_support, vertex_gradient
from ..core.geometry_buffer import GeometryBuffer
from ..core.mirror_planes import MirrorRules
from ..core.pair_buffers import PairBuffers
from ..core.protocols import Estimate, SurfaceBlock
from ..core.reference import Reference
from ..core.schedule import ShapeSchedule
from ..core.signs import signs
from ..core.stacked_surfaces import StackedSurfaces
from ..core.stopwatch import Stopwatch
from ..core.working_memory import WorkingMemory
from .buffers import ShapePair
from .compared_views import ComparedViews
from .fitted_surfaces import FittedSurfaces

Array = NDArray[np.float32]


class StackSource:
    """A core.protocols.GradientSource for fits in which a stack evaluates some of the surfaces.

    Where a stack is asked the gradient is that of the cage's positions, else that of the surface's own.
    blocks: one a surface, in the order of ``stacked``. support: as in FitSettings. references: members of
    the list may be replaced.
    """

    def __init__(
        self,
        surfaces: FittedSurfaces,
        stacked: StackedSurfaces,
        references: Sequence[Reference],
        blocks: Sequence[SurfaceBlock],
        support: str,
        schedule: ShapeSchedule,
        match: tuple[str, ...],
        loss: str,
        stopwatch: Stopwatch,
        background: Background = TRANSPARENT,
    ) -> None:
        self._surfaces = surfaces
        self._stacked = stacked
        self._references = references
        self._blocks = blocks
        self._support = stacked.support(support)
        self._movable = stacked.movable()
        self._mirrors = [None if cage is None else MirrorRules(cage) for cage in stacked.cages]
        self._schedule = schedule
        self._stopwatch = stopwatch
        self._memory = WorkingMemory()
        self._compared = ComparedViews(references, match, loss, background, self._memory)

    def estimate(self, view: int, seed: int, progress: float) -> Estimate:
        """Loss and gradients of one view, from one pair."""
        return self._estimate(view, seed, progress)[0]

    def estimate_with_geometry(
        self, view: int, seed: int, progress: float
    ) -> tuple[Estimate, GeometryBuffer]:
        """As ``estimate``, and what the pair's picture with positive signs showed."""
        estimate, buffers, pair = self._estimate(view, seed, progress, with_geometry=True)
        assert buffers.geometry is not None
        return estimate, self._surfaces.as_at_start(buffers.geometry, pair.plus.assembly)

    def _estimate(
        self, view: int, seed: int, progress: float, with_geometry: bool = False
    ) -> tuple[Estimate, PairBuffers, ShapePair]:
        rasteriser = self._surfaces.updated()
        values = self._stacked.parameters(self._blocks)
        positions = np.concatenate(values)
        perturbed = self._schedule.perturbation(self._references[view].view, progress, seed)
        epsilons = perturbed.epsilons(positions, self._movable)
        directions = self._directions(seed, values)
        pair = self._evaluated(values, _split(epsilons[:, None] * directions, values), perturbed.key)
        buffers = self._compared.draw_pair(rasteriser, view, seed, pair, self._stopwatch, with_geometry)()
        with self._stopwatch.stage("estimate"):
            difference, loss = self._compared.difference(buffers, view, seed)
            sums = sum_over_support(
                difference,
                pair.plus.element_of_id[buffers.id_plus.ravel()],
                pair.minus.element_of_id[buffers.id_minus.ravel()],
                self._support,
                self._memory,
            )
            gradient = vertex_gradient(sums, directions, epsilons, difference.size)
        parts = zip(self._blocks, _split(gradient, values), strict=True)
        return Estimate(loss, {block.name: part for block, part in parts}), buffers, pair

    def _directions(self, seed: int, values: Sequence[Array]) -> Array:
        """(N, 3) signs of all parameters; those of vertices on a mirror's plane projected into it.

        The mean of a projected sign's outer product is the projector, so that the gradient within the plane
        has no bias.
        """
        drawn = _split(signs(seed, sum(len(value) for value in values)), values)
        return np.concatenate(
            [
                each if mirror is None else mirror.projected(each)
                for each, mirror in zip(drawn, self._mirrors, strict=True)
            ]
        )

    def _evaluated(self, values: Sequence[Array], offsets: Sequence[Array], key: int) -> ShapePair:
        """Both shapes. Vertices beside a mirror's plane keep to their side, where they do not merge."""
        moved = [
            [
                value + sign * offset if mirror is None else mirror.enforced(value + sign * offset)
                for value, offset, mirror in zip(values, offsets, self._mirrors, strict=True)
            ]
            for sign in (np.float32(1.0), np.float32(-1.0))
        ]
        with self._stopwatch.stage("modifiers"):
            plus, minus = self._stacked.at(moved)
        return ShapePair(plus, minus, key)


def _split(rows: Array, values: Sequence[Array]) -> list[Array]:
    """(N, ...) rows of all parameters, by surface."""
    return np.split(rows, np.cumsum([len(value) for value in values])[:-1])
