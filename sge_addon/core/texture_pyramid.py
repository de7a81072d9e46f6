# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mip pyramid of a texture: how it is built, laid out for reading, and its adjoint.

A level is the mean of 2 x 2 texels of the level before it; levels are built while both sides are
even. The shader and the NumPy footprint read the same levels from two layouts:

``pyramid_atlas`` (for upload, (H, W + W // 2, 4), of one channel (H, W + W // 2, 1)): level 0 at
x 0, y 0; level l >= 1 at x = W, y = H - H / 2**(l - 1). Repeat wrap is the reader's business there.

``PyramidLayout`` (for gathering): all levels in one flat array of a single row stride, each padded
by one repeated column and row. A bilinear read at any level is then four gathers at ``i``, ``i + 1``,
``i + stride``, ``i + stride + 1``, with no modulo and no branch on the level.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .crew import share_planes

Array = NDArray[np.float32]
Floats = NDArray[np.floating[Any]]

# A sample reads level floor(log2(texels per sample spacing) + LEVEL_ROUNDING), as the shader does.
# Measured on the texture task, 240 view-steps: 0 gives 50.5 dB, 0.5 (the nearest level) 49.0 dB.
LEVEL_ROUNDING = 0.0


def level_count(height: int, width: int) -> int:
    """Number of levels, the texture itself included."""
    count = 1
    while height % 2 == 0 and width % 2 == 0:
        height, width, count = height // 2, width // 2, count + 1
    return count


def halve(image: Floats) -> Floats:
    """Sum of 2 x 2 neighbours: (H, W, ...) to (H/2, W/2, ...), both sides even."""
    rows = image[0::2] + image[1::2]
    return rows[:, 0::2] + rows[:, 1::2]


def double(image: Floats) -> Floats:
    """Each texel repeated 2 x 2: (H, W, ...) to (2H, 2W, ...); the adjoint of ``halve``."""
    return np.repeat(np.repeat(image, 2, axis=0), 2, axis=1)


def doubled_across(image: Array) -> Array:
    """(..., W) float32 to (..., 2 W), each number twice: four times as fast as ``np.repeat``."""
    return np.multiply(image, np.complex64(1.0 + 1.0j), order="C").view(np.float32)


def build_levels(texture: Array) -> list[Array]:
    """All levels of a texture (H, W, ...), finest first."""
    levels = [texture]
    for _ in range(level_count(*texture.shape[:2]) - 1):
        levels.append(halve(levels[-1]) * np.float32(0.25))
    return levels


def pyramid_atlas(texture: Array) -> Array:
    """The levels of a texture (H, W, C) side by side for upload: (H, W + W // 2, 4), in channels that the
    texture has not 0 and alpha 1; of a texture of one channel (H, W + W // 2, 1).

    Level 0 at x 0; level l >= 1 at x = W, y = H - H / 2**(l - 1).
    """
    height, width, channels = texture.shape
    atlas = np.zeros((height, width + width // 2, 1 if channels == 1 else 4), np.float32)
    if channels != 1:
        atlas[..., 3] = 1.0
    atlas[:, :width, :channels] = texture
    for level, image in enumerate(build_levels(texture)[1:], start=1):
        y = height - (height >> (level - 1))
        atlas[y : y + image.shape[0], width : width + image.shape[1], :channels] = image
    return atlas


@dataclass(frozen=True)
class PyramidLayout:
    """Where the padded levels of a ``height`` x ``width`` texture lie in one flat array."""

    height: int
    width: int

    @cached_property
    def sizes(self) -> list[tuple[int, int]]:
        """(height, width) of each level."""
        count = level_count(self.height, self.width)
        return [(self.height >> level, self.width >> level) for level in range(count)]

    @cached_property
    def stride(self) -> int:
        """Length of a row: level 0 and, to its right, level 1, each with a padding column."""
        return self.width + 1 + (self.width // 2 + 1 if len(self.sizes) > 1 else 0)

    @cached_property
    def origins(self) -> NDArray[np.int64]:
        """(levels,) flat index of texel (0, 0) of each level."""
        starts, row = [0], 0
        for height, _ in self.sizes[1:]:
            starts.append(row * self.stride + self.width + 1)
            row += height + 1
        return np.array(starts, np.int64)

    @cached_property
    def void(self) -> int:
        """Flat index of a 2 x 2 block that belongs to no level: reads as zero, sums are dropped."""
        rows = max(self.height + 1, sum(height + 1 for height, _ in self.sizes[1:]))
        return rows * self.stride

    @property
    def length(self) -> int:
        """Length of the flat array."""
        return self.void + self.stride + 2

    def _padded(self, flat: Floats, level: int) -> Floats:
        """View of one padded level, (..., h + 1, w + 1), into flat arrays, (..., length)."""
        height, width = self.sizes[level]
        start = int(self.origins[level])
        *outer, step = flat.strides
        return np.lib.stride_tricks.as_strided(
            flat[..., start:],
            (*flat.shape[:-1], height + 1, width + 1),
            (*outer, self.stride * step, step),
            writeable=True,
        )

    def pack(self, texture: Array) -> Array:
        """The padded pyramid of a texture (H, W, C): (C, length) float32, one plane a channel."""
        flat = np.zeros((texture.shape[-1], self.length), np.float32)

        def pack_channel(number: int) -> None:
            for level, image in enumerate(build_levels(texture[..., number])):
                padded = self._padded(flat[number], level)
                padded[:-1, :-1] = image
                padded[-1, :-1] = image[0]
                padded[:, -1] = padded[:, 0]

        share_planes(len(flat), self.height * self.width, pack_channel)
        return flat

    def unpack_sums(self, flat: Floats, used: int | None = None) -> Array:
        """The adjoint of ``pack`` for one channel: (length,) sums to (H, W) float32; ``flat`` is consumed.

        used: number of levels that received sums (the rest is skipped); None for all.
        """
        coarsest = (len(self.sizes) if used is None else used) - 1
        sums = self._unpadded(flat, coarsest)
        for level in reversed(range(coarsest)):
            quarter = doubled_across(sums * np.float32(0.25))
            sums = self._unpadded(flat, level)
            rows = sums.reshape(len(quarter), 2, -1)
            rows += quarter[:, None]
        return sums

    def _unpadded(self, flat: Floats, level: int) -> Array:
        """(h, w) float32 sums of one level, those of the padding where they belong; of (length,)."""
        padded = self._padded(flat, level)
        padded[:, 0] += padded[:, -1]
        padded[0, :-1] += padded[-1, :-1]
        # A copy: NumPy adds to rows that follow one another at once, to others one by one, a third as fast.
        return np.ascontiguousarray(padded[:-1, :-1], np.float32)
