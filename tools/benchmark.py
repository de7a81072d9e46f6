#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures how fast a fit is, or with --quality how good; sets up what it needs.

    python3 tools/benchmark.py                      milliseconds a step by stage, floor and peak memory
    python3 tools/benchmark.py --cages              fits through Subdivision Surface, linear and by Blender
    python3 tools/benchmark.py --quality            what fits of the test data and the demo reach
    python3 tools/benchmark.py --scaling            how steps grow with pixels, texels, triangles; figures
    python3 tools/benchmark.py --against mitsuba    seconds to each level of quality, beside Mitsuba 3's
    python3 tools/benchmark.py --quick              a few small rows, as a trial (also with these)

Every row runs in a process of its own. The test data is looked for in $SGE_DATA, else in
../shared/data. Exit code 0 when all rows were measured, 1 when one failed, 2 on bad input, 130
when interrupted.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import against
import benchmark_cases as cases
import benchmark_scaling as scaling
import benchmark_tables as tables
import environment
from environment import REPOSITORY, SetupError
from row_process import RowFailed, run_row

TASKS = ("shape", "texture", "both", "maps", "lit both")


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    if options.seeds is None:
        options.seeds = 5 if options.against else 3
    if options.seeds < 1:
        print("error: --seeds must be at least 1.", file=sys.stderr)
        return 2
    asked = [f"--{name}" for name in ("scaling", "cages", "quality", "against") if getattr(options, name)]
    if len(asked) > 1:
        print(f"error: {' and '.join(asked)} are measured one at a time.", file=sys.stderr)
        return 2
    of_another = [f"--{name}" for name in ("sweep", "markdown") if getattr(options, name)]
    if of_another and not options.against:
        print(f"error: {' and '.join(of_another)} needs --against.", file=sys.stderr)
        return 2
    if options.scaling and options.only not in (None, *scaling.TASKS):
        print(f"error: --scaling has rows of {' and '.join(scaling.TASKS)} only.", file=sys.stderr)
        return 2
    if options.json and not options.json.absolute().parent.is_dir():
        print(f"error: the folder of {options.json} does not exist.", file=sys.stderr)
        return 2
    try:
        python = environment.prepare(_packages(options)).python
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    begin = time.monotonic()
    measure = _speed
    for asked, other in (
        (options.scaling, _scaling),
        (options.cages, _cages),
        (options.quality, _quality),
        (options.against, _against),
    ):
        measure = other if asked else measure
    try:
        result, code = measure(python, options)
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    where = f", on {result['machine']}" if result["machine"] else ""
    print(f"{time.monotonic() - begin:.0f} s in all{where}")
    return code


def _speed(python: Path, options: argparse.Namespace) -> tuple[dict, int]:
    print(tables.SPEED_NOTE)
    print(tables.speed_head(), flush=True)
    chosen = _chosen(cases.QUICK_SPEED if options.quick else cases.SPEED, options)
    return _rows(python, "benchmark_speed.py", chosen, tables.speed_line)


def _cages(python: Path, options: argparse.Namespace) -> tuple[dict, int]:
    print(tables.CAGE_NOTE)
    print(tables.cage_head(), flush=True)
    chosen = cases.QUICK_CAGES if options.quick else cases.CAGES
    return _rows(python, "benchmark_cages.py", chosen, tables.cage_line)


def _scaling(python: Path, options: argparse.Namespace) -> tuple[dict, int]:
    """Rows of each series, their exponents, and figures of both in the folder --output, also of the series
    that were done when it was interrupted."""
    result: dict = {"machine": None, "series": []}
    code = 0
    try:
        for series in scaling.series(options.quick):
            if options.only not in (None, series.task):
                continue
            print(f"\n{series.name}\n{tables.speed_head()}", flush=True)
            measured, failed = _rows(python, "benchmark_speed.py", series.cases, tables.speed_line)
            rows = measured["rows"]
            result["machine"] = measured["machine"] or result["machine"]
            fits = scaling.exponents(series.axis, rows) if len(rows) > 2 else {}
            named = {
                name: {which: fit._asdict() for which, fit in parts.items()} for name, parts in fits.items()
            }
            result["series"].append(
                {"name": series.name, "axis": series.axis, "task": series.task, "rows": rows, "fits": named}
            )
            print("\n".join(scaling.lines(series, fits)), flush=True)
            code = max(code, failed)
    finally:
        print(f"\n{scaling.NOTE}", end="")
        drawn = _draw_scaling(python, result, options.output)
    return result, max(code, drawn)


