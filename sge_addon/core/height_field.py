# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a height map does to a surface: it moves every vertex along a line, as far as its height says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class HeightField:
    """x = base + direction (height - midlevel): linear in the heights, so that gradients of positions are
    pulled back exactly.

    base: (V, 3) world, where vertices are without displacement. directions: (V, 3), how far one unit of
    height moves them, in world units: normals, times the strength. heights: (V,) at the start.
    uvs: (F, 3, 2) of the triangles' corners in the UV map through which the height's texture is read, where
    (0, 0) and (1, 1) are its corners. content: (H, W), the texture at the start, row 0 at the bottom.
    frame: (3, 3), the linear part from the space whose normals are meant to world space; None: the world's.
    """

    base: Array
    directions: Array
    midlevel: float
    heights: Array
    uvs: Array = field(repr=False)
    content: Array = field(repr=False)
    frame: NDArray[np.float64] | None = field(default=None, repr=False)

    def positions(self, heights: NDArray[np.floating[Any]]) -> Array:
        """(V, 3) world, displaced by (V,) heights."""
        lifted = (heights - np.float32(self.midlevel))[:, None] * self.directions
        return (self.base + lifted).astype(np.float32)

    def heights_at(self, positions: NDArray[np.floating[Any]]) -> Array:
        """(V,) heights that displace to (V, 3) positions, or as near to them as the lines lead."""
        along = ((positions - self.base) * self.directions).sum(axis=1)
        squared = np.square(self.directions).sum(axis=1)
        lifted = np.divide(along, squared, out=np.zeros_like(along), where=squared > 0.0)
        return (self.midlevel + lifted).astype(np.float32)

    def pulled_back(self, gradient: NDArray[np.floating[Any]]) -> Array:
        """(V,) dL/dheight of a gradient (V, 3) dL/dposition."""
        return (gradient * self.directions).sum(axis=1).astype(np.float32)
