# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``benchmark.py --against mitsuba``: who runs when, and in which process.

For each task the seeds are the outer loop and the contestants the inner one, so that whatever else the
machine does hits all alike. Every contestant is a process of its own for each seed. Standard library only,
no syntax newer than Python 3.8.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import against_cases as cases
import against_environment
import against_results as results
import against_tables as tables
from against_cases import Contestant, Task
from against_sweep import Sweep
from row_process import RowFailed, run_row


def measure(python: Path, options: argparse.Namespace) -> tuple[dict, int]:
    """All tasks of the options; the result, JSON-ready, and the exit code. Raises SetupError."""
    mitsuba = against_environment.prepare(python)
    print(tables.NOTE.format(mitsuba.version, mitsuba.llvm), flush=True)
    result: dict = {"machine": None, "mitsuba": mitsuba.version, "llvm": str(mitsuba.llvm), "tasks": []}
    code = 0
    with tempfile.TemporaryDirectory(prefix="sge_fit_") as folder:
        for task in chosen_tasks(options):
            made = _Comparison(task, python, mitsuba, Path(folder))
            if options.sweep:
                result["machine"] = made.machine
                result.setdefault("sweeps", []).extend(made.sweep(options.quick))
                code = max(code, made.code)
                continue
            row = made.compare(1 if options.quick else options.seeds, options.quick)
            result["machine"] = made.machine
            result["tasks"].append(row)
            code = max(code, made.code)
            print("\n" + tables.task_table(row, options.markdown), flush=True)
    return result, code


def chosen_tasks(options: argparse.Namespace) -> list[Task]:
    """Those of --only; with --quick and --sweep the first of each kind, whose settings the others scale."""
    tasks = [task for task in cases.TASKS if options.only in (None, task.kind)]
    if options.quick or options.sweep:
        return [next(of_kind) for _, of_kind in itertools.groupby(tasks, lambda task: task.kind)]
    return tasks


class _Comparison:
    """One task. code: the exit code so far. machine: as a process with Blender describes it."""

    def __init__(self, task: Task, python: Path, mitsuba: against_environment.Mitsuba, folder: Path) -> None:
        self.task, self.code = task, 0
        self._python, self._mitsuba, self._folder = python, mitsuba, folder
        self._inputs = str(folder / "inputs.npz")
        case = {"kind": task.kind, "start": task.start, "resolution": task.resolution, "path": self._inputs}
        made = run_row(python, "against_inputs.py", case)
        self.machine, self._facts = made["machine"], made["row"]

    def compare(self, seeds: int, quick: bool) -> dict:
        """All contestants, seed by seed."""
        runs: dict[str, list[dict]] = {}
        floors: list[float] = []
        for seed in range(min(seeds, self.task.seeds)):
            for contestant in cases.CONTESTANTS:
                if self.task.kind not in contestant.way or seed >= contestant.seeds:
                    continue
                lengths = contestant.lengths[self.task.kind]
                found = self._runs(contestant, seed, lengths[1:2] or lengths if quick else lengths)
                runs.setdefault(contestant.name, []).extend(found["runs"])
                floors += [found["floor_ms"]] if "floor_ms" in found else []
        rows = [results.contestant_row(self.task, name, own) for name, own in runs.items() if own]
        settings = {each.name: each.settings.get(self.task.kind) for each in cases.CONTESTANTS}
        for row in rows:
            row["settings"] = settings[row["contestant"]]
        return {
            **asdict(self.task),
            **self._facts,
            "figure": self.task.figure,
            "floor_ms": sorted(floors)[len(floors) // 2] if floors else None,
            "contestants": rows,
            "ratios": self._ratios(rows),
            "runs": [run for own in runs.values() for run in own],
        }

    def sweep(self, is_short: bool) -> list[dict]:
        """What is found for each of Mitsuba's contestants."""
        sweep = Sweep(self.task, self._python, self._mitsuba, self._folder, self._inputs, is_short)
        found = []
        for contestant in cases.MITSUBA:
            if self.task.kind not in contestant.way:
                continue
            try:
                found.append(sweep.search(contestant))
            except RowFailed as error:
                print(f"{self.task.name}, {contestant.name}: {error}", flush=True)
                self.code = max(self.code, error.code)
        return found

    def _ratios(self, rows: list[dict]) -> list[dict]:
        ours = {each.name for each in cases.OURS}
        return [
            {
                "ours": own["contestant"],
                "other": other["contestant"],
                "levels": results.ratios(self.task, own, other),
            }
            for own in rows
            if own["contestant"] in ours
            for other in rows
            if other["contestant"] not in ours
        ]

    def _runs(self, contestant: Contestant, seed: int, lengths: tuple[int, ...]) -> dict:
        """{"runs"}, empty where the process failed; with figures at each checkpoint."""
        outputs = [str(self._folder / f"{steps}.npz") for steps in lengths]
        case = {"kind": self.task.kind, "way": contestant.way[self.task.kind], "inputs": self._inputs}
        begin = time.monotonic()
        try:
            if contestant.tool == "ours":
                case.update(seed=seed, lengths=list(lengths), outputs=outputs)
                made = run_row(self._python, "against_ours.py", case)["row"]
            else:
                settings = contestant.settings[self.task.kind]
                case["is_timed"] = True
                case["runs"] = [
                    {"steps": steps, "seed": seed, "settings": settings, "output": output}
                    for steps, output in zip(lengths, outputs)  # noqa: B905 - strict is newer than 3.8
                ]
                variables = self._mitsuba.variables
                made = run_row(self._mitsuba.python, "against_mitsuba.py", case, variables)["row"]
            case = {"kind": self.task.kind, "inputs": self._inputs, "outputs": outputs}
            figures = run_row(self._python, "against_evaluate.py", case)["row"]["figures"]
        except RowFailed as error:
            print(f"{self.task.name}, {contestant.name}, seed {seed}: {error}", flush=True)
            self.code = max(self.code, error.code)
            return {"runs": []}
        for run, of_run in zip(made["runs"], figures):  # noqa: B905 - strict is newer than 3.8
            steps = cases.checkpoints(run["steps"])
            run["checkpoints"] = [
                {"steps": step, "seconds": seconds, **each}
                for step, seconds, each in zip(steps, run.pop("seconds"), of_run)  # noqa: B905
            ]
            run.update(contestant=contestant.name, seed=seed, peak_memory_mb=made["peak_memory_mb"])
        took = time.monotonic() - begin
        print(f"{self.task.name}, {contestant.name}, seed {seed}: {took:.0f} s", file=sys.stderr, flush=True)
        return made
