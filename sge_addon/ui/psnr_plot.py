# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""PSNR of every view before and after a fit, as bars in a small picture for the panel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import bpy
import numpy as np
from numpy.typing import NDArray

from .loss_plot import GRID, SIZE, icon_of

_BEFORE = (0.24, 0.26, 0.3, 0.6)  # multiplied by alpha, as all of these
_AFTER = (0.38, 0.65, 1.0, 1.0)
_HELD_OUT = (0.95, 0.68, 0.25, 1.0)
_STEP = 10.0  # dB between two lines


class Bar(NamedTuple):
    """PSNR in dB of one view before and after; held out views have a colour of their own."""

    before: float
    after: float
    held_out: bool


def psnr_icon(bars: Sequence[Bar]) -> int:
    """The icon that shows the bars, for ``layout.template_icon``."""
    return icon_of("psnr", plot(bars))


def draw_bars(layout: bpy.types.UILayout, stored: bpy.types.PropertyGroup) -> None:
    """The bars of the views that the last fit measured. stored: ``Scene.sge``."""
    measured = [row for row in stored.references if row.measured]
    if measured:
        bars = [Bar(row.psnr_before, row.psnr_after, row.held_out) for row in measured]
        layout.template_icon(icon_value=psnr_icon(bars), scale=5.5)


def plot(bars: Sequence[Bar], size: int = SIZE) -> NDArray[np.float32]:
    """(size, size, 4) float32, row 0 at the bottom: a bar for each view from 0 dB upwards, its part that
    was there before the fit darker; lines every 10 dB."""
    image = np.zeros((size, size, 4), np.float32)
    if not bars:
        return image
    top = _STEP * np.ceil(max(max(bar.before, bar.after) for bar in bars) / _STEP)
    top = max(float(top), _STEP)
    for level in np.arange(0.0, top + 0.5, _STEP):
        row = min(round(level / top * (size - 1)), size - 2)
        image[row : row + 2] = GRID
    edges = np.linspace(0, size, len(bars) + 1)
    for bar, left, right in zip(bars, edges[:-1], edges[1:], strict=True):
        gap = 0.12 * (right - left)
        begin = round(left + gap)
        columns = slice(begin, max(round(right - gap), begin + 1))
        before, after = (round(max(value, 0.0) / top * (size - 1)) for value in (bar.before, bar.after))
        image[:after, columns] = _HELD_OUT if bar.held_out else _AFTER
        if after < before:  # what was lost shows pale above what is left
            image[after:before, columns] = _BEFORE
        else:
            image[:before, columns] = np.float32(0.45) * image[:before, columns] + np.float32(0.55) * (
                np.array((0.0, 0.0, 0.0, 1.0), np.float32)
            )
    return image
