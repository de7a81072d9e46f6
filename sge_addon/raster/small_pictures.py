# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""At which size references are compared as a fit goes on, and which mesh is drawn for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..core.assembly import Assembly
from ..core.halved_references import HalvedReferences
from ..core.perturbation import pixel_at_centre
from ..core.position_block import CoarseGradient
from ..core.protocols import SurfaceBlock
from ..core.reference import Reference
from ..core.schedule import ShapeSchedule
from ..core.stopwatch import Stopwatch
from .coarse_surfaces import CoarseSurfaces
from .compared_views import ComparedViews
from .fitted_surfaces import FittedSurfaces
from .rasteriser import Rasteriser

_FEW_PIXELS = 1 << 24  # of all references, which are then made ready before the first step
_SHORT_EDGE = 2.0  # pixels, up to which edges of the mesh are contracted for a small picture
_LEAST_VERTICES = 500  # of a coarser mesh

Array = NDArray[np.float32]
Own = TypeVar("Own")


@dataclass(frozen=True, eq=False)
class Level:
    """The references at one resolution."""

    references: Sequence[Reference]
    compared: ComparedViews


@dataclass(frozen=True, eq=False)
class ShownMesh(Generic[Own]):
    """What is drawn at one resolution. own: what a source needs of it. coarse: None for the surfaces
    themselves."""

    assembly: Assembly
    own: Own
    coarse: CoarseSurfaces | None = None


class SmallPictures(Generic[Own]):
    """References whole, halved and so on, as far as they were asked for; the surfaces, and coarser meshes.

    blocks: one a surface of the assembly, in its order. references: members of the list may be replaced.
    compared: of references of one size. own: what a source needs of an assembly that is drawn.
    """

    def __init__(
        self,
        surfaces: FittedSurfaces,
        assembly: Assembly,
        references: Sequence[Reference],
        blocks: Sequence[SurfaceBlock],
        schedule: ShapeSchedule,
        compared: Callable[[Sequence[Reference]], ComparedViews],
        own: Callable[[Assembly], Own],
    ) -> None:
        self._surfaces = surfaces
        self._assembly = assembly
        self._blocks = blocks
        self._schedule = schedule
        self._compared = compared
        self._own = own
        self._levels = [Level(references, compared(references))]
        self._meshes = [ShownMesh(assembly, own(assembly))]
        self._pixel = pixel_at_centre([each.view for each in references], assembly.positions)
        sides = [max(each.view.width, each.view.height) for each in references]
        self._shortest, self._longest = min(sides), max(sides)
        self._movable = None if assembly.movable.all() else assembly.movable[:, None]

    @property
    def whole(self) -> Level:
        """The references as they are."""
        return self._levels[0]

    def halvings(self, view: int, progress: float) -> int:
        """How often a view's reference is halved before it is compared."""
        camera = self.whole.references[view].view
        return self._halvings_of(max(camera.width, camera.height), progress)

    def at(self, view: int, progress: float) -> tuple[Level, ShownMesh[Own]]:
        """What a step of the view compares, and what it draws; what is not needed any more is freed."""
        del self._levels[self._halvings_of(self._longest, progress) + 1 :]  # none is as small again
        # One mesh for all views, that of the smallest pixels: it steps in the surfaces' place.
        of_mesh = self._halvings_of(self._shortest, progress)
        del self._meshes[of_mesh + 1 :]
        return self._level(self.halvings(view, progress)), self._mesh(of_mesh)

    def prepare(self, draw: Callable[[Level, ShownMesh[Own]], object]) -> None:
        """Have few references on the GPU, whole and halved, before the first step, and room for pictures.
        draw: draws and reads one of the first view."""
        references = self.whole.references
        if sum(each.view.width * each.view.height for each in references) > _FEW_PIXELS:
            return
        for view in range(len(references)):
            for halvings in range(self.halvings(view, 0.0) + 1):
                self._level(halvings).compared.prepare(view)
        smallest = self._halvings_of(self._shortest, 0.0)
        for halvings in range(self.halvings(0, 0.0) + 1):
            draw(self._level(halvings), self._mesh(min(halvings, smallest)))

    def updated(self, mesh: ShownMesh[Own], stopwatch: Stopwatch) -> tuple[Rasteriser, Array]:
        """The rasteriser, showing the blocks' current values by that mesh; (V, 3) the positions it shows."""
        if mesh.coarse is not None:
            return mesh.coarse.updated(stopwatch)
        return self._surfaces.updated(), self._surfaces.positions

    def gradients(self, mesh: ShownMesh[Own], gradient: Array) -> dict[str, Array | CoarseGradient]:
        """By block what it steps by, for the gradient (V, 3) by the positions that were shown."""
        if mesh.coarse is not None:
            return mesh.coarse.gradients(gradient, self._assembly.movable)
        if self._movable is not None:
            gradient = gradient * self._movable
        return {
            block.name: gradient[vertices]
            for block, vertices in zip(self._blocks, self._assembly.vertex_ranges, strict=True)
        }

    def _halvings_of(self, side: int, progress: float) -> int:
        return self._schedule.halvings(progress, side, len(self._assembly.positions))

    def _level(self, halvings: int) -> Level:
        while len(self._levels) <= halvings:
            references = HalvedReferences(self._levels[-1].references)
            self._levels.append(Level(references, self._compared(references)))
        return self._levels[halvings]

    def _mesh(self, halvings: int) -> ShownMesh[Own]:
        while len(self._meshes) <= halvings:
            finer, shortest = self._meshes[-1], _SHORT_EDGE * self._pixel * 2 ** len(self._meshes)
            steps = self._schedule.steps_coarsely
            coarse = self._surfaces.coarse(finer.coarse, shortest, _LEAST_VERTICES, steps)
            if coarse is None or coarse is finer.coarse:
                self._meshes.append(finer)
            else:
                self._meshes.append(ShownMesh(coarse.assembly, self._own(coarse.assembly), coarse))
        return self._meshes[halvings]
