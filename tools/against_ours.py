# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our runs of one seed, a process: the solver of a fit, with its state put aside at checkpoints.

The seconds are those of the loop alone. What comes before (checks, buffers, and a short fit that compiles
the shaders) is told apart, and putting a checkpoint aside stops the clock.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import benchmark_process
import bpy
import numpy as np
from against_cases import checkpoints
from against_inputs import Inputs
from benchmark_floor import Floor
from numpy.typing import NDArray

from sge_addon.core.errors import FitError
from sge_addon.core.settings import FitSettings
from sge_addon.core.stopwatch import Stopwatch
from sge_addon.job.problem import Problem, check_problem
from sge_addon.job.report import peak_memory_mb
from sge_addon.job.solver import Solver

_WARM_UP = 20  # steps
_FLOORS = 15


def measure(case: dict) -> dict:
    """{"kind", "way", "seed", "lengths", "inputs", "outputs"}: the runs of one seed, one a length; what they
    reach lies in the files ``outputs``. Raises FitError."""
    inputs = Inputs.read(case["inputs"])
    problem = _problem(inputs, case)
    _run(problem, _WARM_UP)
    runs = []
    for steps, path in zip(case["lengths"], case["outputs"], strict=True):
        begin = time.perf_counter()
        setup, seconds, states = _run(problem, steps)
        np.savez(path, states=np.stack(states))
        runs.append({"steps": steps, "setup_s": setup, "seconds": seconds})
        runs[-1]["total_s"] = time.perf_counter() - begin
    return {
        "runs": runs,
        "floor_ms": _floor_ms(inputs, problem),
        "peak_memory_mb": peak_memory_mb(),
    }


def _problem(inputs: Inputs, case: dict) -> Problem:
    is_shape = case["kind"] == "shape"
    settings = FitSettings(
        shape=is_shape,
        texture=not is_shape,
        shading="normal" if is_shape else "unlit",
        resolution=inputs.colour.shape[2],
        texture_size=int(inputs.texture_size),
        seed=case["seed"],
    )
    if is_shape:
        settings = replace(settings, estimator=case["way"])
    scene = bpy.context.scene
    return check_problem(scene, [_object(inputs)], inputs.references(), settings)


def _object(inputs: Inputs) -> bpy.types.Object:
    mesh = bpy.data.meshes.new("Start")
    mesh.from_pydata(inputs.positions.tolist(), [], inputs.triangles.tolist())
    if len(inputs.uvs):
        mesh.uv_layers.new(name="UVMap").uv.foreach_set("vector", inputs.uvs.ravel())
    mesh.shade_smooth()
    obj = bpy.data.objects.new("Start", mesh)
    bpy.context.scene.collection.objects.link(obj)
    bpy.context.view_layer.update()
    return obj


def _run(problem: Problem, steps: int) -> tuple[float, list[float], list[NDArray[np.float32]]]:
    """Seconds of the set-up; seconds of the loop at each checkpoint; and what was reached there."""
    begin = time.perf_counter()
    solver = Solver(replace(problem, settings=replace(problem.settings, steps=steps)), Stopwatch())
    for _ in solver.begin():
        pass
    loop = solver.steps()
    setup = time.perf_counter() - begin
    wanted = set(checkpoints(steps))
    seconds, states, spent = [], [], 0.0
    for index in range(1, steps + 1):
        begin = time.perf_counter()
        if next(loop, None) is None:
            raise FitError(f"The fit ended after {index - 1} of {steps} steps.")
        if index == steps:
            next(loop, None)  # what the loop does after its last step
            solver.complete()
        spent += time.perf_counter() - begin
        if index in wanted:
            seconds.append(spent)
            states.append(_state(solver))
    return setup, seconds, states


def _state(solver: Solver) -> NDArray[np.float32]:
    """(V, 3) positions, or the texture (H, W, 3)."""
    if solver.shape.blocks:
        return solver.shape.positions()[0].copy()
    (texture,) = solver.textures().values()
    return texture[..., :3].copy()


def _floor_ms(inputs: Inputs, problem: Problem) -> float:
    """The least that two rasterisations and a read of these references cost, median."""
    floor = Floor(inputs.positions, inputs.triangles, problem.training[0].view)
    floor.run()
    times = []
    for _ in range(_FLOORS):
        begin = time.perf_counter()
        floor.run()
        times.append(1e3 * (time.perf_counter() - begin))
    return float(np.median(times))


if __name__ == "__main__":
    benchmark_process.answer(measure, sys.argv)
