# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Compare draws, in pixels of a viewport's region, origin at its bottom left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.view import View

_GAP = 8.0  # between pictures side by side


@dataclass(frozen=True)
class Box:
    """A rectangle: left and bottom edges, width and height."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def top(self) -> float:
        return self.y + self.height

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies inside."""
        return self.x <= x < self.right and self.y <= y < self.top

    def without(self, other: Box) -> Box:
        """What is left beside a panel that covers a whole side, if it touches this box at all."""
        left, right = max(self.x, other.x), min(self.right, other.right)
        bottom, top = max(self.y, other.y), min(self.top, other.top)
        if left >= right or bottom >= top:
            return self
        if right - left < top - bottom:  # a sidebar
            if left - self.x < self.right - right:
                return Box(right, self.y, self.right - right, self.height)
            return Box(self.x, self.y, left - self.x, self.height)
        if bottom - self.y < self.top - top:
            return Box(self.x, top, self.width, self.top - top)
        return Box(self.x, self.y, self.width, bottom - self.y)


def frame_in_region(
    view: View, world_to_region_clip: NDArray[np.float64], width: float, height: float
) -> Box | None:
    """Where a viewport that looks through the view's camera shows the view's image.

    world_to_region_clip: (4, 4), the viewport's own. Follows the view's projection, which knows aspects and
    principal points that Blender's camera frame does not. None where the image is not in front.
    """
    corners = np.array([(-1.0, -1.0, 0.5, 1.0), (1.0, 1.0, 0.5, 1.0)])
    world = corners @ np.linalg.inv(view.world_to_clip).T  # (2, 4)
    clip = (world / world[:, 3:]) @ np.asarray(world_to_region_clip).T
    if (clip[:, 3] <= 0.0).any():
        return None
    places = (0.5 * clip[:, :2] / clip[:, 3:] + 0.5) * (width, height)
    size = places[1] - places[0]
    return Box(*places[0].tolist(), *size.tolist())


def side_by_side(free: Box, aspect: float, count: int, caption: float) -> list[Box]:
    """``count`` boxes of one aspect (width / height) in a row, as large as fits; captions go above."""
    room = (free.width - (count + 1) * _GAP) / count
    width = max(min(room, (free.height - 2 * _GAP - 2 * caption) * aspect), 1.0)
    height = width / aspect
    left = free.x + 0.5 * (free.width - count * width - (count - 1) * _GAP)
    bottom = free.y + 0.5 * (free.height - height)
    return [Box(left + index * (width + _GAP), bottom, width, height) for index in range(count)]


def free_of_panels(region: Box, panels: Sequence[Box]) -> Box:
    """What of a region no panel lies on."""
    for panel in panels:
        region = region.without(panel)
    return region
