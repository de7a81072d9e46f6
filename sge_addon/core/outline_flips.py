# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pairs of pictures say of outlines: pixels in which one picture shows a surface and the other does not.

The outline has passed the pixel's centre, and with it the point of its triangle that is seen there: its
motion is known, the corners' by their barycentric coordinates. So what the pixel's loss changes by tells of
that point, and no sign of a corner that hardly moves it makes noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .corner_cycles import CYCLE
from .edge_outlines import are_apart
from .pair_buffers import PairBuffers
from .projection import Projection, centres, places_at
from .view import View

Array = NDArray[np.float32]
Indices = NDArray[np.intp]

_STEP = 2.0  # pixels of depth between what the pictures show, over which these are different surfaces
_FAR = np.float32(1e30)


@dataclass(frozen=True, eq=False)
class Flips:
    """pixels: (N,) flat indices in the buffers' area. corners: (3, N) vertices of the triangle in front that
    one of the pictures shows there, places: (3, N) barycentric coordinates of what is seen of it."""

    pixels: Indices
    corners: NDArray[np.int32]
    places: Array

    def pulls(self, differences: Array, offsets: Array) -> Array:
        """(3, 3, N) [axis, corner, pixel] gradient of the summed loss by the corners' positions: the least
        force on the point that is seen which explains the difference by a motion of the usual length.

        Its mean over signs is exact, where the loss goes evenly with the outline's motion, along a corner's
        axis; of corners that move along x, y and z at once, whose motion says less, a third.

        differences: (N,) loss plus minus loss minus. offsets: (3, V), of Perturbation."""
        offsets = offsets.take(self.corners, axis=1) * self.places  # (3, 3, N)
        squares = np.einsum("ikn,ikn->n", offsets, offsets)
        motion = offsets.sum(axis=1)
        motion *= differences / np.maximum(2.0 * squares, np.float32(1e-30))
        return motion[:, None] * self.places


def find_flips(
    buffers: PairBuffers,
    triangles: NDArray[np.int32],
    columns: Array,
    offsets: Array,
    view: View,
    clip: NDArray[np.float64],
) -> Flips:
    """triangles: (F, 3). columns: (3, V) positions at rest, offsets: (3, V) by which they are moved to either
    side. clip: (4, 4) world to clip as drawn, jitter included."""
    plus, minus = buffers.id_plus.ravel(), buffers.id_minus.ravel()
    pixels = np.flatnonzero(plus != minus)
    ids = np.stack([plus.take(pixels), minus.take(pixels)]).astype(np.intp)
    empty = ids == 0
    shown = np.maximum(ids - 1, 0)
    count = len(pixels)
    # (3, 2 N): of the plus image, then of the minus image.
    corners = np.ascontiguousarray(triangles.take(shown.ravel(), axis=0).T)
    points, moves = columns.take(corners, axis=1), offsets.take(corners, axis=1)
    points[..., :count] += moves[..., :count]
    points[..., count:] -= moves[..., count:]
    projection = Projection(points.reshape(3, -1), clip, view)
    x, y, w = (each.reshape(corners.shape) for each in (projection.x, projection.y, projection.w))
    centre = np.tile(centres(buffers.area.in_picture(pixels), view.width), 2)
    x -= centre[0]
    y -= centre[1]
    a, b, c, d = view.distance_row.astype(np.float32)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # beside the camera
        places, _ = places_at(x.take(CYCLE, axis=0), y.take(CYCLE, axis=0), w)
        depths = ((a * points[0] + b * points[1] + c * points[2] + d) * places).sum(axis=0).reshape(2, -1)
    depths[empty] = _FAR
    outlined = np.flatnonzero(are_apart(depths[0], depths[1], view, _STEP))
    nearer = outlined + count * (depths[1] < depths[0]).take(outlined)
    return Flips(pixels.take(outlined), corners.take(nearer, axis=1), places.take(nearer, axis=1))
