# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fit without a window: arguments, settings, fit, save, report."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .command_line import given_settings, parse
from .core.errors import FitError
from .core.reference import Reference
from .core.settings import FitSettings
from .core.visibility import clip_around

if TYPE_CHECKING:
    import bpy

    from .job import FitJob, Progress

DONE, BAD_INPUT, INTERRUPTED = 0, 2, 130
_SECONDS_BETWEEN_LINES = 1.0


def main(argv: Sequence[str]) -> int:
    """Run one fit as the flags say; returns the exit code. Raises SystemExit from argparse only;
    any other exception that escapes is a failure (exit code 1 of the process)."""
    arguments = parse(argv)
    try:
        return _run(arguments)
    except FitError as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT


def _run(arguments: argparse.Namespace) -> int:
    import bpy

    from .job import FitJob
    from .scene.files import check_export, check_writable
    from .scene.stored_settings import ensure_registered, settings_from_scene

    for path in (arguments.save, arguments.report):
        if path:
            check_writable(path)
    if arguments.export:
        check_export(arguments.export)
    ensure_registered()
    _open_scene(arguments)
    scene = bpy.context.scene
    settings = replace(settings_from_scene(scene), **given_settings(arguments))
    objects = _objects(arguments)
    references = _references(arguments, settings, objects)
    job = FitJob(scene, objects, references, settings, live=False)
    with _interruptible(job) as was_interrupted:
        show_progress(job.run(), arguments.quiet)
        interrupted = was_interrupted()
    _write_results(arguments, job, objects, references)
    return INTERRUPTED if interrupted else DONE


def _open_scene(arguments: argparse.Namespace) -> None:
    import bpy

    if arguments.scene:
        path = Path(arguments.scene).expanduser().resolve()
        if not path.is_file():
            raise FitError(f"File '{path}' is not there.")
        try:
            bpy.ops.wm.open_mainfile(filepath=str(path))
        except RuntimeError as error:
            raise FitError(f"File '{path}' cannot be opened: {str(error).strip()}") from error
    elif arguments.mesh and bpy.app.module:
        # Unlike read_factory_settings it leaves the preferences, and with them the installed extension, alone.
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


def _objects(arguments: argparse.Namespace) -> list[bpy.types.Object]:
    """The objects to fit: --mesh, --object, the selected meshes, or the only mesh there is."""
    import bpy

    from .scene.files import import_mesh

    if arguments.mesh:
        if arguments.object:
            raise FitError("Give --mesh or --object, not both.")
        return import_mesh(arguments.mesh, arguments.forward_axis, arguments.up_axis, arguments.flat)
    if arguments.object:
        return [_object_by_name(name) for name in dict.fromkeys(arguments.object)]
    meshes = [obj for obj in bpy.context.scene.objects if obj.type == "MESH"]
    selected = [obj for obj in meshes if obj.select_get()]
    if selected:
        return selected
    if len(meshes) == 1:
        return meshes
    raise FitError(f"No object to fit: name it with --object (meshes in the scene: {_names(meshes)}).")


def _object_by_name(name: str) -> bpy.types.Object:
    import bpy

    obj = bpy.context.scene.objects.get(name)
    if obj is None:
        meshes = [obj for obj in bpy.context.scene.objects if obj.type == "MESH"]
        raise FitError(f"There is no object '{name}' in the scene (its meshes: {_names(meshes)}).")
    return obj


def _names(objects: Sequence[bpy.types.Object]) -> str:
    return ", ".join(f"'{obj.name}'" for obj in objects) or "none"


def _references(
    arguments: argparse.Namespace, settings: FitSettings, objects: Sequence[bpy.types.Object]
) -> list[Reference]:
    import bpy

    from .scene.reference_rows import references_of_scene

    if arguments.references and arguments.reference_object:
        raise FitError("Give --references or --reference-object, not both.")
    if arguments.references:
        references = _from_file(arguments.references, settings, objects)
    elif arguments.reference_object:
        references = _from_object(arguments, settings)
    else:
        references = references_of_scene(bpy.context.scene, settings.resolution)
    if arguments.hold_out is None:
        return references
    if arguments.hold_out.lstrip("-").isdigit():
        every = int(arguments.hold_out)
        if every < 2:
            raise FitError(f"--hold-out {every}: hold out every K-th view with K at least 2, or name a file.")
        return [replace(reference, held_out=i % every == 0) for i, reference in enumerate(references)]
    held_out = _from_file(arguments.hold_out, settings, objects)
    return references + [replace(reference, held_out=True) for reference in held_out]


