# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mitsuba's runs of one seed, a process in its own environment: no Blender here, and none of our package.

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
    """{"kind", "way", "seed", "lengths", "inputs", "outputs", "settings"}: as of ``against_ours``."""
    with np.load(case["inputs"]) as arrays:
        inputs = dict(arrays)
    begin = time.perf_counter()
    make = ShapeRun if case["kind"] == "shape" else TextureRun
    task = make(inputs, case["way"], case["settings"])
    setup = time.perf_counter() - begin
    _run(task, _WARM_UP, 0)
    runs = []
    for steps, path in zip(case["lengths"], case["outputs"], strict=True):
        seconds, states = _run(task, steps, case["seed"])
        np.savez(path, states=np.stack(states))
        runs.append({"steps": steps, "setup_s": setup, "seconds": seconds})
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"runs": runs, "peak_memory_mb": memory}


def _run(task: ShapeRun | TextureRun, steps: int, seed: int) -> tuple[list[float], list[np.ndarray]]:
    """Seconds of the loop at each checkpoint, and what was reached there."""
    wanted = set(checkpoints(steps))
    seconds, states, spent = [], [], 0.0
    begin = time.perf_counter()
    loop = task.steps(steps, seed)
    for index, _ in enumerate(loop, 1):
        if index in wanted:
            task.wait()
            spent += time.perf_counter() - begin
            seconds.append(spent)
            states.append(task.state())
            begin = time.perf_counter()
    return seconds, states


if __name__ == "__main__":
    answer = measure(json.loads(sys.argv[1]))
    Path(sys.argv[2]).write_text(json.dumps({"machine": None, "row": answer}), encoding="utf-8")
