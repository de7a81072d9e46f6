# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deterministic gradient of one picture by vertex positions (Rasterized Edge Gradients, and shading).

Three parts: what surfaces carry along when they move (colours and normals slide over the pixels), what their
outlines cover and uncover, and how shading changes with the normals. The first two are forces on the points
that are seen, the third is one on their normals; both are summed by triangle, spread over its corners by
barycentric coordinates (corner_marks), and the third goes on through the vertex normals.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .assembly import Assembly
from .bin_sums import sums_by_bin
from .corner_marks import place_matrices
from .edge_buffers import EdgeBuffers
from .edge_outlines import Matched, Outlines
from .group_normals import GroupAreas
from .normal_gradient import NormalGradient
from .seen_triangles import Seen, SeenTriangles
from .view import View

Array = NDArray[np.float32]
Indices = NDArray[np.intp]

_FEW_PIXELS = 2.0  # a triangle: where in it these are is chance, which the jitter evens out
_AT_ONCE = 1 << 16  # pixels: what the processor's cache holds


class EdgeGradient:
    """Of one topology. shaded: whether pictures depend on normals: shading does, or normals are matched."""

    def __init__(self, assembly: Assembly, shaded: bool) -> None:
        self._triangles = assembly.triangles
        self._groups = assembly.normal_groups
        self._vertex_count = len(assembly.positions)
        self._group_count = len(assembly.group_offsets) - 1
        self._places = place_matrices(assembly.triangles, assembly.marks)
        self._seen = SeenTriangles(len(assembly.triangles))
        self._outlines = Outlines(assembly, shaded)
        self._normals = NormalGradient(assembly) if shaded else None

    def positions(
        self,
        buffers: EdgeBuffers,
        positions: Array,
        view: View,
        clip: NDArray[np.float64],
        matched: Matched,
        group_areas: GroupAreas | None = None,
    ) -> Array:
        """(V, 3) gradient of the picture's summed loss. positions: (V, 3), and clip: (4, 4) world to clip, as
        drawn, jitter included. group_areas: of these positions, where they are known."""
        columns = np.ascontiguousarray(positions.T)
        outlined, pulled = self._outlines.forces(buffers, columns, view, clip, matched)
        triangles, by_corner = self._by_corner(buffers, matched.reference.weight)
        corners = self._triangles.take(triangles, axis=0).T
        vertices, pulls = [outlined.ravel(), corners.ravel()], [pulled, by_corner[0].reshape(3, -1)]
        if self._normals is not None:
            groups = self._groups.take(triangles, axis=0).T
            by_group = sums_by_bin(groups.ravel(), by_corner[1].reshape(3, -1), self._group_count)
            turned = self._normals.pulls(columns, by_group, group_areas)
            vertices.append(turned[0])
            pulls.append(turned[1])
        sums = sums_by_bin(np.concatenate(vertices), np.concatenate(pulls, axis=1), self._vertex_count)
        return np.ascontiguousarray(sums.T)

    def _by_corner(self, buffers: EdgeBuffers, weight: Array | None) -> tuple[Indices, list[Array]]:
        """(T,) the triangles that are seen; (3, 3, T) [axis, corner, triangle] the sums of force times the
        barycentric coordinates, and where normals matter those of turn; a third, of few pixels a triangle."""
        seen = self._seen.of(buffers.id)
        has_few = len(seen.pixels) < _FEW_PIXELS * len(seen.triangles)
        counts = None if weight is None else buffers.area.part(weight).ravel().take(seen.pixels)
        moments = _moments(buffers, seen, counts, self._normals is not None, 1 if has_few else 3)
        planes = np.split(moments, len(moments) // 3)
        if has_few:
            thirds = (plane * np.float32(1.0 / 3.0) for plane in planes)
            return seen.triangles, [np.broadcast_to(each, (3, 3, each.shape[2])) for each in thirds]
        places = self._places.take(seen.triangles, axis=2)
        return seen.triangles, [_spread(plane, places) for plane in planes]


def _moments(buffers: EdgeBuffers, seen: Seen, counts: Array | None, turns: bool, moment_count: int) -> Array:
    """(R, M, T) [component, moment, triangle]: the sums of force's components, and with ``turns`` of turn's,
    times 1, or 1 and the mark's x and y. counts: (N,) what pixels count, or None for 1.

    Two components are summed at once, as a complex number: that takes as long as one.
    """
    pair_count = 3 if turns else 2
    sums = np.zeros((pair_count, moment_count, len(seen.triangles)), np.complex128)
    product = np.empty(min(_AT_ONCE, len(seen.pixels)), np.complex128)
    for start in range(0, len(seen.pixels), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        pixels, bins = seen.pixels[part], seen.ranks[part]
        first, second = (
            plane.reshape(-1, 4).take(pixels, axis=0).view(np.complex64).T
            for plane in (buffers.force, buffers.turn)
        )
        factors: list[Array | np.float32] = [np.float32(1.0)]
        if moment_count == 3:
            factors += [np.ascontiguousarray(each) for each in (second[1].real, second[1].imag)]
        if counts is not None:
            factors = [factor * counts[part] for factor in factors]
        for pair, of_pair in zip((*first, second[0]), sums, strict=False):
            pair = np.ascontiguousarray(pair)
            for factor, of_moment in zip(factors, of_pair, strict=True):
                np.add.at(of_moment, bins, np.multiply(pair, factor, out=product[: len(pair)]))
    components = np.stack([sums.real, sums.imag], axis=1).astype(np.float32)
    return components.reshape(2 * pair_count, *sums.shape[1:])[: 6 if turns else 3]


def _spread(moments: Array, places: Array) -> Array:
    """(3, 3, T) [axis, corner, triangle] sums of something times the barycentric coordinates, from those
    times 1, x and y of the marks (3, 3, T). places: (3, 3, T), of place_matrices."""
    spread = np.empty(moments.shape, np.float32)
    product = np.empty((3, places.shape[2]), np.float32)
    for (still, by_x, by_y), by_corner in zip(moments, spread, strict=True):
        np.multiply(places[:, 0], still, out=by_corner)
        by_corner += np.multiply(places[:, 1], by_x, out=product)
        by_corner += np.multiply(places[:, 2], by_y, out=product)
    return spread
