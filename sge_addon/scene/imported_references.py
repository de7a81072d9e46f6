# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames on disk become cameras, images and rows of a scene, one after the other; or nothing of it stays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..core.frame import Frames
from .loaded_frames import load_frames
from .reference_rows import add_row
from .references import COLLECTION, add_reference_cameras

if TYPE_CHECKING:
    import bpy

FULL_SIZE = 2**16  # pixels: larger than any image


class ImportedReferences:
    """An import into a scene. resolution: long side to which larger images are scaled, 0 for full size."""

    def __init__(self, scene: bpy.types.Scene, frames: Frames, resolution: int) -> None:
        self.frames = frames
        self._scene = scene
        self._resolution = resolution or FULL_SIZE
        self._cameras: list[str] = []
        self._had_collection = COLLECTION in scene.collection.children

    def load(self) -> Iterator[int]:
        """Add camera after camera; yields how many there are. Pixels of one image are in memory at a time:
        afterwards they are packed in the file.

        Where it cannot go on it takes back what was added and raises FitError naming the image.
        """
        done = False
        try:
            for reference in load_frames(self.frames, self._scene.sge.colorspace, self._resolution):
                before = set(self._scene.objects)
                add_reference_cameras(self._scene, [reference])
                (camera,) = set(self._scene.objects) - before
                self._cameras.append(camera.name)
                add_row(self._scene.sge.references, camera)
                yield len(self._cameras)
            done = True
        finally:
            if not done:
                self.take_back()

    def take_back(self) -> None:
        """Remove what was added."""
        import bpy

        rows = self._scene.sge.references
        for index in reversed(range(len(rows))):
            if rows[index].camera is not None and rows[index].camera.name in self._cameras:
                rows.remove(index)
        for name in self._cameras:
            camera = self._scene.objects[name]
            data, images = camera.data, _images(camera)
            bpy.data.objects.remove(camera)
            bpy.data.cameras.remove(data)
            bpy.data.batch_remove([image for image in images if image.users == 0])
        self._cameras.clear()
        collection = self._scene.collection.children.get(COLLECTION)
        if collection is not None and not self._had_collection:
            bpy.data.collections.remove(collection)


def _images(camera: bpy.types.Object) -> list[bpy.types.Image]:
    """Those that were made with a camera."""
    import bpy

    shown = [background.image for background in camera.data.background_images if background.image]
    return shown + [value for value in camera.data.values() if isinstance(value, bpy.types.Image)]
