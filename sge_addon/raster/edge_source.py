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
from ..core.protocols import Estimate, SurfaceBlock
from ..core.reference import Reference
from ..core.signs import sub_pixel_jitter
from ..core.stopwatch import Stopwatch
from ..core.view import jittered
from ..core.working_memory import WorkingMemory
from .compared_views import ComparedViews
from .fitted_surfaces import FittedSurfaces
from .rasteriser import Rasteriser
from .targets import Target


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A picture that is on its way; positions: (V, 3) that it shows."""

    rasteriser: Rasteriser
    target: Target
    positions: NDArray[np.float32]
    match: tuple[str, ...]
    background: NDArray[np.float32] | None


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
        self._turn = 0  # of two targets, so that one can be drawn while the other is read
        self._expected: tuple[int, int] | None = None
        self._ahead: dict[tuple[int, int], _Drawn] = {}  # by view and seed, one at the most

    def expect(self, view: int, seed: int) -> None:
        """The next ``estimate`` but one is of this view and seed: its picture is queued as soon as that of
        the next is read, and so shows the parameters of one step before."""
        self._expected = (view, seed)

    def estimate(self, view: int, seed: int, progress: float) -> Estimate:
        """Loss and position gradients of one view."""
        drawn = self._ahead.pop((view, seed), None) or self._draw(view, seed)
        buffers = drawn.rasteriser.read_edges(drawn.target, self._stopwatch)
        if self._expected is not None:
            self._ahead = {self._expected: self._draw(*self._expected)}
            self._expected = None
        reference = self._references[view]
        camera = reference.view
        with self._stopwatch.stage("estimate"):
            clip = jittered(camera.world_to_clip, *sub_pixel_jitter(seed), camera.width, camera.height)
            matched = Matched(reference, drawn.match, self._loss, drawn.background)
            gradient = self._gradient.positions(buffers, drawn.positions, camera, clip, matched)
            gradient *= (self._assembly.movable / buffers.loss.size)[:, None]
            loss = self._compared.mean_loss(buffers.loss, view, seed)
        gradients = {
            block.name: gradient[vertices]
            for block, vertices in zip(self._blocks, self._assembly.vertex_ranges, strict=True)
        }
        return Estimate(loss, gradients)

    def _draw(self, view: int, seed: int) -> _Drawn:
        rasteriser = self._surfaces.updated()
        camera = self._references[view].view
        match, behind = self._compared.matched(view), self._compared.behind(view, seed)
        self._turn = 1 - self._turn
        target = rasteriser.draw_edges(
            camera,
            sub_pixel_jitter(seed),
            self._compared.textures(view),
            match,
            self._loss,
            self._stopwatch,
            behind,
            f"edges {self._turn}",
        )
        return _Drawn(rasteriser, target, self._surfaces.positions, match, behind)

    def estimate_with_geometry(
        self, view: int, seed: int, progress: float
    ) -> tuple[Estimate, GeometryBuffer]:
        """As ``estimate``, and what the picture showed, drawn again."""
        estimate = self.estimate(view, seed, progress)
        camera, jitter = self._references[view].view, sub_pixel_jitter(seed)
        return estimate, self._surfaces.updated().geometry_buffer(camera, jitter, self._stopwatch)
