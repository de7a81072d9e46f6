# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a value cannot be fitted: the end of a sentence with the remedy; "" where nothing is in the way."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from .animation import is_path_animated

if TYPE_CHECKING:
    import bpy

_ANIMATED = "it is animated or driven, so that a fitted value would not stay; clear its keyframes and drivers"
_MAKE_LOCAL = "make it local (Object > Relations > Make Local)"


def obstacle_of_owner(obj: bpy.types.Object) -> str:
    """Of an object and of its data, whatever is fitted of it."""
    for data, kind in ((obj, "object"), (obj.data, "data")):
        if data.library is not None:
            return f"its {kind} is linked from another file; {_MAKE_LOCAL}"
        if data.override_library is not None:
            return f"its {kind} is a library override; {_MAKE_LOCAL}"
    return ""


def transform_obstacle(
    obj: bpy.types.Object,
    posed: bpy.types.Object | bpy.types.PoseBone,
    path: str,
    free: Sequence[int],
) -> str:
    """Of location, rotation or scale. posed: the object, or a bone of it. free: places not locked."""
    if any(not each.mute and each.influence > 0.0 for each in posed.constraints):
        return "constraints hold it; apply or remove them"
    if not free:
        return "it is locked; unlock it (Item > Transform, in the sidebar)"
    return _ANIMATED if is_path_animated(obj, path) else ""


def bone_obstacle(armature: bpy.types.Object, bone: bpy.types.PoseBone, held: Collection[str]) -> str:
    """Of anything of a bone. held: of the armature, as ``bones_held_by_kinematics``."""
    if armature.data.pose_position == "REST":
        return f"armature '{armature.name}' shows its rest position; set it to Pose Position"
    if bone.name in held:
        return "inverse kinematics hold it; mute that constraint"
    return ""


def bones_held_by_kinematics(armature: bpy.types.Object) -> set[str]:
    """Names of the bones that inverse kinematics turn."""
    held: set[str] = set()
    for tip in armature.pose.bones:
        for constraint in tip.constraints:
            if constraint.type in {"IK", "SPLINE_IK"} and not constraint.mute and constraint.influence > 0.0:
                chain = [tip, *tip.parent_recursive]
                held |= {each.name for each in chain[: constraint.chain_count or None]}
    return held


def modifier_obstacle(obj: bpy.types.Object, modifier: bpy.types.Modifier, path: str, level: str) -> str:
    """Of a value of a modifier."""
    if not (modifier.show_render if level == "render" else modifier.show_viewport):
        return f"modifier '{modifier.name}' is switched off in {level}s; switch it on"
    return _ANIMATED if is_path_animated(obj, path) else ""


def key_obstacle(obj: bpy.types.Object, key: bpy.types.ShapeKey, path: str) -> str:
    """Of the value of a shape key."""
    if obj.show_only_shape_key:
        return "one shape key is pinned, so that values of others show nothing; unpin it"
    if key.mute:
        return "the shape key is switched off; switch it on"
    return _ANIMATED if is_path_animated(obj.data.shape_keys, path) else ""
