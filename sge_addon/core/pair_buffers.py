# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What two rasterisations say, pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .geometry_buffer import GeometryBuffer
from .picture_area import Area


@dataclass(frozen=True, eq=False)
class PairBuffers:
    """What one pair of rasterisations says. Arrays are overwritten by the next pair of this size.

    loss_plus, loss_minus: (H, W) float32, per pixel; relative to an empty pixel's where the
    reference has alpha. id_plus, id_minus: (H, W) uint32, 0 = background, triangle + 1.
    area: (H, W) of the picture's pixels; there is nothing beside it. geometry: of the plus image, where it
    was asked for.
    tilt_difference: (H, W) float32, where normals are tilted, the loss of what the plus image shows with
    normals tilted by the pixels' signs minus that with the opposite ones; the other losses are then the means
    of both.
    """

    area: Area
    loss_plus: NDArray[np.float32]
    loss_minus: NDArray[np.float32]
    id_plus: NDArray[np.uint32]
    id_minus: NDArray[np.uint32]
    tilt_difference: NDArray[np.float32] | None = None
    geometry: GeometryBuffer | None = None
