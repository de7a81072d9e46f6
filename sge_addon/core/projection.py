# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where positions lie in a picture, and what of a triangle a point of the picture shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .view import View

Array = NDArray[np.float32]
Indices = NDArray[np.intp]
Corners = NDArray[np.int32]


class Projection:
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


def centres(pixels: Indices, width: int) -> Array:
    """(2, N) x and y of the centres of pixels, given flat."""
    found = np.empty((2, len(pixels)), np.float32)
    found[1], found[0] = np.divmod(pixels, width)
    found += np.float32(0.5)
    return found


def spans_of(x: Array, y: Array) -> Array:
    """(3, N): twice the areas that the origin spans with the edges opposite of each corner; x, y: (5, N)."""
    return x[1:4] * y[2:] - x[2:] * y[1:4]


def places_at(x: Array, y: Array, w: Array) -> tuple[Array, Array]:
    """(3, N) barycentric coordinates of what the origin shows of triangles with corners at x, y (5, N) in the
    picture, and w (3, N); and (N,) its own w."""
    spans = spans_of(x, y)
    spans = np.maximum(np.where(spans.sum(axis=0) > 0.0, spans, -spans), 0.0)
    places = spans / w
    whole = np.maximum(places.sum(axis=0), np.float32(1e-30))
    places /= whole
    return places, spans.sum(axis=0) / whole
