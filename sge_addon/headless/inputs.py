# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the flags name: the scene, the objects to fit, the references."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..core.errors import FitError
from ..core.frame import Frame, Frames
from ..core.pixel_store import PixelStore
from ..core.reference import Reference
from ..core.settings import FitSettings
from ..core.view import View
from ..core.visibility import clip_around
from ..formats.preset_files import BUNDLED, SUBFOLDER, find_preset, read_preset
from ..formats.references import read_references
from ..scene.files import import_mesh
from ..scene.linked_references import references_from_blend
from ..scene.loaded_frames import load_frames
from ..scene.objects import parts_with_faces, surface_from_object
from ..scene.reference_rows import add_rows_from_cameras, count_used, load_references
from ..scene.references import cameras_with_images, temporary_folder
from .made_references import from_object

_SECONDS_BETWEEN_LINES = 1.0


def open_scene(arguments: argparse.Namespace) -> None:
    """Open the file of the first argument; where --mesh is all there is, start from an empty file. Then go
    to --frame."""
    if arguments.scene:
        path = Path(arguments.scene).expanduser().resolve()
        if not path.is_file():
            raise FitError(f"File '{path}' does not exist.")
        try:
            bpy.ops.wm.open_mainfile(filepath=str(path))
        except RuntimeError as error:
            reason = str(error).strip().removeprefix("Error: ").removesuffix(f' in file "{path}"')
            raise FitError(f"Blender file '{path}' cannot be opened: {reason}.") from error
    elif not bpy.data.filepath and bpy.app.background:
        if arguments.mesh:
            # Blender's startup file holds a cube. Unlike read_factory_settings this leaves the
            # preferences, and with them the installed extension, alone.
            bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        elif not arguments.object:
            raise FitError("Nothing to fit: name a .blend file, or a mesh file with --mesh.")
    if arguments.frame is not None:
        bpy.context.scene.frame_set(arguments.frame)


def preset_values(name: str) -> dict[str, Any]:
    """What a preset sets, of those that come with the extension or the user's own in Blender."""
    folders = [BUNDLED, *map(Path, bpy.utils.preset_paths(SUBFOLDER))]
    return read_preset(find_preset(name, folders))


def objects_to_fit(arguments: argparse.Namespace) -> list[bpy.types.Object]:
    """The objects to fit: --mesh, --object, the selected meshes, or the only mesh there is.

    The object that references are made from is never among them.
    """
    if arguments.mesh:
        if arguments.object:
            raise FitError("Give --mesh or --object, not both.")
        return import_mesh(arguments.mesh, arguments.forward_axis, arguments.up_axis, arguments.flat)
    source = bpy.context.scene.objects.get(arguments.reference_object or "")
    sources = parts_with_faces(source) if source else []
    if arguments.object:
        objects = [_object_by_name(name) for name in dict.fromkeys(arguments.object)]
        for obj in objects:
            if obj in sources:
                raise FitError(
                    f"Object '{obj.name}' cannot be fitted to references that are made from it: name another "
                    "with --object or --reference-object."
                )
        return objects
    meshes = [obj for obj in bpy.context.scene.objects if obj.type == "MESH" and obj not in sources]
    selected = [obj for obj in meshes if obj.select_get()]
    if selected:
        return selected
    if len(meshes) == 1:
        return meshes
    raise FitError(f"No object to fit: name it with --object (meshes in the scene: {_names(meshes)}).")


def _object_by_name(name: str) -> bpy.types.Object:
    obj = bpy.context.scene.objects.get(name)
    if obj is None:
        meshes = [obj for obj in bpy.context.scene.objects if obj.type == "MESH"]
        raise FitError(f"There is no object '{name}' in the scene (its meshes: {_names(meshes)}).")
    return obj


def _names(objects: Sequence[bpy.types.Object]) -> str:
    return ", ".join(f"'{obj.name}'" for obj in objects) or "none"


@dataclass(frozen=True, eq=False)
class References:
    """of_scene: those of the scene's own cameras. brought: those that the flags name, after them.

    notices: what a person should know about them. folders: where the images that were read lie.
    """

    of_scene: tuple[Reference, ...]
    brought: tuple[Reference, ...]
    notices: tuple[str, ...] = ()
    folders: frozenset[Path] = frozenset()

    @property
    def all(self) -> tuple[Reference, ...]:
        return self.of_scene + self.brought

    def seen_through(self, views: Sequence[View]) -> References:
        """The same through other views, one for each of ``all``."""
        seen = tuple(
            replace(reference, view=view.resized(reference.view.width, reference.view.height))
            for reference, view in zip(self.all, views, strict=True)
        )
        count = len(self.of_scene)
        return replace(self, of_scene=seen[:count], brought=seen[count:])


