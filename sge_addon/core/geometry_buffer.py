# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one rasterisation says of visibility and geometry: all that shading needs besides the material."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .lookups import UVBuffer
from .view import View

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class GeometryBuffer:
    """One sample a pixel.

    ids: (H, W) uint32, 0 for background, triangle + 1. uv: (H, W, 2) of the mesh, as interpolated.
    uv_slopes: (H, W, 4): du/dx, dv/dx, du/dy, dv/dy over the pixel grid. position: (H, W, 3) world.
    normal: (H, W, 3) unit shading normal, turned towards the camera's side of the surface.
    tangent: (H, W, 4): tangent in world space, not quite unit as interpolated, and the sign of the bitangent.
    Where nothing is, all are 0.
    """

    ids: NDArray[np.uint32]
    uv: Array
    uv_slopes: Array
    position: Array
    normal: Array
    tangent: Array

    def lookup(self, uv_transform: Array, size: tuple[int, int]) -> UVBuffer:
        """Where a texture of ``size`` (H, W) is read. uv_transform: (2, 3) from (u, v, 1) of the mesh."""
        matrix = uv_transform[:, :2]
        uv = self.uv @ matrix.T + uv_transform[:, 2]
        texels = np.asarray(size[::-1], np.float32)
        slopes = [((self.uv_slopes[..., 2 * k : 2 * k + 2] @ matrix.T) * texels) for k in range(2)]
        longest = np.maximum(*(np.einsum("...c,...c->...", slope, slope) for slope in slopes))
        level = 0.5 * np.log2(np.maximum(longest, np.float32(1e-20)))
        return UVBuffer(self.ids, uv.astype(np.float32), level.astype(np.float32), samples=1)


def at_pixels(plane: NDArray[Any], pixels: NDArray[np.int32]) -> NDArray[Any]:
    """(P, ...) of a plane (H, W, ...). pixels: (P,) flat indices."""
    return plane.reshape(-1, *plane.shape[2:]).take(pixels, axis=0)


def to_eye(view: View, position: Array) -> Array:
    """(..., 3) unit vectors from world positions towards the camera."""
    camera = view.camera_to_world
    if not view.is_perspective:
        return np.broadcast_to(camera[:3, 2].astype(np.float32), position.shape)
    towards = camera[:3, 3].astype(np.float32) - position
    return towards / np.maximum(np.linalg.norm(towards, axis=-1, keepdims=True), np.float32(1e-12))
