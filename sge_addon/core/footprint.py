# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which texels a pixel reads, with which weights: the linear map A from a texture to an image.

A pixel is the mean of its s x s samples of (base colour x shade); samples of the background, or of
triangles with another texture, add nothing. A sample reads bilinearly, repeat wrap, texel (0, 0)
centred at uv = 0.5 / size, from the mip level clamp(floor(level + LEVEL_ROUNDING), 0, levels - 1). The GLSL
function ``sample_texture`` mirrors this.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .bin_sums import BLOCK, add_pairs, no_pairs, numbered, of_pairs
from .crew import share_pixels, share_planes
from .lookups import Lookups
from .texture_pyramid import LEVEL_ROUNDING, PyramidLayout
from .working_memory import WorkingMemory

Array = NDArray[np.float32]
Place = slice | NDArray[np.intp]

_PARTS = (1 << 16) - 1  # of a texel: places between texels take two bytes


@dataclass(frozen=True, eq=False)
class TexelSums:
    """Sums over what reads a texel. residual: (H, W, 3) = A^T residual; weight: (H, W) or (H, W, 3)
    = A^T weight, the curvature that divides it."""

    residual: Array
    weight: Array

    @classmethod
    def of_images(cls, images: Array) -> TexelSums:
        """(N, H, W): three of the residual, one or three of the weight."""
        weight = images[3] if len(images) == 4 else np.moveaxis(images[3:], 0, -1)
        return cls(np.moveaxis(images[:3], 0, -1), weight)

    def images(self) -> Array:
        """As ``of_images`` takes them, a copy."""
        return np.ascontiguousarray(np.moveaxis(np.dstack((self.residual, self.weight)), -1, 0))


@dataclass(frozen=True, eq=False)
class CornerSums:
    """A^T of N columns, kept where pixels are, so that they can be added up before levels are joined.

    cells: (K,) flat indices, in a packed pyramid, of the lower left of four texels. corners: (4, K, N) sums.
    stride: of the pyramid. level_count: number of levels that are read.
    """

    cells: NDArray[np.intp]
    corners: Array
    stride: int
    level_count: int

    def add_to(self, rows: Array) -> None:
        """rows: (length, N); each column is for ``PyramidLayout.unpack_sums``. Rows are three times as fast
        as columns of their own."""
        offsets = (0, 1, self.stride, self.stride + 1)
        for offset, sums in zip(offsets, self.corners, strict=True):
            rows[self.cells + offset] += sums


