# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lobe over which a rough mirror gathers the light: GGX, seen along the normal.

The usual assumption of split sums (Karis, Real Shading in Unreal Engine 4, 2013): normal, eye and reflected
direction are one, so that the lobe is round about the reflected direction. Its density over directions l is
proportional to D(h) max(0, n . l), where h is half way to l, alpha = roughness^2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def lobe_cosines(roughness: float, count: int) -> tuple[Array, Array]:
    """Rings of equal probability by D(h) n . h: cosines to the axis (count,), and weights (count,), sum 1."""
    share = (np.arange(count) + 0.5) / count
    tangent2 = roughness**4 * share / (1.0 - share)  # of the angle to the half vector
    cosine = (1.0 - tangent2) / (1.0 + tangent2)  # of twice that angle
    weight = np.maximum(cosine, 0.0)
    return cosine, weight / weight.sum()


def lobe_density(cosine: Array, roughness: float) -> Array:
    """Not normalised: D(h) max(0, n . l), 1 at the axis, at cosines between l and the axis."""
    alpha2 = roughness**4
    half2 = (1.0 + cosine) / 2.0  # squared cosine of half the angle
    return alpha2**2 / (half2 * (alpha2 - 1.0) + 1.0) ** 2 * np.maximum(cosine, 0.0)
