# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a UV map gives every face texels of its own, as far as areas tell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .surface import Surface

TOLERANCE = 1e-4  # UV units: rounding of unwrappers at the border of the unit square


def uv_areas(uvs: NDArray[np.float32]) -> NDArray[np.float64]:
    """(F,) of triangles (F, 3, 2) in UV space, where the unit square has 1."""
    a, b, c = uvs.astype(np.float64).transpose(1, 0, 2)
    areas: NDArray[np.float64] = 0.5 * np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])
    return areas


def uv_shortcomings(surface: Surface) -> list[str]:
    """What a texture fitted through the surface's UV map would suffer from, as sentences; none where it has
    no map."""
    if surface.uvs is None:
        return []
    owner = f"Object '{surface.name}'"
    areas = uv_areas(surface.uvs)
    if not areas.any():
        return [f"{owner}: its UV map has no area, so its texture cannot be fitted: unwrap it again."]
    if surface.uvs.min() < -TOLERANCE or surface.uvs.max() > 1.0 + TOLERANCE:
        return [f"{owner}: its UV map leaves the unit square, where the texture repeats: pack its islands."]
    indices = surface.material_indices
    covered = np.bincount(np.zeros(len(areas), int) if indices is None else indices, areas)
    if covered.max() > 1.0 + TOLERANCE:
        return [
            f"{owner}: faces overlap in its UV map and will share texels: unwrap it, if that is not meant."
        ]
    return []
