# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a camera can see anything at all, and clip planes that hold what it sees."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .view import View

_FEW = 4096


def sees_nothing(view: View, positions: NDArray[np.float32], triangles: NDArray[np.int32]) -> bool:
    """Whether every triangle lies wholly beyond one and the same plane of the view's frustum."""
    # One that does not is enough, and a few thousand from all over the mesh nearly always hold one.
    few = triangles[:: max(1, len(triangles) // _FEW)]
    corners, indices = np.unique(few, return_inverse=True)
    return _all_beyond(view, positions[corners], indices.reshape(-1, 3).astype(np.int32)) and (
        len(few) == len(triangles) or _all_beyond(view, positions, triangles)
    )


def _all_beyond(view: View, positions: NDArray[np.float32], triangles: NDArray[np.int32]) -> bool:
    clip = positions.astype(np.float64) @ view.world_to_clip[:, :3].T + view.world_to_clip[:, 3]  # (V, 4)
    x, y, z, w = clip.T
    outside = np.stack([x < -w, x > w, y < -w, y > w, z < -w, z > w], axis=1)  # (V, 6)
    return bool(outside[triangles].all(axis=1).any(axis=1).all())


def clip_around(view: View, center: NDArray[np.float64], radius: float) -> View:
    """The view with clip planes around a sphere, with room for it to grow to three times its radius."""
    camera = np.linalg.inv(view.camera_to_world)
    depth = -float(camera[2, :3] @ center + camera[2, 3])
    far = max(depth + 3.0 * radius, radius)
    return view.with_clip_range(max(depth - 3.0 * radius, 1e-3 * far), far)
