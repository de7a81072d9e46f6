# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pictures with tilted normals say of vertex positions.

Each pixel's normal is tilted by signs of its own, which are no noise to any other pixel; how vertices turn
the normals is known exactly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .assembly import Assembly
from .bin_sums import sums_by_bin
from .group_normals import GroupAreas
from .normal_gradient import NormalGradient
from .pair_buffers import PairBuffers
from .perturbation import PerturbedShape
from .signs import sign_rows

Array = NDArray[np.float32]


class NormalTilts:
    """Of one topology."""

    def __init__(self, assembly: Assembly) -> None:
        self._groups = assembly.normal_groups
        self._triangle_count = len(assembly.triangles)
        self._group_count = len(assembly.group_offsets) - 1
        self._normals = NormalGradient(assembly)

    def pulls(
        self,
        buffers: PairBuffers,
        differences: Array,
        columns: Array,
        shape: PerturbedShape,
        areas: GroupAreas | None,
    ) -> tuple[NDArray[np.intp], Array]:
        """(3 T,) vertices, of which one may occur more than once, and (3, 3 T) the gradient of the summed
        loss by their positions.

        differences: (P,), ``buffers.tilt`` as far as it counts. columns: (3, V) positions at rest. areas: of
        these, where they are known.
        """
        ids = buffers.id_plus.ravel()
        covered = np.flatnonzero(ids)
        pixels = buffers.area.in_picture(covered)
        turns = sign_rows(shape.tilt_seed, pixels)  # (3, N), by the pixels' normals
        turns *= differences.take(covered) * np.float32(0.5 / shape.tilt)
        by_triangle = sums_by_bin(ids.take(covered).astype(np.intp) - 1, turns, self._triangle_count)
        seen = np.flatnonzero(by_triangle.any(axis=0))
        # Evenly to the corners: where in its triangle a pixel lies, smoothing forgets.
        evenly = by_triangle.take(seen, axis=1) * np.float32(1.0 / 3.0)
        groups = self._groups.take(seen, axis=0).T.ravel()
        by_group = sums_by_bin(groups, np.tile(evenly, 3), self._group_count)
        return self._normals.pulls(columns, by_group, areas)
