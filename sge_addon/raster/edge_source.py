# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deterministic gradients of vertex positions: one rasterisation, and what neighbouring pixels say."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.assembly import Assembly
from ..core.background import TRANSPARENT, Background
from ..core.edge_gradient import EdgeGradient
from ..core.edge_outlines import Matched
from ..core.geometry_buffer import GeometryBuffer
from ..core.protocols import Estimate, SurfaceBlock
from ..core.reference import Reference
from ..core.signs import sub_pixel_jitter
from ..core.stopwatch import Stopwatch
from ..core.view import jittered
from ..core.working_memory import WorkingMemory
from .compared_views import ComparedViews
from .fitted_surfaces import FittedSurfaces


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
        shading: str,
        match: tuple[str, ...],
        loss: str,
        stopwatch: Stopwatch,
        background: Background = TRANSPARENT,
    ) -> None:
        self._surfaces = surfaces
        self._assembly = assembly
        self._references = references
        self._blocks = blocks
        self._loss = loss
        self._stopwatch = stopwatch
        self._compared = ComparedViews(references, match, loss, background, WorkingMemory())
        shaded = ("colour" in match and shading != "unlit") or "normal" in match
        self._gradient = EdgeGradient(assembly, shaded)

    def estimate(self, view: int, seed: int, progress: float) -> Estimate:
        """Loss and position gradients of one view."""
        reference = self._references[view]
        camera, jitter = reference.view, sub_pixel_jitter(seed)
        rasteriser = self._surfaces.updated()
        positions = self._surfaces.positions
        match, behind = self._compared.matched(view), self._compared.behind(view, seed)
        buffers = rasteriser.edges(
            camera, jitter, self._compared.textures(view), match, self._loss, self._stopwatch, behind
        )
        with self._stopwatch.stage("estimate"):
            clip = jittered(camera.world_to_clip, *jitter, camera.width, camera.height)
            gradient = self._gradient.positions(
                buffers, positions, camera, clip, Matched(reference, match, self._loss, behind)
            )
            gradient *= (self._assembly.movable / buffers.loss.size)[:, None]
            loss = self._compared.mean_loss(buffers.loss, view, seed)
        gradients = {
            block.name: gradient[vertices]
            for block, vertices in zip(self._blocks, self._assembly.vertex_ranges, strict=True)
        }
        return Estimate(loss, gradients)

    def estimate_with_geometry(
        self, view: int, seed: int, progress: float
    ) -> tuple[Estimate, GeometryBuffer]:
        """As ``estimate``, and what the picture showed, drawn again."""
        estimate = self.estimate(view, seed, progress)
        camera, jitter = self._references[view].view, sub_pixel_jitter(seed)
        return estimate, self._surfaces.updated().geometry_buffer(camera, jitter, self._stopwatch)