def _from_file(path: str, settings: FitSettings, objects: Sequence[bpy.types.Object]) -> list[Reference]:
    """References of a file, whose cameras have no clip planes of their own: set around the objects."""
    from .formats import transforms_json
    from .scene.objects import surface_from_object
    from .scene.references import references_from_frames

    points = np.concatenate([surface_from_object(obj).positions for obj in objects])
    center = 0.5 * (points.min(axis=0) + points.max(axis=0)).astype(np.float64)
    radius = float(np.linalg.norm(points - center, axis=1).max())
    references = references_from_frames(
        transforms_json.read(Path(path)), settings.colorspace, settings.resolution
    )
    return [replace(ref, view=clip_around(ref.view, center, radius)) for ref in references]


def _from_object(arguments: argparse.Namespace, settings: FitSettings) -> list[Reference]:
    import bpy

    from .job import make_references, orbit_around
    from .scene.files import import_mesh

    if arguments.views < 1:
        raise FitError(f"--views {arguments.views}: at least one view is needed.")
    name = arguments.reference_object
    imported: list[bpy.types.Object] = []
    if bpy.context.scene.objects.get(name) is None and Path(name).suffix:
        imported = import_mesh(name, arguments.forward_axis, arguments.up_axis, arguments.flat)
    sources = imported or [_object_by_name(name)]
    try:
        views = orbit_around(sources, arguments.views, settings.resolution)
        return make_references(sources, views, settings, bpy.context.scene)
    finally:
        for obj in imported:
            bpy.data.objects.remove(obj)


def show_progress(run: Iterable[Progress], quiet: bool = False) -> None:
    """Run a job to its end, with a line a second and one at the end of each stage."""
    last = 0.0
    for progress in run:
        now = time.perf_counter()
        if quiet or (now - last < _SECONDS_BETWEEN_LINES and progress.fraction < 1.0):
            continue
        steps = f"step {progress.step}/{progress.steps}"
        loss = "" if progress.loss is None else f" | loss {progress.loss:.4f}"
        print(f"SGE {progress.stage} {progress.fraction:4.0%} | {steps}{loss}", flush=True)
        last = now


@contextmanager
def _interruptible(job: FitJob) -> Iterator:
    """Ctrl-C and SIGTERM ask the job to stop; a handler of our own, since Blender's swallows them."""
    received: list[int] = []

    def stop(number: int, frame: object) -> None:
        received.append(number)
        job.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _write_results(
    arguments: argparse.Namespace,
    job: FitJob,
    objects: Sequence[bpy.types.Object],
    references: Sequence[Reference],
) -> None:
    import bpy

    from .formats import transforms_json
    from .scene.files import axes_of, export_mesh
    from .scene.references import add_reference_cameras, export_references

    for notice in job.notices:
        print(f"note: {notice}", file=sys.stderr)
    if arguments.report:
        Path(arguments.report).expanduser().write_text(json.dumps(job.report, indent=1), encoding="utf-8")
    if arguments.export_references:
        export_references(arguments.export_references, references, transforms_json.write)
    if arguments.export:
        axes = (arguments.forward_axis, arguments.up_axis)
        if arguments.mesh:
            axes = axes_of(arguments.mesh, *axes)
        export_mesh(arguments.export, objects, *axes)
    if arguments.save:
        if arguments.references or arguments.reference_object:
            add_reference_cameras(bpy.context.scene, references)
        bpy.ops.wm.save_as_mainfile(filepath=str(Path(arguments.save).expanduser().resolve()))
    if not arguments.quiet and job.report is not None:
        before, after = (job.report["psnr"]["object"][name] for name in ("before", "after"))
        print(
            f"SGE done | {before:.2f} dB -> {after:.2f} dB over the object, {job.report['seconds']['total']:.1f} s"
        )
