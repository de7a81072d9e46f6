# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A surface that is moved as a whole after its cage has shaped it: where its object stands is fitted, too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .cage import CageMap

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class MovedMap:
    """A ``CageMap``. matrix: (4, 4) float64, affine, in world space: from where the object was when the fit
    began to where it is now. shaped: how the surface follows from the cage before it is moved; None where it
    is the cage itself."""

    matrix: NDArray[np.float64]
    shaped: CageMap | None = None

    def apply(self, cage: Array) -> Array:
        """(V, 3) float32 world: the surface's vertices for a cage's, (N, 3)."""
        positions = cage if self.shaped is None else self.shaped.apply(cage)
        return (positions @ self.matrix[:3, :3].T + self.matrix[:3, 3]).astype(np.float32)

    def pulled_back(self, gradient: Array) -> Array:
        """(N, 3) float32: dL/dc of a gradient dL/dx, (V, 3)."""
        turned = (gradient @ self.matrix[:3, :3]).astype(np.float32)
        return turned if self.shaped is None else self.shaped.pulled_back(turned)
