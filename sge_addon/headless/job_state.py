# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a job is done already: its report says so, and nothing that it read has changed since."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..command_line import PERHAPS_PATHS
from ..core.errors import FitError
from ..formats.references import read_references
from .inputs import preset_values
from .job_arguments import Job, output_paths


def job_key(job: Job) -> str:
    """Of what a job is told and of what it reads: files count by their size and time of change.

    Where the folder of all of it is moved or copied as it is, the key stays.
    """
    values: dict[str, Any] = {"values": dict(job.values), "scene": Path(job.arguments.scene or "").name}
    if job.arguments.preset:
        try:
            values["preset"] = preset_values(job.arguments.preset)
        except FitError:  # which the job will tell when it runs
            values["preset"] = None
    values["files"] = sorted(_file_states(job))
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()


def done_report(job: Job, key: str) -> dict[str, Any] | None:
    """The report of a job that needs not run again, else None."""
    if not all(path.exists() for path in output_paths(job.arguments).values()):
        return None
    try:
        report = json.loads(Path(job.arguments.report).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    stamp = report.get("job") if isinstance(report, dict) else None
    if not isinstance(stamp, dict) or not stamp.get("complete") or stamp.get("key") != key:
        return None
    return report


def _file_states(job: Job) -> Iterator[tuple[str, int, int]]:
    """(name, bytes, time of change in ns) of the files that a job reads."""
    for path in dict.fromkeys(_files(job)):
        try:
            state = path.stat()
        except OSError:  # which the job will tell when it runs
            continue
        yield path.name, state.st_size, state.st_mtime_ns


def _files(job: Job) -> Iterator[Path]:
    arguments = job.arguments
    for value in (arguments.scene, arguments.mesh):
        if value:
            yield Path(value)
    for value in (arguments.references, *(getattr(arguments, field) for field in PERHAPS_PATHS)):
        path = Path(value or "")
        if not value or not path.exists():
            continue
        if path.is_file():
            yield path
        for folder, _, names in os.walk(path):
            yield from (Path(folder, name) for name in names)
        if path.is_dir() or path.suffix.lower() == ".json":
            yield from _images(path)


def _images(references: Path) -> Iterator[Path]:
    try:
        frames = read_references(references)
    except FitError:
        return
    for frame in frames:
        yield from (path for path in (frame.image, frame.normal_image, frame.mask) if path is not None)
