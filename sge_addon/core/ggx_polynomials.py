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

DEGREE = 6
MIN_ROUGHNESS = 0.03  # below, the lobe is narrower than what the fit and 32 bits resolve
# (28, 8): coefficients of r^i c^j, i + j <= DEGREE, j running faster; the columns are those of GgxLobe.
COEFFICIENTS: Array = np.asarray(
    (
        (2.1108, -0.02919, -0.0071829, 0.98533, 0.95759, 0.93954, 0.98036, 0.0),  # r^0 c^0
        (-2.4667, 2.0451, 0.36934, 0.41758, 0.42184, -3.598, 0.21361, 0.0),  # r^0 c^1
        (18.44, -0.22574, -1.3595, -2.8349, -1.3298, 1.441, -0.67472, 0.0),  # r^0 c^2
        (-55.733, 1.0153, 0.23652, 7.1733, 1.1798, 11.389, 0.58269, 0.0),  # r^0 c^3
        (77.943, -2.4038, 4.3161, -8.586, 0.46662, -20.501, 0.26383, 0.0),  # r^0 c^4
        (-50.877, 2.4744, -5.697, 4.9897, -1.0324, 13.458, -0.53808, 0.0),  # r^0 c^5
        (12.61, -0.86024, 2.1524, -1.1444, 0.34438, -3.1301, 0.1758, 0.0),  # r^0 c^6
        (-0.42095, 0.96727, -0.63456, -0.25032, 0.032401, -1.0079, -0.048417, 0.0),  # r^1 c^0
        (-9.5698, -1.9673, 2.534, 3.8687, 0.063906, 9.8636, 0.076291, 0.0),  # r^1 c^1
        (40.708, 6.4848, -2.0458, -5.7259, 5.5338, -21.346, 2.8872, 0.0),  # r^1 c^2
        (-38.267, -7.321, -1.2651, -0.42928, -10.803, 12.135, -5.556, 0.0),  # r^1 c^3
        (-0.45374, 1.6304, 0.40927, 4.1203, 5.541, 4.1736, 2.8238, 0.0),  # r^1 c^4
        (7.4107, -0.20772, 0.70875, -1.5389, -0.53948, -3.8051, -0.25283, 0.0),  # r^1 c^5
        (8.0731, -6.7867, 0.83655, -3.237, -2.4184, -4.7791, -0.67281, 0.0),  # r^2 c^0
        (-16.724, -2.9646, -0.072011, -3.7967, -4.4859, 3.9558, -2.7359, 0.0),  # r^2 c^1
        (-39.549, 2.8924, 3.319, 14.841, 5.643, 17.118, 2.7147, 0.0),  # r^2 c^2
        (72.167, 11.347, -1.1104, -9.7694, 5.4476, -21.817, 2.791, 0.0),  # r^2 c^3
        (-21.866, -1.6009, -0.87742, 0.74817, -3.5917, 5.6159, -1.9029, 0.0),  # r^2 c^4
        (-14.865, 26.168, -11.34, 5.0463, 8.5434, 9.6234, 2.3849, 0.0),  # r^3 c^0
        (57.939, -7.9645, -2.5379, 0.93099, 0.9896, -22.533, 1.9864, 0.0),  # r^3 c^1
        (-31.047, -22.427, 7.2939, -2.475, -10.554, 9.15, -4.9223, 0.0),  # r^3 c^2
        (-9.814, -3.6356, 1.0433, 4.7134, 2.659, 3.0929, 1.4886, 0.0),  # r^3 c^3
        (-0.66136, -25.17, 23.681, -7.2685, -13.475, -5.0232, -3.6548, 0.0),  # r^4 c^0
        (-36.137, 21.503, -10.721, -10.282, 1.7547, 13.105, -1.2599, 0.0),  # r^4 c^1
        (18.267, 12.687, -7.1794, -4.1539, 1.1268, -6.8004, 0.15719, 0.0),  # r^4 c^2
        (14.758, 2.8251, -12.38, 10.059, 10.567, 0.027447, 2.9672, 0.0),  # r^5 c^0
        (7.1641, -10.477, 10.52, 8.9671, 0.91027, -1.0059, 1.4815, 0.0),  # r^5 c^1
        (-8.0198, 3.1361, -0.19282, -5.368, -3.6461, 0.25727, -1.2025, 0.0),  # r^6 c^0
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
    r = np.clip(roughness, MIN_ROUGHNESS, 1.0)
    c = np.clip(cosine, 0.0, 1.0)
    total = np.zeros((*np.broadcast(r, c).shape, COEFFICIENTS.shape[1]))
    row = 0
    for i in range(DEGREE + 1):
        for j in range(DEGREE + 1 - i):
            total += (r**i * c**j)[..., None] * COEFFICIENTS[row]
            row += 1
    width, height, shear, lean, albedo, facing, dielectric, _ = np.moveaxis(total, -1, 0)
    return GgxLobe(
        width=np.maximum(width, 0.5),
        height=np.maximum(height, 0.1),
        shear=shear,
        lean=np.clip(lean, 0.0, 1.0),
        albedo=np.clip(albedo, 0.0, 1.0),
        facing=np.clip(facing, 0.0, 1.0),
        dielectric=np.clip(dielectric, 0.0, 1.0),
    )
