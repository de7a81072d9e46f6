# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of one fit put together: rasteriser, parameter blocks, gradient sources."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..core.fit import LoopSettings, Step, fit
from ..core.large_steps import PositionBlock
from ..core.metrics import squared_errors
from ..core.protocols import GradientSource, ParameterBlock
from ..core.reference import Reference
from ..core.schedule import ShapeSchedule
from ..core.stopwatch import Stopwatch
from ..core.support import full_support, narrow_support
from ..raster.rasteriser import Rasteriser
from ..raster.shape_source import ShapeSource
from .problem import Problem


class Solver:
    """What a checked problem needs to be solved; holds the state of the fit and knows no Blender data."""

    def __init__(self, problem: Problem, stopwatch: Stopwatch) -> None:
        settings = problem.settings
        self._problem = problem
        self._stopwatch = stopwatch
        self.rasteriser = Rasteriser(problem.assembly, settings.shading, problem.lights)
        self.position_blocks: list[PositionBlock] = []
        self._sources: list[GradientSource] = []
        if settings.shape:
            self._add_shape()

    def steps(self) -> Iterator[Step]:
        """The loop of the fit."""
        settings = self._problem.settings
        loop = LoopSettings(
            settings.steps, len(self._problem.training), seed=settings.seed, seconds=settings.seconds
        )
        blocks: list[ParameterBlock] = [*self.position_blocks]
        return fit(self._sources, blocks, loop, self._stopwatch)

    def positions(self) -> list[NDArray[np.float32]]:
        """Current positions of each surface, (V, 3) world; none where the shape is not fitted."""
        return [block.value for block in self.position_blocks]

    def textures(self) -> dict[str, NDArray[np.float32]]:
        """Current textures by material key, (H, W, 3) linear."""
        return {}

    def complete(self) -> None:
        """Once the steps have ended: fill what no view saw."""

    def errors(self, reference: Reference) -> tuple[float, float]:
        """Mean squared errors of what the fit stands at, over the object and over the image."""
        if self.position_blocks:
            self.rasteriser.set_positions(np.concatenate(self.positions()))
        return squared_errors(reference, self.rasteriser.render(reference.view).colour)

    def _add_shape(self) -> None:
        problem, settings = self._problem, self._problem.settings
        schedule = ShapeSchedule()
        self.position_blocks = [
            PositionBlock(
                f"positions {surface.name}", surface.positions, surface.triangles, schedule, surface.mobility
            )
            for surface in problem.surfaces
        ]
        support = {"narrow": narrow_support, "full": full_support}[settings.support](problem.assembly)
        self._sources.append(
            ShapeSource(
                self.rasteriser,
                problem.training,
                self.position_blocks,
                support,
                schedule,
                settings.match,
                settings.loss,
                self._stopwatch,
            )
        )
