# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shading of material values where visibility is known: what the estimator of maps needs from outside.

The rasteriser's pass over tables is one implementation, the NumPy oracle (``lit_shading``) another.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .scene_lights import SceneLights

Array = NDArray[np.float32]

DERIVED_MAPS = ("base_color", "metallic", "roughness", "normal")


@dataclass(frozen=True, eq=False)
class ShadingPoints:
    """Where pixels meet surfaces of one material: everything but the material's values.

    position: (P, 3) world. normal: (P, 3) unit shading normal, towards the camera's side of the surface.
    tangent: (P, 4): MikkTSpace tangent in world space, and the sign of the bitangent cross(normal, tangent).
    to_eye: (P, 3) unit, towards the camera. material: index of the assembly's material.
    """

    position: Array
    normal: Array
    tangent: Array
    to_eye: Array
    material: int


@dataclass(frozen=True, eq=False)
class Shaded:
    """Radiance of P points and what it changes by: every array linear, (P, 3) over colour channels.

    colour: emission included, as if alpha were 1. base_color: derivative of each channel to the same channel
    of the base colour. metallic, roughness: derivatives. normal_x, normal_y: derivatives to x and y of the
    tangent-space normal, which the shading makes unit: that to z follows from n . d = 0. Derivatives that
    were not asked for are (0, 3).
    """

    colour: Array
    base_color: Array
    metallic: Array
    roughness: Array
    normal_x: Array
    normal_y: Array


class MapShader(Protocol):
    """Shades points under given lights."""

    def set_lights(self, lights: SceneLights) -> None:
        """What points are shaded under from now on: as many lights or fewer, and a world of the same kind."""
        ...

    def prepare(self, points: ShadingPoints) -> Any:
        """The points as ``shade`` wants them (on the GPU, tables), to be kept from step to step."""
        ...

    def shade(
        self,
        prepared: Any,
        values: Array,
        lights: SceneLights | None = None,
        maps: Collection[str] = DERIVED_MAPS,
    ) -> Shaded:
        """values: (P, 12) by ``material_maps.SHADED_COLUMNS``, the filtered texels that each pixel reads.
        lights: other than the shader's own, with a world of the same kind. maps: whose derivatives are wanted
        (of a normal both). Arrays may be overwritten by the next call."""
        ...

    def colour(self, prepared: Any, values: Array, lights: SceneLights | None = None) -> Array:
        """(P, 3): ``Shaded.colour`` alone."""
        ...
