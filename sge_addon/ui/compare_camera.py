# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A viewport that looks through a reference's camera, and back to how it looked before."""

from __future__ import annotations

import math
from dataclasses import dataclass

import bpy

from ..core.view import View
from .compare_layout import Box, frame_in_region, free_of_panels
from .redraw import viewports

_MARGIN = 0.94  # of the free room that the frame fills
_ZOOM_RANGE = (-30.0, 600.0)  # of Blender's camera zoom


@dataclass(frozen=True)
class ViewportBefore:
    """How a viewport looked. area: its address, compared and never followed."""

    area: int
    perspective: str
    rotation: tuple[float, ...]
    location: tuple[float, ...]
    distance: float
    zoom: float
    offset: tuple[float, ...]
    uses_local_camera: bool
    camera: int | None  # session id

    def restore(self, manager: bpy.types.WindowManager) -> None:
        """Back to how it looked, if the viewport is still there."""
        area = next((area for area in viewports(manager) if area.as_pointer() == self.area), None)
        if area is None:
            return
        space = area.spaces.active
        region = space.region_3d
        space.use_local_camera = self.uses_local_camera
        camera = next((obj for obj in bpy.data.objects if obj.session_uid == self.camera), None)
        if camera is not None:
            space.camera = camera
        region.view_camera_zoom, region.view_camera_offset = self.zoom, self.offset
        region.view_perspective = self.perspective
        if self.perspective != "CAMERA":
            region.view_rotation, region.view_location = self.rotation, self.location
            region.view_distance = self.distance
        region.update()
        area.tag_redraw()


def remember(area: bpy.types.Area) -> ViewportBefore:
    """How the viewport looks now."""
    space = area.spaces.active
    region = space.region_3d
    return ViewportBefore(
        area=area.as_pointer(),
        perspective=region.view_perspective,
        rotation=tuple(region.view_rotation),
        location=tuple(region.view_location),
        distance=region.view_distance,
        zoom=region.view_camera_zoom,
        offset=tuple(region.view_camera_offset),
        uses_local_camera=space.use_local_camera,
        camera=space.camera.session_uid if space.camera else None,
    )


def look_through(area: bpy.types.Area, camera: bpy.types.Object, view: View) -> None:
    """Let a viewport look through a camera of its own, the view's image as large as fits."""
    space = area.spaces.active
    space.use_local_camera = True
    space.camera = camera
    region = space.region_3d
    region.view_perspective = "CAMERA"
    region.view_camera_offset = (0.0, 0.0)
    region.update()
    window = next(region for region in area.regions if region.type == "WINDOW")
    frame = frame_in_region(view, region.perspective_matrix, window.width, window.height)
    if frame is not None:
        region.view_camera_zoom = _zoom(region.view_camera_zoom, _growth(frame, free_box(area), window))
        region.update()
    area.tag_redraw()


def looks_through(space: bpy.types.SpaceView3D, scene: bpy.types.Scene, camera_uid: int) -> bool:
    """Whether a viewport looks through that camera."""
    camera = space.camera if space.use_local_camera else scene.camera
    is_camera_view = space.region_3d.view_perspective == "CAMERA"
    return is_camera_view and camera is not None and camera.session_uid == camera_uid


def free_box(area: bpy.types.Area) -> Box:
    """What of the viewport no panel or header lies on, in pixels of its main region."""
    window = next(region for region in area.regions if region.type == "WINDOW")
    panels = [
        Box(region.x - window.x, region.y - window.y, region.width, region.height)
        for region in area.regions
        if region.type in {"UI", "TOOLS", "HEADER", "TOOL_HEADER"} and min(region.width, region.height) > 1
    ]
    return free_of_panels(Box(0, 0, window.width, window.height), panels)


def _growth(frame: Box, free: Box, window: bpy.types.Region) -> float:
    """The factor by which the frame, in the middle of the window, may grow within what is free."""
    half_width = min(0.5 * window.width - free.x, free.right - 0.5 * window.width)
    half_height = min(0.5 * window.height - free.y, free.top - 0.5 * window.height)
    return _MARGIN * max(min(2.0 * half_width / frame.width, 2.0 * half_height / frame.height), 0.05)


def _zoom(zoom: float, factor: float) -> float:
    """Blender's camera zoom z scales by ((sqrt 2 + z / 50) / 2) squared."""
    scale = (0.5 * (math.sqrt(2.0) + zoom / 50.0)) ** 2 * factor
    return min(max(50.0 * (2.0 * math.sqrt(scale) - math.sqrt(2.0)), _ZOOM_RANGE[0]), _ZOOM_RANGE[1])
