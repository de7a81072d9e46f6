# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coarser meshes of fitted surfaces: drawn where pictures are small, and stepped where that is possible."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..core.assembly import Assembly
from ..core.coarse_mesh import CoarseMesh
from ..core.position_block import CoarseGradient, PositionBlock
from ..core.protocols import SurfaceBlock
from ..core.stopwatch import Stopwatch
from .rasteriser import Rasteriser

Array = NDArray[np.float32]


class CoarseSurfaces:
    """meshes: one a block, which may be the surface's own mesh. rasteriser: of their assembly. step: whether
    they step where that is possible."""

    def __init__(
        self,
        blocks: Sequence[SurfaceBlock],
        meshes: Sequence[CoarseMesh],
        rasteriser: Rasteriser,
        step: bool,
    ) -> None:
        self.meshes = meshes
        self._step = step
        self._blocks = blocks
        self._rasteriser = rasteriser

    @property
    def assembly(self) -> Assembly:
        return self._rasteriser.assembly

    def updated(self, stopwatch: Stopwatch) -> tuple[Rasteriser, Array]:
        """The rasteriser, showing the blocks' current values; (C, 3) the positions that it shows."""
        with stopwatch.stage("upload"):
            positions = np.concatenate(
                [
                    block.of(mesh) if isinstance(block, PositionBlock) else mesh.positions(block.shown)
                    for block, mesh in zip(self._blocks, self.meshes, strict=True)
                ]
            )
            self._rasteriser.set_positions(positions)
        return self._rasteriser, positions

    def gradients(self, gradient: Array, movable: NDArray[np.bool_]) -> dict[str, Array | CoarseGradient]:
        """By block what it steps by, for the gradient (C, 3) by what was shown: that of a coarser mesh where
        this can step in the surface's place. movable: (V,) of the surfaces."""
        found: dict[str, Array | CoarseGradient] = {}
        begin = 0
        ranges = self.assembly.vertex_ranges
        for block, mesh, vertices in zip(self._blocks, self.meshes, ranges, strict=True):
            end = begin + len(mesh.cluster)
            may_step = self._step and isinstance(block, PositionBlock) and block.may_be_coarse
            if may_step and mesh.rounds:
                found[block.name] = CoarseGradient(mesh, gradient[vertices])
            else:
                found[block.name] = mesh.gradient(gradient[vertices]) * movable[begin:end, None]
            begin = end
        return found
