# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is fitted of materials where only their base colour is shown: one texture a material."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

from ..core.assembly import Assembly
from ..core.background import Background
from ..core.joint_source import JointParts
from ..core.memory_budget import JOINT_MAPS, MAPS
from ..core.protocols import GradientSource
from ..core.reference import Reference
from ..core.stopwatch import Stopwatch
from ..core.texture_block import TexelAdam, Texture, TextureBlock
from ..core.texture_fill import finished_texture
from ..core.texture_source import FilteredTextureSource
from ..raster.fitted_surfaces import FittedSurfaces
from ..raster.texel_source import TexelSource
from .problem import Problem

FittedTexture = TextureBlock | TexelAdam


class BaseColourFit:
    """An ``appearance.Appearance``."""

    light: None = None

    def __init__(self, problem: Problem, background: Background, stopwatch: Stopwatch) -> None:
        settings = problem.settings
        self._problem = problem
        self._is_joint = settings.shape and settings.texture
        self._background = background
        self._stopwatch = stopwatch
        self._filtered: FilteredTextureSource | None = None
        self.shown = [self._texture(index) for index in range(len(problem.assembly.materials))]

    @property
    def textures(self) -> list[FittedTexture]:
        """The textures that are fitted, each a block of its own."""
        return [texture for texture in self.shown if isinstance(texture, FittedTexture)]

    blocks = textures

    def _texture(self, index: int) -> Texture | None:
        """Of a material of the assembly; None where it is a constant colour."""
        material, settings = self._problem.assembly.materials[index], self._problem.settings
        if material.texture is None:
            return None
        if material.fitted and settings.texture_estimator == "texel":
            return TexelAdam(material.key, material.texture)
        if material.fitted:
            views = len(self._problem.training)
            return TextureBlock(material.key, material.texture, views, gather=not self._is_joint)
        return Texture(material.key, material.texture)

    def source(self, surfaces: FittedSurfaces, references: list[Reference]) -> GradientSource:
        """As of Appearance."""
        if self._problem.settings.texture_estimator == "texel":
            return self._texel_source(surfaces, references)
        return self._filtered_source(surfaces, references)

    def joint(self, surfaces: FittedSurfaces, references: list[Reference], interval: int) -> JointParts:
        """As of Appearance."""
        if self._problem.settings.texture_estimator == "texel":
            return JointParts(self._texel_source(surfaces, references), interval=1)
        filtered = self._filtered_source(surfaces, references)
        filtered.keep_maps(False)

        def keep_maps_and_gather() -> None:
            filtered.keep_maps(True)
            for texture in filtered.textures:
                if isinstance(texture, TextureBlock):
                    texture.gather = True

        return JointParts(filtered, interval, keep_maps_and_gather)

    def light_source(self, surfaces: FittedSurfaces, references: list[Reference]) -> None:
        """As of Appearance: no light is fitted."""

    def begin(self, surfaces: FittedSurfaces, references: list[Reference]) -> Generator[float]:
        """As of Appearance: nothing."""
        yield from ()

    def forget_maps(self) -> None:
        """As of Appearance."""
        if self._filtered is not None:
            self._filtered.clear_maps()

    def complete(self, evidence: dict[str, NDArray[np.float32]], assembly: Assembly) -> None:
        """As of Appearance."""
        margin = self._problem.settings.margin
        for material, texture in enumerate(self.shown):
            if isinstance(texture, FittedTexture):
                uvs = assembly.uvs[assembly.texture_of_triangle == material]
                texture.assign(finished_texture(texture.value, evidence[texture.name], uvs, margin))

    def _texel_source(self, surfaces: FittedSurfaces, references: list[Reference]) -> TexelSource:
        problem = self._problem
        return TexelSource(
            surfaces,
            problem.assembly,
            references,
            self.shown,
            problem.settings.loss,
            self._stopwatch,
            self._background,
        )

    def _filtered_source(
        self, surfaces: FittedSurfaces, references: list[Reference]
    ) -> FilteredTextureSource:
        problem = self._problem
        number_of_material = np.full(len(problem.assembly.materials), -1, np.int32)
        textures: list[Texture] = []
        for material, texture in enumerate(self.shown):
            if texture is not None:
                number_of_material[material] = len(textures)
                textures.append(texture)
        colours = np.asarray([material.colour for material in problem.assembly.materials], np.float32)
        self._filtered = FilteredTextureSource(
            references,
            lambda view, offset: surfaces.sample(references[view], offset),
            textures,
            number_of_material[problem.assembly.texture_of_triangle],
            fixed_colour=colours[problem.assembly.texture_of_triangle],
            loss=problem.settings.loss,
            cache_bytes=JOINT_MAPS if self._is_joint else MAPS,
            stopwatch=self._stopwatch,
        )
        return self._filtered
