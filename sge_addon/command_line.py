# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flags of the headless fit, generated from the settings where they are settings."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import MISSING, Field, fields
from typing import Any, NoReturn

from .core.masks import MASK_MODES
from .core.reference_options import ReferenceOptions
from .core.setting_texts import split_texts
from .core.settings import FitSettings
from .version import version

_OPTION_FLAGS = {"view_count": "views"}  # of fields that are called otherwise on the command line
_AXES = ("X", "Y", "Z", "-X", "-Y", "-Z")
_DESCRIPTION = """\
Fit meshes and their base colour to reference images.

Without --mesh the .blend file's objects are fitted: those of --object, else the selected meshes,
else its only mesh. Without --references and --reference-object, the file's list of references
counts, or where that is empty every camera with a background image.

With --jobs, many fits that a JSON file lists run one after another."""
_EXIT_CODES = """\
exit code: 0 done, 1 failed, 2 bad input (nothing was changed or written), 130 interrupted by
Ctrl-C or SIGTERM (what was reached is written; a second time skips the final measurement).
With --jobs: 0 all are done, 1 some failed, 2 the file of jobs is wrong (nothing was run), 130 interrupted"""
# By the names that argparse gives them. OF_JOBS only go with --jobs, beside which only WITH_JOBS are allowed;
# none of both stands in a file of jobs, but --report, which there is each job's own.
OF_JOBS = ("only", "again")
WITH_JOBS = (*OF_JOBS, "jobs", "output", "report", "check", "quiet")
OUTPUTS = ("save", "export", "export_references", "report")
PATHS = ("scene", "mesh", "references", *OUTPUTS)
PERHAPS_PATHS = ("hold_out", "reference_object")  # a number, or an object's name, or a path
LABEL = "SGE"


class CommandLine(argparse.ArgumentParser):
    """The parser; where it is not told otherwise, an error is one line and ends the process."""

    def error(self, message: str) -> NoReturn:
        """One line instead of the whole usage."""
        self.exit(2, f"error: {message} (--help lists the flags)\n")


def build_parser(kind: type[CommandLine] = CommandLine) -> CommandLine:
    """Flags of files and objects, then one flag for each field of FitSettings (None where not given).

    Beside them ``label`` is what lines of progress begin with."""
    parser = kind(
        prog="sge_fit",
        usage="%(prog)s [SCENE.blend] [flags]",
        description=_DESCRIPTION,
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(label=LABEL)
    parser.add_argument("--version", action="version", version=version())
    inputs = parser.add_argument_group("what is fitted, to what")
    inputs.add_argument("scene", nargs="?", metavar="SCENE.blend", help="file to open first")
    inputs.add_argument(
        "--object", action="append", default=[], metavar="NAME", help="object to fit; repeatable"
    )
    inputs.add_argument("--frame", type=int, metavar="N", help="go to this frame of the scene first")
    inputs.add_argument("--mesh", metavar="FILE", help="mesh file to fit instead: obj, ply, stl, glb or gltf")
    for flag in ("--forward-axis", "--up-axis"):
        inputs.add_argument(
            flag,
            type=_axis,
            choices=_AXES,
            help="of mesh files, as in Blender's importers; negative ones with = (--up-axis=-Y)",
        )
    inputs.add_argument("--flat", action="store_true", help="shade mesh files flat")
    inputs.add_argument(
        "--references",
        metavar="PATH",
        help="transforms.json with cameras and images, its folder, the folder of a COLMAP model or project, "
        "or another .blend file whose cameras have background images",
    )
    inputs.add_argument(
        "--mask",
        choices=tuple(MASK_MODES),
        help="what masks, or the alpha of images, say in all of those: the object's silhouette, what is to "
        "be ignored, or none of both (default: as the scene stores it, else auto: a mask says what is out, "
        "alpha is the silhouette)",
    )
    inputs.add_argument(
        "--reference-object",
        metavar="NAME|FILE",
        help="render references from this object, with its modifiers and children, or from this mesh file",
    )
    inputs.add_argument(
        "--hold-out",
        metavar="K|PATH",
        help="evaluate but never train on: every K-th view (K >= 2), or other references, as above",
    )
    outputs = parser.add_argument_group("what is written")
    outputs.add_argument(
        "--save", metavar="FILE.blend", help="save the scene, with the references as cameras"
    )
    outputs.add_argument(
        "--export", metavar="FILE", help="write the fitted meshes as obj, ply, stl or glb, textures beside"
    )
    outputs.add_argument(
        "--export-references", metavar="DIR", help="write the references as images and a transforms.json"
    )
    outputs.add_argument(
        "--output",
        metavar="DIR",
        help="write what other flags do not place into this folder, which is made: the report, and the scene "
        "where nothing else is saved or exported (with --jobs: a folder in it for each; default there: as "
        "the file says, else <its name>_fits beside it)",
    )
    outputs.add_argument(
        "--report",
        metavar="FILE.json",
        help="write what was reached, and how fast, as JSON (with --jobs: what became of each)",
    )
    outputs.add_argument(
        "--check",
        action="store_true",
        help="list everything that keeps the fit from running or would spoil it, and end without fitting: "
        "exit code 2 where there are errors, else 0",
    )
    outputs.add_argument("--quiet", action="store_true", help="print nothing but notes and errors")
    many = parser.add_argument_group("many fits in one process (see README, Many assets)")
    many.add_argument(
        "--jobs",
        metavar="FILE.json",
        help="run the fits that this file lists, each with a report; those that are done already are skipped",
    )
    many.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="run this job alone; repeatable"
    )
    many.add_argument("--again", action="store_true", help="run jobs that are done already, too")
    made = parser.add_argument_group(
        "how references are made of --reference-object (stored in the file, too)"
    )
    made.add_argument(
        "--path-camera",
        metavar="NAME",
        help="camera that --placement path follows (default: the stored one, else the scene's camera)",
    )
    for field in fields(ReferenceOptions):
        _add_setting(made, field, _OPTION_FLAGS.get(field.name))
    main = parser.add_argument_group("settings (without a flag, those that the .blend file stores count)")
    main.add_argument(
        "--preset",
        metavar="NAME",
        help="begin with the settings of a preset, which other flags override: Draft, Standard, Fine, "
        "Texture Only, LOD, or one of your own in Blender",
    )
    advanced = parser.add_argument_group("settings of the method")
    for field in fields(FitSettings):
        _add_setting(advanced if field.metadata["advanced"] else main, field)
    return parser


