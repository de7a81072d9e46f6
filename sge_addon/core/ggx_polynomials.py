# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What GGX reflects and where to, as polynomials of roughness r and cosine c between normal and eye.

The lobe is a linearly transformed cosine (Heitz et al. 2016, Real-Time Polygonal-Light Shading with Linearly
Transformed Cosines), fitted to the density of reflected light; tools/fit_ggx.py makes the coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ROUGHNESS_DEGREE = 6
COSINE_DEGREE = 4
MIN_ROUGHNESS = 0.03  # below, the lobe is narrower than what the fit and 32 bits resolve
# (35, 8): coefficients of (2 r - 1)^i (2 c - 1)^j, j running faster. Columns as in GgxLobe, but for
# the fourth root of facing.
COEFFICIENTS: Array = np.asarray(
    (
        (1.7494, 1.093, -0.16661, 0.75072, 0.85504, 0.38534, 0.96, 0.0),  # r^0 c^0
        (0.17237, 0.73767, 0.18008, 0.18922, 0.07975, -0.31075, 0.065409, 0.0),  # r^0 c^1
        (0.1367, 0.154, -0.069041, -0.052354, 0.0099359, -0.017571, -0.046316, 0.0),  # r^0 c^2
        (-0.38532, -0.076496, 0.028334, 0.024399, -0.070802, 0.036519, 0.009487, 0.0),  # r^0 c^3
        (0.25646, 0.015152, 0.020721, -0.011587, 0.041759, -0.020129, 0.0045005, 0.0),  # r^0 c^4
        (-0.62479, 0.42629, -0.28039, -0.64661, -0.3761, -0.15247, -0.12533, 0.0),  # r^1 c^0
        (-0.43184, -0.96219, 0.11363, 0.14633, -0.14936, 0.35574, 0.1181, 0.0),  # r^1 c^1
        (0.76557, 0.12807, 0.10604, 0.12465, 0.2589, -0.014709, -0.0090741, 0.0),  # r^1 c^2
        (0.28934, 0.15148, -0.1503, -0.1355, -0.041938, -0.16636, 0.0087133, 0.0),  # r^1 c^3
        (-0.34488, -0.089817, 0.18971, 0.060052, -0.054865, 0.012638, -0.026463, 0.0),  # r^1 c^4
        (0.052576, 0.35626, 0.31875, -0.29701, -0.1158, -0.10213, -0.11892, 0.0),  # r^2 c^0
        (-0.98997, -0.58578, -0.6013, -0.61266, -0.54233, -0.22251, 0.058732, 0.0),  # r^2 c^1
        (-1.0265, -0.60186, 0.25701, 0.12166, -0.10622, 0.21067, -0.07936, 0.0),  # r^2 c^2
        (2.4727, 0.21772, 0.10598, 0.16579, 0.54856, 0.13641, 0.2521, 0.0),  # r^2 c^3
        (-1.0437, 0.089256, -0.089636, -0.05613, -0.27545, -0.057789, -0.16563, 0.0),  # r^2 c^4
        (0.54697, -0.55183, 0.57611, 0.2602, 0.15108, 0.10838, -0.059426, 0.0),  # r^3 c^0
        (1.2416, 0.81093, -0.19586, -0.26161, 0.24025, -0.24159, 0.14209, 0.0),  # r^3 c^1
        (-2.2129, -0.21123, -0.34464, -0.39111, -0.67356, -0.056379, -0.17813, 0.0),  # r^3 c^2
        (-0.80651, -0.45208, 0.35647, 0.32748, -0.023392, 0.35892, -0.04452, 0.0),  # r^3 c^3
        (1.0451, 0.20488, -0.3545, -0.10257, 0.26915, -0.091603, 0.12123, 0.0),  # r^3 c^4
        (-0.47759, -0.63011, -0.2083, 0.013738, -0.1414, 0.035542, -0.041003, 0.0),  # r^4 c^0
        (1.5721, 0.45844, 0.73112, 0.75584, 0.67131, 0.39906, 0.061095, 0.0),  # r^4 c^1
        (2.3956, 0.9177, -0.33225, -0.013743, 0.41327, -0.28231, 0.26061, 0.0),  # r^4 c^2
        (-4.4907, -0.15502, -0.38817, -0.50612, -1.0124, -0.47875, -0.56949, 0.0),  # r^4 c^3
        (1.2048, -0.39177, 0.22812, 0.12957, 0.40552, 0.23442, 0.30008, 0.0),  # r^4 c^4
        (-0.36781, 0.19956, -0.30396, -0.11712, -0.074017, -0.058177, 0.02052, 0.0),  # r^5 c^0
        (-0.84767, -0.36084, 0.080475, 0.1172, -0.16732, 0.081302, -0.12372, 0.0),  # r^5 c^1
        (1.5586, 0.083307, 0.25034, 0.28479, 0.46545, 0.058698, 0.17127, 0.0),  # r^5 c^2
        (0.50002, 0.31851, -0.21355, -0.20017, 0.055276, -0.21974, 0.034713, 0.0),  # r^5 c^3
        (-0.74142, -0.12485, 0.17014, 0.038007, -0.22268, 0.058006, -0.10261, 0.0),  # r^5 c^4
        (0.25961, 0.24675, 0.060759, 0.03561, 0.11081, 0.0051141, 0.036433, 0.0),  # r^6 c^0
        (-0.74259, -0.10116, -0.31248, -0.3365, -0.27372, -0.19965, -0.042523, 0.0),  # r^6 c^1
        (-1.6138, -0.48132, 0.13714, -0.072152, -0.31883, 0.12161, -0.1717, 0.0),  # r^6 c^2
        (2.4613, -0.0016596, 0.26367, 0.32594, 0.53687, 0.32575, 0.32477, 0.0),  # r^6 c^3
        (-0.39837, 0.30424, -0.16363, -0.056714, -0.16535, -0.15365, -0.15099, 0.0),  # r^6 c^4
    )
)


