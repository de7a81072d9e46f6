# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``benchmark.py --against mitsuba --sweep``: whether Mitsuba's settings are its best.

From the settings of ``against_cases`` on, each number is tried smaller and greater while the rest stays. The
best of these is where the next round begins, until none is better by more than seeds differ. What counts is
the quality at the end of runs of a few lengths, which no other load of the machine can change. More samples
a pixel take longer: they are shown with the processors' time of a step, for a person to weigh, and not
chosen. Standard library only, no syntax newer than Python 3.8.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import against_cases as cases
from against_cases import Contestant, Task
from against_environment import Mitsuba
from row_process import run_row

_SEEDS = (1000, 1001)  # others than those that are compared
_ROUNDS = 5
_SHORTER = 2  # times, what only tries whether a sweep works; distances of what is far off take long
_FACTORS = {"rate": (1.5, 2.0), "smoothing": (1.5, 2.0)}  # of the first and of the last value
_BETTER = {"shape": math.log(1.05), "texture": 0.2}  # chamfer 5 % less, dB more: what is no chance
_SAMPLES = (1, 2, 4)


def neighbours(settings: dict) -> list[dict]:
    """The settings with one of them changed; not momentum, which is what tells contestants apart."""
    found = []
    for name, factors in _FACTORS.items():
        for end, factor in enumerate(factors) if name in settings else ():
            for value in (settings[name][end] / factor, settings[name][end] * factor):
                pair = list(settings[name])
                pair[end] = _rounded(value)
                found.append({**settings, name: pair})
    for loss in ("l1", "l2") if "loss" in settings else ():
        found += [{**settings, "loss": loss}] if loss != settings["loss"] else []
    for samples in _SAMPLES if "samples" in settings else ():
        found += [{**settings, "samples": samples}] if samples != settings["samples"] else []
    return found


def merit(task: Task, figures: list[float]) -> float:
    """More is better: dB, or the negative logarithm of the geometric mean of errors."""
    if task.is_error:
        figures = [-math.log(each) for each in figures]
    return sum(figures) / len(figures)


def best(kind: str, settings: dict, tried: list[dict]) -> dict | None:
    """Of [{"settings", "merit"}] the best one that is better than ``settings`` by more than chance and as
    expensive; None where there is none."""
    begin = next(each["merit"] for each in tried if each["settings"] == settings)
    candidates = [each for each in tried if each["settings"].get("samples") == settings.get("samples")]
    found = max(candidates, key=lambda each: each["merit"])
    return found["settings"] if found["merit"] > begin + _BETTER[kind] else None


class Sweep:
    """One task. inputs: file of its arrays. is_short: one round of one seed and one short length, to try it;
    what that finds means little."""

    def __init__(
        self, task: Task, python: Path, mitsuba: Mitsuba, folder: Path, inputs: str, is_short: bool
    ) -> None:
        self._task, self._python, self._mitsuba, self._folder = task, python, mitsuba, folder
        self._inputs, self._is_short = inputs, is_short

    def search(self, contestant: Contestant) -> dict:
        """{"contestant", "task", "given", "found", "tried"}; prints what is tried. Raises RowFailed."""
        given = contestant.settings[self._task.kind]
        settings: dict = given
        tried: list[dict] = []
        for _ in range(1 if self._is_short else _ROUNDS):
            known = [each["settings"] for each in tried]
            tried += self._tries(
                contestant, [each for each in (settings, *neighbours(settings)) if each not in known]
            )
            following = best(self._task.kind, settings, tried)
            if following is None:
                break
            settings = following
        tried.sort(key=lambda each: each["merit"], reverse=True)
        print(sweep_text(self._task, contestant.name, given, settings, tried), flush=True)
        return {
            "contestant": contestant.name,
            "task": self._task.name,
            "given": given,
            "found": settings,
            "tried": tried,
        }

    def _tries(self, contestant: Contestant, settings: list[dict]) -> list[dict]:
        """Runs of all lengths and seeds with each, in one process."""
        lengths = cases.SWEPT_LENGTHS[self._task.kind]
        seeds = _SEEDS[: contestant.seeds]
        if self._is_short:
            lengths, seeds = (lengths[0] // _SHORTER,), seeds[:1]
        runs = [
            {"steps": steps, "seed": seed, "settings": each}
            for each in settings
            for steps in lengths
            for seed in seeds
        ]
        for index, run in enumerate(runs):
            run["output"] = str(self._folder / f"sweep_{index}.npz")
        kind = self._task.kind
        print(f"{self._task.name}, {contestant.name}: {len(runs)} runs", file=sys.stderr, flush=True)
        case = {"kind": kind, "way": contestant.way[kind], "inputs": self._inputs, "runs": runs}
        made = run_row(
            self._mitsuba.python, "against_mitsuba.py", {**case, "is_timed": False}, self._mitsuba.variables
        )
        case = {"kind": kind, "inputs": self._inputs, "outputs": [run["output"] for run in runs]}
        figures = [
            each[-1][self._task.figure]
            for each in run_row(self._python, "against_evaluate.py", case)["row"]["figures"]
        ]
        times = [run["cpu_ms_per_step"] for run in made["row"]["runs"]]
        count = len(lengths) * len(seeds)
        parts = [slice(index * count, (index + 1) * count) for index in range(len(settings))]
        return [
            {
                "settings": each,
                "merit": merit(self._task, figures[part]),
                "figures": figures[part],
                "cpu_ms_per_step": min(times[part]),
            }
            for each, part in zip(settings, parts)  # noqa: B905 - strict is newer than 3.8
        ]


def sweep_text(task: Task, name: str, given: dict, found: dict, tried: list[dict]) -> str:
    """What was tried, best first, and whether the settings given are the ones found."""
    lines = [f"{task.name}, {name}: {task.figure} at the end of each run, processors' ms a step, settings"]
    for each in tried:
        figures = " ".join(f"{figure:.5g}" for figure in each["figures"])
        mark = "*" if each["settings"] == found else " "
        lines.append(f"{mark} {figures}  {each['cpu_ms_per_step']:.0f} ms  {json.dumps(each['settings'])}")
    if found == given:
        return "\n".join(
            [*lines, "None is better than those that are used (*) by more than seeds differ.", ""]
        )
    return "\n".join([*lines, f"Better than those that are used, {json.dumps(given)}: *", ""])


def _rounded(value: float) -> float:
    """To two digits, as settings are written."""
    return float(f"{value:.2g}")
