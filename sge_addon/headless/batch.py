# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``--jobs``: many fits in one process, one after another, each as if it were alone."""

from __future__ import annotations

import argparse
import gc
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy

from ..core.errors import FitError
from ..formats.jobs_file import JobsFile, read_jobs, unknown_name
from ..formats.whole_files import write_json
from ..scene.files import check_writable
from .batch_summary import Row, Status, ended_the_process, figures, summary, table
from .console import print_error, print_notices
from .exit_codes import BAD_INPUT, DONE, FAILED, INTERRUPTED
from .folders import folders_made, make_folder
from .interruption import Interrupted, interruptible
from .job_arguments import Job, input_paths, jobs_of, output_paths
from .job_state import done_report, job_key
from .results import Stamp
from .single_fit import Outcome, run_fit

_STATUS = {DONE: Status.DONE, INTERRUPTED: Status.INTERRUPTED}


def run_jobs(arguments: argparse.Namespace) -> int:
    """Run the jobs that are not done, or check them; the exit code. Raises FitError before any is run, where
    the file of jobs is wrong."""
    file = read_jobs(arguments.jobs)
    output = _output(file, arguments.output)
    summary_path = _summary_path(arguments, output)
    jobs = jobs_of(file, output, summary_path, opened=bpy.data.filepath)
    jobs = _chosen(jobs, arguments.only, file)
    for number, job in enumerate(jobs, start=1):
        job.arguments.label = f"[{number}/{len(jobs)}] {job.name}:"
        job.arguments.quiet = arguments.quiet
        job.arguments.check = arguments.check
    if arguments.check:
        return _check(jobs)
    if summary_path is not None:
        _prepare(summary_path, is_given=arguments.report is not None)
    rows = _run_all(_crashed_last(jobs, summary_path), arguments.again, file.path, summary_path)
    if not arguments.quiet:
        print(table(rows), flush=True)
    statuses = {row.status for row in rows}
    if statuses & {Status.INTERRUPTED, Status.NOT_RUN}:
        return INTERRUPTED
    return FAILED if Status.FAILED in statuses else DONE


def _output(file: JobsFile, given: str | None) -> Path:
    """Folder of what jobs write that do not say where: the flag's, the file's, or one beside the file."""
    if given is not None:
        return Path(given).expanduser().absolute()
    return file.path.parent / Path(file.output or f"{file.path.stem}_fits").expanduser()


def _summary_path(arguments: argparse.Namespace, output: Path) -> Path | None:
    """None for some jobs only, of which several processes may run some each."""
    if arguments.report is not None:
        return Path(arguments.report).expanduser().absolute()
    return None if arguments.only else output / "summary.json"


def _prepare(path: Path, is_given: bool) -> None:
    if not is_given:
        make_folder(path.parent)
    check_writable(path)


def _chosen(jobs: Sequence[Job], only: Sequence[str], file: JobsFile) -> tuple[Job, ...]:
    names = {job.name for job in jobs}
    for name in only:
        if name not in names:
            raise FitError(f"--only: {file.path.name} has {unknown_name('job', name, sorted(names))}")
    return tuple(job for job in jobs if not only or job.name in only)


def _check(jobs: Sequence[Job]) -> int:
    """Tell all that is wrong with each job, without fitting."""
    codes = [DONE]
    writers: dict[Path, str] = {}
    for job in jobs:
        unwritten = [path for path in input_paths(job.arguments) if path in writers and not path.exists()]
        if unwritten:
            notice = (
                f"'{unwritten[0]}' comes from job '{writers[unwritten[0]]}': not checked before it is there"
            )
            print_notices([notice], job.arguments.label)
        else:
            codes.append(_outcome(job, None).code)
        writers.update(dict.fromkeys(output_paths(job.arguments).values(), job.name))
    return max(codes)


def _crashed_last(jobs: Sequence[Job], summary_path: Path | None) -> list[Job]:
    """The jobs in their order, but for those that ended an earlier process: first those that may go well."""
    names = set() if summary_path is None else ended_the_process(summary_path)
    crashed = [job for job in jobs if job.name in names]
    for job in crashed:
        print_notices(["an earlier run ended in this job without a word: it comes last"], job.arguments.label)
    return [job for job in jobs if job.name not in names] + crashed


def _run_all(jobs: Sequence[Job], again: bool, jobs_file: Path, summary_path: Path | None) -> list[Row]:
    """What becomes of each job, until one is interrupted; meanwhile the summary says it, too."""
    rows = [Row(job.name, Status.NOT_RUN, job.arguments.report) for job in jobs]

    def tell() -> None:
        if summary_path is not None:
            write_json(summary_path, summary(jobs_file, rows))

    maps: dict[Path, str] = {}
    for index, job in enumerate(jobs):
        try:
            key = job_key(job)
            report = None if again else done_report(job, key)
            if report is not None:
                maps.update(_maps(job, report))
                rows[index] = replace(rows[index], status=Status.SKIPPED, figures=figures(report))
                if not job.arguments.quiet:
                    print(f"{job.arguments.label} done before ({job.arguments.report})", flush=True)
                continue
            rows[index] = replace(rows[index], status=Status.RUNNING)
            tell()
            outcome = _outcome(job, Stamp(job.name, key, maps))
            maps.update(_maps(job, outcome.report))
            status = _STATUS.get(outcome.code, Status.FAILED)
            rows[index] = Row(
                job.name, status, job.arguments.report, figures(outcome.report), outcome.problems
            )
        except Interrupted:
            rows[index] = replace(rows[index], status=Status.INTERRUPTED)
        tell()
        if rows[index].status == Status.INTERRUPTED:
            return rows
    tell()
    return rows


def _maps(job: Job, report: dict[str, Any] | None) -> dict[Path, str]:
    """The maps that a job exported, without their endings, which follow from what they hold."""
    written = report["job"]["maps"] if report is not None and "job" in report else ()
    return {Path(path).with_suffix(""): job.name for path in written}


def _outcome(job: Job, stamp: Stamp | None) -> Outcome:
    """Run one job from an empty file, whatever the last one left behind; what goes wrong is told, and is no
    other job's business. Raises Interrupted."""
    try:
        with folders_made(path.parent for path in output_paths(job.arguments).values()):
            if stamp is not None:
                Path(job.arguments.report).unlink(missing_ok=True)  # which would speak of an earlier run
            bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
            with interruptible() as interruption:
                return run_fit(job.arguments, interruption, stamp)
    except FitError as error:
        print_error(error, job.arguments.label)
        return Outcome(BAD_INPUT, problems=(str(error),))
    except Interrupted:
        raise
    except Exception as error:  # noqa: BLE001 - a defect that one job meets must not cost the night's others
        traceback.print_exception(error)
        print_error(error, job.arguments.label)
        return Outcome(FAILED, problems=(f"{type(error).__name__}: {error}",))
    finally:
        gc.collect()  # what the job held on the GPU
