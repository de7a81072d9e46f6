# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deterministic gradients of vertex positions: one rasterisation, and what neighbouring pixels say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.assembly import Assembly
from ..core.background import TRANSPARENT, Background
from ..core.edge_gradient import EdgeGradient
from ..core.edge_outlines import Matched
from ..core.geometry_buffer import GeometryBuffer
from ..core.halved_references import HalvedReferences
from ..core.perturbation import pixel_at_centre
from ..core.protocols import Estimate, SurfaceBlock
from ..core.reference import Reference
from ..core.schedule import ShapeSchedule
from ..core.signs import sub_pixel_jitter
from ..core.stopwatch import Stopwatch
from ..core.view import jittered
from ..core.working_memory import WorkingMemory
from .coarse_surfaces import CoarseSurfaces
from .compared_views import ComparedViews
from .drawn_ahead import DrawnAhead
from .fitted_surfaces import FittedSurfaces
from .rasteriser import Rasteriser
from .targets import Target

_FEW_PIXELS = 1 << 24  # of all references, which are then made ready before the first step
_SHORT_EDGE = 2.0  # pixels, up to which edges of the mesh are contracted for a small picture
_LEAST_VERTICES = 500  # of a coarser mesh


@dataclass(frozen=True, eq=False)
class _Level:
    """The references at one resolution."""

    references: Sequence[Reference]
    compared: ComparedViews


