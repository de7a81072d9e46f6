# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How large a pixel of the references is where the surface lies: the measure of how fine a mesh need be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .view import View


def finest_pixels(points: NDArray[np.floating[Any]], views: Sequence[View]) -> NDArray[np.float64]:
    """(N,) side in world units of the smallest pixel with which a view shows a point; inf where none does.

    points: (N, 3) world. What hides a point plays no part.
    """
    finest = np.full(len(points), np.inf)
    homogeneous = np.c_[points, np.ones(len(points))]
    for view in views:
        clip = homogeneous @ view.world_to_clip.T  # (N, 4)
        w = clip[:, 3]
        inside = (np.abs(clip[:, :3]) <= w[:, None]).all(axis=1)
        finest = np.where(inside, np.minimum(finest, view.world_per_pixel * w), finest)
    return finest


def edge_pixels(
    positions: NDArray[np.floating[Any]], edges: NDArray[np.integer[Any]], views: Sequence[View]
) -> NDArray[np.float64]:
    """(E,) lengths of edges in the finest pixels that show their middles; 0 where no view does.

    positions: (V, 3) world. edges: (E, 2) vertex indices.
    """
    ends = positions.astype(np.float64)[edges]  # (E, 2, 3)
    lengths = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    result: NDArray[np.float64] = lengths / finest_pixels(ends.mean(axis=1), views)
    return result
