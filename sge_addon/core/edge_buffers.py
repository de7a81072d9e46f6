# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one rasterisation says of the surfaces' motion, pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .picture_area import Area

Plane = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class EdgeBuffers:
    """Arrays are overwritten by the next picture of this size; where nothing is, id and loss are 0, and the
    others anything finite.

    area: (H, W) of the picture's pixels; there is nothing beside it. loss: (H, W), relative to an empty
    pixel's where the reference has alpha. id: (H, W) uint32, triangle + 1.
    force: (H, W, 4), the loss's gradient by the world position of what is seen, as it carries its colours and
    normals along; last the x of turn, the gradient by the interpolated, not normalised normal. turn: (H, W,
    4), its y and z; last the mark (corner_marks). seen: (H, W, 4), the colour as the loss compares it; last
    the distance along the view. seen_normal: (H, W, 4), 0.5 + 0.5 n and 1, where normals are matched.
    """

    area: Area
    loss: Plane
    id: NDArray[np.uint32]
    force: Plane
    turn: Plane
    seen: Plane
    seen_normal: Plane | None = None
