# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of the jobs of a batch, as a table for people and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

_HEADINGS = ("job", "status", "dB over the object", "held out", "seconds")


class Status(StrEnum):
    """done: in this run. skipped: done in an earlier one. running: also of a job that ended the process."""

    RUNNING = "running"
    DONE = "done"
    SKIPPED = "done before"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    NOT_RUN = "not run"


@dataclass(frozen=True, eq=False)
class Row:
    """One job. path: of its report. figures: what ``figures`` takes of that, None where there is none.
    problems: as they were told."""

    name: str
    status: Status
    path: str
    figures: dict[str, Any] | None = None
    problems: tuple[str, ...] = ()


def figures(report: dict[str, Any] | None) -> dict[str, Any] | None:
    """The little of a report that a summary shows; of hundreds of jobs, all of them would be much to keep."""
    if report is None:
        return None
    return {"steps": report["steps"], "seconds": report["seconds"]["total"], "psnr": report["psnr"]}


def summary(jobs_file: Path, rows: Sequence[Row]) -> dict[str, Any]:
    """The same as JSON: how many of each status, and each job with its figures and what went wrong."""
    counts = Counter(row.status for row in rows)
    return {
        "jobs_file": str(jobs_file),
        "counts": {status.value: counts[status] for status in Status},
        "jobs": [
            {
                "name": row.name,
                "status": row.status.value,
                "report": row.path if row.figures else None,
                **(row.figures or dict.fromkeys(("steps", "seconds", "psnr"))),
                "problems": list(row.problems),
            }
            for row in rows
        ],
    }


def ended_the_process(path: Path) -> set[str]:
    """Names of jobs that were running when an earlier process ended without a word, by its summary."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["jobs"]
        return {row["name"] for row in rows if row["status"] == Status.RUNNING}
    except (OSError, ValueError, KeyError, TypeError):  # there is none, or it is something else
        return set()


def table(rows: Sequence[Row]) -> str:
    """A line for each job with its figures, what went wrong below it, and a line that counts."""
    lines = [_HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADINGS))]
    shown = []
    for index, line in enumerate(lines):
        shown.append("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
        if index > 0:
            shown += [f"  {problem}" for problem in rows[index - 1].problems]
    counts = Counter(row.status for row in rows)
    shown.append(", ".join(f"{counts[status]} {status.value}" for status in Status if counts[status]))
    return "\n".join(shown)


def _cells(row: Row) -> tuple[str, ...]:
    if row.figures is None:
        return (row.name, row.status.value, "", "", "")
    psnr = row.figures["psnr"]["object"]
    return (
        row.name,
        row.status.value,
        _gain(psnr["before"], psnr["after"]),
        _gain(psnr["held_out_before"], psnr["held_out_after"]),
        f"{row.figures['seconds']:.1f}",
    )


def _gain(before: float | None, after: float | None) -> str:
    if before is None:
        return ""
    return f"{before:.2f} -> " + ("?" if after is None else f"{after:.2f}")
