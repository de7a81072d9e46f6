# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which events may reach the rest of Blender while a fit runs.

Looking around, clicks outside viewports, saving, other screens. Anything else, Ctrl-Z first of all, could
change what is being fitted or add steps of undo.
"""

from __future__ import annotations

import bpy

NAVIGATION = ("WHEEL", "MIDDLEMOUSE", "TRACKPAD", "NDOF", "NUMPAD")
WITHOUT_EFFECT = ("MOUSE", "INBETWEEN", "TIMER", "WINDOW")
PLAIN_KEYS = {"N", "T", "HOME"}  # sidebar, toolbar, everything in view
CTRL_KEYS = {"S", "SPACE", "PAGE_UP", "PAGE_DOWN"}  # save, enlarge the area, other workspaces


def is_harmless(context: bpy.types.Context, event: bpy.types.Event) -> bool:
    """Whether an event may go on to whatever would handle it without us."""
    if event.type in {"LEFTMOUSE", "RIGHTMOUSE"}:
        return not over_viewport(context, event)
    if event.type in PLAIN_KEYS:
        return not (event.ctrl or event.alt or event.shift or event.oskey)
    if event.type in CTRL_KEYS:
        return event.ctrl or event.oskey
    return event.type.startswith((*NAVIGATION, *WITHOUT_EFFECT))


def is_navigation(event: bpy.types.Event) -> bool:
    """Whether the user looks around, so that viewports are redrawn for that."""
    return event.type.startswith(NAVIGATION)


def over_viewport(context: bpy.types.Context, event: bpy.types.Event) -> bool:
    """Whether the mouse is over the 3D scene itself, not over a panel or header on top of it."""
    for area in context.screen.areas if context.screen else ():
        if area.type != "VIEW_3D" or not _contains(area, event):
            continue
        # Regions overlap: a panel lies on top of the window region.
        return not any(_contains(region, event) for region in area.regions if region.type != "WINDOW")
    return False


def _contains(box: bpy.types.Area | bpy.types.Region, event: bpy.types.Event) -> bool:
    return 0 <= event.mouse_x - box.x < box.width and 0 <= event.mouse_y - box.y < box.height