@dataclass(frozen=True, eq=False)
class _Mesh:
    """What is drawn at one resolution, and its gradients; coarse: None for the surfaces themselves."""

    gradient: EdgeGradient
    coarse: CoarseSurfaces | None


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A picture that is on its way; positions: (V, 3) that it shows, of a coarse mesh if there is one; jitter
    of its pixels."""

    rasteriser: Rasteriser
    target: Target
    positions: NDArray[np.float32]
    jitter: tuple[float, float]
    matched: Matched
    compared: ComparedViews
    mesh: _Mesh


class EdgeSource:
    """A core.protocols.GradientSource over the rasteriser; the seed moves pixels' centres only.

    blocks: one a surface of the assembly, in its order. references: members of the list may be replaced.
    shading: as of FitSettings.
    """

    def __init__(
        self,
        surfaces: FittedSurfaces,
        assembly: Assembly,
        references: Sequence[Reference],
        blocks: Sequence[SurfaceBlock],
        schedule: ShapeSchedule,
        shading: str,
        match: tuple[str, ...],
        loss: str,
        stopwatch: Stopwatch,
        background: Background = TRANSPARENT,
    ) -> None:
        self._surfaces = surfaces
        self._assembly = assembly
        self._blocks = blocks
        self._schedule = schedule
        self._match, self._loss, self._background = match, loss, background
        self._stopwatch = stopwatch
        self._memory = WorkingMemory()
        self._shaded = ("colour" in match and shading != "unlit") or "normal" in match
        # Whole, halved, ... as far as they were asked for.
        self._levels = [_Level(references, self._compared(references))]
        self._meshes = [_Mesh(EdgeGradient(assembly, self._shaded), None)]
        self._pixel = pixel_at_centre([each.view for each in references], assembly.positions)
        sides = [max(each.view.width, each.view.height) for each in references]
        self._shortest, self._longest = min(sides), max(sides)
        self._drawn = DrawnAhead(self._draw_next)
        if sum(each.view.width * each.view.height for each in references) <= _FEW_PIXELS:
            self._prepare()

    def expect(self, view: int, seed: int, progress: float) -> None:
        """The next ``estimate`` but one is of this view and seed: where the schedule bears the delay, its
        picture is drawn when that of the next is read, and so shows the parameters of one step before."""
        if self._schedule.bears_delay(progress):
            self._drawn.expect(view, seed, progress)

    def estimate(self, view: int, seed: int, progress: float) -> Estimate:
        """Loss and position gradients of one view."""
        drawn = self._drawn.take(view, seed, progress)
        buffers = drawn.rasteriser.read_edges(drawn.target, self._stopwatch)
        self._drawn.begin_expected()
        camera = drawn.matched.reference.view
        with self._stopwatch.stage("estimate"):
            clip = jittered(camera.world_to_clip, *drawn.jitter, camera.width, camera.height)
            gradient = drawn.mesh.gradient.positions(buffers, drawn.positions, camera, clip, drawn.matched)
            gradient *= np.float32(1.0 / buffers.loss.size)
            loss = drawn.compared.mean_loss(buffers.loss, view, seed)
            if drawn.mesh.coarse is not None:
                return Estimate(loss, drawn.mesh.coarse.gradients(gradient, self._assembly.movable))
            gradient *= self._assembly.movable[:, None]
        gradients = {
            block.name: gradient[vertices]
            for block, vertices in zip(self._blocks, self._assembly.vertex_ranges, strict=True)
        }
        return Estimate(loss, gradients)

    def estimate_with_geometry(
        self, view: int, seed: int, progress: float
    ) -> tuple[Estimate, GeometryBuffer]:
        """As ``estimate``, and what the whole picture shows of the surfaces, drawn again."""
        estimate = self.estimate(view, seed, progress)
        camera, jitter = self._levels[0].references[view].view, sub_pixel_jitter(seed)
        return estimate, self._surfaces.updated().geometry_buffer(camera, jitter, self._stopwatch)

    def _prepare(self) -> None:
        """Have all references on the GPU, whole and halved, and room for pictures, before the first step."""
        for view in range(len(self._levels[0].references)):
            for halvings in range(self.halvings(view, 0.0) + 1):
                self._at(halvings).compared.prepare(view)
        smallest = self._halvings_of(self._shortest, 0.0)
        for halvings in range(self.halvings(0, 0.0) + 1):
            drawn = self._draw(0, 0, halvings, min(halvings, smallest), Stopwatch())
            drawn.rasteriser.read_edges(drawn.target, Stopwatch())

    def halvings(self, view: int, progress: float) -> int:
        """How often a view's reference is halved before it is compared."""
        whole = self._levels[0].references[view].view
        return self._halvings_of(max(whole.width, whole.height), progress)

    def _halvings_of(self, side: int, progress: float) -> int:
        return self._schedule.halvings(progress, side, len(self._assembly.positions))

    def _at(self, halvings: int) -> _Level:
        while len(self._levels) <= halvings:
            references = HalvedReferences(self._levels[-1].references)
            self._levels.append(_Level(references, self._compared(references)))
        return self._levels[halvings]

    def _mesh_at(self, halvings: int) -> _Mesh:
        while len(self._meshes) <= halvings:
            finer, shortest = self._meshes[-1], _SHORT_EDGE * self._pixel * 2 ** len(self._meshes)
            steps = self._schedule.steps_coarsely
            coarse = self._surfaces.coarse(finer.coarse, shortest, _LEAST_VERTICES, steps)
            if coarse is None or coarse is finer.coarse:
                self._meshes.append(finer)
            else:
                self._meshes.append(_Mesh(EdgeGradient(coarse.assembly, self._shaded), coarse))
        return self._meshes[halvings]

    def _draw_next(self, view: int, seed: int, progress: float, ahead: bool) -> _Drawn:
        del self._levels[self._halvings_of(self._longest, progress) + 1 :]  # none is as small again
        # One mesh for all views, that of the smallest pixels: it steps in the surfaces' place.
        of_mesh = self._halvings_of(self._shortest, progress)
        del self._meshes[of_mesh + 1 :]
        return self._draw(view, seed, self.halvings(view, progress), of_mesh, self._stopwatch, ahead)

    def _draw(
        self, view: int, seed: int, halvings: int, of_mesh: int, stopwatch: Stopwatch, ahead: bool = False
    ) -> _Drawn:
        level, mesh = self._at(halvings), self._mesh_at(of_mesh)
        reference, compared = level.references[view], level.compared
        matched = Matched(reference, compared.matched(view), self._loss, compared.behind(view, seed))
        if mesh.coarse is None:
            rasteriser, positions = self._surfaces.updated(), self._surfaces.positions
        else:
            rasteriser, positions = mesh.coarse.updated(stopwatch)
        jitter = sub_pixel_jitter(seed)
        target = rasteriser.draw_edges(
            reference.view,
            jitter,
            compared.textures(view),
            matched.match,
            self._loss,
            stopwatch,
            matched.background,
            f"edges {self._drawn.turn}",
            ahead,
        )
        return _Drawn(rasteriser, target, positions, jitter, matched, compared, mesh)

    def _compared(self, references: Sequence[Reference]) -> ComparedViews:
        return ComparedViews(references, self._match, self._loss, self._background, self._memory)
