# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is fitted of materials under lights: their maps, and the light."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..core.assembly import Assembly
from ..core.background import Background
from ..core.geometry_buffer import GeometryBuffer
from ..core.joint_source import JointParts
from ..core.light_block import LightBlock
from ..core.light_source import LightSource
from ..core.map_block import MapBlock
from ..core.map_group import map_groups
from ..core.map_search import search_maps
from ..core.material_maps import LitMaterial
from ..core.material_source import MaterialSource
from ..core.memory_budget import JOINT_MAPS, MAPS
from ..core.protocols import Estimate, ParameterBlock
from ..core.reference import Reference
from ..core.stopwatch import Stopwatch
from ..core.texture_fill import finished_texture
from ..raster.fitted_surfaces import FittedSurfaces
from ..raster.material_pass import MaterialPass
from .fitted_light import light_block, light_parameters, light_source
from .problem import Problem


class MaterialFit:
    """An ``appearance.Appearance`` of shading 'lit'. shown: by material, the fitted maps by name."""

    def __init__(
        self, problem: Problem, background: Background, stopwatch: Stopwatch, light: LightBlock | None = None
    ) -> None:
        """light: of the stage before."""
        self._problem = problem
        self._background = background
        self._stopwatch = stopwatch
        self._materials = [_lit(material.lit, material.key) for material in problem.assembly.materials]
        self._shader = MaterialPass(self._materials, problem.lights)
        self._by_key: dict[str, MapBlock] = {}
        self.shown = [self._blocks_of(material) for material in self._materials]
        self._groups = map_groups(self._materials, self._by_key, len(problem.training))
        parameters = light_parameters(problem.settings, problem.lights)
        self.light = light_block(parameters, self.shown, light)
        self._source: MaterialSource | None = None

    def _blocks_of(self, material: LitMaterial) -> dict[str, MapBlock]:
        """By name of the map; materials that show the same image share its block."""
        blocks = {}
        for name, each in material.maps.items():
            if each.fitted:
                if each.key not in self._by_key:
                    self._by_key[each.key] = MapBlock(each.key, name, each.texture)
                blocks[name] = self._by_key[each.key]
        return blocks

    @property
    def textures(self) -> list[MapBlock]:
        """The maps that are fitted."""
        return list(self._by_key.values())

    @property
    def blocks(self) -> list[ParameterBlock]:
        """As of Appearance."""
        return [*self._groups, *([] if self.light is None else [self.light])]

    def source(self, surfaces: FittedSurfaces, references: list[Reference]) -> MaterialSource:
        """As of Appearance."""
        if self._source is None:
            problem, settings = self._problem, self._problem.settings
            self._source = MaterialSource(
                references,
                lambda view, offset: surfaces.geometry(references[view], offset),
                self._materials,
                self._by_key,
                problem.assembly.texture_of_triangle,
                self._shader,
                loss=settings.loss,
                background=self._background.steady,
                cache_bytes=JOINT_MAPS if settings.moves_surface else MAPS,
                stopwatch=self._stopwatch,
            )
        return self._source

    def begin(self, surfaces: FittedSurfaces, references: list[Reference]) -> Generator[float]:
        """As of Appearance: a search for where to start, where the light is known."""
        settings = self._problem.settings
        if not settings.search or settings.light != "scene":
            return
        search = search_maps(self.source(surfaces, references), self._groups)
        while True:
            with self._stopwatch.stage("search"):
                fraction = next(search, None)
            if fraction is None:
                return
            yield fraction

    def joint(self, surfaces: FittedSurfaces, references: list[Reference], interval: int) -> JointParts:
        """As of Appearance."""
        source = self.source(surfaces, references)
        source.maps.keeps = False

        def through(view: int, seen: GeometryBuffer) -> Estimate:
            return source.estimate_from(view, [seen])

        on_rest = partial(setattr, source.maps, "keeps", True)
        return JointParts(source, interval, on_rest, through, first=len(references))

    def light_source(self, surfaces: FittedSurfaces, references: list[Reference]) -> LightSource | None:
        """As of Appearance."""
        if self.light is None:
            return None
        source = self.source(surfaces, references)
        rasteriser = surfaces.updated(textures=False)
        return light_source(self.light, source, rasteriser, self._problem.settings, self._stopwatch)

    def forget_maps(self) -> None:
        """As of Appearance."""
        if self._source is not None:
            self._source.maps.clear()

    def complete(self, evidence: dict[str, NDArray[np.float32]], assembly: Assembly) -> None:
        """As of Appearance."""
        margin = self._problem.settings.margin
        shown_by: dict[str, list[NDArray[np.float32]]] = {}
        for number, material in enumerate(self._materials):
            uvs = assembly.uvs[assembly.texture_of_triangle == number]
            for each in material.maps.values():
                if each.fitted:
                    placed = uvs @ each.uv_transform[:, :2].T + each.uv_transform[:, 2]
                    shown_by.setdefault(each.key, []).append(placed)
        for key, block in self._by_key.items():
            if block.value.shape[:2] != (1, 1):
                uvs = np.concatenate(shown_by[key])
                block.assign(finished_texture(block.value, evidence[key], uvs, margin))


def _lit(material: LitMaterial | None, key: str) -> LitMaterial:
    if material is None:
        raise ValueError(f"material {key!r} was read without its maps")
    return material
