# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lights of a scene and its world, in Blender's units, as the lit shading takes them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

LightKind = Literal["sun", "point", "spot", "area"]


@dataclass(frozen=True, eq=False)
class Light:
    """One light.

    name: of its object. position: (3,) world. axes: (3, 3), rows x, y, z of its object as unit vectors; it
    shines along -z. power: (3,) linear colour times energy: watts, of a sun watts per square metre.
    radius: of point and spot lights, in scene units; of a sun half its angle, in radians.
    size: (width, height) of an area light. is_ellipse: else it is a rectangle.
    spot_angle: full angle of the cone, in radians; spot_blend: in [0, 1], Blender's.
    diffuse, specular: Blender's factors of what the light adds to each. soft_falloff: Blender's, of point and
    spot lights. reach: where EEVEE ends a light, by its Light Threshold; infinite as physics has it.
    reach_is_set: it is a distance of its own, which stays where the power changes.
    """

    kind: LightKind
    name: str
    position: Array
    axes: Array
    power: Array
    radius: float = 0.0
    size: tuple[float, float] = (0.0, 0.0)
    is_ellipse: bool = False
    spot_angle: float = 0.0
    spot_blend: float = 0.0
    diffuse: float = 1.0
    specular: float = 1.0
    soft_falloff: bool = True
    reach: float = math.inf
    reach_is_set: bool = False


@dataclass(frozen=True, eq=False)
class World:
    """Light from everywhere: radiance, from an equirectangular image, from spherical harmonics, or constant.

    image: (H, W, 3) linear radiance as Blender's Environment Texture reads it (equirectangular), or None.
    rotation: (3, 3), from world directions to those of the image. gain: (3,) factor of whichever it is.
    harmonics: (9, 3) coefficients of radiance in the real orthonormal basis up to degree 2, in the order
    (0,0) (1,-1) (1,0) (1,1) (2,-2) ... (2,2), z up, or None. With neither, radiance is ``gain``.
    as_eevee: surfaces receive of an image what EEVEE makes of it (``eevee_probe``), else what physics says.
    brightest: of the image's pixels, beyond which EEVEE dims them in reflections. damps_by_axes: its
    harmonics, as before Blender 5.2.
    """

    gain: Array = field(default_factory=lambda: np.zeros(3, np.float32))
    image: Array | None = field(default=None, repr=False)
    rotation: Array = field(default_factory=lambda: np.eye(3, dtype=np.float32))
    harmonics: Array | None = None
    as_eevee: bool = False
    brightest: float = math.inf
    damps_by_axes: bool = False


@dataclass(frozen=True, eq=False)
class SceneLights:
    """All lights that renders see, and the world."""

    lights: tuple[Light, ...] = ()
    world: World = field(default_factory=World)
