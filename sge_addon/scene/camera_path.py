# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Views from where an animated camera stands in several frames."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..core.errors import FitError
from ..core.view import View, fitted_size
from .cameras import view_from_camera

if TYPE_CHECKING:
    import bpy


def camera_path_views(
    scene: bpy.types.Scene, camera: bpy.types.Object | None, count: int, long_side: int
) -> list[View]:
    """The camera's views in ``count`` frames, evenly over the scene's frame range, ends included.

    camera: None for the scene's own, with its markers. long_side: of the views in pixels, in the shape of
    the scene's render. The scene's frame is as before afterwards. Raises FitError: no camera, fewer frames
    than views, a camera that stands still.
    """
    start, end = scene.frame_start, scene.frame_end
    if (camera or scene.camera) is None:
        raise FitError("There is no camera whose path to follow: choose one, or give the scene a camera.")
    if count > end - start + 1:
        raise FitError(
            f"The scene has {end - start + 1} frames ({start} to {end}), which is too few for {count} views: "
            "lengthen its frame range, or make fewer views."
        )
    width, height = _render_shape(scene, long_side)
    before = scene.frame_current, scene.frame_subframe
    views = []
    try:
        for place in np.linspace(start, end, count):
            frame = round(float(place))
            scene.frame_set(frame)
            current = camera or scene.camera  # which markers may switch
            views.append(replace(view_from_camera(current, width, height), name=f"frame_{frame:04}"))
    finally:
        scene.frame_set(before[0], subframe=before[1])
    poses = [view.camera_to_world for view in views]
    if count > 1 and all(np.array_equal(pose, poses[0]) for pose in poses):
        raise FitError(
            f"Camera '{(camera or scene.camera).name}' stands still from frame {start} to {end}: animate it, "
            "or choose another placement."
        )
    return views


def _render_shape(scene: bpy.types.Scene, long_side: int) -> tuple[int, int]:
    render = scene.render
    width = render.resolution_x * render.pixel_aspect_x
    height = render.resolution_y * render.pixel_aspect_y
    scale = long_side / max(width, height)
    return fitted_size(round(width * scale), round(height * scale), long_side)
