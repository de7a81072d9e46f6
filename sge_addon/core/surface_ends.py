# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a surface that a pixel shows ends on the way to a neighbouring pixel's centre."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .corner_cycles import corner_cycles
from .view import View

Array = NDArray[np.float32]
Indices = NDArray[np.intp]
Corners = NDArray[np.int32]
_WALK = 3  # triangles that are crossed at the most after the pixel's own
_FOLLOWING, _LAST = [1, 2, 0], [2, 0, 1]


@dataclass(frozen=True, eq=False)
class Ends:
    """triangle: (N,) in which the surface ends; places: (3, N) barycentric coordinates there; gradient:
    (3, N) of where that is in the picture, in pixels along the way, by its world position."""

    triangle: Indices
    places: Array
    gradient: Array


class SurfaceEnds:
    """Of one topology. triangles: (F, 3)."""

    def __init__(self, triangles: Corners) -> None:
        self._triangles = triangles
        self._across = across_edges(triangles).ravel()

    def find(
        self,
        columns: Array,
        view: View,
        clip: NDArray[np.float64],
        triangle: Indices,
        start: Indices,
        goal: Indices,
    ) -> Ends:
        """The ends of surfaces from the centres of the pixels ``start`` (N,), flat, in the triangles named,
        on the way to neighbours ``goal``. Neighbouring triangles belong to a surface as long as they face the
        same side. columns: (3, V) positions. clip: (4, 4) world to clip."""
        projection = _Projection(columns, clip, view)
        centre = _centres(start, view.width)
        along = _centres(goal, view.width) - centre
        triangle = triangle.copy()
        faces, way, edge = _leave(
            *projection.relative(corner_cycles(self._triangles, triangle), centre), along
        )
        walking = np.arange(len(triangle))
        for _ in range(_WALK):
            walking = walking[way.take(walking) < 1.0]
            beyond = self._across.take(3 * triangle.take(walking) + edge.take(walking))
            walking, beyond = walking[beyond >= 0], beyond[beyond >= 0]
            if not len(walking):
                break
            there = projection.relative(corner_cycles(self._triangles, beyond), centre.take(walking, axis=1))
            faces_there, way_there, edge_there = _leave(*there, along.take(walking, axis=1))
            goes_on = (faces_there == faces.take(walking)) & (way_there > way.take(walking))
            walking = walking[goes_on]
            triangle[walking] = beyond[goes_on]
            way[walking], edge[walking] = way_there[goes_on], edge_there[goes_on]
        reached = centre + way * along
        corners = corner_cycles(self._triangles, triangle)
        spans = _spans(*projection.relative(corners, reached))
        spans = np.maximum(np.where(spans.sum(axis=0) > 0.0, spans, -spans), 0.0)
        places = spans / projection.w.take(corners[:3])
        whole = np.maximum(places.sum(axis=0), np.float32(1e-30))
        places /= whole
        return Ends(triangle, places, projection.slopes(reached, along, spans.sum(axis=0) / whole))


class _Projection:
    """Positions (3, V) in a picture. x, y: (V,) in pixels; w: (V,)."""

    def __init__(self, columns: Array, clip: NDArray[np.float64], view: View) -> None:
        self._rows = clip[[0, 1, 3]].astype(np.float32)
        self._half = np.float32(0.5 * view.width), np.float32(0.5 * view.height)
        # No matrix product, whose threads would spin on the rasteriser's cores.
        x, y, self.w = np.einsum("ij,jv->iv", self._rows[:, :3], columns) + self._rows[:, 3:]
        with np.errstate(divide="ignore", invalid="ignore"):  # beside the camera, where nothing is seen
            self.x = self._half[0] * (x / self.w + 1.0)
            self.y = self._half[1] * (y / self.w + 1.0)

    def relative(self, corners: Corners, origin: Array) -> tuple[Array, Array]:
        """x and y of vertices (K, N) from points of the picture (2, N)."""
        return self.x.take(corners) - origin[0], self.y.take(corners) - origin[1]

    def slopes(self, at: Array, along: Array, w: Array) -> Array:
        """(3, N): how far points at ``at`` (2, N) in the picture, and at w, move along ``along`` (2, N), by
        their world position."""
        first, second, last = self._rows[:, :3, None]
        x, y = (half * towards / w for half, towards in zip(self._half, along, strict=True))
        across, up = (place / half - 1.0 for half, place in zip(self._half, at, strict=True))
        slopes: Array = x * first + y * second - (x * across + y * up) * last
        return slopes


def across_edges(triangles: Corners) -> NDArray[np.intp]:
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


def _centres(pixels: Indices, width: int) -> Array:
    """(2, N) x and y of the centres of pixels, given flat."""
    centres = np.empty((2, len(pixels)), np.float32)
    centres[1], centres[0] = np.divmod(pixels, width)
    centres += np.float32(0.5)
    return centres


def _spans(x: Array, y: Array) -> Array:
    """(3, N): twice the areas that the origin spans with the edges opposite of each corner; x, y: (5, N)."""
    return x[1:4] * y[2:] - x[2:] * y[1:4]


def _leave(x: Array, y: Array, along: Array) -> tuple[NDArray[np.bool_], Array, Indices]:
    """How a straight line from the origin leaves triangles with corners at x, y (5, N): whether these run
    counter-clockwise; the way until then in [0, 1], of ``along`` (2, N); and the edge's opposite corner."""
    spans = _spans(x, y)
    change = along[0] * (y[1:4] - y[2:]) + along[1] * (x[2:] - x[1:4])
    faces = spans[0] + spans[1] + spans[2] > 0.0
    ends = np.empty(spans.shape, np.float32)
    ends.fill(2.0)
    np.divide(spans, -change, out=ends, where=np.where(faces, change, -change) < 0.0)  # where it leaves
    # For few numbers plain minima take half the time of reductions, a third of clips.
    way = np.minimum(np.minimum(ends[0], ends[1]), ends[2])
    return faces, np.minimum(np.maximum(way, np.float32(0.0)), np.float32(1.0)), ends.argmin(axis=0)
