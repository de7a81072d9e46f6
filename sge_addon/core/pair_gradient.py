# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stochastic gradient of one view by vertex positions, in the three parts by which pictures change.

Vertices are perturbed, and normals on their own, pixel by pixel. Outlines pass pixels (outline_flips); what
a surface shows slides with it, which its triangle's corners are told by their signs; and shading turns with
the normals, which each pixel is told by signs of its own, and the vertices by how they turn normals, which is
known exactly (normal_gradient). So signs of the one are hardly noise to the others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .assembly import Assembly
from .bin_sums import sums_by_bin
from .estimator import limited, vertex_gradient
from .group_normals import GroupAreas
from .normal_gradient import NormalGradient
from .outline_flips import find_flips
from .pair_buffers import PairBuffers
from .perturbation import PerturbedShape
from .seen_triangles import SeenTriangles
from .signs import sign_rows
from .view import View

Array = NDArray[np.float32]


class PairGradient:
    """Of one topology. shaded: whether pictures depend on normals."""

    def __init__(self, assembly: Assembly, shaded: bool) -> None:
        self._triangles = assembly.triangles
        self._seen = SeenTriangles(len(assembly.triangles))
        self._groups = assembly.normal_groups
        self._group_count = len(assembly.group_offsets) - 1
        self._normals = NormalGradient(assembly) if shaded else None

    def positions(
        self,
        buffers: PairBuffers,
        difference: Array,
        tilts: Array | None,
        shape: PerturbedShape,
        view: View,
        clip: NDArray[np.float64],
        limit: float,
        group_areas: GroupAreas | None = None,
    ) -> Array:
        """(V, 3) gradient of the picture's summed loss.

        difference: (P,) of the pair, flat, which is overwritten; tilts: (P,), ``buffers.tilt_difference`` as
        far as it counts. shape: as drawn, and clip: (4, 4) world to clip, jitter included. limit: as of
        ShapeSchedule. group_areas: of the positions at rest, where they are known.
        """
        columns = np.ascontiguousarray(shape.positions.T)
        offsets = np.ascontiguousarray(shape.offsets.T)
        flips = find_flips(buffers, self._triangles, columns, offsets, view, clip)
        flipped = limited(difference.take(flips.pixels), limit)
        vertices, pulls = [flips.corners.ravel()], [flips.pulls(flipped, offsets).reshape(3, -1)]
        difference[flips.pixels] = 0.0
        seen, slid, turned = self._by_triangle(buffers, limited(difference, limit), tilts, shape)
        corners = self._triangles.take(seen, axis=0).T.ravel()
        (sliding,) = sums_by_bin(corners, np.tile(slid, 3)[None], len(shape.positions))
        gradient = vertex_gradient(sliding, shape.directions, shape.epsilons, 1)
        if self._normals is not None and turned is not None:
            # Evenly to the corners: where in its triangle a pixel lies, smoothing forgets.
            groups = self._groups.take(seen, axis=0).T.ravel()
            by_group = sums_by_bin(groups, np.tile(turned / 3.0, 3), self._group_count)
            turning = self._normals.pulls(columns, by_group, group_areas)
            vertices.append(turning[0])
            pulls.append(turning[1])
        gradient += sums_by_bin(np.concatenate(vertices), np.concatenate(pulls, axis=1), len(gradient)).T
        return gradient

    def _by_triangle(
        self, buffers: PairBuffers, difference: Array, tilts: Array | None, shape: PerturbedShape
    ) -> tuple[NDArray[np.intp], Array, Array | None]:
        """(T,) triangles that the plus image shows; (T,) sums of the difference, and (3, T) the gradients of
        the summed loss by the normals of their pixels, where these are tilted."""
        seen = self._seen.of(buffers.id_plus)
        rows = np.empty((1 if tilts is None else 4, len(seen.pixels)), np.float32)
        difference.take(seen.pixels, out=rows[0], mode="clip")
        if tilts is not None:
            turns = sign_rows(shape.tilt_seed, buffers.area.in_picture(seen.pixels))
            np.multiply(turns, tilts.take(seen.pixels) * np.float32(0.5 / shape.tilt), out=rows[1:])
        sums = sums_by_bin(seen.ranks, rows, len(seen.triangles))
        return seen.triangles, sums[0], None if tilts is None else sums[1:]
