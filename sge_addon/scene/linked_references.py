# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""References from the cameras of another .blend file, which is only read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import FitError
from ..core.pixel_store import PixelStore
from ..core.reference import Reference
from .references import background_image, load_references_of_cameras, temporary_folder

if TYPE_CHECKING:
    import bpy


def references_from_blend(
    path: str | os.PathLike[str], resolution: int, mask_mode: str = "auto", store: PixelStore | None = None
) -> list[Reference]:
    """A reference for every camera with a background image in any scene of a file, each camera once.

    The file is linked for as long as this takes; nothing of it stays. resolution: long side to which
    larger images are scaled. store: keeps their pixels; None: one of their own does. Raises FitError
    naming the file where it cannot be read or has no such camera, and the image that lies on a network
    share, which is never opened.
    """
    import bpy

    store = store or PixelStore(folder=temporary_folder())
    file = Path(os.path.expanduser(path)).absolute()
    references: dict[str, Reference] = {}
    with _linked_scenes(file) as scenes:
        for scene in scenes:
            _refuse_shares(file, scene)
            with bpy.context.temp_override(scene=scene, view_layer=scene.view_layers[0]):
                for reference in load_references_of_cameras(scene, resolution, store, mask_mode):
                    references.setdefault(reference.view.name, reference)
    if not references:
        raise FitError(
            f"File '{file}': none of its cameras shows a background image; give them images, and save it."
        )
    return list(references.values())


def _refuse_shares(file: Path, scene: bpy.types.Scene) -> None:
    for camera in scene.objects:
        image = background_image(camera) if camera.type == "CAMERA" else None
        if image is None or image.packed_file is not None:
            continue
        # Two slashes are Blender's own mark of a path relative to the file.
        if image.filepath.replace("\\", "/").startswith("//") and not image.filepath.startswith("//"):
            raise FitError(
                f"File '{file}', camera '{camera.name}': its image '{image.filepath}' lies on a network "
                "share; only local files are read: pack it, or copy it beside the file."
            )


@contextmanager
def _linked_scenes(file: Path) -> Iterator[list[bpy.types.Scene]]:
    import bpy

    if not file.is_file():
        raise FitError(f"File '{file}' does not exist.")
    if bpy.data.filepath and file.samefile(bpy.data.filepath):
        raise FitError(f"File '{file}' is the open one, whose own cameras count: leave it out.")
    before = set(bpy.data.libraries)
    try:
        with bpy.data.libraries.load(str(file), link=True) as (source, target):
            target.scenes = source.scenes
    except (OSError, RuntimeError) as error:
        raise FitError(f"Blender file '{file}' cannot be read: {error}") from error
    try:
        yield [scene for scene in target.scenes if scene is not None]
    finally:
        for library in set(bpy.data.libraries) - before:
            bpy.data.libraries.remove(library)
