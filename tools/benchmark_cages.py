# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One row of cages, in a process of its own: what a linear map saves of Blender's evaluations."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from statistics import median

import benchmark_process
import bpy
import numpy as np
from benchmark_cases import CageCase
from benchmark_floor import Floor
from benchmark_meshes import cage_object, source_object

from sge_addon.core.fit import Step
from sge_addon.core.settings import FitSettings
from sge_addon.core.stack_probing import probed_map
from sge_addon.core.stopwatch import Stopwatch
from sge_addon.core.surface import Surface
from sge_addon.job import make_references, orbit_around
from sge_addon.job.problem import Problem, check_problem
from sge_addon.job.report import peak_memory_mb
from sge_addon.job.solver import Solver
from sge_addon.scene.stack_evaluator import ModifierStack

VIEWS = 8
FIRST = 3  # steps that factorise, compile and fill caches
LEAST, MOST, BUDGET = 5, 60, 6.0  # samples, and the seconds in which they should be done


class CountedStack:
    """A stack that counts what it evaluates."""

    def __init__(self, stack: ModifierStack) -> None:
        self._stack = stack
        self.evaluations = 0

    def evaluate(self, cages: list[np.ndarray]) -> list[Surface]:
        self.evaluations += len(cages)
        return self._stack.evaluate(cages)

    def positions(self, cages: list[np.ndarray]) -> list[np.ndarray]:
        self.evaluations += len(cages)
        return self._stack.positions(cages)


def measure(case: CageCase, budget: float = BUDGET) -> dict:
    """The row of one case, JSON-ready. budget: seconds for the samples of what is timed in turn."""
    problem = make_problem(case)
    (surface,), (stack,) = problem.surfaces, problem.stacks
    counted = CountedStack(stack)
    begin = time.perf_counter()
    found = probed_map(surface.cage, surface, counted)
    probe_s = time.perf_counter() - begin
    stack.keep_open()  # as fits do
    cages = [surface.cage.positions + np.float32(0.001 * sign) for sign in (1, -1)]
    gradient = np.random.default_rng(0).standard_normal(surface.positions.shape).astype(np.float32)
    two, apply, back = _in_turn(
        budget,
        lambda: stack.positions(cages),
        lambda: found.apply(cages[0]),
        lambda: found.pulled_back(gradient),
    )
    mapped = replace(problem, surfaces=(replace(surface, cage=replace(surface.cage, map=found)),))
    floor = Floor(surface.positions, surface.triangles, problem.training[0].view)
    steps = [_endless(each) for each in (mapped, problem)]
    for each in steps:
        for _ in range(FIRST):
            next(each)
    linear, black_box, least = _in_turn(budget, lambda: next(steps[0]), lambda: next(steps[1]), floor.run)
    stack.release()
    return {
        "faces": len(surface.cage.face_offsets) - 1,
        "levels": case.levels,
        "cage_vertices": len(surface.cage.positions),
        "vertices": len(surface.positions),
        "triangles": len(surface.triangles),
        "evaluations": counted.evaluations,
        "probe_s": probe_s,
        "two_evaluations_ms": two,
        "apply_ms": apply,
        "pull_back_ms": back,
        "times_faster": two / (apply + back),
        "linear_step_ms": linear,
        "black_box_step_ms": black_box,
        "step_ratio": black_box / linear,
        "floor_ms": least,
        "peak_memory_mb": peak_memory_mb(),
    }


def make_problem(case: CageCase) -> Problem:
    """A cage to be fitted to references of a dented sphere, in the current scene."""
    settings = FitSettings(texture=False, shading="normal", resolution=case.resolution)
    source = source_object()
    views = orbit_around([source], VIEWS, case.resolution)
    references = make_references([source], views, settings, bpy.context.scene)
    return check_problem(bpy.context.scene, [cage_object(case.faces, case.levels)], references, settings)


def _endless(problem: Problem) -> Iterator[Step]:
    settings = replace(problem.settings, steps=1_000_000)  # so that no schedule moves meanwhile
    return Solver(replace(problem, settings=settings), Stopwatch()).steps()


def _in_turn(budget: float, *works: Callable[[], object]) -> list[float]:
    """Milliseconds of each, medians of as many rounds as there is time for."""
    rounds: list[list[float]] = []
    end = time.perf_counter() + budget
    while len(rounds) < LEAST or (len(rounds) < MOST and time.perf_counter() < end):
        rounds.append([_milliseconds(work) for work in works])
    return [median(times) for times in zip(*rounds, strict=True)]


def _milliseconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - begin)


if __name__ == "__main__":
    benchmark_process.answer(lambda arguments: measure(CageCase(**arguments)), sys.argv)
