# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One row of speed, in a process of its own so that its peak memory is its own.

The steps are those of real fits: the same Solver over a checked Problem, with references made from an
object. They are taken from the two phases of a fit (a fit of the shape or of the texture has one),
with all but the first few steps of it left out. Steps and floor are timed in turn, so that whatever
else the machine does hits both alike.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from statistics import mean, median

import benchmark_process
import bpy
from benchmark_cases import SpeedCase
from benchmark_floor import Floor, TextureFloor
from benchmark_meshes import source_object, start_object
from materials_scene import add_lights

from sge_addon.core import material_source, texture_source
from sge_addon.core.fit import LoopSettings, Step, fit
from sge_addon.core.material_maps import SHADED_COLUMNS
from sge_addon.core.protocols import Estimate, GradientSource
from sge_addon.core.settings import FitSettings
from sge_addon.core.sparse_solve import SmoothingSystem
from sge_addon.core.stopwatch import Stopwatch
from sge_addon.job import make_references, orbit_around
from sge_addon.job.problem import Problem, check_problem
from sge_addon.job.report import peak_memory_mb
from sge_addon.job.solver import Solver
from sge_addon.raster.edge_source import EdgeSource
from sge_addon.raster.rasteriser import Rasteriser
from sge_addon.raster.shape_source import ShapeSource

VIEWS = 8
BUNCH = 8  # steps are taken in such numbers: in a joint fit, so many hold one texture step
LEAST, MOST, BUDGET = 16, 96, 5.0  # samples, and the seconds in which they should be done
_STEPS = 1_000_000  # of the loop, so that no schedule moves while its first steps are timed
_WHOLE = 0.98  # progress of a shape's part at which pictures are whole
_GRID = 200  # progresses at which sizes of pictures are asked for


@dataclass(frozen=True)
class StepTime:
    """Milliseconds of one step, and of its stages."""

    total: float
    stages: dict[str, float]


@dataclass(frozen=True)
class Phase:
    """A phase of a fit: where it is (progress), its share of the steps, and whether the shape moves in it,
    which it does after ``leading`` steps of the texture alone."""

    progress: float
    share: float
    moves: bool
    leading: int = 0

    @property
    def first_steps(self) -> int:
        """Steps that are not like those after them: the first of the shape, which factorises; where the shape
        rests, the first of each view, and the first through each of its maps."""
        patterns = max(texture_source.PATTERNS, material_source.PATTERNS)
        return self.leading + 1 if self.moves else VIEWS * (1 + patterns)


@dataclass(frozen=True)
class Timed:
    """What the run without instruments gave. fit_ms: the mean over a fit whose pictures begin small, else
    None. resting_stages: of steps in which the shape rests, times their share of the fit. first_visit_ms: of
    a texture step that makes its view's map first."""

    step_ms: float
    fit_ms: float | None
    floor_ms: float
    first_visit_ms: float | None
    samples: int
    resting_stages: dict[str, float]
    peak_memory_mb: float | None


class PhasedSolver(Solver):
    """A solver whose phases can be entered without the steps before."""

    def phases(self) -> list[Phase]:
        """The phase in which the shape moves; in a joint fit the one after it; or that of a texture fit."""
        if not self.shape.blocks:
            return [Phase(0.0, 1.0, False)]
        share = self._schedule.share
        settings = self._problem.settings
        leading = len(self._problem.training) if settings.shading == "lit" and settings.fits_look else 0
        # Near its end, when pictures are whole.
        return [Phase(_WHOLE * share, share, True, leading)] + (
            [Phase(1.0, 1.0 - share, False)] if share < 1.0 else []
        )

    def parts(self) -> list[Phase]:
        """Where pictures begin small, the parts of a fit by their size, whole ones last; else none."""
        source = self._source()
        if not isinstance(source, EdgeSource | ShapeSource) or source.halvings(0, 0.0) == 0:
            return []
        sizes = [source.halvings(0, (each + 0.5) / _GRID) for each in range(_GRID)]
        return [
            Phase((sizes.index(size) + 0.5 * sizes.count(size)) / _GRID, sizes.count(size) / _GRID, True)
            for size in sorted(set(sizes), reverse=True)
        ]

    def steps_of(self, phase: Phase) -> Generator[Step]:
        """Steps of a phase, without end."""
        settings = LoopSettings(_STEPS, len(self._problem.training), seed=self._problem.settings.seed)
        inner = self._source()
        source = _FixedProgress(inner, phase.progress)
        ahead = source if self._ahead(inner) is inner else None
        return fit([source], self._blocks, settings, self._stopwatch, ahead=ahead)


