# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking Blender to draw again, wherever the user may have gone meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import bpy


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


def show_status(manager: bpy.types.WindowManager, text: str | None) -> None:
    """Set the status bar and redraw the sidebars. Viewports redraw by themselves when a mesh changes."""
    # The user may have changed to another workspace since the text was set.
    for workspace in bpy.data.workspaces:
        workspace.status_text_set(text)
    redraw_regions(manager, "UI")
