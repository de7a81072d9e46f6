# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a headless fit writes: checked before it begins, written when it has ended."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import bpy

from ..core.errors import FitError
from ..core.settings import FitSettings
from ..formats import transforms_json
from ..formats.whole_files import write_json
from ..scene.exported_maps import check_map_export, export_maps, map_paths
from ..scene.files import axes_of, check_export, check_writable, export_mesh
from ..scene.reference_rows import store_psnr, store_used_references
from ..scene.references import add_reference_cameras, export_references
from ..scene.stored_settings import store_losses, store_settings
from .inputs import References

_PLOTTED_POINTS = 256  # of the loss curve that is kept in the file


@dataclass(frozen=True)
class Stamp:
    """Which job of a batch a report is about. key: of what it was told and what it read. taken: maps that
    other jobs have exported, without their endings, and by which job."""

    name: str
    key: str
    taken: Mapping[Path, str]


def check_outputs(arguments: argparse.Namespace) -> None:
    """Raise FitError for a path that could not be written, before any work."""
    paths: dict[Path, str] = {}
    for flag in ("save", "export", "report", "export_references"):
        value = getattr(arguments, flag)
        if value is None:
            continue
        path = Path(value).expanduser().absolute()
        name = "--" + flag.replace("_", "-")
        if not value:
            raise FitError(f"{name}: the name of the file is empty.")
        if path in paths:
            raise FitError(f"{paths[path]} and {name} name the same file '{path}'.")
        paths[path] = name
    if arguments.save:
        if Path(arguments.save).suffix.lower() != ".blend":
            raise FitError(f"--save '{arguments.save}': the name of a Blender file ends in .blend.")
        check_writable(arguments.save)
    if arguments.report:
        check_writable(arguments.report)
    if arguments.export:
        check_export(arguments.export)
    if arguments.export_references:
        _check_folder(arguments)


def _check_folder(arguments: argparse.Namespace) -> None:
    folder = Path(arguments.export_references).expanduser().absolute()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir():
        raise FitError(f"Cannot write into '{folder}': '{existing}' is a file, not a folder.")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise FitError(f"Cannot write into '{folder}': permission denied in '{existing}'.")
    for source in (arguments.references, arguments.hold_out):
        given = Path(source).expanduser().resolve() if source else None
        if given and (folder / "transforms.json").resolve() in (given, given / "transforms.json"):
            raise FitError(
                f"--export-references '{folder}' would overwrite the references that are read; name another."
            )


def check_maps_export(
    arguments: argparse.Namespace,
    values: Mapping[str, Any],
    objects: Sequence[bpy.types.Object],
    stamp: Stamp | None = None,
) -> None:
    """Raise FitError for a map that could not be written beside --export. values: settings by field name."""
    if not arguments.export:
        return
    folder, maps = _folder_of_maps(arguments), _exported_maps(values)
    check_map_export(folder, objects, maps)
    for path in map_paths(folder, objects, maps) if stamp is not None else ():
        other = stamp.taken.get(path.with_suffix(""))
        if other is not None:
            raise FitError(
                f"The map '{path.name}' would be written over that of job '{other}', whose object has the "
                "same name: export each into a folder of its own, such as 'out/{name}/{name}.glb'."
            )


