# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which point of a surface each texel shows, and what a texture shows at a point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

_AT_ONCE = 4_000_000  # candidates: texels of the triangles' bounding boxes


@dataclass(frozen=True, eq=False)
class TexelPlaces:
    """Texels whose centres a triangle covers, each once.

    texels: (N,) index into the flat (H W) texture. triangles: (N,) index. weights: (N, 3) barycentric.
    """

    texels: NDArray[np.int64]
    triangles: NDArray[np.int64]
    weights: NDArray[np.float64]

    def points(self, corners: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """(N, C): values given at the corners of all triangles, (F, 3, C), at the texels' centres."""
        result: NDArray[np.float64] = np.einsum("nk,nkc->nc", self.weights, corners[self.triangles])
        return result


def texel_places(uvs: Array, size: tuple[int, int]) -> TexelPlaces:
    """uvs: (F, 3, 2), within [0, 1]; where triangles overlap the last counts. size: (H, W)."""
    height, width = size
    corners = uvs.astype(np.float64) * (width, height)
    low = np.clip(np.ceil(corners.min(axis=1) - 0.5), 0, None).astype(np.int64)  # (F, 2)
    high = np.minimum(np.floor(corners.max(axis=1) - 0.5).astype(np.int64), (width - 1, height - 1))
    extent = np.maximum(high - low + 1, 0)
    counts = extent.prod(axis=1)
    ends = np.cumsum(counts)
    found: list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]] = []
    start = 0
    while start < len(uvs):
        done = ends[start - 1] if start else 0
        stop = max(int(np.searchsorted(ends, done + _AT_ONCE, side="right")), start + 1)
        found.append(_inside(corners, low, extent, np.arange(start, stop), width))
        start = stop
    texels, triangles, weights = (np.concatenate(parts) for parts in zip(*found, strict=True))
    _, last = np.unique(texels[::-1], return_index=True)
    chosen = len(texels) - 1 - last
    return TexelPlaces(texels[chosen], triangles[chosen], weights[chosen])


def _inside(
    corners: NDArray[np.float64],
    low: NDArray[np.int64],
    extent: NDArray[np.int64],
    chosen: NDArray[np.int64],
    width: int,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Texel, triangle and weights of every texel centre within the chosen triangles."""
    counts = extent[chosen].prod(axis=1)
    triangle = np.repeat(chosen, counts)
    place = np.arange(len(triangle)) - np.repeat(np.cumsum(counts) - counts, counts)
    across = extent[triangle, 0]
    x = low[triangle, 0] + place % across
    y = low[triangle, 1] + place // across
    a, b, c = corners[triangle].transpose(1, 0, 2)
    area = _cross(b - a, c - a)
    centre = np.stack([x + 0.5, y + 0.5], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # triangles without area have no inside
        v = _cross(centre - a, c - a) / area
        w = _cross(b - a, centre - a) / area
        weights = np.stack([1.0 - v - w, v, w], axis=1)
    inside = (weights >= -1e-9).all(axis=1)
    return (y * width + x)[inside], triangle[inside], weights[inside]


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    result: NDArray[np.float64] = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return result


def bilinear(texture: Array, uvs: NDArray[np.floating[Any]]) -> Array:
    """(N, 3) what a texture (H, W, 3) shows at (N, 2) coordinates; repeat wrap, finest level."""
    height, width = texture.shape[:2]
    place = uvs * (width, height) - 0.5
    corner = np.floor(place).astype(np.int64)
    x, y = (place - corner).T
    result = np.zeros((len(uvs), texture.shape[2]))
    for row in (0, 1):
        for column in (0, 1):
            weight = np.abs(1 - column - x) * np.abs(1 - row - y)
            texels = texture[(corner[:, 1] + row) % height, (corner[:, 0] + column) % width]
            result += weight[:, None] * texels
    return result.astype(np.float32)
