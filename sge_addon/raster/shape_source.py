# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stochastic gradients of vertex positions: the pair of rasterisations and the estimator."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.assembly import Assembly
from ..core.background import TRANSPARENT, Background
from ..core.estimator import sum_over_support, vertex_gradient
from ..core.geometry_buffer import GeometryBuffer
from ..core.protocols import Estimate, SurfaceBlock
from ..core.reference import Reference
from ..core.schedule import ShapeSchedule
from ..core.signs import signs
from ..core.stopwatch import Stopwatch
from ..core.support import Support
from ..core.working_memory import WorkingMemory
from .buffers import PairBuffers
from .compared_views import ComparedViews
from .fitted_surfaces import FittedSurfaces


class ShapeSource:
    """A core.protocols.GradientSource over the rasteriser.

    blocks: one a surface of the assembly, in its order. references: members of the list may be replaced.
    """

    def __init__(
        self,
        surfaces: FittedSurfaces,
        assembly: Assembly,
        references: Sequence[Reference],
        blocks: Sequence[SurfaceBlock],
        support: Support,
        schedule: ShapeSchedule,
        match: tuple[str, ...],
        loss: str,
        stopwatch: Stopwatch,
        background: Background = TRANSPARENT,
    ) -> None:
        self._surfaces = surfaces
        self._assembly = assembly
        self._references = references
        self._blocks = blocks
        self._support = support
        self._schedule = schedule
        self._stopwatch = stopwatch
        self._memory = WorkingMemory()
        self._compared = ComparedViews(references, match, loss, background, self._memory)

    def estimate(self, view: int, seed: int, progress: float) -> Estimate:
        """Loss and position gradients of one view, from one pair."""
        return self._estimate(view, seed, progress)[0]

    def estimate_with_geometry(
        self, view: int, seed: int, progress: float
    ) -> tuple[Estimate, GeometryBuffer]:
        """As ``estimate``, and what the pair's picture with positive signs showed."""
        estimate, buffers = self._estimate(view, seed, progress, with_geometry=True)
        return estimate, buffers.geometry

    def _estimate(
        self, view: int, seed: int, progress: float, with_geometry: bool = False
    ) -> tuple[Estimate, PairBuffers]:
        rasteriser = self._surfaces.updated()
        positions = self._surfaces.positions
        perturbed = self._schedule.perturbation(self._references[view].view, progress, seed)
        buffers = self._compared.pair(rasteriser, view, seed, perturbed, self._stopwatch, with_geometry)
        with self._stopwatch.stage("estimate"):
            difference, loss = self._compared.difference(buffers, view, seed)
            sums = sum_over_support(
                difference, buffers.id_plus.ravel(), buffers.id_minus.ravel(), self._support, self._memory
            )
            gradient = vertex_gradient(
                sums,
                signs(seed, len(positions)),
                perturbed.epsilons(positions, self._assembly.movable),
                difference.size,
            )
        gradients = {
            block.name: gradient[vertices]
            for block, vertices in zip(self._blocks, self._assembly.vertex_ranges, strict=True)
        }
        return Estimate(loss, gradients), buffers
