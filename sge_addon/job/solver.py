# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of one fit put together: rasteriser, parameter blocks, gradient sources."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.background import background_of
from ..core.camera_block import CameraBlock
from ..core.camera_refinement import CameraState
from ..core.fit import LoopSettings, Step, fit
from ..core.joint_source import JointSource
from ..core.light_block import LightBlock
from ..core.metrics import squared_errors
from ..core.parameter_block import ParameterBlock as ValueBlock
from ..core.protocols import GradientSource, ParameterBlock, PictureAhead
from ..core.reference import Reference
from ..core.schedule import ShapeSchedule
from ..core.settings import FitSettings
from ..core.stopwatch import Stopwatch
from ..core.surface import Surface, with_textures
from ..core.texture_source import FilteredTextureSource
from ..core.view import View
from ..core.view_order import far_apart
from ..raster.edge_source import EdgeSource
from ..raster.fitted_surfaces import FittedSurfaces
from ..raster.rasteriser import Rasteriser
from ..raster.shape_source import ShapeSource
from ..raster.stack_source import StackSource
from .appearance import Appearance
from .base_colour_fit import BaseColourFit
from .fitted_parameters import FittedParameters
from .material_fit import MaterialFit
from .problem import Problem
from .refined_cameras import camera_block, camera_source
from .shape_fit import ShapeFit

# Of a joint fit: the part in which the shape moves, and its steps to one texture step, at the most.
_SHAPE_SHARE = 0.85
_TEXTURE_INTERVAL = 8


def shape_share(settings: FitSettings) -> float:
    """The part of a fit in which the shape moves; the rest is left to the texture."""
    return _SHAPE_SHARE if settings.moves_surface and settings.fits_look else 1.0


