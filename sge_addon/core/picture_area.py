# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of a picture in which surfaces are seen: all that need be read, and looked at."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .view import View

Array = NDArray[np.float32]

# Pixels of pictures that are looked at whole: of fewer an area saves less than it takes to find.
_SMALL = 1 << 15
_MOST = 0.9  # of a picture: an area larger than that is the whole


@dataclass(frozen=True)
class Area:
    """x, y: its bottom left pixel. width, height: in pixels. across: width of the picture."""

    x: int
    y: int
    width: int
    height: int
    across: int

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)"""
        return self.height, self.width

    def part(self, image: NDArray[Any]) -> NDArray[Any]:
        """Of (H, W, ...) of the picture."""
        return image[self.y : self.y + self.height, self.x : self.x + self.width]

    def in_picture(self, at: NDArray[np.intp]) -> NDArray[np.intp]:
        """Flat indices in the picture of pixels that are named by flat ones in the area."""
        first = self.y * self.across + self.x
        if self.width == self.across:
            return at + first
        rows = at // self.width
        return at + rows * (self.across - self.width) + first


def whole(view: View) -> Area:
    """All of a picture."""
    return Area(0, 0, view.width, view.height, view.width)


def seen_area(view: View, positions: Array, margin: float) -> Area:
    """Where the picture can show any of the positions (V, 3), or a surface between them, and ``margin``
    pixels around; the whole where one lies before the near plane, or that is hardly more."""
    if view.width * view.height < _SMALL or not len(positions):
        return whole(view)
    rows = view.world_to_clip[[0, 1, 3]].astype(np.float32)
    # No matrix product, whose threads would spin on the rasteriser's cores.
    x, y, w = np.einsum("ij,vj->iv", rows[:, :3], positions) + rows[:, 3:]
    if view.is_perspective and float(w.min()) < view.near:
        return whole(view)
    spans = []
    for place, size in ((x, view.width), (y, view.height)):
        place /= w
        low, high = (0.5 * size * (1.0 + float(end)) for end in (place.min(), place.max()))
        if not math.isfinite(high - low):
            return whole(view)
        first = min(max(math.floor(low - margin), 0), size - 1)
        spans.append((first, max(min(math.ceil(high + margin), size), first + 1) - first))
    (left, width), (bottom, height) = spans
    if width * height > _MOST * view.width * view.height:
        return whole(view)
    return Area(left, bottom, width, height, view.width)