class _FixedProgress:
    """A gradient source for which the fit stands still at one point of its schedule."""

    def __init__(self, source: GradientSource, progress: float) -> None:
        self._source = source
        self._progress = progress

    def estimate(self, view: int, seed: int, progress: float) -> Estimate:
        return self._source.estimate(view, seed, self._progress)

    def expect(self, view: int, seed: int, progress: float) -> None:
        self._source.expect(view, seed, self._progress)


def measure(case: SpeedCase, budget: float = BUDGET) -> dict:
    """The row of one case, JSON-ready; times in milliseconds. budget: seconds for the samples of a phase."""
    problem = make_problem(case)
    timed = _time_steps(problem, budget)
    stages, factorise_ms = _time_stages(problem, timed, budget)
    without_solves = timed.step_ms - stages.get("solve", 0.0)
    return {
        "task": case.task,
        "triangles": len(problem.assembly.triangles),
        "vertices": len(problem.assembly.positions),
        "resolution": case.resolution,
        "texture_size": case.texture_size,
        "estimator": problem.settings.estimator,
        "ahead": problem.settings.pipelined,
        "ms_per_step": timed.step_ms,
        "stages": stages,
        "floor_ms": timed.floor_ms,
        "ratio": timed.step_ms / timed.floor_ms,
        "ratio_without_solves": without_solves / timed.floor_ms,
        "fit_ms": timed.fit_ms,
        "fit_ratio": None if timed.fit_ms is None else timed.fit_ms / timed.floor_ms,
        "factorise_ms": factorise_ms,
        "first_visit_ms": timed.first_visit_ms,
        "samples": timed.samples,
        "peak_memory_mb": timed.peak_memory_mb,
    }


def make_problem(case: SpeedCase) -> Problem:
    """A sphere to be fitted to references of another, in the current scene."""
    is_lit = case.task in ("maps", "lit both")
    settings = FitSettings(
        shape=case.task not in ("texture", "maps"),
        texture=case.task != "shape",
        shading="lit" if is_lit else "normal" if case.task == "shape" else "unlit",
        maps=tuple(SHADED_COLUMNS),
        estimator=case.estimator or FitSettings.estimator,
        pipelined=case.ahead,
        resolution=case.resolution,
        texture_size=case.texture_size or FitSettings.texture_size,
    )
    scene = bpy.context.scene
    if is_lit:
        add_lights()
    source = source_object()
    references = make_references([source], orbit_around([source], VIEWS, case.resolution), settings, scene)
    return check_problem(scene, [start_object(case.triangles)], references, settings)


def floor_of(problem: Problem) -> Floor | TextureFloor:
    """That of a step, where only base colours are fitted that of a step of textures."""
    settings, reference = problem.settings, problem.training[0]
    if settings.moves_surface or settings.shading == "lit":
        return Floor(problem.assembly.positions, problem.assembly.triangles, reference.view)
    rasteriser = Rasteriser(problem.assembly, settings.shading, problem.lights)
    pattern = texture_source.sample_pattern(0)
    lookups = [rasteriser.uv_buffer(reference.view, offset, 1) for offset in pattern]
    texture = next(each.texture for each in problem.assembly.materials if each.texture is not None)
    return TextureFloor(lookups, reference.colour, texture)


def sample_count(pair_ms: float, budget: float) -> int:
    """How many pairs of a step and a floor fit into ``budget`` seconds, in whole bunches."""
    wanted = budget * 1e3 / pair_ms
    return int(min(max(wanted, LEAST), MOST)) // BUNCH * BUNCH


def _time_steps(problem: Problem, budget: float) -> Timed:
    stopwatch = Stopwatch()
    solver = PhasedSolver(problem, stopwatch)
    floor = floor_of(problem)
    floors: list[float] = []

    def time_floor() -> None:
        floors.append(_milliseconds(floor.run))

    time_floor()
    floors.clear()  # the first compiles its shader
    step_ms, first_visit, samples = 0.0, None, 0
    resting_stages: dict[str, float] = {}
    for phase in solver.phases():
        steps = solver.steps_of(phase)
        first = _take(steps, phase.first_steps, stopwatch)
        # A picture that is drawn ahead shall not be drawn while the floor is timed.
        at_once = BUNCH if problem.settings.pipelined else 1
        taken = _take_in_turn(steps, BUNCH, stopwatch, time_floor, at_once)
        pace = mean(step.total for step in taken) + mean(floors[-BUNCH:])
        count = sample_count(pace, budget) - BUNCH
        taken += _take_in_turn(steps, count, stopwatch, time_floor, at_once)
        steps.close()
        step_ms += phase.share * _typical(problem, [step.total for step in taken])
        samples += len(taken)
        if not phase.moves:
            first_visit = median(step.total for step in first)
            _add_stages(resting_stages, problem, phase, taken)
    fit_ms = _time_parts(solver, stopwatch)
    solver.complete()
    solver.errors(problem.training[0])  # what a fit does at its end counts for its memory, too
    return Timed(step_ms, fit_ms, median(floors), first_visit, samples, resting_stages, peak_memory_mb())


