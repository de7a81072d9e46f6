# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lights as EEVEE takes them: radiance of what shines, from Blender's watts; and their rows for shaders."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .errors import FitError
from .scene_lights import Light

Array = NDArray[np.float32]

LIGHT_ROWS = 6
MAX_LIGHTS = 128  # whose rows fit into the 16 KB that a uniform block may have everywhere
KINDS = ("sun", "ball", "ellipse", "rectangle")  # in the order of their rows
_UNHIDDEN = (0.0, 1.0)
_ONE_SIDED = (1e30, 0.0)
# Radii and sides below these EEVEE takes to be these.
_MIN_RADIUS = 0.001
_MIN_HALF_SIDE = 0.003
_MAX_SUN_SIZE = 20.0


def light_size(light: Light) -> float:
    """Radius of a point or spot light, tangent of half a sun's angle, half the diagonal of an area light."""
    if light.kind == "sun":
        return float(np.clip(np.tan(min(light.radius, np.radians(89.95))), _MIN_RADIUS, _MAX_SUN_SIZE))
    if light.kind == "area":
        return float(np.hypot(*half_sides(light)))
    return max(light.radius, _MIN_RADIUS)


def half_sides(light: Light) -> tuple[float, float]:
    """Half of an area light's width and height."""
    return max(light.size[0] / 2.0, _MIN_HALF_SIDE), max(light.size[1] / 2.0, _MIN_HALF_SIDE)


def light_radiance(light: Light) -> Array:
    """(3,) of its surface: power over pi times its area, as of Lambert's emitters."""
    if light.kind == "sun":
        factor = (1.0 + 1.0 / light_size(light) ** 2) / np.pi
    elif light.kind == "area":
        width, height = half_sides(light)
        factor = 1.0 / (np.pi * 4.0 * width * height * (np.pi / 4.0 if light.is_ellipse else 1.0))
    else:
        factor = 1.0 / (4.0 * np.pi**2 * light_size(light) ** 2)
    return (np.asarray(light.power, np.float64) * factor).astype(np.float32)


def light_kind(light: Light) -> str:
    """What it is seen as, of KINDS."""
    if light.kind == "area":
        return "ellipse" if light.is_ellipse else "rectangle"
    return "sun" if light.kind == "sun" else "ball"


def cone_edge(light: Light) -> tuple[float, float]:
    """Factor and summand from the cosine to the axis to what a smooth step takes: 0 outside the cone."""
    if light.kind == "area":
        return _ONE_SIDED
    if light.kind != "spot":
        return _UNHIDDEN
    outside = np.cos(light.spot_angle / 2.0)
    factor = 1.0 / max((1.0 - outside) * light.spot_blend, 1e-8)
    return float(factor), float(-outside * factor)


def light_rows(lights: Sequence[Light]) -> tuple[Array, Array]:
    """As shaders/lit_lights.glsl reads them: (4,) where kinds after the first begin, and the end; (6 N, 4).

    Raises FitError for more than MAX_LIGHTS.
    """
    if len(lights) > MAX_LIGHTS:
        raise FitError(
            f"The scene has {len(lights)} lights, but lit shading takes {MAX_LIGHTS} at most: disable some "
            "in renders (the camera symbol of the outliner)."
        )
    order = sorted(lights, key=lambda light: KINDS.index(light_kind(light)))
    counts = [sum(light_kind(light) == kind for light in lights) for kind in KINDS]
    rows = np.zeros((len(lights), LIGHT_ROWS, 4), np.float32)
    for row, light in zip(rows, order, strict=True):
        row[0, :3] = light.axes[2] if light.kind == "sun" else light.position
        row[1, :3] = light_radiance(light)
        row[1, 3] = light_size(light)
        row[2] = light.diffuse, light.specular, light.reach**-4.0, 0.0 if light.soft_falloff else 1.0
        if light.kind == "area":
            width, height = half_sides(light)
            row[3, :3], row[4, :3] = light.axes[0] * width, light.axes[1] * height
        row[3, 3], row[4, 3] = cone_edge(light)
        row[5, :3] = light.axes[2]
    return np.cumsum(counts).astype(np.float32), rows.reshape(-1, 4)
