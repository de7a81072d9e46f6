# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A surface: the triangles of one object as the rasteriser and the estimator see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from .cage import Cage
from .errors import FitError, Remedy
from .height_field import HeightField
from .material_maps import LitMaterial

_FARTHEST = 1e18  # Blender clamps infinity to 3e38; squares of more than this overflow


@dataclass(frozen=True, eq=False)
class Surface:
    """One object in world space, triangulated. Corners of a triangle share vertices across UV seams.

    positions: (V, 3) float32, world space.
    triangles: (F, 3) int32, vertex indices, counter-clockwise from outside.
    uvs: (F, 3, 2) float32 per corner, or None.
    normal_groups: (F, 3) int32: corners with the same number share one shading normal, the
    area-weighted mean over the triangles that have a corner in the group. Smooth shading: one group
    per vertex (a fan of it, where edges are sharp); flat shading: one group per polygon.
    material_indices: (F,) int32 into ``materials``.
    polygons: (F,) int32, the polygon that a triangle is part of, or None: each is one of its own.
    mobility: (V,) float32 in [0, 1]: how far the shape fit may move a vertex (a vertex group).
    height: where the fit may move vertices by a height map; else None.
    cage: where modifiers make the surface of another mesh, which is what the fit moves; else None.
    """

    name: str
    positions: NDArray[np.float32]
    triangles: NDArray[np.int32]
    normal_groups: NDArray[np.int32]
    uvs: NDArray[np.float32] | None = None
    material_indices: NDArray[np.int32] | None = None
    materials: tuple[Material, ...] = ()
    mobility: NDArray[np.float32] | None = None
    polygons: NDArray[np.int32] | None = None
    height: HeightField | None = field(default=None, repr=False)
    cage: Cage | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if len(self.triangles) == 0:
            raise FitError(f"Object '{self.name}' has no faces: there is nothing to rasterise.")
        bad = np.flatnonzero(~(np.abs(self.positions) < _FARTHEST).all(axis=1))
        if len(bad):
            raise FitError(
                f"Object '{self.name}': vertex {bad[0]} is at a NaN or infinite position "
                f"({len(bad)} such); delete or mend it.",
                subject=self.name,
            )
        if self.uvs is not None and not np.isfinite(self.uvs).all():
            raise FitError(
                f"Object '{self.name}': its UV map contains NaN or infinite values; unwrap it again.",
                subject=self.name,
                remedy=Remedy.UNWRAP,
            )


@dataclass(frozen=True, eq=False)
class Material:
    """The base colour of a material.

    texture: (H, W, 3) float32, linear, row 0 at the bottom, or None for the constant ``colour``.
    fitted: its texture is a parameter of the fit. Materials of one fit with the same ``key`` share it.
    lit: all of its maps, for the lit shading, which reads nothing else; else None.
    """

    key: str
    colour: tuple[float, float, float] = (0.5, 0.5, 0.5)
    texture: NDArray[np.float32] | None = field(default=None, repr=False)
    fitted: bool = False
    lit: LitMaterial | None = None

    def shows_texture(self, shading: str) -> bool:
        """Whether pictures with this shading show more than a constant of it. shading: of FitSettings."""
        if self.lit is not None:
            return any(each.texture is not None for each in self.lit.maps.values())
        return shading != "normal" and self.texture is not None


def with_textures(material: Material, textures: Mapping[str, NDArray[np.float32]]) -> Material:
    """The material with other textures, by its key or by those of its maps; what is not named stays."""
    lit = material.lit
    if lit is not None:
        maps = {
            name: replace(each, texture=textures.get(each.key, each.texture))
            for name, each in lit.maps.items()
        }
        lit = replace(lit, maps=maps)
    return replace(material, texture=textures.get(material.key, material.texture), lit=lit)


def smooth_groups(triangles: NDArray[np.int32]) -> NDArray[np.int32]:
    """Normal groups of a wholly smooth surface: one per vertex. (F, 3) int32."""
    return triangles


def flat_groups(polygon_indices: NDArray[np.int32]) -> NDArray[np.int32]:
    """Normal groups of a wholly flat surface: one per polygon. (F,) to (F, 3) int32."""
    return np.repeat(polygon_indices[:, None], 3, axis=1)
