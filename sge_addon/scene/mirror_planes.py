# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planes in which Mirror modifiers join a base mesh to its image."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.cage import MirrorPlane
from .objects import world_matrix
from .stand_in import Level, is_shown

if TYPE_CHECKING:
    import bpy

# Modifiers that leave the base mesh's vertices in the planes in which they are.
_KEEPS_PLANES = {"MIRROR", "SUBSURF", "TRIANGULATE", "WELD", "MASK", "EDGE_SPLIT", "WEIGHTED_NORMAL",
                 "NORMAL_EDIT", "UV_PROJECT", "UV_WARP", "DATA_TRANSFER", "VERTEX_WEIGHT_EDIT",
                 "VERTEX_WEIGHT_MIX", "VERTEX_WEIGHT_PROXIMITY"}  # fmt: skip


def mirror_planes(
    obj: bpy.types.Object, level: Level, muted: Collection[str] = ()
) -> tuple[MirrorPlane, ...]:
    """The planes, in world space, of the object's Mirror modifiers that take part, axis by axis.

    Those behind a modifier that moves the mesh are left out: they mirror what that makes of it.
    """
    planes: list[MirrorPlane] = []
    for modifier in obj.modifiers:
        if not is_shown(modifier, level) or modifier.name in muted:
            continue
        if modifier.type not in _KEEPS_PLANES:
            break
        if modifier.type == "MIRROR":
            planes += _planes_of(obj, modifier)
    return tuple(planes)


def on_planes(positions: NDArray[np.float32], planes: Collection[MirrorPlane]) -> NDArray[np.bool_]:
    """(N,) whether a vertex, (N, 3) world, is joined to its image in one of the planes."""
    joined = np.zeros(len(positions), bool)
    for plane in planes:
        joined |= 2.0 * np.abs((positions - plane.point) @ plane.normal) < plane.merge
    return joined


def _planes_of(obj: bpy.types.Object, modifier: bpy.types.MirrorModifier) -> list[MirrorPlane]:
    matrix = world_matrix(modifier.mirror_object or obj)
    to_object = np.linalg.inv(world_matrix(obj)[:3, :3])
    planes = []
    for axis in range(3):
        if not modifier.use_axis[axis]:
            continue
        normal = np.linalg.inv(matrix[:3, :3])[axis]  # where that coordinate of the mirror's is constant
        across = matrix[:3, axis]  # a vertex and its image differ by a multiple of it
        scale = np.linalg.norm(across) / np.linalg.norm(to_object @ across)  # thresholds are in object space
        merge = modifier.merge_threshold * scale if modifier.use_mirror_merge else 0.0
        planes.append(MirrorPlane(matrix[:3, 3].copy(), normal / np.linalg.norm(normal), float(merge)))
    return planes
