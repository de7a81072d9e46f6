# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deterministic gradient of one picture by vertex positions (Rasterized Edge Gradients, and shading).

Three parts: what surfaces carry along when they move (colours and normals slide over the pixels), what their
outlines cover and uncover, and how shading changes with the normals. The first two are forces on the points
that are seen, the third is one on their normals; both are summed by triangle, spread over its corners by
barycentric coordinates (corner_marks), and the third goes on through the vertex normals.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .assembly import Assembly
from .bin_sums import sums_by_bin
from .corner_marks import place_matrices
from .edge_buffers import EdgeBuffers
from .edge_outlines import Matched, Outlines
from .group_normals import GroupAreas
from .normal_gradient import NormalGradient
from .seen_triangles import SeenTriangles
from .view import View

Array = NDArray[np.float32]
Indices = NDArray[np.intp]

_WAYS = 16  # runs of pixels that are summed in turn
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
        pixels, triangles, count = seen.pixels, seen.triangles, len(seen.triangles)
        counts = None if weight is None else buffers.area.part(weight).ravel().take(pixels)
        planes = (buffers.force,) if self._normals is None else (buffers.force, buffers.turn)
        if len(pixels) < _FEW_PIXELS * count:
            return triangles, _evenly(planes, pixels, counts, seen.ranks, count)
        moments = np.zeros((len(planes), 3, 3, count))
        at_once = max(_AT_ONCE, 4 * count)
        for start in range(0, len(pixels), at_once):
            chosen = _apart(np.arange(start, min(start + at_once, len(pixels))))
            at = pixels.take(chosen)
            values = [each.reshape(-1, 4).take(at, axis=0) for each in (buffers.force, buffers.turn)]
            marks = values[0][:, 3].astype(np.float64), values[1][:, 3].astype(np.float64)
            weights = None if counts is None else counts.take(chosen)
            for sums, each in zip(moments, values, strict=False):
                _add_moments(sums, each, weights, marks, seen.ranks.take(chosen))
        places = self._places.take(triangles, axis=2)
        return triangles, [_spread(each, places) for each in moments.astype(np.float32)]


def _evenly(
    planes: Sequence[Array], pixels: Indices, counts: Array | None, bins: Indices, count: int
) -> list[Array]:
    """(3, 3, count) [axis, corner, triangle] for each plane a third of its sums. counts: (N,) what pixels
    (N,) count, or None for 1. bins: (N,) triangles."""
    found = []
    for plane in planes:
        rows = np.ascontiguousarray(plane.reshape(-1, 4).take(pixels, axis=0).T[:3])
        rows *= np.float32(1.0 / 3.0) if counts is None else counts * np.float32(1.0 / 3.0)
        sums = sums_by_bin(bins, rows, count)
        found.append(np.broadcast_to(sums[:, None], (3, 3, count)))
    return found


def _apart(pixels: Indices) -> Indices:
    """In an order in which those that follow one another are far apart: a sum that goes into the same bin as
    the one before has to wait for it, which takes ``bincount`` twice as long."""
    whole = len(pixels) // _WAYS * _WAYS
    return np.concatenate([pixels[:whole].reshape(_WAYS, -1).T.ravel(), pixels[whole:]])


def _add_moments(
    sums: NDArray[np.float64],
    values: Array,
    counts: Array | None,
    marks: tuple[NDArray[np.float64], NDArray[np.float64]],
    bins: Indices,
) -> None:
    """Add to (3, 3, T) [axis, (1, x, y), triangle] values (N, >= 3) times 1 and marks' x and y, (N,) each.

    counts: (N,) what pixels count, or None for 1. bins: (N,) triangles, up to T.
    """
    for axis, of_axis in enumerate(sums):
        column = values[:, axis].astype(np.float64)  # one by one, which caches like better
        if counts is not None:
            column *= counts
        for moment, of_moment in zip((column, column * marks[0], column * marks[1]), of_axis, strict=True):
            of_moment += np.bincount(bins, moment, len(of_moment))


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
