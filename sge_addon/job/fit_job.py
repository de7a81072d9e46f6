# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fit from check to report, as one generator that two thin drivers run."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from inspect import GEN_CLOSED, getgeneratorstate
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.fit import Step
from ..core.pausable_clock import PausableClock
from ..core.reference import Reference
from ..core.settings import FitSettings
from ..core.stopwatch import Stopwatch
from ..core.view import View
from ..raster.context import start_gpu
from ..scene.camera_write_back import camera_of, fixed_camera_notices, write_camera
from ..scene.light_write_back import LightWriter, fixed_light_notices
from ..scene.parameter_write_back import ParameterWriter
from .fitted_light import light_report
from .fitted_parameters import idle_notices, parameter_report
from .live import LiveWriter, Reached
from .problem import check_problem
from .remeshing import Remeshing
from .report import Timing, build_report
from .stacks import instead_of_edge, mapped, stack_traces
from .stages import StagedSolver

if TYPE_CHECKING:
    import bpy


@dataclass(frozen=True)
class Progress:
    """stage: 'Setting up', 'Probing modifiers', 'Searching', 'Fitting' or 'Measuring'. fraction: of the
    stage, in [0, 1]. loss: of the last step's view, None before the first."""

    stage: str
    fraction: float
    step: int
    steps: int
    loss: float | None = None


