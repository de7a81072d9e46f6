# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stochastic gradients of vertex positions: the pair of rasterisations and the estimator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.assembly import Assembly
from ..core.background import TRANSPARENT, Background
from ..core.estimator import sum_over_support, vertex_gradient
from ..core.geometry_buffer import GeometryBuffer
from ..core.perturbation import Perturbation
from ..core.protocols import Estimate, SurfaceBlock
from ..core.reference import Reference
from ..core.schedule import ShapeSchedule
from ..core.signs import signs
from ..core.stopwatch import Stopwatch
from ..core.support import Support
from ..core.working_memory import WorkingMemory
from .buffers import PairBuffers
from .compared_views import ComparedViews
from .drawn_ahead import DrawnAhead
from .fitted_surfaces import FittedSurfaces


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A pair that is on its way; positions: (V, 3) that were perturbed."""

    read: Callable[[], PairBuffers]
    positions: NDArray[np.float32]
    perturbed: Perturbation


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
        self._drawn = DrawnAhead(self._draw)

    def expect(self, view: int, seed: int, progress: float) -> None:
        """The next ``estimate`` but one is of this view and seed: where the schedule bears the delay, its
        pair is drawn when that of the next is read, and so shows the parameters of one step before."""
        if self._schedule.bears_delay(progress):
            self._drawn.expect(view, seed, progress)

    def estimate(self, view: int, seed: int, progress: float) -> Estimate:
        """Loss and position gradients of one view, from one pair."""
        drawn = self._drawn.take(view, seed, progress)
        buffers = drawn.read()
        self._drawn.begin_expected()
        return self._estimate(view, seed, drawn, buffers)

    def estimate_with_geometry(
        self, view: int, seed: int, progress: float
    ) -> tuple[Estimate, GeometryBuffer]:
        """As ``estimate``, and what the pair's picture with positive signs showed."""
        drawn = self._draw(view, seed, progress, with_geometry=True)
        buffers = drawn.read()
        return self._estimate(view, seed, drawn, buffers), buffers.geometry

    def _draw(
        self, view: int, seed: int, progress: float, ahead: bool = False, with_geometry: bool = False
    ) -> _Drawn:
        rasteriser = self._surfaces.updated()
        perturbed = self._schedule.perturbation(self._references[view].view, progress, seed)
        read = self._compared.draw_pair(
            rasteriser,
            view,
            seed,
            perturbed,
            self._stopwatch,
            with_geometry,
            ahead,
            self._drawn.turn,
        )
        return _Drawn(read, self._surfaces.positions, perturbed)

    def _estimate(self, view: int, seed: int, drawn: _Drawn, buffers: PairBuffers) -> Estimate:
        positions = drawn.positions
        with self._stopwatch.stage("estimate"):
            difference, loss = self._compared.difference(buffers, view, seed)
            sums = sum_over_support(
                difference, buffers.id_plus.ravel(), buffers.id_minus.ravel(), self._support, self._memory
            )
            gradient = vertex_gradient(
                sums,
                signs(seed, len(positions)),
                drawn.perturbed.epsilons(positions, self._assembly.movable),
                difference.size,
            )
        gradients = {
            block.name: gradient[vertices]
            for block, vertices in zip(self._blocks, self._assembly.vertex_ranges, strict=True)
        }
        return Estimate(loss, gradients)