class Footprint:
    """The map of one view and set of samples onto one texture: 8 bytes a sample (20 with shade).

    pixels: (P,), flat indices of the pixels with a sample of this texture; where these are all, the lookups'.
    """

    def __init__(
        self,
        lookups: Lookups,
        texture_of_triangle: NDArray[np.int32],
        texture: int,
        layout: PyramidLayout,
        by_cell: bool = False,
    ):
        """texture_of_triangle: (F,) int32; ``texture``: the number that is meant; ``layout`` of it.
        by_cell: samples with the same four texels share a cell, as ``corner_sums`` needs it."""
        self.layout = layout
        self.scale = np.float32(1.0 / len(lookups.u))
        mine = np.concatenate(([False], texture_of_triangle == texture))[lookups.ids]  # (S or 1, all pixels)
        level, u, v, shade = lookups.level, lookups.u, lookups.v, lookups.shade
        chosen = np.flatnonzero(mine.any(axis=0))
        # (P,) places of ``pixels`` among the lookups' own, or all of them.
        self.place: Place = slice(None) if len(chosen) == len(lookups.pixels) else chosen
        self.pixels = lookups.pixels[self.place]
        if not isinstance(self.place, slice):
            mine, level, u, v = (plane[:, chosen] for plane in (mine, level, u, v))
            shade = None if shade is None else shade[:, :, chosen]
        foreign = None if mine.all() else ~mine
        self._coverage = None if foreign is None else mine.mean(axis=0, dtype=np.float32)
        levels = np.floor(level + np.float32(LEVEL_ROUNDING))
        levels = np.clip(levels, 0, len(layout.sizes) - 1, out=levels).astype(np.int32)
        if foreign is not None:
            levels[foreign] = 0
        self.level_count = int(levels.max(initial=0)) + 1
        self._index, x, y = self._locate(levels, u, v)
        self._x, self._y = _packed(x), _packed(y)
        if foreign is not None:
            np.copyto(self._index, layout.void, where=foreign)
        self._cells: NDArray[np.intp] | None = None
        if by_cell:
            self._cells, self._index = numbered(self._index, layout.length)  # (K,), (S, P)
        if shade is not None and foreign is not None:
            shade = np.where(foreign, np.float32(0.0), shade)
        self._shade = shade  # (3, S or 1, P)

    def _locate(self, level: NDArray[np.int32], u: Array, v: Array) -> tuple[NDArray[np.int32], Array, Array]:
        """Flat base index and the two fractions of each sample."""
        sizes = np.array(self.layout.sizes, np.float32)
        x, column = _cell(u, sizes[:, 1].take(level))
        y, row = _cell(v, sizes[:, 0].take(level))
        row *= np.int32(self.layout.stride)
        row += column
        row += self.layout.origins.astype(np.int32).take(level)
        return row, x, y

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes, without what is the lookups'."""
        own_pixels = None if isinstance(self.place, slice) else self.pixels
        arrays = (self._cells, self._index, self._x, self._y, own_pixels, self._shade, self._coverage)
        return sum(array.nbytes for array in arrays if array is not None)

    def _blocks(self) -> Iterator[slice]:
        step = max(1, BLOCK // len(self._index))
        for start in range(0, len(self.pixels), step):
            yield slice(start, start + step)

    @property
    def _corners(self) -> tuple[int, int, int, int]:
        """Where the four texels that a sample reads are, from the first of them on."""
        return (0, 1, self.layout.stride, self.layout.stride + 1)

    def _first_texels(self, block: slice) -> NDArray[np.intp]:
        """Those that samples read, as flat indices: (S, B)."""
        index = self._index[:, block]
        return index.astype(np.intp) if self._cells is None else self._cells.take(index)

    def _weights(self, block: slice) -> Array:
        """Those of the four texels, (4, S, B); of a pixel they add up to 1."""
        x, y = (place[:, block] * np.float32(1.0 / _PARTS) for place in (self._x, self._y))
        y *= self.scale
        weights = np.empty((4, *x.shape), np.float32)
        both = np.multiply(x, y, out=weights[3])
        np.subtract(y, both, out=weights[2])
        x *= self.scale
        np.subtract(x, both, out=weights[1])
        np.subtract(self.scale, x, out=weights[0])
        weights[0] -= weights[2]
        return weights

    def read(self, pyramid: Array | Sequence[Array]) -> Array:
        """What each pixel of ``pixels`` reads: A texture, (P, C) float32, stored by channel.

        pyramid: (C, length) from ``layout.pack``, or planes (length,) of several such; 3 with shade.
        """
        out = np.empty((len(pyramid), len(self.pixels)), np.float32)

        def work(block: slice, memory: WorkingMemory) -> None:
            self._read_block(block, pyramid, out, memory)

        share_pixels(len(self.pixels), work)
        return out.T

    def _read_block(
        self, block: slice, pyramid: Array | Sequence[Array], out: Array, memory: WorkingMemory
    ) -> None:
        first, weights = self._first_texels(block), self._weights(block)
        gathered = memory.array("gathered", weights.size, np.float32).reshape(weights.shape)
        for channel, plane in enumerate(pyramid):
            for corner, into in zip(self._corners, gathered, strict=True):
                np.take(plane[corner:], first, out=into, mode="clip")
            shaded = weights if self._shade is None else weights * self._shade[channel][:, block]
            taps = (gathered.reshape(-1, gathered.shape[-1]), shaded.reshape(-1, shaded.shape[-1]))
            np.einsum("tp,tp->p", *taps, out=out[channel, block])

    def row_sums(self) -> Array:
        """A applied to a texture of ones: (P, 1) coverage, or (P, 3) mean shade."""
        if self._shade is not None:
            return self._shade.mean(axis=1).T
        if self._coverage is None:
            return np.ones((len(self.pixels), 1), np.float32)
        return self._coverage[:, None]

    def scatter(self, residual: Array, weight: Array) -> TexelSums:
        """A^T of both: residual (P, 3) and weight (P, 1) or (P, 3), in the order of ``pixels``.

        With shade, a weight of one column is scattered for each channel, as the shade differs.
        """
        columns = self.columns(residual, weight)
        sums = no_pairs(len(columns), self.layout.length)
        self.add_to(sums, columns)
        return self.unpacked(sums, keep=False)

    def columns(self, residual: Array, weight: Array) -> list[Array]:
        """What ``scatter`` adds up, an even number: columns (P,), with shade (S or 1, P)."""
        single = weight.shape[1] == 1 and self._shade is None
        columns = [residual[:, channel] for channel in range(3)]
        columns += [weight[:, channel % weight.shape[1]] for channel in range(1 if single else 3)]
        if self._shade is None:
            return columns
        return [column * self._shade[number % 3] for number, column in enumerate(columns)]

    def corner_sums(self, columns: Sequence[Array]) -> CornerSums:
        """A^T of N columns (P,), in the order of ``pixels``, without shade; of a map ``by_cell``."""
        assert self._cells is not None
        count = len(self._cells)
        sums = no_pairs(len(columns), 4 * count)
        for block in self._blocks():
            of_block = [column[block] for column in columns]
            starts = range(0, 4 * count, count)
            add_pairs(sums, self._index[:, block], self._weights(block), of_block, starts)
        corners = of_pairs(sums, len(columns)).reshape(4, count, -1)
        return CornerSums(self._cells, corners, self.layout.stride, self.level_count)

    def add_to(self, sums: NDArray[np.complex64], columns: Sequence[Array]) -> None:
        """Add A^T of columns to sums over a packed pyramid, (length, N / 2) as of ``add_pairs``."""
        for block in self._blocks():
            of_block = [column[..., block] for column in columns]
            add_pairs(sums, self._first_texels(block), self._weights(block), of_block, self._corners)

    def unpacked(self, sums: NDArray[np.complex64], keep: bool = True) -> TexelSums:
        """Sums of the levels that this map reads brought together. keep: ``sums`` stay as they are, for which
        they are copied."""
        rows = of_pairs(sums, 2 * sums.shape[1])  # (length, N)
        height, width = self.layout.height, self.layout.width
        images = np.empty((rows.shape[1], height, width), np.float32)

        def unpack(number: int) -> None:
            column = np.ascontiguousarray(rows[:, number]) if keep else rows[:, number]
            images[number] = self.layout.unpack_sums(column, self.level_count)

        share_planes(len(images), height * width, unpack)
        return TexelSums.of_images(images)


def _cell(coordinate: Array, size: Array) -> tuple[Array, NDArray[np.int32]]:
    """Fraction and index of the texel to the left of (below) a coordinate, wrapped to [0, size)."""
    place = coordinate - np.float32(0.5) / size
    place -= np.floor(place)
    place *= size
    # A place just below 1 may round up to `size` itself; its left texel is the last one.
    left = np.minimum(np.floor(place), size - 1)
    return place - left, left.astype(np.int32)


def _packed(place: Array) -> NDArray[np.uint16]:
    """Places in [0, 1], rounded."""
    parts = place * np.float32(_PARTS)
    parts += np.float32(0.5)
    return parts.astype(np.uint16)
