# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether something of Blender's moves by itself, so that what is written into it would not stay."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import bpy


def is_animated(each: bpy.types.ID) -> bool:
    """Whether it has an action, drivers or NLA tracks."""
    animation = each.animation_data
    return animation is not None and (
        animation.action is not None or len(animation.drivers) > 0 or len(animation.nla_tracks) > 0
    )


def is_path_animated(each: bpy.types.ID, path: str) -> bool:
    """Whether one property, by its data path from the ID, has keyframes in the ID's action, or a driver."""
    animation = each.animation_data
    if animation is None:
        return False
    return any(curve.data_path == path for curve in [*animation.drivers, *_keyed_curves(animation)])


def moving_paths(each: bpy.types.ID) -> set[str]:
    """Data paths of what changes with the frame: keyframes, and drivers that look at the time themselves."""
    animation = each.animation_data
    if animation is None:
        return set()
    timed = [curve for curve in animation.drivers if _reads_frame(curve.driver)]
    return {curve.data_path for curve in [*timed, *_keyed_curves(animation)]}


def _keyed_curves(animation: bpy.types.AnimData) -> list[bpy.types.FCurve]:
    layers = animation.action.layers if animation.action is not None else ()
    bags = [bag for layer in layers for strip in layer.strips for bag in strip.channelbags]
    return [curve for bag in bags for curve in bag.fcurves]


def _reads_frame(driver: bpy.types.Driver) -> bool:
    paths = [target.data_path for variable in driver.variables for target in variable.targets]
    by_expression = driver.type == "SCRIPTED" and re.search(r"\bframe\b", driver.expression) is not None
    return by_expression or any("frame_current" in path or "frame_float" in path for path in paths)
