# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From runs with checkpoints to the seconds and steps to each level, and to ratios.

Standard library only, no syntax newer than Python 3.8. A run is {"contestant", "seed", "steps",
"checkpoints": [{"steps", "seconds", figures}, ...], ...}.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median

from against_cases import Task


@dataclass(frozen=True)
class Spread:
    """Median, least and most of a figure over seeds."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(median(values), min(values), max(values))


def reached(checkpoints: Sequence[dict], level: float, figure: str, is_error: bool) -> dict | None:
    """{"steps", "seconds"} at the first checkpoint that is as good as the level, interpolated between it
    and the one before; None where none is."""
    sign = -1.0 if is_error else 1.0
    before = None
    for each in checkpoints:
        if sign * each[figure] >= sign * level:
            if before is None:
                return {name: each[name] for name in ("steps", "seconds")}
            part = (level - before[figure]) / (each[figure] - before[figure])
            return {name: before[name] + part * (each[name] - before[name]) for name in ("steps", "seconds")}
        before = each
    return None


def best_over_lengths(runs: Sequence[dict], level: float, task: Task) -> dict | None:
    """The least seconds to a level over the runs of one seed, which differ in their number of steps."""
    found = [reached(run["checkpoints"], level, task.figure, task.is_error) for run in runs]
    return min((each for each in found if each), key=lambda each: each["seconds"], default=None)


def contestant_row(task: Task, name: str, runs: Sequence[dict]) -> dict:
    """The runs of one contestant at a task, of all its seeds and lengths, JSON-ready.

    A level that some seed does not reach has no figures; ``missed`` says how many.
    """
    by_seed: dict[int, list[dict]] = {}
    for run in runs:
        by_seed.setdefault(run["seed"], []).append(run)
    levels = []
    for level in task.levels:
        found = [best_over_lengths(of_seed, level, task) for of_seed in by_seed.values()]
        there = [each for each in found if each]
        row: dict = {"level": level, "missed": len(found) - len(there), "by_seed": found}
        if len(there) == len(found):
            row["seconds"] = asdict(Spread.of([each["seconds"] for each in there]))
            row["steps"] = asdict(Spread.of([each["steps"] for each in there]))
        levels.append(row)
    longest = max(run["steps"] for run in runs)
    at_end = [run["checkpoints"][-1] for run in runs if run["steps"] == longest]
    names = [each for each in at_end[0] if each not in ("steps", "seconds")]
    return {
        "contestant": name,
        "seeds": sorted(by_seed),
        "levels": levels,
        "end_steps": longest,
        "end": {each: asdict(Spread.of([end[each] for end in at_end])) for each in names},
        "ms_per_step": median(
            1e3 * run["checkpoints"][-1]["seconds"] / run["checkpoints"][-1]["steps"] for run in runs
        ),
        "setup_s": median(run["setup_s"] for run in runs),
        "peak_memory_mb": max(run["peak_memory_mb"] for run in runs),
    }


def ratios(task: Task, ours: dict, other: dict) -> list[dict]:
    """By level, how many times as long the other takes: over the seeds that both have, paired, with spread;
    "times" is None where one of the two does not get there with one of them."""
    seeds = [seed for seed in ours["seeds"] if seed in other["seeds"]]
    rows = []
    for index, level in enumerate(task.levels):
        pairs = [(_of_seed(ours, index, seed), _of_seed(other, index, seed)) for seed in seeds]
        complete = bool(pairs) and all(own and theirs for own, theirs in pairs)
        values = [theirs["seconds"] / own["seconds"] for own, theirs in pairs] if complete else []
        rows.append({"level": level, "times": asdict(Spread.of(values)) if values else None})
    return rows


def _of_seed(row: dict, level: int, seed: int) -> dict | None:
    return row["levels"][level]["by_seed"][row["seeds"].index(seed)]
