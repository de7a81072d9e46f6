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
from ..core.group_normals import GroupAreas
from ..core.picture_area import Area, seen_area
from ..core.protocols import Estimate, SurfaceBlock
from ..core.reference import Reference
from ..core.schedule import ShapeSchedule
from ..core.signs import sub_pixel_jitter
from ..core.stopwatch import Stopwatch
from ..core.view import jittered
from ..core.working_memory import WorkingMemory
from .compared_views import ComparedViews
from .drawn_ahead import DrawnAhead
from .fitted_surfaces import FittedSurfaces
from .rasteriser import Rasteriser
from .small_pictures import Level, ShownMesh, SmallPictures
from .targets import Target

# Pixels around what is seen: half of one that the jitter moves pictures by, and neighbours of outlines.
_MARGIN = 2.0


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A picture that is on its way; area: that shows something; positions: (V, 3) that it shows, of a coarse
    mesh if there is one; group_areas: of these, as of SurfaceDrawing; jitter of its pixels."""

    rasteriser: Rasteriser
    target: Target
    area: Area
    positions: NDArray[np.float32]
    group_areas: GroupAreas | None
    jitter: tuple[float, float]
    matched: Matched
    compared: ComparedViews
    mesh: ShownMesh[EdgeGradient]


class EdgeSource:
    """A core.protocols.GradientSource over the rasteriser; the seed moves pixels' centres only.

    blocks: one a surface of the assembly, in its order. references: members of the list may be replaced.
    """

    def __init__(
        self,
        surfaces: FittedSurfaces,
        assembly: Assembly,
        references: Sequence[Reference],
        blocks: Sequence[SurfaceBlock],
        schedule: ShapeSchedule,
        match: tuple[str, ...],
        loss: str,
        stopwatch: Stopwatch,
        background: Background = TRANSPARENT,
    ) -> None:
        self._surfaces = surfaces
        self._schedule = schedule
        self._loss = loss
        self._stopwatch = stopwatch
        self._memory = WorkingMemory()
        shaded = surfaces.shows_normals(match)
        self._pictures = SmallPictures(
            surfaces,
            assembly,
            references,
            blocks,
            schedule,
            lambda each: ComparedViews(each, match, loss, background, self._memory),
            lambda each: EdgeGradient(each, shaded),
        )
        self._drawn = DrawnAhead(self._draw_next)
        self._pictures.prepare(self._rehearse)

    def expect(self, view: int, seed: int, progress: float) -> None:
        """The next ``estimate`` but one is of this view and seed: where the schedule bears the delay, its
        picture is drawn when that of the next is read, and so shows the parameters of one step before."""
        if self._schedule.bears_delay(progress):
            self._drawn.expect(view, seed, progress)

    def estimate(self, view: int, seed: int, progress: float) -> Estimate:
        """Loss and position gradients of one view."""
        drawn = self._drawn.take(view, seed, progress)
        buffers = drawn.rasteriser.read_edges(drawn.target, drawn.area, self._stopwatch)
        self._drawn.begin_expected()
        camera = drawn.matched.reference.view
        with self._stopwatch.stage("estimate"):
            clip = jittered(camera.world_to_clip, *drawn.jitter, camera.width, camera.height)
            gradient = drawn.mesh.own.positions(
                buffers, drawn.positions, camera, clip, drawn.matched, drawn.group_areas
            )
            gradient *= np.float32(1.0 / drawn.compared.pixel_count(view))
            loss = drawn.compared.mean_loss(buffers.loss, buffers.area, view, seed)
            return Estimate(loss, self._pictures.gradients(drawn.mesh, gradient))

    def estimate_with_geometry(
        self, view: int, seed: int, progress: float
    ) -> tuple[Estimate, GeometryBuffer]:
        """As ``estimate``, and what the whole picture shows of the surfaces, drawn again."""
        estimate = self.estimate(view, seed, progress)
        camera, jitter = self._pictures.whole.references[view].view, sub_pixel_jitter(seed)
        return estimate, self._surfaces.updated().geometry_buffer(camera, jitter, self._stopwatch)

    def halvings(self, view: int, progress: float) -> int:
        """How often a view's reference is halved before it is compared."""
        return self._pictures.halvings(view, progress)

    def _rehearse(self, level: Level, mesh: ShownMesh[EdgeGradient]) -> None:
        drawn = self._draw(0, 0, level, mesh, Stopwatch())
        drawn.rasteriser.read_edges(drawn.target, drawn.area, Stopwatch())

    def _draw_next(self, view: int, seed: int, progress: float, ahead: bool) -> _Drawn:
        return self._draw(view, seed, *self._pictures.at(view, progress), self._stopwatch, ahead)

    def _draw(
        self,
        view: int,
        seed: int,
        level: Level,
        mesh: ShownMesh[EdgeGradient],
        stopwatch: Stopwatch,
        ahead: bool = False,
    ) -> _Drawn:
        reference, compared = level.references[view], level.compared
        matched = Matched(reference, compared.matched(view), self._loss, compared.behind(view, seed))
        rasteriser, positions = self._pictures.updated(mesh, stopwatch)
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
        area = seen_area(reference.view, positions, _MARGIN)
        return _Drawn(
            rasteriser, target, area, positions, rasteriser.group_areas, jitter, matched, compared, mesh
        )
