# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""References that a headless fit makes from an object."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import bpy

from ..command_line import given_reference_options
from ..core.errors import FitError
from ..core.pixel_store import PixelStore
from ..core.reference import Reference
from ..core.reference_options import ReferenceOptions
from ..core.settings import FitSettings
from ..job import place_views, references_one_by_one
from ..scene.files import IMPORTED, import_mesh
from ..scene.objects import parts_with_faces
from ..scene.stored_settings import stored_reference_values
from .silence import silenced_output

_SECONDS_BETWEEN_LINES = 1.0


def from_object(
    arguments: argparse.Namespace,
    settings: FitSettings,
    objects: Sequence[bpy.types.Object],
    store: PixelStore,
) -> list[Reference]:
    """References rendered from --reference-object, an object of the scene or a mesh file, as the flags
    and the scene's stored options say. objects: to be fitted, which no reference shows. store: keeps
    their pixels."""
    if arguments.views is not None and arguments.views < 1:
        raise FitError(f"--views {arguments.views}: at least one view is needed.")
    name = arguments.reference_object
    source = bpy.context.scene.objects.get(name)
    if source is not None:
        sources = parts_with_faces(source)
        if not sources:
            raise FitError(f"Object '{name}' has no faces, nor have its children: name another.")
        return _rendered(sources, arguments, settings, objects, store)
    if not Path(name).expanduser().exists() and Path(name).suffix.lower() not in IMPORTED:
        raise FitError(
            f"--reference-object '{name}' is neither an object of the scene nor a mesh file "
            f"({', '.join(IMPORTED)})."
        )
    with _new_objects_removed():
        sources = import_mesh(name, arguments.forward_axis, arguments.up_axis, arguments.flat)
        return _rendered(sources, arguments, settings, objects, store)


def _rendered(
    sources: Sequence[bpy.types.Object],
    arguments: argparse.Namespace,
    settings: FitSettings,
    objects: Sequence[bpy.types.Object],
    store: PixelStore,
) -> list[Reference]:
    scene = bpy.context.scene
    options = ReferenceOptions(**{**stored_reference_values(scene), **given_reference_options(arguments)})
    camera = scene.sge.path_camera
    if arguments.path_camera is not None:
        camera = scene.objects.get(arguments.path_camera)
        if camera is None or camera.type != "CAMERA":
            raise FitError(f"--path-camera '{arguments.path_camera}': there is no such camera in the scene.")
    views = place_views(sources, options, scene, settings.resolution, camera)
    made = references_one_by_one(sources, views, settings, scene, options, hidden=objects)
    references: list[Reference] = []
    last = time.perf_counter()
    while True:
        # EEVEE and Cycles tell of every sample.
        with silenced_output() if options.render_engine != "sge" else nullcontext():
            reference = next(made, None)
        if reference is None:
            return references
        references.append(reference.stored(store))
        if not arguments.quiet and time.perf_counter() - last > _SECONDS_BETWEEN_LINES:
            last = time.perf_counter()
            print(f"{arguments.label} rendering reference {len(references)}/{len(views)}", flush=True)


@contextmanager
def _new_objects_removed() -> Iterator[None]:
    """Objects made within it go again at its end, with what only they used."""
    kinds = (bpy.data.objects, bpy.data.meshes, bpy.data.materials, bpy.data.images, bpy.data.collections)
    before = [set(kind) for kind in kinds]
    try:
        yield
    finally:
        bpy.data.batch_remove(
            [each for kind, old in zip(kinds, before, strict=True) for each in set(kind) - old]
        )
