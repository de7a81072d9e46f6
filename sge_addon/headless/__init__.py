# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fit without a window: arguments, settings, fit, save, report."""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from ..command_line import given_settings, parse
from ..core.errors import FitError, TargetLost
from ..core.settings import FitSettings
from .interruption import Interrupted, Interruption, interruptible
from .silence import silenced_output

if TYPE_CHECKING:
    from ..job import Progress

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
_SECONDS_BETWEEN_LINES = 1.0


def main(argv: Sequence[str]) -> int:
    """Run one fit as the flags say; returns the exit code. Raises SystemExit from argparse only;
    any other exception that escapes is a failure (exit code 1 of the process)."""
    arguments = parse(argv)
    from ..scene.stored_settings import registered

    silence = silenced_output() if arguments.quiet else nullcontext()
    with silence, _warnings_as_notes(), registered(), interruptible() as interruption:
        try:
            return _run(arguments, interruption)
        except FitError as error:
            print_error(error)
            return BAD_INPUT
        except Interrupted:
            print("interrupted before the fit began: nothing was written", file=sys.stderr)
            return INTERRUPTED


def print_error(error: Exception) -> None:
    """One line on stderr, whatever Blender's own messages hold."""
    print("error:", " ".join(str(error).splitlines()), file=sys.stderr, flush=True)


def _run(arguments: argparse.Namespace, interruption: Interruption) -> int:
    import bpy

    from ..job import FitJob
    from ..scene.stored_settings import stored_values
    from .findings import find_all, print_findings
    from .inputs import objects_to_fit, open_scene, preset_values, references_to_fit
    from .results import Results, check_maps_export, check_outputs, check_references_export

    if not arguments.check:
        check_outputs(arguments)
    open_scene(arguments)
    preset = preset_values(arguments.preset) if arguments.preset else {}
    values = {**stored_values(bpy.context.scene), **preset, **given_settings(arguments)}
    if arguments.check:
        return BAD_INPUT if print_findings(find_all(arguments, values), arguments.quiet) else DONE
    settings = FitSettings(**values)
    objects = objects_to_fit(arguments)
    check_maps_export(arguments, values, objects)
    references = references_to_fit(arguments, settings, objects)
    _print_notices(references.notices)
    check_references_export(arguments, references)
    job = FitJob(bpy.context.scene, objects, references.all, settings, live=False)
    told = len(job.notices)
    _print_notices(job.notices)

    code = DONE
    interruption.job = job
    try:
        show_progress(interruption.until_cut(job.run()), arguments.quiet)
    except TargetLost as error:
        print_error(error)
        code = FAILED
    _print_notices(job.notices[told:])
    if not interruption.begun:
        raise Interrupted
    if settings.refine_cameras or settings.refine_focal:
        references = references.seen_through(job.views())
    results = Results(arguments, job.report, objects, references, settings)
    for problem in results.write():
        print_error(problem)
        code = FAILED
    _print_notices(results.notices)
    if not arguments.quiet:
        print(results.summary(), flush=True)
    return INTERRUPTED if interruption.count else code


@contextmanager
def _warnings_as_notes() -> Iterator[None]:
    """Within it, Python's warnings are told like notices, without the line of code that gave them."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_rest: _print_notices([str(message)])
        yield


def _print_notices(notices: Sequence[str]) -> None:
    for notice in notices:
        print(f"note: {notice}", file=sys.stderr, flush=True)


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
