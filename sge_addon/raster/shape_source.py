# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stochastic gradients of vertex positions: the pair of rasterisations and the estimator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..core.assembly import Assembly
from ..core.background import TRANSPARENT, Background
from ..core.estimator import sum_over_support, vertex_gradient
from ..core.geometry_buffer import GeometryBuffer
from ..core.perturbation import perturbation
from ..core.pixel_loss import background_loss, empty_colour_loss, is_outlined
from ..core.protocols import Estimate, SurfaceBlock
from ..core.reference import Reference
from ..core.schedule import ShapeSchedule
from ..core.signs import signs, sub_pixel_jitter
from ..core.stopwatch import Stopwatch
from ..core.support import Support
from ..core.working_memory import WorkingMemory
from .fitted_surfaces import FittedSurfaces
from .rasteriser import PairBuffers
from .reference_textures import ReferenceTextureCache


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
        self._textures = ReferenceTextureCache(references, match, loss, background)
        self._blocks = blocks
        self._support = support
        self._schedule = schedule
        self._match = match
        self._loss = loss
        self._stopwatch = stopwatch
        self._memory = WorkingMemory()
        self._background = background
        self._is_outlined = [is_outlined(each, background.behind(each)) for each in references]
        self._empty_losses = [self._steady_loss(view) for view in range(len(references))]
        self._empty_of = [reference.colour for reference in references]

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
        camera = self._references[view].view
        rasteriser = self._surfaces.updated()
        positions = self._surfaces.positions
        perturbed = perturbation(camera, self._schedule.epsilon_pixels(progress), seed)
        buffers = rasteriser.pair(
            camera,
            sub_pixel_jitter(seed),
            perturbed,
            self._textures.get(view),
            self._matched(view),
            self._loss,
            self._stopwatch,
            self._background.behind(self._references[view], seed),
            with_geometry,
        )
        with self._stopwatch.stage("estimate"):
            difference, loss = self._difference(buffers, view)
            loss += self._relative_to(view, seed)
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

    def _matched(self, view: int) -> tuple[str, ...]:
        """What this view's reference has of what is to be matched."""
        reference = self._references[view]
        has = {"colour": True, "alpha": reference.has_alpha, "normal": reference.normal is not None}
        return tuple(name for name in self._match if has[name])

    def _difference(self, buffers: PairBuffers, view: int) -> tuple[NDArray[np.float32], float]:
        """d_p of every pixel, flat, and the mean loss of the two images, relative to an empty one's."""
        plus, minus = buffers.loss_plus.ravel(), buffers.loss_minus.ravel()
        difference = np.subtract(plus, minus, out=self._memory.array("difference", plus.size, np.float32))
        if not self._is_outlined[view]:
            # Nothing is known of what lies beside the object: a pixel counts where both images cover it.
            difference *= (buffers.id_plus.ravel() > 0) & (buffers.id_minus.ravel() > 0)
        weight = self._references[view].weight
        if weight is None:
            total = 0.5 * float(plus.sum() + minus.sum())
        else:
            flat = weight.ravel()
            difference *= flat
            both = np.add(plus, minus, out=self._memory.array("both", plus.size, np.float32))
            both *= flat
            total = 0.5 * float(both.sum())
        return difference, total / difference.size

    def _relative_to(self, view: int, seed: int) -> float:
        """The mean loss of an empty picture in the step of this seed.

        What stays the same of it is kept, until the reference's colours change, as by a view's gain."""
        reference = self._references[view]
        if self._empty_of[view] is not reference.colour:
            self._empty_of[view] = reference.colour
            self._empty_losses[view] = self._steady_loss(view)
        behind = self._background.behind(reference, seed)
        if self._background.is_random and behind is not None and "colour" in self._match:
            return self._empty_losses[view] + empty_colour_loss(reference, self._loss, behind)
        return self._empty_losses[view]

    def _steady_loss(self, view: int) -> float:
        """The mean loss of an empty picture, without colours where they lie over another one in each step."""
        reference, match = self._references[view], self._match
        behind = self._background.behind(reference)
        if self._background.is_random and behind is not None:
            match = tuple(name for name in match if name != "colour")
        return background_loss(reference, match, self._loss, behind)