def _draw_scaling(python: Path, result: dict, output: Path) -> int:
    """Write what was measured, and figures of it; 1 where these could not be drawn."""
    output.mkdir(parents=True, exist_ok=True)
    file = output / "scaling.json"
    file.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    script = REPOSITORY / "tools" / "scaling_plot.py"
    drawn = subprocess.run([str(python), str(script), str(file), str(output)], check=False)
    print(f"rows, exponents and figures: {output}")
    return min(drawn.returncode, 1)


def _packages(options: argparse.Namespace) -> tuple[str, ...]:
    """What must be installed for what is asked for."""
    if options.scaling:
        return environment.PLOT
    return environment.TEST if options.quality or options.against else environment.RUN


def _rows(python: Path, script: str, chosen: Sequence[Any], line: Callable[[dict], str]) -> tuple[dict, int]:
    """One row a case, printed as soon as it is there."""
    result: dict = {"machine": None, "rows": []}
    code = 0
    for case in chosen:
        try:
            made = run_row(python, script, asdict(case))
        except RowFailed as error:
            print(f"{case}: {error}", flush=True)
            code = max(code, error.code)
            continue
        result["machine"] = made["machine"]
        result["rows"].append(made["row"])
        print(line(made["row"]), flush=True)
    return result, code


def _quality(python: Path, options: argparse.Namespace) -> tuple[dict, int]:
    result: dict = {"machine": None, "rows": []}
    code = 0
    print(tables.QUALITY_NOTE)
    print(tables.quality_head(), flush=True)
    for case in _chosen(cases.QUICK_QUALITY if options.quick else cases.QUALITY, options):
        runs = []
        for seed in range(1 if options.quick else options.seeds):
            run = {"task": case.task, "start": case.start, "steps": case.steps, "seed": seed}
            try:
                made = run_row(python, "benchmark_quality.py", run)
            except RowFailed as error:
                print(f"{case.task} {case.start} {case.steps}, seed {seed}: {error}", flush=True)
                code = max(code, error.code)
                break
            result["machine"] = made["machine"]
            runs.append(made["row"])
        else:
            row = tables.quality_row(case, runs)
            result["rows"].append(row)
            print(tables.quality_line(row), flush=True)
    return result, code


def _against(python: Path, options: argparse.Namespace) -> tuple[dict, int]:
    return against.measure(python, options)


def _chosen(rows: tuple, options: argparse.Namespace) -> list:
    return [case for case in rows if options.only in (None, case.task)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything as JSON")
    parser.add_argument("--quick", action="store_true", help="a few small rows, one seed")
    parser.add_argument("--only", choices=TASKS, help="only rows of this task")
    parser.add_argument("--cages", action="store_true", help="fits through modifiers")
    parser.add_argument("--scaling", action="store_true", help="exponents in pixels, texels and triangles")
    parser.add_argument(
        "--output",
        type=Path,
        default=REPOSITORY / "out",
        metavar="FOLDER",
        help="with --scaling: where its JSON and figures go (out/)",
    )
    parser.add_argument("--against", choices=("mitsuba",), help="another tool on the same tasks")
    parser.add_argument("--markdown", action="store_true", help="with --against: tables as Markdown")
    parser.add_argument("--sweep", action="store_true", help="with --against: find its settings anew")
    parser.add_argument("--quality", action="store_true", help="how good instead of how fast")
    parser.add_argument(
        "--seeds",
        type=int,
        metavar="N",
        help="seeds 0 to N - 1: with --quality the worst counts (3), with --against the median (5)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
