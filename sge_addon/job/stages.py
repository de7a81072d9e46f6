# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fit in stages: coarse references first, and between stages, where asked for, a finer mesh.

To the job it looks like a single solver. Each stage has one of its own, which starts from what the one
before it reached.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..core.assembly import assemble
from ..core.camera_block import CameraCorrection
from ..core.fit import Step
from ..core.light_block import LightBlock
from ..core.parameter_block import ParameterBlock
from ..core.reference import Reference
from ..core.schedule import ShapeSchedule
from ..core.signs import step_seed
from ..core.stage_plan import Stage, plan_stages
from ..core.stopwatch import Stopwatch
from ..core.surface import Surface
from ..core.view import View
from .problem import Problem
from .refined_cameras import camera_freedom
from .solver import Solver, shape_share
from .stacks import at_level

_SEED_KEY = 0x40000000  # apart from the steps' own numbers

Textures = dict[str, NDArray[np.float32]]
# From the problem of the stage to come and what is known of texels: its new surfaces, and what is known then.
Remesh = Callable[[Problem, Textures], tuple[Sequence[Surface], Textures]]


class StagedSolver:
    """The solvers of all stages, one at a time; a fit of a single stage is that solver.

    remesh: called between stages with the problem of the stage to come.
    """

    def __init__(self, problem: Problem, stopwatch: Stopwatch) -> None:
        settings = problem.settings
        self._problem = problem
        self._stopwatch = stopwatch
        self._share = shape_share(settings)
        freedom = camera_freedom(settings)
        self._refines = bool(freedom.numbers or freedom.gains)
        self._plan = plan_stages(settings.steps, settings.stages, self._share)
        # Whether the levels of subdivision grow from stage to stage, with the references.
        self._has_levels = (
            settings.coarse_levels
            and settings.shape
            and not settings.fits_height
            and len(self._plan) > 1
            and any(stack is not None for stack in problem.stacks)
        )
        self.stage = self._plan[0]
        self.estimators: list[str] = []  # of the shape, that the stages so far have used; each once
        self._solver = self._make(self.stage, problem.surfaces)

    def begin(self) -> Generator[float]:
        """As of Solver: before the steps of the first stage."""
        return self._solver.begin()

    def steps(self, remesh: Remesh | None = None) -> Generator[Step]:
        """The steps of all stages, numbered and timed as those of one fit."""
        total = self._problem.settings.steps
        for stage in self._plan:
            if stage.first_step:
                self._advance(stage, remesh)
            own = self._solver.steps()
            try:
                for step in own:
                    index = stage.first_step + step.index
                    yield replace(step, index=index, progress=index / total)
            finally:
                own.close()

    def _advance(self, stage: Stage, remesh: Remesh | None) -> None:
        surfaces, known = self._solver.surfaces(), self._solver.evidence()
        if remesh is not None:
            surfaces, known = remesh(self._problem_of(stage, surfaces), known)
        earlier = self._solver
        self._solver = self._make(stage, surfaces, earlier)
        self._solver.shape.inherit(earlier.shape)
        self._solver.known = known
        self.stage = stage

    def positions(self) -> list[NDArray[np.float32]]:
        """As of ShapeFit."""
        return self._solver.shape.positions()

    def heights(self) -> list[NDArray[np.float32]]:
        """As of ShapeFit."""
        return self._solver.shape.heights()

    @property
    def light(self) -> LightBlock | None:
        """As of Solver."""
        return self._solver.light

    @property
    def parameters(self) -> ParameterBlock | None:
        """As of Solver."""
        return self._solver.parameters

    def textures(self) -> Textures:
        """As of Solver."""
        return self._solver.textures()

    def more_steps(self, count: int, after: int) -> Generator[Step]:
        """As of Solver: the last stage's, beyond its end."""
        first = self.stage.first_step
        for step in self._solver.more_steps(count, after - first):
            yield replace(step, index=first + step.index)

    def complete(self) -> None:
        """As of Solver."""
        self._solver.complete()

    def reopen(self) -> None:
        """As of Solver."""
        self._solver.reopen()

    def render(self, view: View) -> NDArray[np.float32]:
        """As of Solver."""
        return self._solver.render(view)

    def errors(self, index: int) -> tuple[float, float]:
        """As of Solver, of one of the problem's references, whatever the stage's resolution: through its
        camera as it stands now."""
        place = self._place(index)
        camera = None if place is None else self._solver.cameras.states[place]
        return self._solver.errors(self._problem.references[index], camera)

    def view(self, index: int) -> View:
        """The view of one of the problem's references as it stands now."""
        given = self._problem.references[index].view
        place = self._place(index)
        if place is None:
            return given
        return self._solver.cameras.states[place].view.resized(given.width, given.height)

    def correction(self, index: int) -> CameraCorrection | None:
        """How far the camera of one of the problem's references has come; None where it is not refined."""
        place = self._place(index)
        return None if place is None else self._solver.cameras.correction(place)

    def _place(self, index: int) -> int | None:
        """Of a reference among the cameras that are refined: none that is held out, whose picture may
        teach the fit nothing."""
        references = self._problem.references
        if not self._refines or references[index].held_out:
            return None
        return sum(not each.held_out for each in references[:index])

    def _make(self, stage: Stage, surfaces: Sequence[Surface], earlier: Solver | None = None) -> Solver:
        self._problem_now = self._problem_of(stage, surfaces)
        schedule = ShapeSchedule(
            self._problem.settings.steps,
            share=stage.share,
            window=stage.window,
            shape_steps=self._share * self._problem.settings.steps,
        )
        known = () if earlier is None else (earlier.cameras, earlier.light, earlier.parameters)
        solver = Solver(self._problem_now, self._stopwatch, schedule, *known)
        used = solver.shape.estimator
        if used is not None and used not in self.estimators:
            self.estimators.append(used)
        return solver

    @property
    def unmapped(self) -> list[str]:
        """As of ShapeFit."""
        return self._solver.shape.unmapped

    def _problem_of(self, stage: Stage, surfaces: Sequence[Surface]) -> Problem:
        """The problem of one stage: the surfaces from which it starts, the references at its resolution."""
        settings, stacks = self._problem.settings, self._problem.stacks
        if self._has_levels:
            surfaces, stacks = at_level(surfaces, self._problem.surfaces, stacks, stage.halvings)
        seed = (
            step_seed(settings.seed, _SEED_KEY + stage.first_step) >> 1 if stage.first_step else settings.seed
        )
        same = surfaces is self._problem.surfaces
        return replace(
            self._problem,
            surfaces=tuple(surfaces),
            stacks=stacks,
            assembly=self._problem.assembly if same else assemble(surfaces),
            references=tuple(_at_stage(reference, stage) for reference in self._problem.references),
            settings=replace(
                settings,
                steps=stage.steps,
                seconds=settings.seconds * stage.steps / settings.steps,
                seed=seed,
            ),
        )


def _at_stage(reference: Reference, stage: Stage) -> Reference:
    return reference.resized(stage.side(max(reference.view.width, reference.view.height)))
