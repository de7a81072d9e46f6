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
from .normal_gradient import NormalGradient
from .pair_buffers import PairBuffers
from .perturbation import Perturbation
from .signs import sign_rows, tilt_seed

Array = NDArray[np.float32]


class NormalTilts:
    """Of one topology."""

    def __init__(self, assembly: Assembly) -> None:
        self._groups = assembly.normal_groups
        self._triangles = assembly.triangles
        self._group_count = len(assembly.group_offsets) - 1
        self._normals = NormalGradient(assembly)

    def pulls(
        self, buffers: PairBuffers, differences: Array, columns: Array, perturbed: Perturbation
    ) -> tuple[NDArray[np.int32], Array]:
        """(3 T,) vertices, of which one may occur more than once, and (3, 3 T) the gradient of the summed
        loss by their positions. differences: (P,), ``buffers.tilt`` as far as it counts. columns: (3, V)."""
        ids = buffers.id_plus.ravel()
        covered = np.flatnonzero(ids)
        pixels = buffers.area.in_picture(covered).astype(np.uint32)
        turns = sign_rows(tilt_seed(perturbed.seed), pixels)  # (3, N), by the pixels' normals
        turns *= differences.take(covered) * np.float32(0.5 / perturbed.tilt)
        by_triangle = sums_by_bin(ids.take(covered).astype(np.intp) - 1, turns, len(self._triangles))
        seen = np.flatnonzero(by_triangle.any(axis=0))
        # Evenly to the corners: where in its triangle a pixel lies, smoothing forgets.
        evenly = by_triangle.take(seen, axis=1) * np.float32(1.0 / 3.0)
        groups = self._groups.take(seen, axis=0).T.ravel()
        by_group = sums_by_bin(groups, np.tile(evenly, 3), self._group_count)
        triangles, pulls = self._normals.to_corners(columns, by_group)
        return self._triangles.take(triangles, axis=0).T.ravel(), pulls.reshape(3, -1)
