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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .texture_pyramid import LEVEL_ROUNDING, PyramidLayout

Array = NDArray[np.float32]

# Pixels handled at once when reading: the arrays of a block stay in the processor's cache.
BLOCK = 8192


@dataclass(frozen=True, eq=False)
class UVBuffer:
    """What one unperturbed, jittered rasterisation of a view gives at s x s samples a pixel.

    ids: (sH, sW) uint32, 0 for background, triangle + 1 over all surfaces.
    uv: (sH, sW, 2) float32, as interpolated (not wrapped).
    level: (sH, sW) float32, log2 of the texels of that triangle's texture per sample spacing, along
    the larger of the two screen axes; may be negative.
    shade: (sH, sW, 3) float32, factor from base colour to pixel colour; None where it is 1 (unlit).
    samples: s.
    """

    ids: NDArray[np.uint32]
    uv: Array
    level: Array
    samples: int
    shade: Array | None = None

    @property
    def image_size(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.ids.shape[0] // self.samples, self.ids.shape[1] // self.samples


@dataclass(frozen=True, eq=False)
class TexelSums:
    """Sums over what reads a texel. residual: (H, W, 3) = A^T residual; weight: (H, W) or (H, W, 3)
    = A^T weight, the curvature that divides it."""

    residual: Array
    weight: Array


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


def by_sample(plane: NDArray[Any], samples: int) -> NDArray[Any]:
    """Samples grouped by their place in the pixel: (sH, sW, ...) to (s s, H W, ...)."""
    height, width = plane.shape[0] // samples, plane.shape[1] // samples
    split = plane.reshape(height, samples, width, samples, *plane.shape[2:])
    return np.moveaxis(split, (1, 3), (0, 1)).reshape(samples * samples, height * width, *plane.shape[2:])


class Footprint:
    """The map of one view and jitter onto one texture: 12 bytes a sample (24 with shade).

    Samples with the same four texels share a cell, so that sums cost what is seen, not the texture's size.

    pixels: (P,) int32, flat indices of the pixels with a sample of this texture.
    """

    def __init__(
        self,
        buffers: Sequence[UVBuffer],
        texture_of_triangle: NDArray[np.int32],
        texture: int,
        layout: PyramidLayout,
    ):
        """buffers: the view's samples, in one buffer or spread over several of the same size.
        texture_of_triangle: (F,) int32; ``texture``: the number that is meant; ``layout`` of it."""
        self.layout = layout
        self.image_size = buffers[0].image_size
        self.scale = np.float32(1.0 / sum(buffer.samples**2 for buffer in buffers))
        mine_of_id = np.concatenate(([False], texture_of_triangle == texture))
        masks = [by_sample(mine_of_id[buffer.ids], buffer.samples) for buffer in buffers]  # (s s, H W)
        seen = np.logical_or.reduce([mask.any(axis=0) for mask in masks])
        self.pixels = np.flatnonzero(seen).astype(np.int32)  # (P,)
        mine = np.concatenate([mask[:, self.pixels] for mask in masks])  # (S, P)
        self._coverage = None if mine.all() else mine.mean(axis=0, dtype=np.float32)
        parts = [self._gather(buffer, len(buffers)) for buffer in buffers]
        level, u, v = (np.concatenate([part[item] for part in parts]) for item in range(3))
        level[~mine] = 0
        self._level_count = int(level.max(initial=0)) + 1
        index, self._x, self._y = self._locate(level, u, v)
        index[~mine] = layout.void
        self._cells, self._cell = _numbered(index, layout.length)  # (K,), (S, P)
        self._shade = None
        if buffers[0].shade is not None:
            shade = np.concatenate([part[3] for part in parts])  # (S, P, 3)
            shade[~mine] = 0.0
            self._shade = np.ascontiguousarray(np.moveaxis(shade, -1, 0))  # (3, S, P)

    def _gather(self, buffer: UVBuffer, parts: int) -> tuple[NDArray[Any], ...]:
        """Level, u, v (and shade) of the samples of ``pixels``: (s s, P) each."""
        where = np.arange(buffer.ids.size, dtype=np.int32).reshape(buffer.ids.shape)
        where = by_sample(where, buffer.samples)[:, self.pixels]
        # Samples spread over several buffers lie closer together than within one.
        nearness = np.float32(LEVEL_ROUNDING - 0.5 * np.log2(parts))
        level = np.floor(buffer.level.reshape(-1).take(where) + nearness)
        level = np.clip(level, 0, len(self.layout.sizes) - 1).astype(np.int32)
        uv = buffer.uv.reshape(-1, 2)
        found = (level, uv[:, 0].take(where), uv[:, 1].take(where))
        return found if buffer.shade is None else (*found, buffer.shade.reshape(-1, 3).take(where, axis=0))

    def _locate(self, level: NDArray[np.int32], u: Array, v: Array) -> tuple[NDArray[np.int32], Array, Array]:
        """Flat base index and the two fractions of each sample."""
        sizes = np.array(self.layout.sizes, np.float32)
        x, column = _cell(u, sizes[:, 1].take(level))
        y, row = _cell(v, sizes[:, 0].take(level))
        index = self.layout.origins.astype(np.int32).take(level)
        index += row * np.int32(self.layout.stride)
        index += column
        return index, x, y

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        arrays = (self._cells, self._cell, self._x, self._y, self.pixels, self._shade, self._coverage)
        return sum(array.nbytes for array in arrays if array is not None)

    def _blocks(self) -> Iterator[slice]:
        for start in range(0, len(self.pixels), BLOCK):
            yield slice(start, start + BLOCK)

    def read(self, pyramid: Array | Sequence[Array]) -> Array:
        """What each pixel of ``pixels`` reads: A texture, (P, C) float32, stored by channel.

        pyramid: (C, length) from ``layout.pack``, or planes (length,) of several such; 3 with shade.
        """
        out = np.empty((len(pyramid), len(self.pixels)), np.float32)
        stride = self.layout.stride
        for block in self._blocks():
            index = self._cells.take(self._cell[:, block])
            x, y = self._x[:, block], self._y[:, block]
            corners = (index, index + 1, index + stride, index + (stride + 1))
            weights = _corner_weights(x, y, self.scale)
            gathered = np.empty(index.shape, np.float32)
            total = np.empty(index.shape, np.float32)
            for channel, plane in enumerate(pyramid):
                np.take(plane, corners[0], out=total, mode="clip")
                total *= weights[0]
                for corner, weight in zip(corners[1:], weights[1:], strict=True):
                    np.take(plane, corner, out=gathered, mode="clip")
                    gathered *= weight
                    total += gathered
                if self._shade is not None:
                    total *= self._shade[channel][:, block]
                np.sum(total, axis=0, out=out[channel, block])
        return out.T

    def row_sums(self) -> Array:
        """A applied to a texture of ones: (P, 1) coverage, or (P, 3) mean shade."""
        if self._shade is not None:
            return (self._shade.sum(axis=1) * self.scale).T
        if self._coverage is None:
            return np.ones((len(self.pixels), 1), np.float32)
        return self._coverage[:, None]

    def scatter(self, residual: Array, weight: Array) -> TexelSums:
        """A^T of both: residual (P, 3) and weight (P, 1) or (P, 3), in the order of ``pixels``.

        With shade, a weight of one column is scattered for each channel, as the shade differs.
        """
        single = weight.shape[1] == 1 and self._shade is None
        columns = [(residual[:, channel], channel) for channel in range(3)]
        columns += [(weight[:, channel % weight.shape[1]], channel) for channel in range(1 if single else 3)]
        images = self._scattered(columns)
        pushed, curvature = np.moveaxis(images[:3], 0, -1), np.moveaxis(images[3:], 0, -1)
        return TexelSums(pushed, curvature[..., 0] if single else curvature)

    def corner_sums(self, columns: Sequence[Array]) -> CornerSums:
        """A^T of N columns (P,), in the order of ``pixels``, without shade."""
        pairs = self._sums_of_cells([(column, None) for column in columns])  # (N / 2, 4, K)
        corners = np.ascontiguousarray(np.moveaxis(pairs, 0, -1)).view(np.float32)[..., : len(columns)]
        return CornerSums(self._cells, corners, self.layout.stride, self._level_count)

    def _scattered(self, columns: Sequence[tuple[Array, int]]) -> Array:
        """A^T of columns (P,), each with the channel of its shade: (N, H, W) float32."""
        images = np.empty((len(columns), self.layout.height, self.layout.width), np.float32)
        offsets = (0, 1, self.layout.stride, self.layout.stride + 1)
        for number, of_corners in enumerate(self._sums_of_cells(columns)):
            for image, parts in zip(images[2 * number :], (of_corners.real, of_corners.imag), strict=False):
                sums = np.zeros(self.layout.length, np.float32)
                for offset, part in zip(offsets, parts, strict=True):
                    sums[self._cells + offset] += part
                image[:] = self.layout.unpack_sums(sums, self._level_count)
        return images

    def _sums_of_cells(self, columns: Sequence[tuple[Array, int | None]]) -> NDArray[np.complex64]:
        """Sums over the samples of each cell, of two columns (P,) at a time and for each corner:
        (columns / 2, 4, K). The second column is the imaginary part, so that one pass serves both.

        columns: each with the channel of its shade, None for no shade; the last may be without a second.
        """
        sums = np.zeros(((len(columns) + 1) // 2, 4, len(self._cells)), np.complex64)
        for block in self._blocks():
            cell = self._cell[:, block].astype(np.intp)
            values = np.empty(cell.shape, np.complex64)
            weights = _corner_weights(self._x[:, block], self._y[:, block], self.scale)
            shaded: list[Any] = [
                column[block]
                if self._shade is None or channel is None
                else self._shade[channel][:, block] * column[block]
                for column, channel in columns
            ]
            if len(shaded) % 2:
                shaded.append(np.float32(0.0))
            for number, of_corners in enumerate(sums):
                for weight, of_corner in zip(weights, of_corners, strict=True):
                    np.multiply(weight, shaded[2 * number], out=values.real)
                    np.multiply(weight, shaded[2 * number + 1], out=values.imag)
                    np.add.at(of_corner, cell.reshape(-1), values.reshape(-1))
        return sums


def _cell(coordinate: Array, size: Array) -> tuple[Array, NDArray[np.int32]]:
    """Fraction and index of the texel to the left of (below) a coordinate, wrapped to [0, size)."""
    place = coordinate - np.float32(0.5) / size
    place -= np.floor(place)
    place *= size
    # A place just below 1 may round up to `size` itself; its left texel is the last one.
    left = np.minimum(np.floor(place), size - 1)
    return place - left, left.astype(np.int32)


def _numbered(index: NDArray[np.int32], length: int) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """The distinct values of ``index``, ascending, and for each entry its value's place among them.
    Values are below ``length``: a table is ten times faster than sorting."""
    is_there = np.zeros(length, np.bool_)
    is_there[index] = True
    distinct = np.flatnonzero(is_there)
    place = np.empty(length, np.int32)
    place[distinct] = np.arange(len(distinct), dtype=np.int32)
    return distinct, place.take(index)


def _corner_weights(x: Array, y: Array, scale: np.float32) -> tuple[Array, Array, Array, Array]:
    """Bilinear weights times ``scale``, in the order (0, 0), (1, 0), (0, 1), (1, 1)."""
    upper = y * scale
    lower = scale - upper
    right = x * lower
    upper_right = x * upper
    return lower - right, right, upper - upper_right, upper_right
