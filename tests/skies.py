# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Worlds to be lit by: procedural skies, and rotations."""

from __future__ import annotations

import numpy as np

from sge_addon.core.equirectangular import pixel_directions

SUN = np.array([0.6, -0.5, 0.62])


def sky(contrast: float = 20.0, rows: int = 256, width: float = 0.25) -> np.ndarray:
    """(rows, 2 rows, 3) linear: blue above, brown below, some structure, and a soft sun.

    contrast: the sun's radiance in units of the sky's; width: its deviation in radians.
    """
    directions = pixel_directions(rows, 2 * rows)
    x, y, z = np.moveaxis(directions, -1, 0)
    up = 0.5 + 0.5 * np.tanh(6.0 * z)
    ground, above = np.array([0.25, 0.18, 0.12]), np.array([0.35, 0.55, 0.9])
    colour = ground + up[..., None] * (above - ground)
    colour *= (1.0 + 0.3 * np.sin(7.0 * x + 3.0 * z) * np.cos(5.0 * y))[..., None]
    cosine = directions @ (SUN / np.linalg.norm(SUN))
    glow = np.exp((cosine - 1.0) / width**2)
    return np.asarray(colour + glow[..., None] * contrast * 0.5 * np.array([1.0, 0.85, 0.6]), np.float32)


def rotation(x: float, y: float, z: float) -> np.ndarray:
    """(3, 3) float32, by angles about the three axes, x first."""
    result = np.eye(3)
    for axis, angle in enumerate((x, y, z)):
        a, b = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[[a, b], [a, b]] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        result = turn @ result
    return np.asarray(result, np.float32)
