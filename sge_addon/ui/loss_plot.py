# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loss curve as a small picture for the panel, which has no other way to draw one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIZE = 192  # pixels, square as icons are
LINE = (0.38, 0.65, 1.0, 1.0)
POINTS = (0.11, 0.19, 0.3, 0.3)  # multiplied by alpha, as all of these
GRID = (0.12, 0.12, 0.12, 0.25)
SMOOTHING = 0.05  # of the curve: neighbouring steps look through different cameras
_previews: list[Any] = []  # Blender's collection of icons, made when first drawn


def loss_icon(losses: Sequence[tuple[int, float]]) -> int:
    """The icon that shows the curve of (step, loss) pairs, for ``layout.template_icon``."""
    return icon_of("loss", plot(losses))


def icon_of(name: str, image: NDArray[np.float32]) -> int:
    """The icon of that name, showing (SIZE, SIZE, 4) pixels from now on."""
    from bpy.utils import previews

    if not _previews:
        _previews.append(previews.new())
    preview = _previews[0][name] if name in _previews[0] else _previews[0].new(name)
    preview.image_size = (SIZE, SIZE)
    preview.image_pixels_float.foreach_set(image.ravel())
    return preview.icon_id


def free() -> None:
    """Give the icons back to Blender."""
    from bpy.utils import previews

    while _previews:
        previews.remove(_previews.pop())


def plot(losses: Sequence[tuple[int, float]], size: int = SIZE) -> NDArray[np.float32]:
    """(size, size, 4) float32, row 0 at the bottom: loss over steps, its logarithm upwards; the
    losses themselves pale, their running mean bright."""
    image = np.zeros((size, size, 4), np.float32)
    for line in (0, size // 2 - 1, size - 2):
        image[line : line + 2] = GRID
        image[:, line : line + 2] = GRID
    if len(losses) < 2:
        return image
    steps, values = np.asarray(losses, dtype=np.float64).T
    heights = np.log(np.maximum(values, 1e-9))
    low, high = heights.min(), heights.max()
    heights = (heights - low) / max(high - low, 1e-6)
    _draw(image, steps, heights, POINTS)
    _draw(image, steps, running_mean(heights, max(1, round(SMOOTHING * len(heights)))), LINE)
    return image


def running_mean(values: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """(N,): mean of the values within ``reach`` to both sides, fewer near the ends to stay centred."""
    index = np.arange(len(values))
    reach_here = np.minimum(np.minimum(index, index[::-1]), reach)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    return (sums[index + reach_here + 1] - sums[index - reach_here]) / (2 * reach_here + 1)


def _draw(
    image: NDArray[np.float32],
    steps: NDArray[np.float64],
    heights: NDArray[np.float64],
    colour: tuple[float, ...],
) -> None:
    """A line of 3 pixels through (step, height in [0, 1])."""
    size = len(image)
    columns = np.linspace(steps[0], steps[-1], size)
    rows = np.rint(np.interp(columns, steps, heights) * (size - 3)).astype(int) + 1
    for column in range(size):
        last = rows[max(0, column - 1)]
        image[min(last, rows[column]) - 1 : max(last, rows[column]) + 2, column] = colour
