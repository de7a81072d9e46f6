# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What steps of texels are made of, a channel each for the threads of a crew.

Images (H, W, C) are stored by channel, as results are; others are copied.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .crew import share_planes
from .texture_pyramid import doubled_across, halve, level_count

Array = NDArray[np.float32]

# Evidence, in pixels, below which a texel follows the next coarser level.
COARSE_EVIDENCE = np.float32(0.02)
# Stepped at once: what stays in the processor's cache, and no further copy of a large texture.
_ROWS = 64


def by_channel(image: Array, work: Callable[[Array, int, Array], None]) -> Array:
    """What ``work`` makes of each channel: of a plane (H, W), with its number, into a plane like it."""
    height, width, channels = image.shape
    planes = np.empty((channels, height, width), np.float32)

    def of_channel(number: int) -> None:
        work(np.ascontiguousarray(image[..., number]), number, planes[number])

    share_planes(channels, height * width, of_channel)
    return np.moveaxis(planes, 0, -1)


def coarse_to_fine_step(residual: Array, weight: Array, where: NDArray[np.bool_] | None = None) -> Array:
    """residual / weight where there is evidence; elsewhere the step of the coarser level.

    residual: (H, W, C); weight: (H, W, 1 or C). From the coarsest level down,
    step = (residual + k coarser step) / (weight + k), sums over 2 x 2 texels at each level.
    where: (H, W), the step is 0 elsewhere; None for everywhere.
    """
    weights = [_levels(np.ascontiguousarray(each)) for each in np.moveaxis(weight, -1, 0)]

    def work(plane: Array, number: int, out: Array) -> None:
        sums, evidence = _levels(plane), weights[min(number, len(weights) - 1)]
        step = sums[-1] / (evidence[-1] + COARSE_EVIDENCE)
        for level in reversed(range(len(sums) - 1)):
            into = np.empty_like(sums[level]) if level else out
            step = _finer_step(step, sums[level], evidence[level], None if level else where, into)
        if len(sums) == 1:
            np.multiply(step, True if where is None else where, out=out)

    return by_channel(residual, work)


def _levels(plane: Array) -> list[Array]:
    """Sums over 2 x 2, finest first."""
    levels = [plane]
    for _ in range(level_count(*plane.shape) - 1):
        levels.append(halve(levels[-1]))
    return levels


def _finer_step(
    coarser: Array, residual: Array, weight: Array, where: NDArray[np.bool_] | None, out: Array
) -> Array:
    """That of a level (H, W) from the coarser level's."""
    for start in range(0, len(residual), _ROWS):
        rows = slice(start, start + _ROWS)
        over = np.float32(1.0) / (weight[rows] + COARSE_EVIDENCE)
        if where is not None:
            over *= where[rows]
        across = doubled_across(COARSE_EVIDENCE * coarser[start // 2 : (start + _ROWS) // 2])
        sums = residual[rows].reshape(len(across), 2, -1) + across[:, None]
        np.multiply(sums.reshape(over.shape), over, out=out[rows])
    return out


def sharpened(image: Array, share: Array) -> Array:
    """(H, W, C) with so much added of its difference to the four neighbours' mean: share, (H, W). Repeat
    wrap."""

    def work(plane: Array, _: int, out: Array) -> None:
        neighbour_mean(plane, out)
        np.subtract(plane, out, out=out)
        out *= share
        out += plane

    return by_channel(image, work)


def neighbour_mean(plane: Array, out: Array) -> None:
    """Mean of the four neighbours of each texel, (H, W), repeat wrap."""
    out[1:] = plane[:-1]
    out[0] = plane[-1]
    out[:-1] += plane[1:]
    out[-1] += plane[0]
    # All rows at once, as one: only their ends are others' then.
    along, of_rows = out.reshape(-1), plane.reshape(-1)
    first = out[:, 0] + plane[:, -1]
    along[1:] += of_rows[:-1]
    out[:, 0] = first
    last = out[:, -1] + plane[:, 0]
    along[:-1] += of_rows[1:]
    out[:, -1] = last
    out *= np.float32(0.25)
