# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What moves the surfaces of a fit: their vertices, their heights, or cages under modifiers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..core.adam_block import AdamBlock
from ..core.background import Background
from ..core.cage import Stack
from ..core.cage_block import CageBlock
from ..core.displaced_cage_block import DisplacedCageBlock
from ..core.height_block import HeightBlock
from ..core.mapped_stack import MappedStack, is_fine
from ..core.perturbation import pixel_at_centre
from ..core.position_block import PositionBlock
from ..core.protocols import SurfaceBlock
from ..core.reference import Reference
from ..core.schedule import ShapeSchedule
from ..core.stacked_surfaces import StackedSurfaces
from ..core.stopwatch import Stopwatch
from ..core.support import full_support, narrow_support
from ..core.surface import Surface
from ..raster.edge_source import EdgeSource
from ..raster.fitted_surfaces import FittedSurfaces
from ..raster.shape_source import ShapeSource
from ..raster.stack_source import StackSource
from .problem import Problem

Array = NDArray[np.float32]
SurfaceBlocks = list[PositionBlock | AdamBlock | HeightBlock | CageBlock | DisplacedCageBlock]


class ShapeFit:
    """blocks: one a surface; none where no surface moves. stacked: what evaluates them where some cage is
    perturbed, not its surface: modifiers are not linear, or triangles too small beside a pixel; else None.

    estimator: which of the setting's choices is used, None where no surface moves. 'edge' needs to know how
    surfaces follow from cages: 'sge' serves all where Blender alone knows it of some. unmapped: their names.
    """

    def __init__(self, problem: Problem, schedule: ShapeSchedule) -> None:
        self._problem = problem
        self._schedule = schedule
        self.blocks: SurfaceBlocks = []
        self.stacked: StackedSurfaces | None = None
        self.estimator: str | None = None
        self.unmapped: list[str] = []
        if not problem.settings.moves_surface:
            return
        self.estimator = problem.settings.estimator
        if self.estimator == "edge" and problem.settings.shape:
            cages = [(surface.name, surface.cage) for surface in problem.surfaces]
            self.unmapped = [name for name, cage in cages if cage is not None and cage.map is None]
            self.estimator = "sge" if self.unmapped else "edge"
        if self.estimator == "paper":
            self._schedule = replace(schedule, even_epsilon=self._even_epsilon())
        textured = problem.settings.fits_look
        displaced = any(surface.height is not None for surface in problem.surfaces)
        if self.estimator == "edge":
            self._schedule = schedule.for_edges(textured, displaced)
        is_plain = not displaced and all(surface.cage is None for surface in problem.surfaces)
        if self.estimator == "sge" and is_plain and not textured and not self._shows_textures():
            self._schedule = schedule.for_meshes_alone(problem.settings.shading == "lit")
        by_cage = [self._perturbs_cage(surface) for surface in problem.surfaces]
        self.blocks = [self._block(*each) for each in zip(problem.surfaces, by_cage, strict=True)]
        stacks = [
            self._evaluation(surface, stack, block) if of_cage else None
            for surface, stack, block, of_cage in zip(
                problem.surfaces, problem.stacks, self.blocks, by_cage, strict=True
            )
        ]
        if problem.settings.shape and any(stack is not None for stack in stacks):
            self.stacked = StackedSurfaces(problem.surfaces, stacks, problem.assembly)

    def _shows_textures(self) -> bool:
        """Whether something is seen that slides along with the surfaces."""
        settings, materials = self._problem.settings, self._problem.assembly.materials
        return "colour" in settings.match and any(each.shows_texture(settings.shading) for each in materials)

    def _even_epsilon(self) -> float:
        """One pixel at the centre of all surfaces, in the mean over the references of this stage."""
        views = [each.view for each in self._problem.training]
        return pixel_at_centre(views, np.concatenate([each.positions for each in self._problem.surfaces]))

    def _block(
        self, surface: Surface, by_cage: bool
    ) -> PositionBlock | AdamBlock | HeightBlock | CageBlock | DisplacedCageBlock:
        rule = AdamBlock if self.estimator == "paper" else PositionBlock
        if surface.cage is not None:
            name = f"cage {surface.name}"
            if surface.height is not None:
                return DisplacedCageBlock(name, surface, self._schedule, rule)
            return CageBlock(name, surface, self._schedule, by_cage, rule)
        start = (surface.positions, surface.triangles, self._schedule)
        if surface.height is None:
            return rule(f"positions {surface.name}", *start, surface.mobility)
        return HeightBlock(f"height {surface.name}", *start, surface.height, surface.mobility, rule)

    def _perturbs_cage(self, surface: Surface) -> bool:
        """Whether a cage itself is perturbed, at the references of this stage."""
        if surface.cage is None or surface.height is not None or not self._problem.settings.shape:
            return False
        if surface.cage.map is None:
            return True
        if self.estimator == "edge":
            return False  # which perturbs nothing
        return is_fine(surface, [each.view for each in self._problem.training])

    @staticmethod
    def _evaluation(surface: Surface, stack: Stack | None, block: SurfaceBlock) -> Stack | None:
        """What evaluates a cage that is perturbed itself: its map, where there is one."""
        if isinstance(block, CageBlock) and block.map is not None:
            return MappedStack(surface, block)
        return stack

    def source(
        self,
        surfaces: FittedSurfaces,
        references: Sequence[Reference],
        stopwatch: Stopwatch,
        background: Background,
    ) -> ShapeSource | StackSource | EdgeSource:
        """What estimates the blocks' gradients. references: members of the list may be replaced."""
        settings, assembly = self._problem.settings, self._problem.assembly
        compared = (self._schedule, settings.match, settings.loss, stopwatch, background)
        if self.estimator == "edge":
            return EdgeSource(surfaces, assembly, references, self.blocks, *compared)
        if self.stacked is not None:
            return StackSource(surfaces, self.stacked, references, self.blocks, settings.support, *compared)
        support = {"narrow": narrow_support, "full": full_support}[settings.support]
        return ShapeSource(surfaces, assembly, references, self.blocks, support, *compared)

    def surfaces(self) -> tuple[Surface, ...]:
        """The surfaces as the fit stands."""
        if not self.blocks:
            return self._problem.surfaces
        if self.stacked is not None:
            return self.stacked.surfaces_at(self.stacked.parameters(self.blocks))
        return tuple(
            replace(
                surface,
                positions=block.shown,
                cage=surface.cage and replace(surface.cage, positions=block.value),
            )
            for surface, block in zip(self._problem.surfaces, self.blocks, strict=True)
        )

    def positions(self) -> list[Array]:
        """(N, 3) world by object: of the meshes that the fit moves, under modifiers the base meshes. None
        where no meshes move."""
        return [block.value for block in self.blocks] if self._problem.settings.shape else []

    def heights(self) -> list[Array]:
        """(H, W) by object, the current height maps; none where no heights are fitted."""
        return [
            block.texture() for block in self.blocks if isinstance(block, HeightBlock | DisplacedCageBlock)
        ]

    def inherit(self, earlier: ShapeFit) -> None:
        """Go on where an earlier stage stood."""
        for block, before in zip(self.blocks, earlier.blocks, strict=True):
            block.inherit(before)

    def rest(self) -> None:
        """No step is to come for a while: free what only steps need."""
        for block in self.blocks:
            block.rest()
