# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values of modifiers and objects in a fit: which, when they are fitted, and what is shown of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.background import Background
from ..core.errors import FitError
from ..core.parameter_block import ParameterBlock
from ..core.parameter_source import Comparison, ParameterSchedule, ParameterSource
from ..core.parameter_values import State, same_states
from ..core.reference import Reference
from ..core.settings import FitSettings
from ..core.stopwatch import Stopwatch
from ..core.view import View
from ..raster.fitted_surfaces import FittedSurfaces
from ..raster.rasteriser import Picture, Rasteriser
from ..scene.chosen_parameters import chosen_parameters, parameter_problems
from ..scene.parameter_evaluator import Evaluate, FittedObject, ParameterEvaluator
from .moving_surfaces import MovingSurfaces

if TYPE_CHECKING:
    import bpy

    from .problem import Problem
    from .shape_fit import ShapeFit

Array = NDArray[np.float32]

_SAMPLES = 2  # along each side of a pixel, as cameras are refined with
_ROUNDS, _ROUNDS_ALONE = 12, 2
# Part of a fit at whose end they rest, so that textures can settle.
_BEFORE_END = 0.9
# Where the shape moves, too, values come first and rest soon: they explain what they can, then the shape what
# is left. Fitted to a shape that is underway they only drift, by a tenth of a shape key's range.
_ROUNDS_BEFORE_SHAPE, _SHAPE_BEGINS = 2, 0.1


def parameter_evaluator(
    objects: Sequence[bpy.types.Object], settings: FitSettings
) -> ParameterEvaluator | None:
    """The objects at any values of the chosen parameters; None where none is chosen. Raises FitError as
    ``fitted_parameter_problems`` does."""
    if not settings.parameters:
        return None
    for problem in fitted_parameter_problems(objects, asdict(settings)):
        raise problem
    choices = chosen_parameters(objects, settings.parameters, settings.level)
    return ParameterEvaluator(objects, choices, settings.level)


def fitted_parameter_problems(
    objects: Sequence[bpy.types.Object], values: Mapping[str, Any]
) -> Iterator[FitError]:
    """What keeps the chosen parameters from being fitted. values: the settings by field name."""
    names, level = values["parameters"], values["level"]
    problems = list(parameter_problems(objects, names, level))
    yield from problems
    if not names:
        return
    if values["texture"] and values["shading"] == "lit" and "height" in values["maps"]:
        yield FitError("Height maps and Parameters cannot be fitted at once: fit one after the other.")
    if values["remesh"] != "off":
        yield FitError("Remesh makes other meshes than those that Parameters are fitted of: set it to off.")
    if not (problems or values["through_modifiers"]):
        for each in chosen_parameters(objects, names, level):
            if not each.moves_only:
                yield FitError(
                    f"'{each.name}' shows only through modifiers: switch Through Modifiers on.",
                    subject=each.owner,
                )


@dataclass(eq=False)
class _ShownSurface:
    """A surface whose vertices are where parameters put them; ``FittedSurfaces`` asks for no more."""

    shown: Array