@dataclass(frozen=True, eq=False)
class GgxLobe:
    """All (...). width, height: of the lobe in the plane of normal and eye, and across it, over r^2.

    shear: of the lobe in that plane. lean: its axis is mix(normal, reflected eye, lean). albedo: what is
    reflected of light from the eye's side if everything that hits a facet is, facing: the same times
    (1 - cosine to the facet)^5. dielectric: what is reflected or let through where eta is 1.5.
    """

    width: Array
    height: Array
    shear: Array
    lean: Array
    albedo: Array
    facing: Array
    dielectric: Array


def ggx_lobe(roughness: Array, cosine: Array) -> GgxLobe:
    """roughness, cosine: (...) in [0, 1]."""
    r, c = np.broadcast_arrays(np.clip(roughness, MIN_ROUGHNESS, 1.0), np.clip(cosine, 0.0, 1.0))
    columns = np.moveaxis(monomials(r, c) @ COEFFICIENTS, -1, 0)
    width, height, shear, lean, albedo, root, dielectric, _ = columns
    return GgxLobe(
        width=np.maximum(width, 0.5),
        height=np.maximum(height, 0.1),
        shear=shear,
        lean=np.clip(lean, 0.0, 1.0),
        albedo=np.clip(albedo, 0.0, 1.0),
        facing=np.clip(root, 0.0, 1.0) ** 4,
        dielectric=np.clip(dielectric, 0.0, 1.0),
    )


def monomials(roughness: Array, cosine: Array) -> Array:
    """(..., 35): (2 r - 1)^i (2 c - 1)^j."""
    powers_r = (2.0 * roughness[..., None] - 1.0) ** np.arange(ROUGHNESS_DEGREE + 1)
    powers_c = (2.0 * cosine[..., None] - 1.0) ** np.arange(COSINE_DEGREE + 1)
    return (powers_r[..., :, None] * powers_c[..., None, :]).reshape(*roughness.shape, -1)
