# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The paper's texture gradient: texels perturbed by random signs (Deliot et al. 2024).

Slower to converge than ``texture_source`` and kept as the reference it is compared with.

A minified texture is read at a coarser mip level. The texels of *every* level bear signs of their own,
each is estimated by the pixels that read it, and since a level is the mean of 2 x 2 texels of the finer
one, the chain rule gives those a quarter of its gradient each. Perturbing level 0 alone would come to
the same in expectation, but a texel of level l would then move by the mean of 4^l signs: 2^l times
less, with as much noise from its neighbours, shared out to 4^l texels that each add a sign of theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .lookups import UVBuffer, by_sample
from .signs import seed_key, signs, step_seed
from .texture_pyramid import LEVEL_ROUNDING, PyramidLayout, double

Array = NDArray[np.float32]

# Texels and vertices are numbered from 0 alike: under one seed they would bear the same signs.
_FIRST_TEXTURE = 0x7E000000


@dataclass(frozen=True)
class TexelPerturbation:
    """The perturbation of the texels of all fitted textures in one step.

    seed: of the step. epsilon: in linear colour. textures: numbers of those that are perturbed.
    """

    seed: int
    epsilon: float
    textures: tuple[int, ...]

    def seed_of(self, texture: int) -> int:
        """The seed of the signs of one texture."""
        return step_seed(self.seed, _FIRST_TEXTURE + texture)

    def constants(self, texture: int) -> tuple[int, float]:
        """Key of the signs, as the signed 32-bit integer of a push constant, and epsilon."""
        key = int(np.uint32(seed_key(self.seed_of(texture))).view(np.int32))
        return key, self.epsilon if texture in self.textures else 0.0

    def signs(self, texture: int, layout: PyramidLayout) -> list[Array]:
        """(h, w, 3) of -1 and +1 for each level of a texture, finest first."""
        counts = np.array([height * width for height, width in layout.sizes])
        drawn = signs(self.seed_of(texture), int(counts.sum()))
        parts = np.split(drawn, np.cumsum(counts)[:-1])
        return [part.reshape(*size, 3) for part, size in zip(parts, layout.sizes, strict=True)]


def texel_sign_gradient(
    difference: Array,
    buffers: Sequence[UVBuffer],
    texture_of_triangle: NDArray[np.int32],
    texture: int,
    layout: PyramidLayout,
    level_signs: Sequence[Array],
    epsilon: float,
) -> Array:
    """Gradient (H, W, 3) of the loss summed over pixels: s / (2 epsilon) times the sum of differences.

    difference: (h, w, 3), per pixel and channel loss with texels + epsilon signs, less that with
    texels - epsilon signs. buffers: what the two images show (one, if they show the same triangles).
    level_signs: (h, w, 3) of -1 and +1 by level. A texel sums the pixels whose bilinear footprint names
    it in either image, each pixel once.
    """
    mine_of_id = np.concatenate(([False], texture_of_triangle == texture))
    mine = np.concatenate([by_sample(mine_of_id[buffer.ids], buffer.samples) for buffer in buffers])
    pixels = np.flatnonzero(mine.any(axis=0))
    mine = mine[:, pixels]  # (S, P)
    uv = np.concatenate([by_sample(buffer.uv, buffer.samples) for buffer in buffers])[:, pixels]  # (S, P, 2)
    level = np.concatenate([by_sample(buffer.level, buffer.samples) for buffer in buffers])[:, pixels]
    level = np.clip(np.floor(level + np.float32(LEVEL_ROUNDING)), 0, len(layout.sizes) - 1)
    level = np.where(mine, level, -1).astype(np.int32)  # (S, P)
    values = difference.reshape(-1, 3)[pixels]

    coarsest = int(level.max(initial=0))
    gradient = np.zeros((*layout.sizes[coarsest], 3), np.float32)
    for number in reversed(range(coarsest + 1)):
        height, width = layout.sizes[number]
        if number < coarsest:
            gradient = np.float32(0.25) * double(gradient)
        here = level == number
        chosen = np.flatnonzero(here.any(axis=0))
        texels = _named_texels(uv[:, chosen], here[:, chosen], height, width)  # (4 S, P')
        sums = _sum_by_texel(texels, values[chosen], height, width)
        gradient += sums * level_signs[number] * np.float32(0.5 / epsilon)
    return gradient


def _named_texels(uv: Array, here: NDArray[np.bool_], height: int, width: int) -> NDArray[np.int64]:
    """Flat texel indices that each pixel's samples read, each once, else height * width: (4 S, P)."""
    columns = _neighbours(uv[..., 0], width)
    rows = _neighbours(uv[..., 1], height)
    corners = [row * width + column for row in rows for column in columns]
    texels = np.concatenate([np.where(here, corner, height * width) for corner in corners])
    if len(texels) > 4 or 1 in (height, width):  # the four texels of one sample differ, else
        texels.sort(axis=0)
        texels[1:][texels[1:] == texels[:-1]] = height * width
    return texels


def _neighbours(coordinate: Array, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Index of the texel to the left of (below) a coordinate, and of the next; repeat wrap."""
    left = np.floor(coordinate * size - np.float32(0.5)).astype(np.int64) % size
    return left, np.where(left + 1 == size, 0, left + 1)


def _sum_by_texel(texels: NDArray[np.int64], values: Array, height: int, width: int) -> Array:
    """Sum of the values of the pixels that name a texel: (height, width, 3)."""
    sums = np.empty((height, width, 3), np.float32)
    for channel in range(3):
        repeated = np.tile(values[:, channel].astype(np.float64), len(texels))
        total = np.bincount(texels.reshape(-1), repeated, height * width + 1)
        sums[..., channel] = total[:-1].reshape(height, width)
    return sums
