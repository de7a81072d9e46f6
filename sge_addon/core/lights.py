# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sun lights and a constant world: base colour times (world + sum of light / pi * max(0, n . l))."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class SunLights:
    """world: (3,) linear radiance. directions: (N, 3) unit, towards the light, world space.
    irradiance: (N, 3) linear, light colour times energy (W/m2)."""

    world: NDArray[np.float32] = field(default_factory=lambda: np.ones(3, np.float32))
    directions: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 3), np.float32))
    irradiance: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 3), np.float32))

    def shade(self, normals: NDArray[np.float32]) -> NDArray[np.float32]:
        """Factor from base colour to colour: unit normals (..., 3) to (..., 3)."""
        facing = np.maximum(normals @ self.directions.T, 0.0)  # (..., N)
        return self.world + facing @ (self.irradiance / np.pi)

    def table(self) -> NDArray[np.float32]:
        """(1 + 2 N, 4) float32 for the shader: world, then direction and irradiance / pi of each."""
        rows = np.zeros((1 + 2 * len(self.directions), 4), np.float32)
        rows[0, :3] = self.world
        rows[1::2, :3] = self.directions
        rows[2::2, :3] = self.irradiance / np.pi
        return rows
