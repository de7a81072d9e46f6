# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs of a file as the arguments of as many fits: what is allowed is what the command line allows."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NoReturn

from ..command_line import (
    OUTPUTS,
    PATHS,
    PERHAPS_PATHS,
    WITH_JOBS,
    CommandLine,
    build_parser,
    given_settings,
    names_between_commas,
    numbers_between_commas,
)
from ..core.errors import FitError
from ..core.setting_fields import range_problems
from ..core.setting_texts import joined_texts, split_texts
from ..core.settings import FitSettings
from ..formats.fields import found
from ..formats.jobs_file import JobEntry, JobsFile, unknown_name

_NAMES_ITS_FLAG = re.compile(r"^argument --([\w-]+)(?:/--[\w-]+)?: ")


@dataclass(frozen=True)
class Job:
    """arguments: as if parsed from a command line, paths absolute, outputs filled in. values: what the file
    says, to tell whether that has changed. where: what error messages begin with."""

    name: str
    arguments: argparse.Namespace
    values: Mapping[str, Any]
    where: str


class _Parser(CommandLine):
    def error(self, message: str) -> NoReturn:
        raise FitError(_NAMES_ITS_FLAG.sub(lambda match: f"field '{_field(match[1])}': ", message))


def jobs_of(file: JobsFile, output: Path, summary: Path | None, opened: str = "") -> tuple[Job, ...]:
    """All jobs of a file, whatever becomes of their inputs.

    output: absolute folder of what jobs write that do not say where. summary: what the run writes itself.
    opened: the .blend file that those fit which name neither a scene nor a mesh. Raises FitError for the
    first thing that is wrong: a field that is not a flag, a value that the flag would not take, or files
    that two jobs would write.
    """
    parser = build_parser(_Parser)
    jobs = tuple(_job(entry, parser, file.path.parent, output, opened) for entry in file.jobs)
    for path, owner in ((file.path, "this very file"), (summary, "the summary of all")):
        if path is not None:
            _check_not_written(jobs, path, owner)
    _check_different_outputs(jobs, file.path.name)
    return jobs


def job_fields(parser: CommandLine) -> dict[str, argparse.Action]:
    """What a job may say, by name: the flags but for those of whole runs; a report is each job's own."""
    of_runs = {*WITH_JOBS, "help", "version"} - {"report"}
    return {action.dest: action for action in parser._actions if action.dest not in of_runs}


def _job(entry: JobEntry, parser: CommandLine, folder: Path, output: Path, opened: str) -> Job:
    known = job_fields(parser)
    words: list[str] = []
    scene = opened if entry.values.get("mesh") is None else ""
    for name, value in entry.values.items():
        if name not in known:
            raise FitError(f"{entry.where}: there is {unknown_name('field', name, sorted(known))}")
        if value is None:  # takes a default away
            continue
        try:
            given = list(_words(known[name], value))
        except FitError as error:
            raise FitError(f"{entry.where}, field '{name}': {error}") from error
        if name == "scene":
            scene = given[0]
        else:
            words += given
    try:
        arguments = parser.parse_args(words)
        _check_ranges(arguments)
    except FitError as error:
        raise FitError(f"{entry.where}, {error}") from error
    arguments.scene = scene or None
    _place(arguments, entry.name, folder, output)
    return Job(entry.name, arguments, entry.values, entry.where)


def _words(action: argparse.Action, value: Any) -> Iterator[str]:
    """The words of a command line that say the same; what they are worth is the parser's business."""
    if not action.option_strings:
        yield _text(value)
        return
    flag = action.option_strings[0]
    if action.nargs == 0:  # a switch
        if not isinstance(value, bool):
            raise FitError(f"found {found(value)}; expected true or false.")
        if value:
            yield flag
        elif isinstance(action, argparse.BooleanOptionalAction):
            yield action.option_strings[1]
    elif not isinstance(value, list):
        yield f"{flag}={_text(value)}"
    elif isinstance(action.default, list):  # repeatable
        yield from (f"{flag}={_text(item)}" for item in value)
    elif action.type is split_texts:
        yield f"{flag}={joined_texts(_text(item) for item in value)}"
    elif action.type in (names_between_commas, numbers_between_commas):
        yield f"{flag}={','.join(_text(item) for item in value)}"
    else:
        raise FitError(f"found {found(value)}; expected one value, not a list.")


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise FitError(f"found {found(value)}; expected a text or a number.")
    return str(value)


