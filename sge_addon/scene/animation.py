# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether something of Blender's moves by itself, so that what is written into it would not stay."""

from __future__ import annotations

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
    layers = animation.action.layers if animation.action is not None else ()
    bags = [bag for layer in layers for strip in layer.strips for bag in strip.channelbags]
    curves = [*animation.drivers, *(curve for bag in bags for curve in bag.fcurves)]
    return any(curve.data_path == path for curve in curves)