def given_reference_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options of made references that were given as flags, by field name."""
    names = {field.name: _OPTION_FLAGS.get(field.name, field.name) for field in fields(ReferenceOptions)}
    values = {name: getattr(arguments, flag) for name, flag in names.items()}
    return {name: value for name, value in values.items() if value is not None}


def given_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings that were given as flags, by field name."""
    values = {field.name: getattr(arguments, field.name) for field in fields(FitSettings)}
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in values.items()
        if value is not None
    }


def _add_setting(group: argparse._ArgumentGroup, field: Field, name: str | None = None) -> None:
    if field.default is MISSING:
        raise TypeError(f"setting {field.name} has no default")
    flag = "--" + (name or field.name).replace("_", "-")
    described = ". ".join([field.metadata["description"], *_notes(field)])
    shown = ",".join(map(str, field.default)) if isinstance(field.default, tuple) else field.default
    if isinstance(field.default, bool):
        shown = "on" if field.default else "off"
    elif isinstance(field.default, float):
        shown = f"{field.default:g}"
    text = f"{described} (default: {shown})" if shown != "" else described
    choices = field.metadata["choices"]
    if isinstance(field.default, bool):
        group.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=text)
    elif field.metadata["texts"]:
        text += "; repeatable, or several with ; between them"
        group.add_argument(flag, action="extend", type=split_texts, default=None, metavar="TEXT", help=text)
    elif isinstance(field.default, tuple) and not choices:
        group.add_argument(flag, type=numbers_between_commas, default=None, metavar="R,G,B", help=text)
    elif isinstance(field.default, tuple):
        group.add_argument(
            flag, type=names_between_commas, default=None, metavar=",".join(choices), help=text
        )
    elif choices:
        group.add_argument(flag, choices=choices, default=None, help=text)
    else:
        group.add_argument(
            flag, type=type(field.default), default=None, metavar=_placeholder(field), help=text
        )


def _notes(field: Field) -> list[str]:
    """What is to be said of single choices."""
    return [f"{choice}: {note[0].lower()}{note[1:]}" for choice, note in field.metadata["notes"].items()]


def _axis(text: str) -> str:
    return text.upper().replace("NEGATIVE_", "-")


def names_between_commas(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def numbers_between_commas(text: str) -> tuple[float, ...]:
    return tuple(float(number) for number in text.split(","))


def _placeholder(field: Field) -> str:
    return {int: "N", float: "S", str: "NAME"}[type(field.default)]


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse; argparse itself ends the process with 2 where a flag is unknown or malformed."""
    parser = build_parser()
    parsed = parser.parse_args(list(arguments))
    given = [name for name, value in vars(parsed).items() if value != parser.get_default(name)]
    for name in given:
        flag = "SCENE.blend" if name == "scene" else "--" + name.replace("_", "-")
        if parsed.jobs is None and name in OF_JOBS:
            parser.error(f"{flag} only goes with --jobs")
        if parsed.jobs is not None and name not in WITH_JOBS:
            parser.error(f'{flag} does not go with --jobs: put it into that file, for all under "defaults"')
    return parsed
