# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Heights of vertices as a texture that returns them, and changes no more than they do in between."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .height_field import HeightField
from .texture_bake import texel_places
from .texture_fill import fill_unseen

Array = NDArray[np.float32]
Doubles = NDArray[np.float64]

_ROUNDS = 60  # of conjugate gradients; a texel or more to each vertex takes a dozen
_TOLERANCE = 1e-6  # of the heights' range
_CONVERGED = 1e-16  # of the first gradient's square
# A texel that is hardly read would grow huge where vertices disagree about the texel next to it.
_DAMPING = 1e-5


class HeightTexture:
    """The start's content, the change interpolated over the triangles, and a correction of the texels that
    vertices read: the least one with which a bilinear read at every UV of a vertex returns its height.

    Where the texture has few texels for the surface's vertices, it is as near to them as it can be.
    """

    def __init__(self, field: HeightField, triangles: NDArray[np.int32]) -> None:
        """triangles: (F, 3) vertex indices, in the order of the field's UVs."""
        height, width = field.content.shape
        size = (height, width)
        self._field = field
        self._triangles = triangles
        self._places = texel_places(field.uvs, size)
        covered = np.zeros(height * width, np.float32)
        covered[self._places.texels] = 1.0
        self._covered = covered.reshape(size)
        self._vertices, uvs = _distinct_reads(triangles.ravel(), field.uvs.reshape(-1, 2))  # (R,), (R, 2)
        taps, self._weights = bilinear_taps(uvs, size)  # (R, 4) each
        self._texels, places = np.unique(taps, return_inverse=True)
        self._taps = places.reshape(taps.shape)  # into _texels

    def texture(self, heights: Array) -> Array:
        """(H, W) float32 for (V,) heights."""
        field = self._field
        change = (heights - field.heights).astype(np.float32)
        flat = np.zeros((self._covered.size, 1), np.float32)
        flat[self._places.texels] = self._places.points(change[self._triangles][..., None])
        filled = fill_unseen(flat.reshape(*self._covered.shape, 1), self._covered)[..., 0]
        texture = (field.content + filled).astype(np.float32)
        read = texture.ravel()[self._texels].astype(np.float64)
        wanted = heights[self._vertices].astype(np.float64)
        correction = self._least_correction(wanted - self._read(read), float(np.ptp(wanted)))
        texture.ravel()[self._texels] = read + correction
        return texture

    def _read(self, texels: Doubles) -> Doubles:
        """(R,) of the texels that are read, (T,)."""
        result: Doubles = (texels[self._taps] * self._weights).sum(axis=1)
        return result

    def _scattered(self, values: Doubles) -> Doubles:
        """The transpose of ``_read``."""
        spread = (values[:, None] * self._weights).ravel()
        return np.bincount(self._taps.ravel(), spread, len(self._texels)).astype(np.float64)

    def _least_correction(self, residual: Doubles, span: float) -> Doubles:
        """(T,) of least length among those that leave the least squared residual, nearly: conjugate gradients
        (CGLS) on |A x - r|^2 + damping |x|^2, from nothing."""
        x = np.zeros(len(self._texels))
        direction = gradient = self._scattered(residual)
        first = squared = np.square(gradient).sum()
        for _ in range(_ROUNDS):
            if squared <= _CONVERGED * first or np.abs(residual).max() <= _TOLERANCE * span:
                break
            image = self._read(direction)
            length = squared / (np.square(image).sum() + _DAMPING * np.square(direction).sum())
            x += length * direction
            residual = residual - length * image
            gradient = self._scattered(residual) - _DAMPING * x
            before, squared = squared, np.square(gradient).sum()
            direction = gradient + (squared / before) * direction
        return x


def _distinct_reads(vertices: NDArray[np.int32], uvs: Array) -> tuple[NDArray[np.int32], Array]:
    """Corners without those that repeat a vertex at the same UV."""
    order = np.lexsort((uvs[:, 1], uvs[:, 0], vertices))
    vertices, uvs = vertices[order], uvs[order]
    is_new = np.ones(len(order), bool)
    is_new[1:] = (vertices[1:] != vertices[:-1]) | (uvs[1:] != uvs[:-1]).any(axis=1)
    return vertices[is_new], uvs[is_new]


def bilinear_taps(uvs: NDArray[np.floating[Any]], size: tuple[int, int]) -> tuple[NDArray[np.int64], Doubles]:
    """The texels that bilinear reads at (N, 2) coordinates name, (N, 4) into the flat texture of ``size``
    (H, W), and their weights; beyond the outer texels' centres those go on."""
    height, width = size
    last = np.asarray([width - 1, height - 1])
    place = np.clip(uvs * (width, height) - 0.5, 0.0, last)
    low = np.minimum(np.floor(place), np.maximum(last - 1, 0)).astype(np.int64)
    high = np.minimum(low + 1, last)
    x, y = (place - low).T
    taps = np.stack(
        [
            low[:, 1] * width + low[:, 0],
            low[:, 1] * width + high[:, 0],
            high[:, 1] * width + low[:, 0],
            high[:, 1] * width + high[:, 0],
        ],
        axis=1,
    )
    weights = np.stack([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y], axis=1)
    return taps, weights