def _exported_maps(values: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(values["maps"]) if values["shading"] == "lit" and values["texture"] else ()


def _folder_of_maps(arguments: argparse.Namespace) -> Path:
    return Path(arguments.export).expanduser().absolute().parent


def check_references_export(arguments: argparse.Namespace, references: References) -> None:
    """Raise FitError for a camera that --export-references could not write, and images it would overwrite."""
    if arguments.export_references:
        folder = Path(arguments.export_references).expanduser().resolve()
        if {folder / name for name in ("images", "normals", "masks")} & references.folders:
            raise FitError(
                f"--export-references '{folder}' would overwrite the images that are read; name another."
            )
        for reference in references.all:
            transforms_json.check(reference.view)


@dataclass(frozen=True, eq=False)
class Results:
    """What there is to write. report: None where the fit was cut short before it could be built. stamp: of
    the job that the report is to name, is_whole: whether the fit went to its end.
    notices: to which is added what ``write`` did differently from what one might expect. maps: to which
    are added those that it exported."""

    arguments: argparse.Namespace
    report: dict[str, Any] | None
    objects: Sequence[bpy.types.Object]
    references: References
    settings: FitSettings
    stamp: Stamp | None = None
    is_whole: bool = True
    notices: list[str] = field(default_factory=list)
    maps: list[Path] = field(default_factory=list)

    def write(self) -> list[Exception]:
        """Write each file that was asked for, whatever becomes of the others; what went wrong."""
        errors: list[Exception] = []
        for wanted, writer in (
            (self.arguments.save, self._save),
            (self.arguments.export, self._export),
            (self.arguments.export_references, self._export_references),
        ):
            if wanted:
                try:
                    writer()
                except (FitError, OSError, RuntimeError) as error:
                    errors.append(error)
        # The last, and in one go: a report that says so tells that all the rest is there.
        if self.report is not None and self.stamp is not None:
            self.report["job"] = {
                "name": self.stamp.name,
                "key": self.stamp.key,
                "complete": self.is_whole and not errors,
                "maps": [str(path) for path in self.maps],
            }
        if self.arguments.report and self.report is not None:
            try:
                write_json(Path(self.arguments.report).expanduser(), self.report)
            except OSError as error:
                errors.append(error)
        return errors

    def summary(self) -> str:
        """One line on what was gained, and one for each value of a modifier or object that was fitted."""
        label = self.arguments.label
        if self.report is None:
            return f"{label} done"
        figures = self.report["psnr"]["object"]
        gains = [
            f"{figures[prefix + 'before']:.2f} dB -> {figures[prefix + 'after']:.2f} dB{label}"
            for prefix, label in (("", " over the object"), ("held_out_", " held out"))
            if figures[prefix + "after"] is not None
        ]
        values = [
            f"{label} {each['name']} {_shown(each['before'])} -> {_shown(each['after'])}"
            for each in self.report.get("parameters", ())
        ]
        done = " | ".join([f"{label} done", *gains, f"{self.report['seconds']['total']:.1f} s"])
        return "\n".join([*values, done])

    def _save(self) -> None:
        """The scene, with cameras for references that it did not have, and what the panel shows."""
        scene = bpy.context.scene
        cameras = [scene.objects[reference.view.name] for reference in self.references.of_scene]
        if self.references.brought:
            before = set(scene.objects)
            collection = add_reference_cameras(scene, self.references.brought)
            cameras += [camera for camera in collection.objects if camera not in before]
        held_out = [reference.held_out for reference in self.references.all]
        store_used_references(scene, list(zip(cameras, held_out, strict=True)))
        store_settings(scene, self.settings)
        if self.report is not None:
            losses = self.report["loss"]
            store_losses(scene, losses[:: max(1, len(losses) // _PLOTTED_POINTS)])
            store_psnr(scene, self.report["views"])
        bpy.ops.wm.save_as_mainfile(filepath=str(Path(self.arguments.save).expanduser().absolute()))

    def _export(self) -> None:
        axes = (self.arguments.forward_axis, self.arguments.up_axis)
        if self.arguments.mesh:
            axes = axes_of(self.arguments.mesh, *axes)
        objects = [obj for obj in self.objects if _exists(obj)]
        folder, maps = _folder_of_maps(self.arguments), _exported_maps(asdict(self.settings))
        reserved = map_paths(folder, objects, maps)
        export_mesh(self.arguments.export, objects, *axes, reserved=reserved)
        exported, notices = export_maps(folder, objects, maps, self.settings.image_depth)
        self.maps.extend(exported)
        self.notices.extend(notices)

    def _export_references(self) -> None:
        export_references(self.arguments.export_references, self.references.all, transforms_json.write)


def _shown(numbers: Sequence[float]) -> str:
    return ", ".join(f"{number:.5g}" for number in numbers)


def _exists(obj: bpy.types.Object) -> bool:
    try:
        return bool(obj.name)
    except ReferenceError:  # deleted while it was fitted
        return False
