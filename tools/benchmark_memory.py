#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures how much memory a large fit takes, phase by phase; sets up what it needs.

    python3 tools/benchmark_memory.py             1 M triangles, 4096 x 4096 texels, 200 views of 2048 x 2048
    python3 tools/benchmark_memory.py --quick     a small one, as a trial

References are rendered once and written as PNG files (about 1 GB; --folder keeps them for the next time).
The fit then runs in a process of its own, from loading to writing results; at its start and end it measures
two views only. Exit code 0 when it stayed within --limit, 1 when not or when it failed, 2 on bad input.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import environment
from environment import SetupError
from row_process import RowFailed, run_row

FULL = {"triangles": 1_000_000, "views": 200, "resolution": 2048, "texture_size": 4096, "steps": 240}
QUICK = {"triangles": 10_000, "views": 16, "resolution": 512, "texture_size": 1024, "steps": 32}


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    chosen = QUICK if options.quick else FULL
    case: dict = {"task": options.task}
    for name, value in chosen.items():
        given = getattr(options, name)
        if given is not None and given < 1:
            print(f"error: --{name.replace('_', '-')} must be at least 1.", file=sys.stderr)
            return 2
        case[name] = value if given is None else given
    try:
        python = environment.prepare(environment.RUN).python
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="sge_fit_") as own:
        folder = str((options.folder or Path(own)).absolute())
        try:
            made = run_row(python, "benchmark_memory_run.py", case | {"folder": folder, "makes": True})
            print(f"{made['row']['made']} references rendered, {made['row']['seconds']:.0f} s", flush=True)
            done = run_row(python, "benchmark_memory_run.py", case | {"folder": folder, "makes": False})
        except RowFailed as error:
            print(error)
            return error.code
    row = done["row"]
    print(f"{'phase':<32}{'seconds':>9}{'peak MB':>9}{'left MB':>9}")
    for phase in row["phases"]:
        print(f"{phase['name']:<32}{phase['seconds']:>9.1f}{phase['peak_mb']:>9.0f}{phase['left_mb']:>9.0f}")
    for kind, median in row["ms_per_step"].items():
        print(f"{kind}: {median:.0f} ms a step")
    print(f"peak {row['peak_memory_mb']:.0f} MB, on {done['machine']}")
    if options.json:
        options.json.write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8")
    return 0 if row["peak_memory_mb"] <= 1024.0 * options.limit else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything as JSON")
    parser.add_argument("--quick", action="store_true", help="a small fit")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="keep the references there, or find them")
    parser.add_argument("--limit", type=float, default=8.0, metavar="GB", help="what is allowed (8)")
    parser.add_argument("--task", choices=("both", "shape", "texture"), default="both")
    for name, value in FULL.items():
        flag = "--" + name.replace("_", "-")
        parser.add_argument(flag, type=int, metavar="N", help=f"instead of {value} ({QUICK[name]} if quick)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
