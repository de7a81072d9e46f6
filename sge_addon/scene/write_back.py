# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fitted positions back into meshes, while Blender may rename, undo or delete what is fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.errors import TargetLost
from .objects import base_positions, to_world, world_matrix

if TYPE_CHECKING:
    import bpy


@dataclass(frozen=True, eq=False)
class Target:
    """An object under fit, remembered by name and session id: pointers die with undo and file loads.

    start: (V, 3) float32, object space, where the fit began. start_world: the same in world space.
    world_to_object: (3, 3) float64, for directions. shape_key: name of the fitted key, or "".
    """

    name: str
    session_uid: int
    start: NDArray[np.float32]
    start_world: NDArray[np.float32]
    world_to_object: NDArray[np.float64]
    shape_key: str


def target_of(obj: bpy.types.Object) -> Target:
    """The object as it stands now, as the target of a fit."""
    matrix = world_matrix(obj)
    start = base_positions(obj)
    key = obj.active_shape_key if obj.data.shape_keys else None
    return Target(
        name=obj.name,
        session_uid=obj.session_uid,
        start=start,
        start_world=to_world(start, matrix),
        world_to_object=np.linalg.inv(matrix[:3, :3]),
        shape_key=key.name if key else "",
    )


def object_of(target: Target) -> bpy.types.Object:
    """The target's object. Raises TargetLost where it is gone, in Edit Mode or of another topology."""
    import bpy

    obj = bpy.data.objects.get(target.name)
    if obj is None or obj.session_uid != target.session_uid:  # renamed, or another took its name
        obj = next((o for o in bpy.data.objects if o.session_uid == target.session_uid), None)
    if obj is None:
        raise TargetLost(f"Object '{target.name}' was deleted while it was being fitted.")
    if obj.mode == "EDIT":
        raise TargetLost(f"Object '{obj.name}' entered Edit Mode while it was being fitted.")
    if len(obj.data.vertices) != len(target.start):
        raise TargetLost(
            f"Object '{obj.name}' now has {len(obj.data.vertices)} vertices instead of {len(target.start)}: "
            "its mesh was edited while it was being fitted."
        )
    return obj


def write_positions(target: Target, positions_world: NDArray[np.float32]) -> None:
    """Move the target's vertices. positions_world: (V, 3). Raises TargetLost as ``object_of`` does.

    Vertices at their starting place keep their very bits. A fitted basis key carries the keys
    relative to it along, as it does in Edit Mode.
    """
    write_shape(object_of(target), target, positions_world)


def write_shape(obj: bpy.types.Object, target: Target, positions_world: NDArray[np.float32]) -> None:
    """The same into ``obj``, which is the target's object or a copy of it with a mesh of its own."""
    moved = positions_world - target.start_world
    positions = (target.start + moved @ target.world_to_object.T).astype(np.float32)
    if target.shape_key:
        _write_key(obj, target.shape_key, positions)
    else:
        _write_mesh(obj.data, positions)
    obj.data.update()


def _write_mesh(mesh: bpy.types.Mesh, positions: NDArray[np.float32]) -> None:
    mesh.attributes["position"].data.foreach_set("vector", np.ascontiguousarray(positions).ravel())
    mesh.vertices[0].co = mesh.vertices[0].co  # tells Blender before 5.1 that the bounds are stale


def _write_key(obj: bpy.types.Object, name: str, positions: NDArray[np.float32]) -> None:
    keys = obj.data.shape_keys
    fitted = keys.key_blocks.get(name)
    if fitted is None:
        raise TargetLost(f"Object '{obj.name}' lost its shape key '{name}' while it was being fitted.")
    before = np.empty_like(positions)
    fitted.points.foreach_get("co", before.ravel())
    fitted.points.foreach_set("co", positions.ravel())
    if fitted != keys.reference_key:
        return
    for key in _relative_to(keys, fitted):
        shape = np.empty_like(positions)
        key.points.foreach_get("co", shape.ravel())
        key.points.foreach_set("co", (shape + (positions - before)).ravel())
    _write_mesh(obj.data, positions)  # the mesh itself holds the basis


def _relative_to(keys: bpy.types.Key, basis: bpy.types.ShapeKey) -> list[bpy.types.ShapeKey]:
    """The keys whose chain of relative keys leads to ``basis``, without itself."""
    if not keys.use_relative:
        return []
    found = {basis.name}
    for _ in keys.key_blocks:  # a chain is at most as long as the list
        found |= {key.name for key in keys.key_blocks if key.relative_key and key.relative_key.name in found}
    return [key for key in keys.key_blocks if key.name in found and key != basis]
