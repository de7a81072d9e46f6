# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of all directions, as Blender's Environment Texture maps them (equirectangular).

The middle of the image looks along +X; columns run clockwise as seen from above, rows from straight down to
straight up. Arrays are (H, W, 3) linear radiance, row 0 at the bottom.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def direction_uv(directions: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """(..., 2) position in the image, u and v in [0, 1], of unit directions (..., 3)."""
    x, y, z = np.moveaxis(np.asarray(directions, np.float64), -1, 0)
    u = 0.5 - np.arctan2(y, x) / (2.0 * np.pi)
    v = 0.5 + np.arctan2(z, np.hypot(x, y)) / np.pi
    return np.stack([u, v], -1)


def uv_direction(uv: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """(..., 3) unit direction of positions (..., 2) in the image."""
    u, v = np.moveaxis(np.asarray(uv, np.float64), -1, 0)
    azimuth, elevation = (0.5 - u) * 2.0 * np.pi, (v - 0.5) * np.pi
    across = np.cos(elevation)
    return np.stack([across * np.cos(azimuth), across * np.sin(azimuth), np.sin(elevation)], -1)


def lookup(image: Array, directions: NDArray[np.floating[Any]]) -> Array:
    """(..., 3) radiance from directions (..., 3): bilinear, around the seam, up to the rows at the poles."""
    height, width = image.shape[:2]
    position = direction_uv(directions) * (width, height) - 0.5
    low = np.floor(position).astype(np.int64)
    fraction = (position - low).astype(np.float32)[..., None]
    column, next_column = low[..., 0] % width, (low[..., 0] + 1) % width
    row, next_row = np.clip(low[..., 1], 0, height - 1), np.clip(low[..., 1] + 1, 0, height - 1)
    below = image[row, column] + fraction[..., 0, :] * (image[row, next_column] - image[row, column])
    above = image[next_row, column] + fraction[..., 0, :] * (
        image[next_row, next_column] - image[next_row, column]
    )
    return np.asarray(below + fraction[..., 1, :] * (above - below), np.float32)


def pixel_directions(height: int, width: int) -> NDArray[np.float64]:
    """(height, width, 3) unit directions of the pixels' centres."""
    u = (np.arange(width) + 0.5) / width
    v = (np.arange(height) + 0.5) / height
    return uv_direction(np.stack(np.broadcast_arrays(u[None], v[:, None]), -1))


def solid_angles(height: int, width: int) -> NDArray[np.float64]:
    """(height,) solid angle of a pixel of each row; times width their sum is 4 pi."""
    edges = np.sin((np.arange(height + 1) / height - 0.5) * np.pi)
    return np.diff(edges) * (2.0 * np.pi / width)


def resampled(image: Array, height: int, width: int) -> Array:
    """Means over the cells of a coarser grid, by solid angle; exact for cells that cut pixels."""
    if image.shape[:2] == (height, width):
        return image
    weights = solid_angles(image.shape[0], image.shape[1])
    weighted = np.asarray(image * weights[:, None, None], np.float32)
    sums = _cell_sums(_cell_sums(weighted, height, 0), width, 1)
    return np.asarray(
        sums / _cell_sums(weights, height, 0)[:, None, None] * (width / image.shape[1]), np.float32
    )


def _cell_sums(array: NDArray[np.floating[Any]], count: int, axis: int) -> NDArray[np.float64]:
    """Sums of what lies in ``count`` equal cells along an axis."""
    size = array.shape[axis]
    if size % count == 0:
        cut = (*array.shape[:axis], count, size // count, *array.shape[axis + 1 :])
        return array.reshape(cut).sum(axis + 1, dtype=np.float64 if array.ndim == 1 else None)
    moved = np.moveaxis(array, axis, 0)
    total = np.concatenate([np.zeros((1, *moved.shape[1:])), np.cumsum(moved, 0, dtype=np.float64)])
    at = np.arange(count + 1) * (size / count)
    low = np.minimum(at.astype(np.int64), size - 1)
    fraction = (at - low).reshape(-1, *[1] * (moved.ndim - 1))
    inside = total[low] + fraction * (total[low + 1] - total[low])
    return np.moveaxis(np.diff(inside, axis=0), 0, axis)


def pyramid(image: Array, smallest: int = 4) -> list[Array]:
    """The image and its halves by solid angle, down to ``smallest`` rows. Height and width: powers of two."""
    levels = [image]
    while levels[-1].shape[0] > smallest:
        height, width = levels[-1].shape[:2]
        levels.append(resampled(levels[-1], height // 2, width // 2))
    return levels
