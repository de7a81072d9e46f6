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
