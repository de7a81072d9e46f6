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
from ..core.group_normals import GroupAreas
from ..core.pair_buffers import PairBuffers
from ..core.pair_gradient import PairGradient
from ..core.perturbation import Axes, PerturbedShape
from ..core.picture_area import seen_area
from ..core.protocols import Estimate, SurfaceBlock
from ..core.reference import Reference
from ..core.schedule import ShapeSchedule
from ..core.signs import sub_pixel_jitter
from ..core.stopwatch import Stopwatch
from ..core.support import Support
from ..core.vertex_axes import VertexAxes
from ..core.view import View, jittered
from ..core.working_memory import WorkingMemory
from .compared_views import ComparedViews
from .drawn_ahead import DrawnAhead
from .fitted_surfaces import FittedSurfaces
from .small_pictures import Level, ShownMesh, SmallPictures

_AXES_SERVE = 8  # pairs: surfaces turn little meanwhile


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A pair that is on its way. group_areas: of its shape at rest, as of SurfaceDrawing."""

    read: Callable[[], PairBuffers]
    shape: PerturbedShape
    group_areas: GroupAreas | None
    compared: ComparedViews
    mesh: ShownMesh[_Perturbed]
    camera: View


class _Perturbed:
    """An assembly whose vertices are perturbed. estimator: what it takes, PairGradient where normals are
    perturbed, too, and vertices along them."""

    def __init__(self, assembly: Assembly, estimator: Support | PairGradient) -> None:
        self.movable = assembly.movable
        self.estimator = estimator
        self._normals = (
            VertexAxes(assembly.triangles, assembly.texture_of_triangle, len(assembly.positions))
            if isinstance(estimator, PairGradient)
            else None
        )
        self._axes: Axes | None = None
        self._served = 0

    def axes(self, positions: NDArray[np.float32]) -> Axes | None:
        """Along which vertices at these positions are perturbed; any are as good, if less quiet, so that they
        serve several pairs."""
        if self._normals is not None:
            if self._axes is None or self._served == _AXES_SERVE:
                self._axes, self._served = self._normals.at(positions), 0
            self._served += 1
        return self._axes


class ShapeSource:
    """A core.protocols.GradientSource over the rasteriser.

    blocks: one a surface of the assembly, in its order. references: members of the list may be replaced.
    support: of an assembly that is drawn.
    """

    def __init__(
        self,
        surfaces: FittedSurfaces,
        assembly: Assembly,
        references: Sequence[Reference],
        blocks: Sequence[SurfaceBlock],
        support: Callable[[Assembly], Support],
        schedule: ShapeSchedule,
        match: tuple[str, ...],
        loss: str,
        stopwatch: Stopwatch,
        background: Background = TRANSPARENT,
    ) -> None:
        self._schedule = schedule
        self._stopwatch = stopwatch
        self._memory = WorkingMemory()
        shaded = surfaces.shows_normals(match)

        def estimator(each: Assembly) -> Support | PairGradient:
            return PairGradient(each, shaded) if schedule.tilt > 0.0 else support(each)

        self._pictures = SmallPictures(
            surfaces,
            assembly,
            references,
            blocks,
            schedule,
            lambda each: ComparedViews(each, match, loss, background, self._memory),
            lambda each: _Perturbed(each, estimator(each)),
        )
        self._drawn = DrawnAhead(self._draw_next)
        self._pictures.prepare(self._rehearse)

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
        drawn = self._draw_next(view, seed, progress, with_geometry=True)
        buffers = drawn.read()
        return self._estimate(view, seed, drawn, buffers), buffers.geometry

    def halvings(self, view: int, progress: float) -> int:
        """How often a view's reference is halved before it is compared."""
        return self._pictures.halvings(view, progress)

    def _rehearse(self, level: Level, mesh: ShownMesh[_Perturbed]) -> None:
        self._draw(0, 0, 0.0, level, mesh, Stopwatch()).read()

    def _draw_next(
        self, view: int, seed: int, progress: float, ahead: bool = False, with_geometry: bool = False
    ) -> _Drawn:
        level, mesh = self._pictures.at(view, progress)
        return self._draw(view, seed, progress, level, mesh, self._stopwatch, ahead, with_geometry)

    def _draw(
        self,
        view: int,
        seed: int,
        progress: float,
        level: Level,
        mesh: ShownMesh[_Perturbed],
        stopwatch: Stopwatch,
        ahead: bool = False,
        with_geometry: bool = False,
    ) -> _Drawn:
        rasteriser, positions = self._pictures.updated(mesh, stopwatch)
        camera = level.references[view].view
        perturbed = self._schedule.perturbation(camera, progress, seed)
        perturbed = perturbed.along(mesh.own.axes(positions))
        shape = PerturbedShape(perturbed, positions, mesh.own.movable, self._schedule.tilt)
        area = None
        if self._schedule.even_epsilon == 0.0 and not with_geometry:
            # Along each axis a pixel, in each direction; and what the jitter moves pictures by.
            margin = 2.0 * self._schedule.epsilon_pixels(progress) + 1.0
            area = seen_area(camera, positions, margin)
        read = level.compared.draw_pair(
            rasteriser,
            view,
            seed,
            shape if isinstance(mesh.own.estimator, PairGradient) else perturbed,
            stopwatch,
            with_geometry,
            ahead,
            self._drawn.turn,
            area,
        )
        return _Drawn(read, shape, rasteriser.group_areas, level.compared, mesh, camera)

    def _estimate(self, view: int, seed: int, drawn: _Drawn, buffers: PairBuffers) -> Estimate:
        shape, estimator = drawn.shape, drawn.mesh.own.estimator
        with self._stopwatch.stage("estimate"):
            difference, loss = drawn.compared.difference(buffers, view, seed)
            count = drawn.compared.pixel_count(view)
            if isinstance(estimator, PairGradient):
                tilts = drawn.compared.tilt_difference(buffers, view)
                jitter, camera = sub_pixel_jitter(seed), drawn.camera
                clip = jittered(camera.world_to_clip, *jitter, camera.width, camera.height)
                drawn_as = (shape, camera, clip, self._schedule.limit, drawn.group_areas)
                gradient = estimator.positions(buffers, difference, tilts, *drawn_as)
                gradient *= np.float32(1.0 / count)
            else:
                ids = buffers.id_plus.ravel(), buffers.id_minus.ravel()
                sums = sum_over_support(difference, *ids, estimator, self._memory)
                gradient = vertex_gradient(sums, shape.directions, shape.epsilons, count)
            return Estimate(loss, self._pictures.gradients(drawn.mesh, gradient))