class FittedParameters:
    """The parameters of one stage of a fit. block: of the loop. shown: one a surface, in their order, where
    no other blocks move them."""

    def __init__(self, problem: Problem, shape: ShapeFit, before: ParameterBlock | None = None) -> None:
        """before: of the stage before, from which it goes on."""
        if problem.parameters is None:
            raise ValueError("no parameters are fitted")
        self._problem = problem
        self._evaluator = problem.parameters
        self._moving = MovingSurfaces(problem, shape) if shape.blocks else None
        self.block = ParameterBlock(self._evaluator.space, None if before is None else before.state)
        if before is not None:
            self.block.visible, self.block.tried = before.visible, before.tried
        self._objects = [FittedObject(surface.positions) for surface in problem.surfaces]
        self.shown = [_ShownSurface(surface.positions) for surface in problem.surfaces]
        self._on_change: Callable[[], None] | None = None
        self.block.on_change.append(self._show)
        if not same_states(self.block.state, self._evaluator.space.start):
            self._show(self.block.state)

    def source(
        self,
        surfaces: FittedSurfaces,
        references: Sequence[Reference],
        is_first_stage: bool,
        background: Background,
        stopwatch: Stopwatch,
        on_change: Callable[[], None],
    ) -> ParameterSource:
        """The source of the block's changes. on_change: called after each, to forget what is kept of where
        surfaces were."""
        self._on_change = on_change
        settings = self._problem.settings

        @contextmanager
        def opened() -> Iterator[_Shown]:
            rasteriser = surfaces.updated()
            objects = self._objects
            if self._moving is not None:
                ranges = surfaces.assembly.vertex_ranges
                objects = self._moving.objects(
                    [surfaces.positions[each] for each in ranges], self.block.state
                )
            try:
                with self._evaluator.opened(objects) as evaluate:
                    yield _Shown(evaluate, rasteriser)
            finally:
                rasteriser.set_positions(surfaces.positions)

        return ParameterSource(
            self.block,
            references,
            opened,
            _schedule(settings, references, is_first_stage),
            Comparison(settings.match, settings.loss, background),
            stopwatch,
        )

    def _show(self, state: State) -> None:
        if self._moving is not None:
            self._moving.show(state)
        else:
            with self._evaluator.opened(self._objects) as evaluate:
                positions = evaluate(state)
            for surface, shown in zip(self.shown, positions or (), strict=True):
                surface.shown = shown
        if self._on_change is not None:
            self._on_change()


@dataclass(frozen=True, eq=False)
class _Shown:
    """A ``core.parameter_fit.Shown``."""

    evaluate: Evaluate
    rasteriser: Rasteriser

    def positions(self, state: State) -> Array | None:
        found = self.evaluate(state)
        return None if found is None else np.concatenate(found)

    def render(self, positions: Array, view: View, normal: bool) -> Picture:
        self.rasteriser.set_positions(positions)
        return self.rasteriser.render(view, _SAMPLES, normal)


def _schedule(
    settings: FitSettings, references: Sequence[Reference], is_first_stage: bool
) -> ParameterSchedule:
    """Alone, a few rounds, each with other views. Beside textures that are not known yet, outlines first, or
    where there are none once every view has shown its colours."""
    if not (settings.texture or settings.shape):
        return ParameterSchedule(rounds=_ROUNDS_ALONE, end=np.inf)
    end, rounds = _BEFORE_END, _ROUNDS
    if settings.shape:
        first = _ROUNDS_BEFORE_SHAPE if settings.texture else 1
        end, rounds = _SHAPE_BEGINS, first if is_first_stage else 0
    if not (settings.texture and is_first_stage):
        return ParameterSchedule(end=end, rounds=rounds)
    if _has_outlines(settings, references):
        return ParameterSchedule(end=end, rounds=rounds, outlines=1)
    return ParameterSchedule(start=min(len(references) / settings.steps, 0.5 * end), end=end, rounds=rounds)


def _has_outlines(settings: FitSettings, references: Sequence[Reference]) -> bool:
    return "alpha" in settings.match and all(each.has_alpha for each in references)


def parameter_notices(settings: FitSettings, references: Sequence[Reference]) -> list[str]:
    """What one might not expect of parameters and textures together."""
    training = [each for each in references if not each.held_out]
    if not (settings.parameters and settings.texture) or _has_outlines(settings, training):
        return []
    return [
        "Parameters are fitted together with textures to references without alpha: textures may explain what "
        "wrong values show. Fit Parameters alone first, with Texture off, or give masks."
    ]


def parameter_report(
    evaluator: ParameterEvaluator, after: Sequence[tuple[float, ...]]
) -> list[dict[str, Any]]:
    """JSON-ready: each value before and after, as Blender stores them."""
    return [
        {"name": choice.name, "before": list(choice.value), "after": list(value)}
        for choice, value in zip(evaluator.choices, after, strict=True)
    ]


def idle_notices(block: ParameterBlock) -> list[str]:
    """For each parameter that changes no picture, what to do."""
    return [
        f"'{name}' stays as it was: near that, it changes nothing that any reference shows, or how many "
        "vertices there are. Leave it out, add views, or begin with another value."
        for name in block.without_effect()
    ]
