# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mitsuba's runs, a process in its own environment: no Blender here, and none of our package.

As for our runs, the seconds are those of the loop; scene, caches and a short run that compiles the kernels
come before.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
from against_cases import checkpoints
from against_mitsuba_shape import ShapeRun
from against_mitsuba_texture import TextureRun

_WARM_UP = 20  # steps: more than there are views


def measure(case: dict) -> dict:
    """{"kind", "way", "inputs", "runs": [{"steps", "seed", "settings", "output"}], "is_timed": bool}: as
    ``against_ours`` answers. What is not timed is not warmed up, and has one checkpoint, the end."""
    with np.load(case["inputs"]) as arrays:
        inputs = dict(arrays)
    make = ShapeRun if case["kind"] == "shape" else TextureRun
    runs, task, settings, setup = [], None, None, 0.0
    for run in case["runs"]:
        if task is None or run["settings"] != settings:
            settings = run["settings"]
            begin = time.perf_counter()
            task = make(inputs, case["way"], settings)
            setup = time.perf_counter() - begin
            if case["is_timed"]:
                _run(task, _WARM_UP, 0, [])
        begin = time.process_time()
        marks = checkpoints(run["steps"]) if case["is_timed"] else [run["steps"]]
        seconds, states = _run(task, run["steps"], run["seed"], marks)
        step_ms = 1e3 * (time.process_time() - begin) / run["steps"]
        np.savez(run["output"], states=np.stack(states))
        runs.append({"steps": run["steps"], "setup_s": setup, "seconds": seconds, "cpu_ms_per_step": step_ms})
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"runs": runs, "peak_memory_mb": memory}


def _run(
    task: ShapeRun | TextureRun, steps: int, seed: int, marks: list[int]
) -> tuple[list[float], list[np.ndarray]]:
    """Seconds of the loop at each of the steps ``marks``, and what was reached there."""
    seconds, states, spent = [], [], 0.0
    begin = time.perf_counter()
    loop = task.steps(steps, seed)
    for index, _ in enumerate(loop, 1):
        if index in marks:
            task.wait()
            spent += time.perf_counter() - begin
            seconds.append(spent)
            states.append(task.state())
            begin = time.perf_counter()
    return seconds, states


if __name__ == "__main__":
    answer = measure(json.loads(sys.argv[1]))
    Path(sys.argv[2]).write_text(json.dumps({"machine": None, "row": answer}), encoding="utf-8")