@dataclass
class _Underway:
    """A fit that has begun. before: errors of each reference at the start. planned: steps in all.
    losses, seconds: by step taken."""

    solver: StagedSolver
    writer: LiveWriter
    light: LightWriter | None
    parameters: ParameterWriter | None
    before: list[tuple[float, float]]
    setup: float
    steps: Generator[Step]
    planned: int
    losses: list[tuple[int, float]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def has_ended(self) -> bool:
        """Whether all steps were taken, or all the time."""
        return len(self.losses) >= self.planned or getgeneratorstate(self.steps) == GEN_CLOSED


class FitJob:
    """Checks when made, changes nothing before ``run``; after ``run`` the report is there.

    notices: what the user should know. report: None until ``run`` has ended; where it was cut short, what
    it would have measured at the end is None.
    live: results go into the scene while it runs, not only at the end.
    more: steps that ``run`` adds where it is called again after the last step; as many again by default.
    """

    def __init__(
        self,
        scene: bpy.types.Scene,
        objects: Sequence[bpy.types.Object],
        references: Sequence[Reference],
        settings: FitSettings,
        *,
        live: bool = True,
        precise_stages: bool = False,
    ) -> None:
        """Raises FitError before anything is changed. precise_stages: tell 'raster' from 'read'."""
        self._clock = PausableClock()
        start_gpu()
        self._scene = scene
        self._problem = check_problem(scene, objects, references, settings)
        self.live = live
        self.more = settings.steps
        self._stopwatch = Stopwatch(precise_stages, self._clock)
        self._stop_asked = False
        self._fit: _Underway | None = None
        self.notices = list(self._problem.notices)
        if settings.refine_cameras or settings.refine_focal:
            self.notices += fixed_camera_notices([each.camera for each in self._problem.training])
        if settings.shading == "lit" and settings.light == "fit":
            self.notices += fixed_light_notices(scene, self._problem.lights)
        self.report: dict | None = None

    def stop(self) -> None:
        """Ask ``run`` to wind up after the current step: write back, measure, end."""
        self._stop_asked = True

    def pause(self) -> None:
        """Let no time pass for time limits and the report, until ``resume``."""
        self._clock.pause()

    def resume(self) -> None:
        """End a pause."""
        self._clock.resume()

    @property
    def has_ended(self) -> bool:
        """Whether the last step was taken: ``run`` would then add ``more`` steps."""
        return self._fit is not None and self._fit.has_ended

    @property
    def seconds_writing(self) -> float:
        """Spent so far on writing results into the scene."""
        return self._stopwatch.seconds.get("write_back", 0.0)

    def release(self) -> None:
        """Take out of the file what is only there to evaluate modifiers: to be called before anything else
        gets to see the file. The next step brings it back."""
        for stack in self._problem.stacks:
            if stack is not None:
                stack.release()

    def traces(self) -> dict[str, bytes]:
        """What the fit has left in the scene; it can only go on from that. See ``continuation``."""
        if self._fit is None:
            return {}
        traces = self._fit.writer.traces() | stack_traces(self._problem.stacks)
        return traces if self._fit.parameters is None else traces | self._fit.parameters.traces()

    def check_targets(self) -> None:
        """Raises TargetLost where an object or image under fit has gone away."""
        if self._fit is not None:
            self._fit.writer.check()
            if self._fit.parameters is not None:
                self._fit.parameters.check()

    def save(self) -> None:
        """Write what is reached so that a file saved now holds it."""
        if self._fit is not None:
            self._write(self._fit, final=True)

    def render(self, view: View) -> NDArray[np.float32] | None:
        """(H, W, 4) linear premultiplied: the fit as it stands, through any camera; None before it began."""
        return None if self._fit is None else self._fit.solver.render(view)

    def views(self) -> list[View]:
        """The view of each reference, in their order: as refined, as it was given before and where not."""
        references = self._problem.references
        if self._fit is None:
            return [reference.view for reference in references]
        return [self._fit.solver.view(index) for index in range(len(references))]

    def run(self) -> Generator[Progress]:
        """Fit; yields often. Closing it writes back what was reached, without measuring.

        Run again after it has ended, it goes on where it was: after a stop as if there had been none, after
        the last step with ``more`` steps at the schedules' end.
        Raises TargetLost where an object or image under fit goes away; the others are written first.
        """
        self._stop_asked = False
        self._clock.resume()
        for stack in self._problem.stacks:
            if stack is not None:
                stack.keep_open()
        try:
            yield from self._run()
        finally:
            self._clock.pause()
            self.release()

    def _run(self) -> Generator[Progress]:
        if self._fit is None:
            yield from self._set_up()
        else:
            self._go_on(self._fit)
        fit = self._fit
        try:
            for step in fit.steps:
                fit.losses.append((step.index, step.loss))
                fit.seconds.append(step.seconds)
                if self.live and fit.writer.is_due:
                    self._write(fit)
                yield Progress("Fitting", step.progress, step.index, fit.planned, step.loss)
                if self._stop_asked:
                    break
        finally:
            fit.solver.complete()
            try:
                self._write(fit, final=True)
            finally:
                self._report(fit, [])
        after: list[tuple[float, float]] = []
        yield from self._measure(fit.solver, after, "Measuring", len(fit.losses), fit.planned)
        self._report(fit, after)
        if fit.solver.parameters is not None:
            told = set(self.notices)
            self.notices += [each for each in idle_notices(fit.solver.parameters) if each not in told]

    def _set_up(self) -> Iterator[Progress]:
        steps = self._problem.settings.steps
        yield Progress("Setting up", 0.0, 0, steps)
        yield from self._probe_modifiers(steps)
        solver = StagedSolver(self._problem, self._stopwatch)
        before: list[tuple[float, float]] = []
        yield from self._measure(solver, before, "Setting up", 0, steps)
        self.notices += [instead_of_edge(name) for name in solver.unmapped]
        writer = LiveWriter(self._problem, _reached(solver))
        self.notices += writer.notices
        light = None
        if solver.light is not None:
            is_unknown = solver.light.parameters.is_unknown
            light = LightWriter(self._scene, self._problem.lights, is_unknown, self.notices)
        remesh = None if self._problem.settings.remesh == "off" else Remeshing(writer, self.notices)
        for fraction in solver.begin():
            yield Progress("Searching", fraction, 0, steps)
            if self._stop_asked:
                break
        fitted = self._problem.parameters
        values = None if fitted is None else ParameterWriter(fitted.choices)
        self._fit = _Underway(
            solver, writer, light, values, before, self._clock(), solver.steps(remesh), steps
        )

    def _probe_modifiers(self, steps: int) -> Generator[Progress]:
        """Find out how surfaces follow from the cages that are to move."""
        problem = self._problem
        if not problem.settings.shape or all(stack is None for stack in problem.stacks):
            return
        probe = mapped(problem.objects, problem.surfaces, problem.stacks, problem.settings.level)
        while True:
            try:
                yield Progress("Probing modifiers", next(probe), 0, steps)
            except StopIteration as end:
                surfaces, notices = end.value
                break
        self._problem = replace(problem, surfaces=tuple(surfaces))
        self.notices += notices

    def _go_on(self, fit: _Underway) -> None:
        fit.solver.reopen()
        if fit.has_ended:
            taken = len(fit.losses)
            fit.steps.close()
            fit.steps = fit.solver.more_steps(self.more, after=taken)
            fit.planned = taken + self.more

    def _report(self, fit: _Underway, after: list[tuple[float, float]]) -> None:
        timing = Timing(self._clock(), fit.setup, fit.seconds, self._stopwatch.seconds)
        references = self._problem.references
        corrections = [fit.solver.correction(index) for index in range(len(references))]
        self.report = build_report(
            self._problem.settings,
            fit.solver.estimators,
            references,
            corrections,
            fit.before,
            after,
            fit.losses,
            timing,
        )
        if fit.solver.light is not None:
            self.report["light"] = light_report(self._problem.lights, fit.solver.light.lights)
        if self._problem.parameters is not None and fit.solver.parameters is not None:
            stored = self._problem.parameters.stored(fit.solver.parameters.state)
            self.report["parameters"] = parameter_report(self._problem.parameters, stored)

    def _write(self, fit: _Underway, final: bool = False) -> None:
        with self._stopwatch.stage("write_back"):
            try:
                fit.writer.write(_reached(fit.solver), final)
            finally:
                try:
                    self._write_parameters(fit)
                finally:
                    if final:
                        self._write_cameras(fit.solver)
                        if fit.light is not None:
                            fit.light.write(fit.solver.light.lights)

    def _write_parameters(self, fit: _Underway) -> None:
        if fit.parameters is not None and self._problem.parameters is not None and fit.solver.parameters:
            fit.parameters.write(self._problem.parameters.stored(fit.solver.parameters.state))

    def _write_cameras(self, solver: StagedSolver) -> None:
        for index, reference in enumerate(self._problem.references):
            camera = camera_of(reference.camera) if solver.correction(index) else None
            if camera is not None:
                write_camera(camera, solver.view(index))

    def _measure(
        self, solver: StagedSolver, errors: list[tuple[float, float]], stage: str, step: int, steps: int
    ) -> Iterator[Progress]:
        """Append the errors of every reference, as the fit stands."""
        count = len(self._problem.references)
        for index in range(count):
            errors.append(solver.errors(index))
            yield Progress(stage, (index + 1) / count, step, steps)


def _reached(solver: StagedSolver) -> Reached:
    return Reached(solver.positions(), solver.textures(), solver.heights())
