# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a finished texture shows where no view reached: coarse colour, and a margin around islands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .texture_block import SEEN_EVIDENCE
from .texture_pyramid import halve, level_count

Array = NDArray[np.float32]

# Triangle rows handled at once by ``island_mask``: bounds its memory to about 200 MB.
ROWS_AT_ONCE = 1_000_000


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
    if seen.all() or not seen.any():
        return texture.copy()
    sums = [(texture * seen[..., None], seen[..., None].astype(np.float32))]
    for _ in range(level_count(*seen.shape) - 1):
        sums.append((halve(sums[-1][0]), halve(sums[-1][1])))
    total, count = sums[-1]
    filled = _mean_or(total, count, total.sum(axis=(0, 1)) / count.sum())
    for total, count in reversed(sums[:-1]):
        filled = _mean_or(total, count, interpolated(filled))
    return np.where(seen[..., None], texture, filled).astype(np.float32)


def _mean_or(total: Array, count: Array, otherwise: Array) -> Array:
    return np.where(count > 0, total / np.maximum(count, 1.0), otherwise)


def interpolated(image: Array) -> Array:
    """Twice the size, linear between texel centres, repeat wrap."""
    for axis in (0, 1):
        before = 0.75 * image + 0.25 * np.roll(image, 1, axis=axis)
        after = 0.75 * image + 0.25 * np.roll(image, -1, axis=axis)
        shape = list(image.shape)
        shape[axis] *= 2
        image = np.stack((before, after), axis=axis + 1).reshape(shape)
    return image


def island_mask(uvs: Array, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Texels whose square a UV triangle touches, repeat wrap: (H, W).

    uvs: (F, 3, 2) float32. size: (H, W). Each triangle is cut into rows of texels; the extent of the
    triangle within a row is exact, and rows are summed as differences.
    """
    height, width = size
    corners = uvs.astype(np.float64) * (width, height)  # (F, 3, 2), in texels
    low = np.floor(corners[..., 1].min(axis=1)).astype(np.int64)
    high = np.maximum(np.ceil(corners[..., 1].max(axis=1)).astype(np.int64) - 1, low)
    edges = np.zeros(height * (width + 1), np.float64)
    ends = np.cumsum(high - low + 1)
    start = 0
    while start < len(uvs):
        done = ends[start - 1] if start else 0
        stop = max(int(np.searchsorted(ends, done + ROWS_AT_ONCE, side="right")), start + 1)
        edges += _row_differences(corners[start:stop], low[start:stop], high[start:stop], size)
        start = stop
    return np.cumsum(edges.reshape(height, width + 1), axis=1)[:, :width] > 0.5


def _row_differences(
    corners: NDArray[np.float64], low: NDArray[np.int64], high: NDArray[np.int64], size: tuple[int, int]
) -> NDArray[np.float64]:
    """+1 where a triangle's span of texels begins in a row, -1 after its end: (H (W + 1),)."""
    height, width = size
    counts = high - low + 1
    triangle = np.repeat(np.arange(len(corners)), counts)  # (R,)
    row = np.arange(len(triangle)) - np.repeat(np.cumsum(counts) - counts, counts) + low[triangle]
    left = np.full(len(triangle), np.inf)
    right = np.full(len(triangle), -np.inf)
    for first, second in ((0, 1), (1, 2), (2, 0)):
        x0, y0 = corners[triangle, first].T
        x1, y1 = corners[triangle, second].T
        # The part of the edge within the row, as parameters along the edge.
        slope = np.where(y1 == y0, np.inf, y1 - y0)
        into, out = np.sort([(row - y0) / slope, (row + 1 - y0) / slope], axis=0)
        flat = y1 == y0
        into = np.where(flat, 0.0, np.clip(into, 0.0, 1.0))
        out = np.where(flat, 1.0, np.clip(out, 0.0, 1.0))
        inside = (np.minimum(y0, y1) <= row + 1) & (np.maximum(y0, y1) >= row)
        for along in (into, out):
            x = x0 + along * (x1 - x0)
            left = np.where(inside, np.minimum(left, x), left)
            right = np.where(inside, np.maximum(right, x), right)
    begin = np.floor(left).astype(np.int64)
    length = np.minimum(np.maximum(np.ceil(right).astype(np.int64) - begin, 1), width)
    begin %= width
    base = (row % height) * (width + 1)
    end = begin + length
    over = end > width
    places = np.concatenate(
        (base + begin, base + np.minimum(end, width), base[over], base[over] + end[over] - width)
    )
    changes = np.concatenate(
        (np.ones(len(row)), -np.ones(len(row)), np.ones(over.sum()), -np.ones(over.sum()))
    )
    differences: NDArray[np.float64] = np.bincount(places, changes, height * (width + 1)).astype(np.float64)
    return differences


def extend_margin(texture: Array, islands: NDArray[np.bool_], margin: int) -> Array:
    """Copy each island texel outwards, to the texels nearest to it within ``margin`` texels.

    texture: (H, W, C). islands: (H, W), from ``island_mask``. Repeat wrap; texels farther out stay.
    The offset to the nearest island texel travels from texel to texel, as in Danielsson (1980).
    """
    height, width = islands.shape
    source = np.where(islands, np.arange(height * width).reshape(height, width), -1).reshape(-1)
    distance = np.where(islands, 0, margin * margin + 1).reshape(-1)
    inner = islands.copy()
    for axis in (0, 1):
        inner &= np.roll(islands, 1, axis=axis) & np.roll(islands, -1, axis=axis)
    front = np.flatnonzero(islands & ~inner)
    while margin and len(front):
        moved = []
        for down, across in ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)):
            target = (front // width + down) % height * width + (front % width + across) % width
            origin = source[front]
            squared = (
                _wrapped(target // width - origin // width, height) ** 2
                + _wrapped(target % width - origin % width, width) ** 2
            )
            nearer = squared < distance[target]
            target = target[nearer]
            source[target] = origin[nearer]
            distance[target] = squared[nearer]
            moved.append(target)
        front = np.unique(np.concatenate(moved))
    flat = texture.reshape(-1, texture.shape[-1])
    return np.where((source >= 0)[:, None], flat[source], flat).reshape(texture.shape)


def _wrapped(difference: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """The shortest way round."""
    return (difference + size // 2) % size - size // 2
