# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a finished texture shows where no view reached: coarse colour, and a margin around islands."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .texture_block import SEEN_EVIDENCE
from .texture_pyramid import halve, level_count

Array = NDArray[np.float32]

ROWS_AT_ONCE = 1 << 14  # of triangles, by ``island_mask``: what stays in the processor's cache
_ROWS = 64  # of a margin made at once: what stays in the processor's cache
_OUT_OF_REACH = 1 << 20  # texels


def finished_texture(texture: Array, weight: Array, uvs: Array, margin: int) -> Array:
    """With unseen texels filled and the islands extended by ``margin`` texels: (H, W, C), C of 1 or 3.

    weight: (H, W), evidence. uvs: (F, 3, 2) of the triangles that show it, in the texture's own space.
    """
    islands = island_mask(uvs, (weight.shape[0], weight.shape[1]))
    return extend_margin(fill_unseen(texture, weight), islands, margin)


def fill_unseen(texture: Array, weight: Array) -> Array:
    """Colour unseen texels from the seen ones about them; seen texels are kept bit for bit.

    texture: (H, W, C) float32. weight: (H, W), evidence in pixels; above 0.01 a texel counts as seen.
    Pull-push: means of the seen texels at coarser levels, interpolated linearly on the way back.
    Where nothing was seen at all the texture is returned as it is.
    """
    seen = weight > SEEN_EVIDENCE
    filled = texture.copy(order="K")
    if seen.all() or not seen.any():
        return filled
    counts = [seen.astype(np.float32)]
    sums = [texture * seen[..., None]]
    for _ in range(level_count(*seen.shape) - 1):
        sums.append(halve(sums[-1]))
        counts.append(halve(counts[-1]))
    coarse = _means(sums[-1], counts[-1], sums[-1].sum(axis=(0, 1)) / counts[-1].sum())
    for total, count in zip(sums[-2:0:-1], counts[-2:0:-1], strict=True):
        coarse = _means(total, count, interpolated(coarse))
    if len(sums) > 1:
        coarse = interpolated(coarse)
    np.copyto(filled, coarse, where=~seen[..., None])
    return filled


def _means(total: Array, count: Array, otherwise: Array) -> Array:
    """(H, W, C) total over count, (H, W); ``otherwise`` where nothing counts."""
    return np.where(count[..., None] > 0, total / np.maximum(count, np.float32(1.0))[..., None], otherwise)


def interpolated(image: Array) -> Array:
    """Twice the size, linear between texel centres, repeat wrap."""
    return _doubled_along(_doubled_along(image, 1), 0)


def _doubled_along(image: Array, axis: int) -> Array:
    shape = list(image.shape)
    shape[axis] *= 2
    doubled = np.empty_like(image, shape=shape)
    image, twice = np.moveaxis(image, axis, 0), np.moveaxis(doubled, axis, 0)
    quarter = np.float32(0.25) * image
    # Every other number is written as slowly as it is read: once.
    between = np.float32(0.75) * image
    between[1:] += quarter[:-1]
    between[0] += quarter[-1]
    twice[0::2] = between
    np.multiply(image, np.float32(0.75), out=between)
    between[:-1] += quarter[1:]
    between[-1] += quarter[0]
    twice[1::2] = between
    return doubled


def island_mask(uvs: Array, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Texels whose square a UV triangle touches, repeat wrap: (H, W).

    uvs: (F, 3, 2) float32. size: (H, W). Each triangle is cut into rows of texels; the extent of the
    triangle within a row is exact, and rows are summed as differences.
    """
    height, width = size
    corners = uvs.astype(np.float64) * (width, height)  # (F, 3, 2), in texels
    low = np.floor(corners[..., 1].min(axis=1)).astype(np.int64)
    high = np.maximum(np.ceil(corners[..., 1].max(axis=1)).astype(np.int64) - 1, low)
    changes = np.zeros(height * (width + 1), np.int32)
    ends = np.cumsum(high - low + 1)
    start = 0
    while start < len(uvs):
        done = ends[start - 1] if start else 0
        stop = max(int(np.searchsorted(ends, done + ROWS_AT_ONCE, side="right")), start + 1)
        _add_spans(changes, corners[start:stop], low[start:stop], high[start:stop], size)
        start = stop
    return np.cumsum(changes.reshape(height, width + 1), axis=1, dtype=np.int32)[:, :width] > 0


def _add_spans(
    changes: NDArray[np.int32],
    corners: NDArray[np.float64],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    size: tuple[int, int],
) -> None:
    """Add 1 where a triangle's span of texels begins in a row, -1 after its end; changes: (H (W + 1),)."""
    height, width = size
    counts = high - low + 1
    row = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts - low, counts)  # (R,)
    bottom = row.astype(np.float64)
    left = np.full(len(row), np.inf)
    right = np.full(len(row), -np.inf)
    for first, second in ((0, 1), (1, 2), (2, 0)):
        # The part of the edge within the row, between two heights; a flat edge is its lower corner.
        upwards = corners[:, first, 1] <= corners[:, second, 1]
        x0, y0 = np.where(upwards, corners[:, first].T, corners[:, second].T)
        x1, y1 = np.where(upwards, corners[:, second].T, corners[:, first].T)
        rise = y1 - y0
        slope = np.divide(x1 - x0, rise, out=np.zeros_like(rise), where=rise > 0.0)
        ends = [x0, y0, y1, slope, np.minimum(x0, x1), np.maximum(x0, x1)]
        x0, y0, y1, slope, least, most = np.repeat(ends, counts, axis=1)
        into, out = np.maximum(y0, bottom), np.minimum(y1, bottom + 1.0)
        outside = np.where(into <= out, 0.0, np.inf)
        for x in (into, out):
            x -= y0
            x *= slope
            x += x0
            np.minimum(np.maximum(x, least, out=x), most, out=x)
            np.minimum(left, x + outside, out=left)
            np.maximum(right, x - outside, out=right)
    begin = np.floor(left).astype(np.int64)
    length = np.minimum(np.maximum(np.ceil(right).astype(np.int64) - begin, 1), width)
    begin %= width
    base = (row % height) * (width + 1)
    end = begin + length
    over = end > width
    one = np.int32(1)  # of the same type: else ten times as slow
    np.add.at(changes, base + begin, one)
    np.subtract.at(changes, base + np.minimum(end, width), one)
    np.add.at(changes, base[over], one)
    np.subtract.at(changes, base[over] + end[over] - width, one)


