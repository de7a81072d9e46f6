# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking Blender to draw again, wherever the user may have gone meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import bpy

DrawHeader = Callable[[bpy.types.Header, bpy.types.Context], None]


def viewports(manager: bpy.types.WindowManager) -> Iterator[bpy.types.Area]:
    """The 3D viewports that are on screen now, in all windows."""
    for window in manager.windows:
        yield from (area for area in window.screen.areas if area.type == "VIEW_3D")


def redraw_regions(manager: bpy.types.WindowManager, kind: str) -> None:
    """kind: 'UI' for the sidebars, 'WINDOW' for the scene itself."""
    for area in viewports(manager):
        for region in area.regions:
            if region.type == kind:
                region.tag_redraw()


def show_status(manager: bpy.types.WindowManager, draw: DrawHeader | None) -> None:
    """Let a function draw the status bar, or Blender again; redraw it and the sidebars.

    A function, because a text belongs to one workspace, and the user may change to another. Viewports
    redraw by themselves when a mesh changes.
    """
    for window in manager.windows:
        with bpy.context.temp_override(window=window):
            window.workspace.status_text_set(draw)
    redraw_regions(manager, "UI")
