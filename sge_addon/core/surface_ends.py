# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a surface that a pixel shows ends on the way to a neighbouring pixel's centre."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .view import View

Array = NDArray[np.float32]
Indices = NDArray[np.intp]
_WALK = 3  # triangles that are crossed at the most after the pixel's own
_FOLLOWING, _LAST = [1, 2, 0], [2, 0, 1]


@dataclass(frozen=True, eq=False)
class Ends:
    """triangle: (N,) in which the surface ends; places: (N, 3) barycentric coordinates there; gradient:
    (N, 3) of where that is in the picture, in pixels along the way, by its world position."""

    triangle: Indices
    places: Array
    gradient: Array


@dataclass(frozen=True, eq=False)
class _Exit:
    """How a straight line leaves some triangles. faces: (N,) whether their corners run counter-clockwise;
    spans: (N, 3) barycentric coordinates, not normalised; way: (N,) in [0, 1]; edge: (N,) opposite corner."""

    faces: NDArray[np.bool_]
    spans: Array
    way: Array
    edge: Indices


class SurfaceEnds:
    """Of one topology. triangles: (F, 3)."""

    def __init__(self, triangles: NDArray[np.int32]) -> None:
        self._triangles = triangles
        self._across = across_edges(triangles)

    def find(
        self,
        positions: Array,
        view: View,
        clip: NDArray[np.float64],
        triangle: Indices,
        start: Indices,
        goal: Indices,
    ) -> Ends:
        """The ends of surfaces from the centres of the pixels ``start`` (N,), flat, in the triangles named,
        on the way to neighbours ``goal``. Neighbouring triangles belong to a surface as long as they face the
        same side. clip: (4, 4) world to clip."""
        matrix = clip.astype(np.float32)
        row, column = np.divmod(start, view.width)
        centre = np.stack([column, row], axis=1).astype(np.float32) + np.float32(0.5)
        along = np.stack([goal % view.width - column, goal // view.width - row], axis=1).astype(np.float32)

        def leave(triangle: Indices, index: Indices | slice) -> _Exit:
            corners = positions.take(self._triangles.take(triangle, axis=0), axis=0)
            return _leave(corners, matrix, view, centre[index], along[index])

        triangle = triangle.copy()
        first = leave(triangle, slice(None))
        spans, way, edge = first.spans, first.way, first.edge
        walking = np.arange(len(triangle))
        for _ in range(_WALK):
            beyond = self._across[triangle[walking], edge[walking]]
            goes_on = (beyond >= 0) & (way[walking] < 1.0)
            walking, beyond = walking[goes_on], beyond[goes_on]
            if not len(walking):
                break
            there = leave(beyond, walking)
            goes_on = (there.faces == first.faces[walking]) & (there.way > way[walking])
            walking = walking[goes_on]
            triangle[walking] = beyond[goes_on]
            spans[walking], way[walking] = there.spans[goes_on], there.way[goes_on]
            edge[walking] = there.edge[goes_on]
        places = spans / np.maximum(spans.sum(axis=1, keepdims=True), np.float32(1e-30))
        corners = positions.take(self._triangles.take(triangle, axis=0), axis=0)
        depth = (places * _row(corners, matrix[3])).sum(axis=1, keepdims=True)
        size = np.asarray([view.width, view.height], np.float32)
        ndc = 2.0 * (centre + way[:, None] * along) / size - 1.0
        x, y = (0.5 * size * along / depth).T[:, :, None]  # (N, 1) each
        # No matrix product, whose threads would spin on the rasteriser's cores.
        gradient = x * (matrix[0, :3] - ndc[:, :1] * matrix[3, :3])
        gradient += y * (matrix[1, :3] - ndc[:, 1:] * matrix[3, :3])
        return Ends(triangle, places, gradient.astype(np.float32))


def across_edges(triangles: NDArray[np.int32]) -> NDArray[np.intp]:
    """(F, 3): the triangle across the edge opposite of each corner, -1 where there is none or several are."""
    tails, heads = triangles[:, _FOLLOWING].ravel(), triangles[:, _LAST].ravel()
    keys = np.minimum(tails, heads).astype(np.int64) << 32 | np.maximum(tails, heads)
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    same = ordered[1:] == ordered[:-1]
    lone = same & ~np.r_[False, same[:-1]] & ~np.r_[same[1:], False]  # pairs, not threes
    first, second = order[:-1][lone], order[1:][lone]
    across = np.full(triangles.size, -1, np.intp)
    across[first], across[second] = second // 3, first // 3
    return across.reshape(-1, 3)


def _leave(corners: Array, matrix: Array, view: View, centre: Array, along: Array) -> _Exit:
    """corners: (N, 3, 3) world; matrix: (4, 4) world to clip; centre, along: (N, 2) pixels."""
    x, y, w = (_row(corners, row) for row in (matrix[0], matrix[1], matrix[3]))
    x = (0.5 * view.width) * (x / w + 1.0) - centre[:, :1]
    y = (0.5 * view.height) * (y / w + 1.0) - centre[:, 1:]
    # Twice the areas that the moving point spans with the edges.
    spans = x[:, _FOLLOWING] * y[:, _LAST] - x[:, _LAST] * y[:, _FOLLOWING]
    change = along[:, :1] * (y[:, _FOLLOWING] - y[:, _LAST]) + along[:, 1:] * (x[:, _LAST] - x[:, _FOLLOWING])
    faces = spans.sum(axis=1) > 0.0
    flip = np.where(faces, np.float32(1.0), np.float32(-1.0))[:, None]
    spans, change = spans * flip, change * flip
    leaves = change < 0.0
    ends = np.where(leaves, spans / np.where(leaves, -change, 1.0), np.float32(2.0))
    edge = ends.argmin(axis=1)
    way = np.clip(np.take_along_axis(ends, edge[:, None], axis=1), 0.0, 1.0)
    spans = np.maximum(spans + way * change, 0.0) / w
    return _Exit(faces, spans.astype(np.float32), way[:, 0].astype(np.float32), edge)


def _row(corners: Array, row: Array) -> Array:
    """(N, 3): one coordinate of the corners' clip positions."""
    return corners[..., 0] * row[0] + corners[..., 1] * row[1] + corners[..., 2] * row[2] + row[3]
