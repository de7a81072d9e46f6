# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The paper's texture gradient: texels perturbed by random signs (Deliot et al. 2024).

Slower to converge than ``texture_source`` and kept as the reference it is compared with.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .footprint import UVBuffer, by_sample
from .texture_pyramid import LEVEL_ROUNDING, PyramidLayout, double

Array = NDArray[np.float32]


def texel_sign_gradient(
    difference: Array,
    buffers: Sequence[UVBuffer],
    texture_of_triangle: NDArray[np.int32],
    texture: int,
    layout: PyramidLayout,
    signs: Array,
    epsilon: float,
) -> Array:
    """Gradient (H, W, 3) of the loss summed over pixels: s / (2 epsilon) times the sum of differences.

    difference: (h, w, 3), per pixel and channel loss with texels + epsilon signs, less that with
    texels - epsilon signs. buffers: what the two images show (one, if they show the same triangles).
    signs: (H, W, 3) of -1 and +1. A texel sums the pixels whose bilinear footprint names it in either
    image, each pixel once. A pixel whose samples lie at several mip levels names the texels of the
    coarsest: a wider support stays unbiased, and no texel is then named twice at two levels.
    """
    mine_of_id = np.concatenate(([False], texture_of_triangle == texture))
    mine = np.concatenate([by_sample(mine_of_id[buffer.ids], buffer.samples) for buffer in buffers])
    pixels = np.flatnonzero(mine.any(axis=0))
    mine = mine[:, pixels]  # (S, P)
    uv = np.concatenate([by_sample(buffer.uv, buffer.samples) for buffer in buffers])[:, pixels]  # (S, P, 2)
    level = np.concatenate([by_sample(buffer.level, buffer.samples) for buffer in buffers])[:, pixels]
    level = np.where(mine, np.floor(level + np.float32(LEVEL_ROUNDING)), 0).max(axis=0, initial=0)
    level = np.minimum(level, len(layout.sizes) - 1).astype(np.int64)  # (P,)
    values = difference.reshape(-1, 3)[pixels]
    gradient = np.zeros((layout.height, layout.width, 3), np.float32)
    for number, (height, width) in enumerate(layout.sizes):
        chosen = np.flatnonzero(level == number)
        if len(chosen):
            texels = _named_texels(uv[:, chosen], mine[:, chosen], height, width)  # (P', 4 S)
            sums = _sum_once(texels, values[chosen], height, width)
            for _ in range(number):
                sums = double(sums)
            gradient += sums
    return gradient * signs * np.float32(0.5 / epsilon)


def _named_texels(uv: Array, mine: NDArray[np.bool_], height: int, width: int) -> NDArray[np.int64]:
    """Flat texel indices that each pixel's samples read, height * width for none: (P, 4 S)."""
    column = np.floor(uv[..., 0] * width - np.float32(0.5)).astype(np.int64)
    row = np.floor(uv[..., 1] * height - np.float32(0.5)).astype(np.int64)
    corners = [
        np.where(mine, (row + up) % height * width + (column + right) % width, height * width)
        for up in (0, 1)
        for right in (0, 1)
    ]
    return np.concatenate(corners).T


def _sum_once(texels: NDArray[np.int64], values: Array, height: int, width: int) -> Array:
    """Sum of the values of the pixels that name a texel, each pixel once: (height, width, 3)."""
    texels = np.sort(texels, axis=1)
    texels[:, 1:][texels[:, 1:] == texels[:, :-1]] = height * width
    flat = texels.reshape(-1)
    sums = np.empty((height, width, 3), np.float32)
    for channel in range(3):
        repeated = np.repeat(values[:, channel], texels.shape[1])
        total = np.bincount(flat, repeated, height * width + 1)
        sums[..., channel] = total[:-1].reshape(height, width)
    return sums
