# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras refined between the other steps, through pictures of the rasteriser."""

from __future__ import annotations

from ..core.background import Background
from ..core.camera_block import CameraBlock, CameraChange
from ..core.camera_refinement import CameraFreedom, CameraRefinement, level_sizes
from ..core.camera_schedule import CameraSchedule
from ..core.protocols import Estimate
from ..core.stopwatch import Stopwatch
from ..core.view import View
from .fitted_surfaces import FittedSurfaces
from .rasteriser import Picture, Rasteriser

SAMPLES = 2  # along each side of a pixel; with one, the coarse pictures find half as much
ITERATIONS = 5  # at a size, at most


class CameraSource:
    """A core.protocols.GradientSource of the camera block, silent in most steps.

    Its loss is the cost before the last refinement of the view, on the scale of squared differences.
    """

    def __init__(
        self,
        surfaces: FittedSurfaces,
        block: CameraBlock,
        freedom: CameraFreedom,
        schedule: CameraSchedule,
        match: tuple[str, ...],
        loss: str,
        background: Background,
        stopwatch: Stopwatch,
    ) -> None:
        self._surfaces = surfaces
        self._block = block
        self._schedule = schedule
        self._stopwatch = stopwatch
        self._refinement = CameraRefinement(freedom, match, loss, self._render, background)
        self._visits = [0] * len(block.originals)
        self._losses = [0.0] * len(block.originals)

    def estimate(self, view: int, seed: int, progress: float) -> Estimate:
        """The view's refined camera where one is due."""
        if progress < self._schedule.start:
            return Estimate(0.0, {})
        visit = self._visits[view]
        self._visits[view] += 1
        if not self._schedule.is_due(visit, progress):
            return Estimate(self._losses[view], {})
        self._rasteriser: Rasteriser = self._surfaces.updated()
        with self._stopwatch.stage("cameras"):
            change, self._losses[view] = self._refined(view, progress)
        return Estimate(self._losses[view], {self._block.name: change})

    def _refined(self, view: int, progress: float) -> tuple[CameraChange, float]:
        reference, state = self._block.originals[view], self._block.states[view]
        sizes = level_sizes(reference.view.width, reference.view.height)
        losses = []
        for long_side in self._schedule.levels(sizes, self._block.reached[view], progress):
            state, loss = self._refinement.refined(
                reference, state, self._surfaces.positions, long_side, ITERATIONS
            )
            losses.append(loss)
        return CameraChange(view, state, long_side), losses[0]

    def _render(self, view: View, normal: bool) -> Picture:
        return self._rasteriser.render(view, SAMPLES, normal)
