# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a batch: many fits under their names, and what they have in common.

    {"output": "fits",
     "defaults": {"steps": 800, "references": "photos/{name}"},
     "jobs": [{"name": "Rock", "mesh": "rock.obj"}, {"name": "Chair", "scene": "chair.blend", "seed": 2}]}

Which fields a job may have is not known here: they are the flags of the command line.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ..core.errors import FitError
from .fields import Fields, found, load_object

_FIELDS = ("output", "defaults", "jobs")
_PLACEHOLDER = "{name}"
_NOT_IN_FILE_NAMES = re.compile(r'[\\/:*?"<>|\x00-\x1f]')


@dataclass(frozen=True)
class JobEntry:
    """One fit as the file says it. values: the defaults with the job's own over them; null counts as absent;
    ``{name}`` in texts is the job's name by now. where: what error messages begin with."""

    name: str
    values: Mapping[str, Any]
    where: str


@dataclass(frozen=True)
class JobsFile:
    """path: absolute. output: a folder as the file names it, or None. jobs: in the file's order, whose names
    differ by more than upper and lower case."""

    path: Path
    output: str | None
    jobs: tuple[JobEntry, ...]


def read_jobs(path: str | os.PathLike[str]) -> JobsFile:
    """Raises FitError where this is no file of jobs: which job, which field, what was found."""
    file = Path(path).expanduser().absolute()
    fields = load_object(file, "an object with a list 'jobs'", unique=True)
    for name in fields.values:
        if name not in _FIELDS:
            raise FitError(f"{file.name}: there is {unknown_name('field', name, _FIELDS)}")
    defaults = fields.values.get("defaults") or {}
    if not isinstance(defaults, dict):
        raise fields.error("defaults", f"found {found(defaults)}; expected an object.")
    if "name" in defaults:
        raise fields.error("defaults", "a name belongs to one job only: give it in the list 'jobs'.")
    items = fields.values.get("jobs")
    if not isinstance(items, list) or not items:
        raise fields.error("jobs", f"found {found(items)}; expected a list of at least one job.")
    jobs = [
        _entry(Fields(item, f"{file.name}, job {index + 1}"), defaults) for index, item in enumerate(items)
    ]
    _check_different(jobs, file.name)
    return JobsFile(file, fields.text("output"), tuple(jobs))


def unknown_name(kind: str, name: str, known: Sequence[str]) -> str:
    """What to tell of a name that is not known: also the one that it resembles most."""
    nearest = get_close_matches(name, known, n=1, cutoff=0.5)
    if nearest:
        return f"no {kind} '{name}'; did you mean '{nearest[0]}'?"
    return f"no {kind} '{name}' (there are: {', '.join(known)})."


def _entry(item: Fields, defaults: dict[str, Any]) -> JobEntry:
    if not isinstance(item.values, dict):
        raise FitError(f"{item.where} is {found(item.values)}; expected an object with a 'name'.")
    name = item.text("name")
    if name is None:
        raise item.error("name", "it is missing; every job needs one.")
    if _NOT_IN_FILE_NAMES.search(name) or name.strip(" .") != name:
        raise item.error(
            "name",
            f'{found(name)} cannot be the name of a folder: leave out \\ / : * ? " < > | and blanks or dots '
            "at its ends.",
        )
    merged = {**defaults, **item.values}
    del merged["name"]
    file_name = item.where.partition(",")[0]
    values = {key: _named(value, name) for key, value in merged.items()}
    return JobEntry(name, values, f"{file_name}, job '{name}'")


def _named(value: Any, name: str) -> Any:
    if isinstance(value, str):
        return value.replace(_PLACEHOLDER, name)
    return [_named(item, name) for item in value] if isinstance(value, list) else value


def _check_different(jobs: list[JobEntry], file_name: str) -> None:
    seen: dict[str, int] = {}
    for index, job in enumerate(jobs):
        first = seen.setdefault(job.name.casefold(), index)
        if first != index:
            raise FitError(
                f"{file_name}: jobs {first + 1} and {index + 1} are both called '{job.name}'; "
                "each needs a name of its own (upper and lower case count as the same)."
            )
