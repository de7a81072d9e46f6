# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The maps of a Principled material: what each is, and what a material has of them.

Values are linear and as the shading takes them: a normal is the decoded tangent-space vector (2 c - 1 of what
an image stores), never a colour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True)
class MapKind:
    """What one kind of map holds.

    channels: of a texel. low, high: bounds of a fitted value. initial: of a texture that starts from nothing.
    epsilon: half the distance of central differences, in units of the value. step: of the optimiser at the
    start, in units of the value.
    """

    channels: int
    low: float
    high: float
    initial: tuple[float, ...]
    epsilon: float
    step: float


# Roughness below 0.05 makes highlights smaller than a pixel, whose gradient is zero nearly everywhere.
MAP_KINDS: Mapping[str, MapKind] = {
    "base_color": MapKind(3, 0.0, 1.0, (0.5, 0.5, 0.5), 1 / 64, 0.03),
    "metallic": MapKind(1, 0.0, 1.0, (0.2,), 1 / 64, 0.03),
    "roughness": MapKind(1, 0.05, 1.0, (0.5,), 1 / 64, 0.03),
    "normal": MapKind(3, -1.0, 1.0, (0.0, 0.0, 1.0), 1 / 64, 0.03),
    "height": MapKind(1, -np.inf, np.inf, (0.0,), 1 / 64, 0.03),
    "emission": MapKind(3, 0.0, np.inf, (0.0, 0.0, 0.0), 1 / 64, 0.03),
    "alpha": MapKind(1, 0.0, 1.0, (1.0,), 1 / 64, 0.03),
}
MAP_NAMES = tuple(MAP_KINDS)
# The columns in which the values that a pixel reads are laid side by side: three RGBA rows.
SHADED_COLUMNS: Mapping[str, slice] = {
    "base_color": slice(0, 3),
    "metallic": slice(3, 4),
    "normal": slice(4, 7),
    "roughness": slice(7, 8),
    "emission": slice(8, 11),
    "alpha": slice(11, 12),
}
SHADED_WIDTH = 12


@dataclass(frozen=True, eq=False)
class MaterialMap:
    """One map of a material: a constant, or a texture.

    key: unique in a fit; maps of one key share one texture. value: (C,) the constant, where there is no
    texture. texture: (H, W, C) float32, row 0 at the bottom, or None. uv_transform: (2, 3) float32 from
    (u, v, 1) of the mesh to those of the texture (a Mapping node). fitted: the texture is a parameter of the
    fit; one texel stands for a constant that is fitted.
    """

    key: str
    value: tuple[float, ...]
    texture: Array | None = field(default=None, repr=False)
    uv_transform: Array = field(default_factory=lambda: np.eye(2, 3, dtype=np.float32))
    fitted: bool = False


@dataclass(frozen=True, eq=False)
class LitMaterial:
    """A Principled material as the lit shading knows it.

    maps: by the names in SHADED_COLUMNS, every one of them; values before the strengths below.
    normal_strength: as of Blender's Normal Map node. emission_strength: factor of emission.
    ior, specular_level: of the dielectric part, as Blender's Principled BSDF means them.
    alpha_clip: below this alpha a surface is not there, from it on it is opaque; None: it is there with the
    probability alpha.
    """

    maps: Mapping[str, MaterialMap]
    ior: float = 1.5
    specular_level: float = 0.5
    normal_strength: float = 1.0
    emission_strength: float = 1.0
    alpha_clip: float | None = None