class Solver:
    """What a checked problem needs to be solved; holds the state of the fit and knows no Blender data."""

    def __init__(
        self,
        problem: Problem,
        stopwatch: Stopwatch,
        schedule: ShapeSchedule | None = None,
        cameras: CameraBlock | None = None,
        light: LightBlock | None = None,
        parameters: ValueBlock | None = None,
    ) -> None:
        """schedule: of the shape, where this is one of several stages. cameras, light, parameters: of the
        last one."""
        settings = problem.settings
        self._problem = problem
        self._stopwatch = stopwatch
        self._background = background_of(settings)
        self._schedule = schedule or ShapeSchedule(settings.steps, share=shape_share(settings))
        # Evidence of texels from earlier stages, by material key: (H, W) in pixels.
        self.known: dict[str, NDArray[np.float32]] = {}
        self._unfinished: list[tuple[object, dict[str, Any]]] = []
        self._is_first_stage = cameras is None
        self.cameras = camera_block(problem, cameras)
        self.shape = ShapeFit(problem, self._schedule)
        self._parameters = (
            None if problem.parameters is None else FittedParameters(problem, self.shape, parameters)
        )
        self._appearance: Appearance
        if settings.shading == "lit":
            self._appearance = MaterialFit(problem, self._background, stopwatch, light)
        else:
            self._appearance = BaseColourFit(problem, self._background, stopwatch)
        rasteriser = Rasteriser(problem.assembly, settings.shading, problem.lights)
        shown = self.shape.blocks or ([] if self._parameters is None else self._parameters.shown)
        self._surfaces = FittedSurfaces(
            rasteriser, shown, self._appearance.shown, stopwatch, self.shape.stacked
        )

    def begin(self) -> Generator[float]:
        """What comes before the first step: values of objects and modifiers, as far as outlines tell them,
        and what the appearance begins with; yields the fraction done."""
        settings = self._problem.settings
        if self._is_first_stage and settings.fits_look and not settings.moves_surface:
            source = self._parameter_source()
            if source is not None and self.parameters is not None:
                found = source.estimate(0, settings.seed, 0.0).gradients.get(self.parameters.name)
                if found is None:
                    return  # nobody knows yet where the surfaces are
                self.parameters.step(found, 0.0)
            yield from self._appearance.begin(self._surfaces, self.cameras.references)

    def steps(self) -> Generator[Step]:
        """The loop of the fit."""
        settings = self._problem.settings
        views = [each.view for each in self._problem.training]
        # While a texture takes shape, what no view has shown yet is what is most wrong.
        textures_alone = settings.fits_look and not settings.moves_surface and settings.shading != "lit"
        first_round = tuple(far_apart(views, settings.seed)) if textures_alone else ()
        loop = LoopSettings(
            settings.steps, len(views), settings.seed, settings.seconds, first_round=first_round
        )
        return self._loop(loop)

    def more_steps(self, count: int, after: int) -> Generator[Step]:
        """``count`` steps on top of the ``after`` that were taken, with all schedules at their end."""
        seed = self._problem.settings.seed
        return self._loop(LoopSettings(count, len(self._problem.training), seed=seed, after=after))

    def _loop(self, loop: LoopSettings) -> Generator[Step]:
        cameras = camera_source(
            self._problem,
            self._surfaces,
            self.cameras,
            self._is_first_stage,
            self._background,
            self._stopwatch,
        )
        # Cameras first: a texture that has just taken in a view no longer says where the view should be.
        light = self._appearance.light_source(self._surfaces, self.cameras.references)
        last = self._source()
        sources = [
            source for source in (cameras, self._parameter_source(), light, last) if source is not None
        ]
        ahead = self._ahead(last) if len(sources) == 1 else None
        return fit(sources, self._blocks, loop, self._stopwatch, self._stopwatch.clock, ahead)

    def _ahead(self, source: GradientSource | None) -> PictureAhead | None:
        """The source where it may draw ahead: what textures are read through stays the same from step to
        step; a shape has moved on by then."""
        if isinstance(source, FilteredTextureSource):
            return source
        settings = self._problem.settings
        draws_ahead = settings.pipelined and settings.estimator != "paper"
        return source if draws_ahead and isinstance(source, (EdgeSource, ShapeSource)) else None

    def _parameter_source(self) -> GradientSource | None:
        if self._parameters is None:
            return None
        return self._parameters.source(
            self._surfaces,
            self.cameras.references,
            self._is_first_stage,
            self._background,
            self._stopwatch,
            self._forget_places,
        )

    def _forget_places(self) -> None:
        """The values of modifiers and objects have changed, and so has what cages show."""
        self._surfaces.forget()
        self._appearance.forget_maps()

    @property
    def parameters(self) -> ValueBlock | None:
        """The values of modifiers and objects that are fitted; None where there are none."""
        return None if self._parameters is None else self._parameters.block

    @property
    def light(self) -> LightBlock | None:
        """The light that is fitted; None where it stays as it is."""
        return self._appearance.light

    def surfaces(self) -> tuple[Surface, ...]:
        """The surfaces as the fit stands, each with its current textures."""
        textures = self.textures()
        return tuple(
            replace(each, materials=tuple(with_textures(material, textures) for material in each.materials))
            for each in self.shape.surfaces()
        )

    def textures(self) -> dict[str, NDArray[np.float32]]:
        """Current fitted textures by name of their blocks, (H, W, C)."""
        return {texture.name: texture.value for texture in self._appearance.textures}

    def evidence(self) -> dict[str, NDArray[np.float32]]:
        """By material key: (H, W) how well the views of this stage and of earlier ones have shown a texel."""
        return {
            texture.name: texture.weight + self.known.get(texture.name, np.float32(0.0))
            for texture in self._appearance.textures
        }

    def complete(self) -> None:
        """Before results are shown: apply what the blocks have gathered, fill what no view saw, and extend
        the islands by the margin."""
        # Blocks replace what they show, so that these shallow copies keep the state between two steps.
        touched = {id(each): each for each in (*self._blocks, *self._appearance.textures)}
        self._unfinished = [(block, vars(block).copy()) for block in touched.values()]
        for block in self._blocks:
            block.finish()
        self._appearance.forget_maps()  # a gigabyte that nobody may ever ask for again
        self._surfaces.updated(textures=False)
        self._appearance.complete(self.evidence(), self._surfaces.assembly)

    def reopen(self) -> None:
        """Take ``complete`` back: the state in which the last step left the blocks, for steps to come."""
        while self._unfinished:
            block, state = self._unfinished.pop()
            vars(block).update(state)

    def errors(self, reference: Reference, camera: CameraState | None = None) -> tuple[float, float]:
        """Mean squared errors of what the fit stands at, over the object and over the image.

        camera: through which it is seen, and with which gain; None for the reference's own.
        """
        behind = None if self._background.is_random else self._background.behind(reference)
        if camera is None:
            return squared_errors(reference, self.render(reference.view), behind)
        colour = self.render(camera.view.resized(reference.view.width, reference.view.height))
        colour[..., :3] *= camera.gain.astype(np.float32)
        return squared_errors(reference, colour, behind)

    def render(self, view: View) -> NDArray[np.float32]:
        """(H, W, 4) linear premultiplied: what the fit stands at, through any camera."""
        return self._surfaces.updated().render(view).colour

    @property
    def _blocks(self) -> list[ParameterBlock]:
        values = [] if self._parameters is None else [self._parameters.block]
        return [*self.shape.blocks, *self._appearance.blocks, self.cameras, *values]

    def _source(self) -> GradientSource | None:
        settings, references = self._problem.settings, self.cameras.references
        if not settings.fits_look:
            return self._shape_source() if settings.moves_surface else None
        if not settings.moves_surface:
            return self._appearance.source(self._surfaces, references)
        # Short fits, too, show the texture every view at least twice.
        rounds = int(self._schedule.share * settings.steps) // (2 * len(self._problem.training))
        interval = min(max(rounds, 1), _TEXTURE_INTERVAL)
        parts = self._appearance.joint(self._surfaces, references, interval)
        if not self._is_first_stage:
            parts = replace(parts, first=0)
        return JointSource(self._shape_source(), parts, self._rest, self._schedule.share)

    def _rest(self) -> None:
        self.shape.rest()
        self.cameras.rest()

    def _shape_source(self) -> ShapeSource | StackSource | EdgeSource:
        return self.shape.source(self._surfaces, self.cameras.references, self._stopwatch, self._background)
