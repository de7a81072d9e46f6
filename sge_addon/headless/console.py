# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a headless fit tells: progress on standard output, notes and errors on standard error."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..command_line import LABEL

if TYPE_CHECKING:
    from ..job import Progress

_SECONDS_BETWEEN_LINES = 1.0


def print_error(error: Exception, label: str = LABEL) -> None:
    """One line on stderr, whatever Blender's own messages hold."""
    _tell("error", " ".join(str(error).splitlines()), label)


def print_notices(notices: Sequence[str], label: str = LABEL) -> None:
    """A line on stderr for each."""
    for notice in notices:
        _tell("note", notice, label)


def _tell(kind: str, text: str, label: str) -> None:
    """label: which job it is about; a single fit needs none."""
    print(f"{kind}:", text if label == LABEL else f"{label} {text}", file=sys.stderr, flush=True)


@contextmanager
def warnings_as_notes() -> Iterator[None]:
    """Within it, Python's warnings are told like notices, without the line of code that gave them."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_rest: print_notices([str(message)])
        yield


def show_progress(run: Iterable[Progress], quiet: bool = False, label: str = LABEL) -> None:
    """Run a job to its end, with a line a second and one at the end of each stage. label: what lines begin
    with."""
    last = 0.0
    for progress in run:
        now = time.perf_counter()
        if quiet or (now - last < _SECONDS_BETWEEN_LINES and progress.fraction < 1.0):
            continue
        steps = f"step {progress.step}/{progress.steps}"
        loss = "" if progress.loss is None else f" | loss {progress.loss:.4f}"
        print(f"{label} {progress.stage} {progress.fraction:4.0%} | {steps}{loss}", flush=True)
        last = now