def _time_parts(solver: PhasedSolver, stopwatch: Stopwatch) -> float | None:
    """Milliseconds of the mean step of a fit whose pictures begin small, without factorisations."""
    parts = solver.parts()
    total = 0.0
    for part in parts:
        steps = solver.steps_of(part)
        _take(steps, part.first_steps, stopwatch)
        total += part.share * median(step.total for step in _take(steps, LEAST, stopwatch))
        steps.close()
    return total if parts else None


def _time_stages(problem: Problem, timed: Timed, budget: float) -> tuple[dict[str, float], float | None]:
    """Milliseconds a step by stage, and those of one factorisation.

    Drawing and reading are told apart in a second, instrumented run. Steps in which the shape rests
    draw nothing, so theirs are known already. 'estimate' is what the other stages leave of a step.
    """
    stages = dict(timed.resting_stages)
    factorise_ms = None
    stopwatch = Stopwatch(precise=True)
    solver = PhasedSolver(problem, stopwatch)
    with _solves_timed(stopwatch):
        for phase in solver.phases():
            if not phase.moves:
                continue
            steps = solver.steps_of(phase)
            first = _take(steps, phase.first_steps, stopwatch)
            taken = _take(steps, BUNCH, stopwatch)
            pace = mean(step.total for step in taken)
            taken += _take(steps, sample_count(pace, 0.5 * budget) - BUNCH, stopwatch)
            steps.close()
            _add_stages(stages, problem, phase, taken)
            # The first two solves found no factor. Estimator 'paper' has none.
            if "solve" in first[-1].stages:
                factorise_ms = first[-1].stages["solve"] - median(step.stages["solve"] for step in taken)
    return stages, factorise_ms


def _add_stages(stages: dict[str, float], problem: Problem, phase: Phase, taken: Sequence[StepTime]) -> None:
    """Add a phase's part of each stage to ``stages``."""
    for name in {name: None for step in taken for name in step.stages}:
        of_steps = [step.stages.get(name, 0.0) for step in taken]
        stages[name] = stages.get(name, 0.0) + phase.share * _typical(problem, of_steps)


def _typical(problem: Problem, values: Sequence[float]) -> float:
    """The median; of a joint fit, whose steps are of different kinds, the mean; of textures alone, where one
    step in each bunch applies what all have gathered, the median of the bunches' means."""
    settings = problem.settings
    if settings.shape and settings.texture:
        return mean(values)
    if settings.texture:
        return median(mean(values[first : first + BUNCH]) for first in range(0, len(values), BUNCH))
    return median(values)


def _take_in_turn(
    steps: Iterator[Step], count: int, stopwatch: Stopwatch, other: Callable[[], None], at_once: int
) -> list[StepTime]:
    """The times of the next ``count`` steps, each ``at_once`` of them followed by as much of another work."""
    times: list[StepTime] = []
    while len(times) < count:
        times += _take(steps, at_once, stopwatch)
        for _ in range(at_once):
            other()
    return times


def _take(steps: Iterator[Step], count: int, stopwatch: Stopwatch) -> list[StepTime]:
    """The times of the next ``count`` steps."""
    times = []
    before = dict(stopwatch.seconds)
    for step in islice(steps, count):
        after = dict(stopwatch.seconds)
        stages = {name: 1e3 * (seconds - before.get(name, 0.0)) for name, seconds in after.items()}
        before = after
        if "optimise" in stages:
            stages["optimise"] -= stages.get("solve", 0.0)
        others = sum(ms for name, ms in stages.items() if name != "estimate")
        stages["estimate"] = 1e3 * step.seconds - others
        times.append(StepTime(1e3 * step.seconds, stages))
    return times


@contextmanager
def _solves_timed(stopwatch: Stopwatch) -> Iterator[None]:
    """Time the sparse solves as a stage 'solve', which lies within 'optimise'."""
    solve = SmoothingSystem.solve

    def timed(*arguments: object, **named: object) -> object:
        with stopwatch.stage("solve"):
            return solve(*arguments, **named)

    SmoothingSystem.solve = timed
    try:
        yield
    finally:
        SmoothingSystem.solve = solve


def _milliseconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - begin)


if __name__ == "__main__":
    benchmark_process.answer(lambda arguments: measure(SpeedCase(**arguments)), sys.argv)
