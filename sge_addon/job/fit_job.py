# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fit from check to report, as one generator that two thin drivers run."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.reference import Reference
from ..core.settings import FitSettings
from ..core.stopwatch import Stopwatch
from ..raster.context import start_gpu
from .live import LiveWriter
from .problem import check_problem
from .report import Timing, build_report
from .solver import Solver

if TYPE_CHECKING:
    import bpy


@dataclass(frozen=True)
class Progress:
    """stage: 'Setting up', 'Fitting' or 'Measuring'. fraction: of the stage, in [0, 1].
    loss: of the last step's view, None before the first."""

    stage: str
    fraction: float
    step: int
    steps: int
    loss: float | None = None


class FitJob:
    """Checks when made, changes nothing before ``run``; after ``run`` the report is there.

    notices: what the user should know. report: None until ``run`` has ended; where it was cut short, what
    it would have measured at the end is None.
    live: results go into the scene while it runs, not only at the end.
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
        self._begin = time.perf_counter()
        start_gpu()
        self._problem = check_problem(scene, objects, references, settings)
        self.live = live
        self._stopwatch = Stopwatch(precise_stages)
        self._stop_asked = False
        self.notices = list(self._problem.notices)
        self.report: dict | None = None

    def stop(self) -> None:
        """Ask ``run`` to wind up after the current step: write back, measure, end."""
        self._stop_asked = True

    def run(self) -> Generator[Progress]:
        """Fit; yields often. Closing it writes back what was reached, without measuring.

        Raises TargetLost where an object or image under fit goes away; the others are written first.
        """
        settings = self._problem.settings
        yield Progress("Setting up", 0.0, 0, settings.steps)
        solver = Solver(self._problem, self._stopwatch)
        before: list[tuple[float, float]] = []
        yield from self._measure(solver, before, "Setting up", 0)
        writer = LiveWriter(self._problem.objects, solver.textures())
        self.notices += writer.notices
        setup = time.perf_counter() - self._begin
        losses: list[tuple[int, float]] = []
        seconds: list[float] = []
        steps = solver.steps()
        try:
            for step in steps:
                losses.append((step.index, step.loss))
                seconds.append(step.seconds)
                if self.live and writer.is_due:
                    self._write(solver, writer)
                yield Progress("Fitting", step.progress, step.index, settings.steps, step.loss)
                if self._stop_asked:
                    break
        finally:
            steps.close()  # the blocks apply what they have gathered
            solver.complete()
            try:
                self._write(solver, writer, final=True)
            finally:
                self._report(before, [], losses, setup, seconds)
        after: list[tuple[float, float]] = []
        yield from self._measure(solver, after, "Measuring", len(losses))
        self._report(before, after, losses, setup, seconds)

    def _report(
        self,
        before: list[tuple[float, float]],
        after: list[tuple[float, float]],
        losses: list[tuple[int, float]],
        setup: float,
        seconds: list[float],
    ) -> None:
        timing = Timing(time.perf_counter() - self._begin, setup, seconds, self._stopwatch.seconds)
        self.report = build_report(
            self._problem.settings, self._problem.references, before, after, losses, timing
        )

    def _write(self, solver: Solver, writer: LiveWriter, final: bool = False) -> None:
        with self._stopwatch.stage("write_back"):
            writer.write(solver.positions(), solver.textures(), final)

    def _measure(
        self, solver: Solver, errors: list[tuple[float, float]], stage: str, step: int
    ) -> Iterator[Progress]:
        """Append the errors of every reference, as the fit stands."""
        references = self._problem.references
        for index, reference in enumerate(references):
            errors.append(solver.errors(reference))
            yield Progress(stage, (index + 1) / len(references), step, self._problem.settings.steps)
