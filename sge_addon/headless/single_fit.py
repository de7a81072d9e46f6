# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One fit from its arguments to what it writes, alone or among many."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ..command_line import given_settings
from ..core.errors import FitError, TargetLost
from ..core.settings import FitSettings
from ..job import FitJob
from ..scene.stored_settings import stored_values
from .console import print_error, print_notices, show_progress
from .exit_codes import BAD_INPUT, DONE, FAILED, INTERRUPTED
from .findings import find_all, print_findings
from .folders import folders_made
from .inputs import objects_to_fit, open_scene, preset_values, references_to_fit
from .interruption import Interrupted, Interruption
from .job_arguments import place_outputs
from .results import Results, Stamp, check_maps_export, check_outputs, check_references_export


@dataclass(frozen=True, eq=False)
class Outcome:
    """code: of the process, if this was all. report: as it is written; None where there was none to build.
    problems: what could not be done, as it was told."""

    code: int
    report: dict[str, Any] | None = None
    problems: tuple[str, ...] = ()


def run_single(arguments: argparse.Namespace, interruption: Interruption) -> int:
    """A fit that is all there is to do: the exit code. Raises as ``run_fit`` does."""
    if arguments.output is None:
        return run_fit(arguments, interruption).code
    if not arguments.output:
        raise FitError("--output: the name of the folder is empty.")
    folder = Path(arguments.output).expanduser().absolute()
    place_outputs(arguments, folder, Path(arguments.scene or arguments.mesh or bpy.data.filepath).stem)
    with folders_made([folder]):
        return run_fit(arguments, interruption).code


def run_fit(arguments: argparse.Namespace, interruption: Interruption, stamp: Stamp | None = None) -> Outcome:
    """Open, fit, write and report as the arguments say.

    stamp: what the report is to say of the job that this fit is. Raises FitError before anything is written,
    Interrupted where a signal came before the first step.
    """
    if not arguments.check:
        check_outputs(arguments)
    open_scene(arguments)
    preset = preset_values(arguments.preset) if arguments.preset else {}
    values = {**stored_values(bpy.context.scene), **preset, **given_settings(arguments)}
    if arguments.check:
        found = find_all(arguments, values)
        return Outcome(BAD_INPUT if print_findings(found, arguments.quiet, arguments.label) else DONE)
    settings = FitSettings(**values)
    objects = objects_to_fit(arguments)
    check_maps_export(arguments, values, objects, stamp)
    references = references_to_fit(arguments, settings, objects)
    print_notices(references.notices, arguments.label)
    check_references_export(arguments, references)
    job = FitJob(bpy.context.scene, objects, references.all, settings, live=False)
    told = len(job.notices)
    print_notices(job.notices, arguments.label)

    problems: list[Exception] = []
    interruption.job = job
    try:
        show_progress(interruption.until_cut(job.run()), arguments.quiet, arguments.label)
    except TargetLost as error:
        problems.append(error)
        print_error(error, arguments.label)
    print_notices(job.notices[told:], arguments.label)
    if not interruption.begun:
        raise Interrupted
    if settings.refine_cameras or settings.refine_focal:
        references = references.seen_through(job.views())
    is_whole = not problems and not interruption.count
    results = Results(arguments, job.report, objects, references, settings, stamp, is_whole)
    unwritten = results.write()
    for problem in unwritten:
        print_error(problem, arguments.label)
    print_notices(results.notices, arguments.label)
    if not arguments.quiet:
        print(results.summary(), flush=True)
    problems += unwritten
    code = INTERRUPTED if interruption.count else FAILED if problems else DONE
    return Outcome(code, results.report, tuple(str(problem) for problem in problems))
