# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stochastic gradient of one view by vertex positions, in the three parts by which pictures change.

Vertices are perturbed, and normals on their own, pixel by pixel. Outlines pass pixels (outline_flips); what a
surface shows slides with it, which its triangle's corners are told by their signs (estimator); and shading
turns with the normals (normal_tilts). Signs of the one are hardly noise to the others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .assembly import Assembly
from .bin_sums import sums_by_bin
from .estimator import limited, sum_over_support, vertex_gradient
from .group_normals import GroupAreas
from .normal_tilts import NormalTilts
from .outline_flips import find_flips
from .pair_buffers import PairBuffers
from .perturbation import PerturbedShape
from .support import narrow_support
from .view import View
from .working_memory import WorkingMemory

Array = NDArray[np.float32]


class PairGradient:
    """Of one topology. shaded: whether pictures depend on normals."""

    def __init__(self, assembly: Assembly, shaded: bool, memory: WorkingMemory) -> None:
        self._assembly = assembly
        # A pixel's own corners are all that moves it: normals stay when vertices do not.
        self._support = narrow_support(assembly)
        self._tilts = NormalTilts(assembly) if shaded else None
        self._memory = memory

    def positions(
        self,
        buffers: PairBuffers,
        difference: Array,
        tilts: Array | None,
        shape: PerturbedShape,
        view: View,
        clip: NDArray[np.float64],
        limit: float,
        areas: GroupAreas | None = None,
    ) -> Array:
        """(V, 3) gradient of the picture's summed loss.

        difference: (P,) of the pair, flat, which is overwritten; tilts: (P,), ``buffers.tilt`` as far as it
        counts. shape: as drawn, and clip: (4, 4) world to clip, jitter included. limit: as of ShapeSchedule.
        areas: of the positions at rest, where they are known.
        """
        columns = np.ascontiguousarray(shape.positions.T)
        offsets = np.ascontiguousarray(shape.offsets.T)
        flips = find_flips(buffers, self._assembly.triangles, columns, offsets, view, clip)
        flipped = limited(difference.take(flips.pixels), limit)
        vertices = [flips.corners.ravel()]
        pulls = [flips.pulls(flipped, offsets).reshape(3, -1)]
        if self._tilts is not None and tilts is not None:
            turned = self._tilts.pulls(buffers, tilts, columns, shape, areas)
            vertices.append(turned[0])
            pulls.append(turned[1])
        difference[flips.pixels] = 0.0
        sliding = sum_over_support(
            limited(difference, limit),
            buffers.id_plus.ravel(),
            buffers.id_minus.ravel(),
            self._support,
            self._memory,
        )
        gradient = vertex_gradient(sliding, shape.directions, shape.epsilons, 1)
        gradient += sums_by_bin(
            np.concatenate(vertices), np.concatenate(pulls, axis=1), len(shape.positions)
        ).T
        return gradient
