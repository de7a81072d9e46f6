# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cameras and images that a running fit goes by: noticed where they go away."""

from __future__ import annotations

import time

import bpy

from ..core.errors import FitError
from ..scene.references import background_image

_INTERVAL = 0.5  # seconds between two looks


class WatchedReferences:
    """Remembers cameras and images of the references in use by session id; pointers die with undo."""

    def __init__(self, scene: bpy.types.Scene) -> None:
        rows = scene.sge.references
        cameras = [row.camera for row in rows if row.enabled]
        if not rows:
            cameras = [obj for obj in scene.objects if obj.type == "CAMERA"]
        self._scene = scene.session_uid
        self._images = {
            camera.session_uid: (camera.name, image.session_uid, image.name)
            for camera in cameras
            if camera is not None and (image := background_image(camera)) is not None
        }
        self._looked = 0.0

    def check(self) -> None:
        """Raises FitError, twice a second at the most, for a camera or image that is no longer there."""
        if time.perf_counter() - self._looked < _INTERVAL:
            return
        self._looked = time.perf_counter()
        scene = next((scene for scene in bpy.data.scenes if scene.session_uid == self._scene), None)
        if scene is None:
            raise FitError("The fit ended, because its scene was deleted.")
        images = {image.session_uid for image in bpy.data.images}
        cameras = {obj.session_uid for obj in scene.objects if obj.type == "CAMERA"}
        for camera, (camera_name, image, image_name) in self._images.items():
            if camera not in cameras:
                raise FitError(f"Camera '{camera_name}' was deleted while it was being fitted to.")
            if image not in images:
                raise FitError(f"Image '{image_name}' was deleted while it was being fitted to.")