def references_to_fit(
    arguments: argparse.Namespace, settings: FitSettings, objects: Sequence[bpy.types.Object]
) -> References:
    """The references that the flags or the scene name, those of --hold-out marked as held out."""
    if arguments.references and arguments.reference_object:
        raise FitError("Give --references or --reference-object, not both.")
    every = _hold_out_interval(arguments.hold_out)
    of_scene: list[Reference] = []
    brought: list[Reference] = []
    frames: list[Frame] = []
    store = PixelStore(folder=temporary_folder())
    notices: list[str] = []
    if arguments.references:
        brought, read = _from_path(arguments.references, arguments, settings, objects, store)
        frames += read
        notices += read.notices
    elif arguments.reference_object:
        brought = from_object(arguments, settings, objects, store)
    else:
        of_scene = _of_scene(arguments, settings, store)
    if every:
        of_scene, brought = _every_held_out(of_scene, every), _every_held_out(brought, every)
    elif arguments.hold_out is not None:
        held_out, read = _from_path(arguments.hold_out, arguments, settings, objects, store)
        brought += [replace(reference, held_out=True) for reference in held_out]
        frames += read
        notices += read.notices
    folders = frozenset(
        path.parent.resolve()
        for frame in frames
        for path in (frame.image, frame.normal_image, frame.mask)
        if path is not None
    )
    return References(tuple(of_scene), tuple(brought), tuple(notices), folders)


def _of_scene(arguments: argparse.Namespace, settings: FitSettings, store: PixelStore) -> list[Reference]:
    """Those that the scene stores; --mask goes into their rows, so that a saved file says it too."""
    scene = bpy.context.scene
    if arguments.mask is not None:
        if not scene.sge.references and cameras_with_images(scene):
            add_rows_from_cameras(scene)
        for row in scene.sge.references:
            row.mask_mode = arguments.mask
    loaded = load_references(scene, settings.resolution, store)
    return list(_told(loaded, count_used(scene), arguments))


def _told(loaded: Iterable[Reference], count: int, arguments: argparse.Namespace) -> Iterator[Reference]:
    """References as they are loaded, with a line a second."""
    last = time.perf_counter()
    for number, reference in enumerate(loaded, start=1):
        yield reference
        if not arguments.quiet and time.perf_counter() - last > _SECONDS_BETWEEN_LINES:
            last = time.perf_counter()
            print(f"{arguments.label} loading image {number}/{count}", flush=True)


def _every_held_out(references: Sequence[Reference], every: int) -> list[Reference]:
    return [replace(reference, held_out=i % every == 0) for i, reference in enumerate(references)]


def _hold_out_interval(text: str | None) -> int:
    """K of --hold-out K, 0 where it is absent or names a file."""
    if text is None or not text.lstrip("+-").isdigit():
        return 0
    if int(text) < 2:
        raise FitError(f"--hold-out {text}: hold out every K-th view with K at least 2, or name a file.")
    return int(text)


def _from_path(
    path: str,
    arguments: argparse.Namespace,
    settings: FitSettings,
    objects: Sequence[bpy.types.Object],
    store: PixelStore,
) -> tuple[list[Reference], Frames]:
    """References of a .blend file, or of a transforms.json or a COLMAP model and then the frames of it.

    The cameras of the latter two have no clip planes of their own: they are set around the objects.
    """
    if Path(path).suffix.lower() == ".blend":
        mask_mode = arguments.mask or "auto"
        return references_from_blend(path, settings.resolution, mask_mode, store), Frames(())
    frames = read_references(path)
    points = np.concatenate([surface_from_object(obj).positions for obj in objects])
    center = 0.5 * (points.min(axis=0) + points.max(axis=0)).astype(np.float64)
    radius = float(np.linalg.norm(points - center, axis=1).max())
    loaded = load_frames(frames, settings.colorspace, settings.resolution, arguments.mask or "auto")
    references = [
        replace(reference, view=clip_around(reference.view, center, radius)).stored(store)
        for reference in _told(loaded, len(frames), arguments)
    ]
    return references, frames
