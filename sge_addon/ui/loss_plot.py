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
GRID = (0.5, 0.5, 0.5, 0.25)
_previews: list[Any] = []  # Blender's collection of icons, made when first drawn


def loss_icon(losses: Sequence[tuple[int, float]]) -> int:
    """The icon that shows the curve of (step, loss) pairs, for ``layout.template_icon``."""
    from bpy.utils import previews

    if not _previews:
        _previews.append(previews.new())
        _previews[0].new("loss")
    preview = _previews[0]["loss"]
    preview.image_size = (SIZE, SIZE)
    preview.image_pixels_float.foreach_set(plot(losses).ravel())
    return preview.icon_id


def free() -> None:
    """Give the icon back to Blender."""
    from bpy.utils import previews

    while _previews:
        previews.remove(_previews.pop())


def plot(losses: Sequence[tuple[int, float]], size: int = SIZE) -> NDArray[np.float32]:
    """(size, size, 4) float32, row 0 at the bottom: the curve over steps, its logarithm upwards."""
    image = np.zeros((size, size, 4), np.float32)
    image[:: size // 4] = GRID
    image[:, :: size // 4] = GRID
    if len(losses) < 2:
        return image
    steps, values = np.asarray(losses, dtype=np.float64).T
    heights = np.log(np.maximum(values, 1e-9))
    columns = np.linspace(steps[0], steps[-1], size)
    low, high = heights.min(), heights.max()
    scaled = (np.interp(columns, steps, heights) - low) / max(high - low, 1e-6)
    rows = np.rint(scaled * (size - 3)).astype(int) + 1
    for column in range(size):
        last = rows[max(0, column - 1)]
        bottom, top = min(last, rows[column]), max(last, rows[column])
        image[bottom - 1 : top + 2, column] = LINE
    return image