def extend_margin(texture: Array, islands: NDArray[np.bool_], margin: int) -> Array:
    """Copy each island texel outwards, to the texels nearest to it within ``margin`` texels.

    texture: (H, W, C). islands: (H, W), from ``island_mask``. Repeat wrap; texels farther out stay.
    First the way to the nearest island texel in the same column, then the nearest of all columns
    (Saito and Toriwaki 1994).
    """
    height, width = islands.shape
    if not margin or not islands.any():
        return texture.copy(order="K")
    upwards = _ways_along_columns(islands, min(margin, height))  # (H, W)
    wide = np.pad(upwards, ((0, 0), (margin, margin)), mode="wrap")
    # Where rows begin and which columns there are, the other way round the texture as well.
    row_starts = np.pad(np.arange(height) * width, margin, mode="wrap")
    columns = np.pad(np.arange(width), margin, mode="wrap")
    places, sources = [], []
    for start in range(0, height, _ROWS):
        rows = slice(start, start + _ROWS)
        across, near = _nearest_columns(wide[rows], margin)
        place = np.flatnonzero(near & ~islands[rows])
        column = columns.take(across.take(place) + place % width + margin)
        place += start * width
        row = upwards.take(place - place % width + column) + place // width
        places.append(place)
        sources.append(row_starts.take(row + margin) + column)
    place, source = np.concatenate(places), np.concatenate(sources)
    # By channel, as textures that are fitted are stored.
    planes = np.array(np.moveaxis(texture, -1, 0), order="C").reshape(-1, height * width)
    for plane in planes:
        plane[place] = plane.take(source)
    return np.moveaxis(planes.reshape(-1, height, width), 0, -1)


def _ways_along_columns(islands: NDArray[np.bool_], margin: int) -> NDArray[np.int32]:
    """(H, W) how many rows up (down if negative) the nearest island texel of the column lies; out of reach
    where that is more than ``margin``."""
    height = len(islands)
    padded = np.pad(islands, ((margin, margin), (0, 0)), mode="wrap")
    own = slice(margin, margin + height)
    up, down = _rows_upwards(padded, margin)[own], _rows_upwards(padded[::-1], margin)[::-1][own]
    return np.where(up <= down, up, -down)


def _rows_upwards(islands: NDArray[np.bool_], margin: int) -> NDArray[np.int32]:
    """How many rows up the nearest island texel lies, 0 in an island; out of reach beyond ``margin``."""
    rows = np.where(islands, np.int32(0), np.int32(_OUT_OF_REACH))
    reached = 0
    while reached < margin:
        step = min(reached + 1, margin - reached)
        np.minimum(rows[:-step], rows[step:] + np.int32(step), out=rows[:-step])
        reached += step
    return rows


def _nearest_columns(
    ways: NDArray[np.int32], margin: int
) -> tuple[NDArray[np.integer[Any]], NDArray[np.bool_]]:
    """(H, W) how many columns to the right the nearest island texel lies, for ways along columns (H, W + 2
    margin); and whether it is within ``margin``."""
    width = ways.shape[1] - 2 * margin
    # One number to compare, as short as may be: the square of the distance, and which column it is.
    codes, beyond = 2 * margin + 1, (margin + 1) ** 2
    number = np.min_scalar_type((2 * beyond + 1) * codes).type
    squares = np.square(np.minimum(np.abs(ways), margin + 1)).astype(number)
    squares *= number(codes)
    nearest = np.full((len(ways), width), beyond * codes, number)
    for step in range(margin + 1):
        if step * step * codes > nearest.max():
            break
        for side in {margin - step, margin + step}:
            beside = squares[:, side : side + width] + number(step * step * codes + side)
            np.minimum(nearest, beside, out=nearest)
    near = nearest < number((margin * margin + 1) * codes)
    return (nearest % number(codes)).astype(np.int32) - np.int32(margin), near