def _field(flag: str) -> str:
    return flag.replace("-", "_")


def _check_ranges(arguments: argparse.Namespace) -> None:
    """As far as they can be checked without the settings that a .blend file stores."""
    given = given_settings(arguments)
    for item in fields(FitSettings):
        if item.name in given:
            for problem in range_problems(item.name, given[item.name], item.metadata):
                raise problem


def _place(arguments: argparse.Namespace, name: str, folder: Path, output: Path) -> None:
    """Make paths absolute, and give a job that says nothing else a report and a scene in its own folder."""
    for field in (*PATHS, *PERHAPS_PATHS):
        value = getattr(arguments, field)
        if not value:
            continue
        path = (folder / Path(value).expanduser()).absolute()
        if field in PATHS or (not value.isdigit() and path.exists()):
            setattr(arguments, field, str(path))
    place_outputs(arguments, output / name, name)


def place_outputs(arguments: argparse.Namespace, folder: Path, name: str) -> None:
    """Have a report and a scene, of this name, written into a folder, as far as nothing else was said."""
    if not any(getattr(arguments, field) is not None for field in OUTPUTS if field != "report"):
        arguments.save = str(folder / f"{name}.blend")
    if arguments.report is None:
        arguments.report = str(folder / "report.json")


def output_paths(arguments: argparse.Namespace) -> dict[str, Path]:
    """What a job writes, by field; of a folder, the folder."""
    given = {field: getattr(arguments, field) for field in OUTPUTS}
    return {field: Path(value).expanduser() for field, value in given.items() if value}


def input_paths(arguments: argparse.Namespace) -> list[Path]:
    """What a job reads, by its name: files and folders, there or not."""
    given = [getattr(arguments, field) for field in (*PATHS, *PERHAPS_PATHS) if field not in OUTPUTS]
    return [Path(value) for value in given if value]


def _check_not_written(jobs: Sequence[Job], path: Path, owner: str) -> None:
    for job in jobs:
        for written, field in _claims(job.arguments):
            if _folded(written) == _folded(path):
                raise FitError(f"{job.where}, field '{field}': '{written}' is {owner}; name another file.")


def _check_different_outputs(jobs: Sequence[Job], file_name: str) -> None:
    """Raise FitError where two jobs would write the same, or one what it or an earlier one reads."""
    writers: dict[Path, tuple[int, Job, str]] = {}
    for index, job in enumerate(jobs):
        for path, field in _claims(job.arguments):
            number, other, other_field = writers.setdefault(_folded(path), (index, job, field))
            if number != index:
                raise FitError(
                    f"{file_name}: jobs '{other.name}' ({other_field}) and '{job.name}' ({field}) would both "
                    f"write '{path}'; put {{name}} into the path, or leave the field out."
                )
    for index, job in enumerate(jobs):
        for field in (*PATHS, *PERHAPS_PATHS):
            value = None if field in OUTPUTS else getattr(job.arguments, field)
            if not value:
                continue
            number, other, other_field = writers.get(_folded(Path(value)), (-1, job, ""))
            if number >= index:
                raise FitError(
                    f"{file_name}: job '{other.name}' ({other_field}) would write '{value}', which job "
                    f"'{job.name}' ({field}) reads before; write another file, so that jobs can be run again."
                )


def _claims(arguments: argparse.Namespace) -> Iterator[tuple[Path, str]]:
    """Paths that no other job may write, and their fields. Meshes have textures beside them whose names
    begin as theirs."""
    for field, path in output_paths(arguments).items():
        yield path, field
        if field == "export":
            yield path.with_suffix(".*"), field
        elif field == "export_references":
            yield path / "transforms.json", field


def _folded(path: Path) -> Path:
    """The same for paths that some file systems take for the same."""
    return Path(str(path.resolve()).casefold())
