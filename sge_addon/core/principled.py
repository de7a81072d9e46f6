# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Blender's Principled BSDF (4.0 and later) shares light among its layers, as EEVEE evaluates it.

Metal first, then the dielectric's reflection, and what that lets through is diffuse. Light that leaves a
rough surface after several reflections is put back by a factor (Turquin 2019, Practical Multiple Scattering
Compensation; the mean Fresnel term of Fdez-Aguera 2019).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .ggx_polynomials import GgxLobe

Array = NDArray[np.float64]


def dielectric_reflectance(ggx: GgxLobe, ior: float, specular_level: float) -> Array:
    """(P,): what the dielectric layer reflects of the mean radiance over its lobe."""
    f0, f90 = dielectric_edges(ior, specular_level)
    once = f0 * (ggx.albedo - ggx.facing) + f90 * ggx.facing
    mean = f0 + (f90 - f0) / 21.0
    return once / (1.0 - (1.0 - ggx.dielectric) * mean)


def dielectric_edges(ior: float, specular_level: float) -> tuple[float, float]:
    """Reflectance straight on and at the edge. A specular level of 0.5 leaves the index as it is."""
    f0 = ((ior - 1.0) / (ior + 1.0)) ** 2
    seen = ior
    if specular_level != 0.5:
        f0 *= 2.0 * max(specular_level, 0.0)
        root = np.sqrt(np.clip(f0, 0.0, 0.99))
        seen = (1.0 + root) / (1.0 - root)
        if ior < 1.0:
            seen = 1.0 / seen
    if seen == 1.0:
        return 0.0, 0.0
    # Edges reflect everything only from about water's index on: an index of 1 is not seen at all.
    f90 = float(np.clip(2.33 / 0.33 * (seen - 1.0) / (seen + 1.0), 0.0, 1.0)) if seen > 1.0 else 1.0
    return float(np.clip(f0, 0.0, 1.0)), f90


def metal_reflectance(ggx: GgxLobe, base_color: Array) -> tuple[Array, Array]:
    """(P, 3) what metal of this colour reflects, and the derivative of each channel to its colour."""
    direct, facing = (ggx.albedo - ggx.facing)[:, None], ggx.facing[:, None]
    f0 = np.clip(base_color, 0.0, 1.0)
    lost = (1.0 - ggx.albedo)[:, None]
    rest = 1.0 - lost * (f0 * (20.0 / 21.0) + 1.0 / 21.0)
    once = f0 * direct + facing
    return once / rest, (direct + lost * (20.0 / 21.0) * once / rest) / rest


def mapped_normals(mapped: Array, strength: float, normals: Array, tangents: Array) -> Array:
    """(P, 3) world normals of tangent-space ones. Strength as of Blender's Normal Map node."""
    bent = mapped / np.maximum(np.linalg.norm(mapped, axis=1, keepdims=True), 1e-30)
    strength = max(strength, 0.0)
    across = bent[:, :2] * strength
    upwards = 1.0 + (bent[:, 2:] - 1.0) * min(strength, 1.0)
    bitangents = tangents[:, 3:] * np.cross(normals, tangents[:, :3])
    world = tangents[:, :3] * across[:, :1] + bitangents * across[:, 1:] + normals * upwards
    return world / np.maximum(np.linalg.norm(world, axis=1, keepdims=True), 1e-30)
