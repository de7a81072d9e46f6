# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is fitted of materials under lights: their maps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..core.background import Background
from ..core.geometry_buffer import GeometryBuffer
from ..core.joint_source import JointParts
from ..core.map_block import MapBlock
from ..core.map_group import map_groups
from ..core.material_maps import LitMaterial
from ..core.material_source import MaterialSource
from ..core.protocols import Estimate
from ..core.reference import Reference
from ..core.stopwatch import Stopwatch
from ..core.texture_fill import finished_texture
from ..raster.fitted_surfaces import FittedSurfaces
from ..raster.material_pass import MaterialPass
from .appearance import CACHE_BYTES, JOINT_CACHE_BYTES
from .problem import Problem


class MaterialFit:
    """An ``appearance.Appearance`` of shading 'lit'. shown: by material, the fitted maps by name."""

    def __init__(self, problem: Problem, background: Background, stopwatch: Stopwatch) -> None:
        self._problem = problem
        self._background = background
        self._stopwatch = stopwatch
        self._source: MaterialSource | None = None
        views = len(problem.training)
        self._materials = [_lit(material.lit, material.key) for material in problem.assembly.materials]
        self._shader = MaterialPass(self._materials, problem.lights)
        self._by_key: dict[str, MapBlock] = {}
        for material in self._materials:
            for name, each in material.maps.items():
                if each.fitted and each.key not in self._by_key:
                    self._by_key[each.key] = MapBlock(each.key, name, each.texture)
        self.shown = [
            {name: self._by_key[each.key] for name, each in material.maps.items() if each.fitted}
            for material in self._materials
        ]
        self.stepped = map_groups(self._materials, self._by_key, views)

    @property
    def blocks(self) -> list[MapBlock]:
        """The maps that are fitted."""
        return list(self._by_key.values())

    def source(self, surfaces: FittedSurfaces, references: list[Reference]) -> MaterialSource:
        """As of Appearance."""
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
            cache_bytes=JOINT_CACHE_BYTES if settings.shape else CACHE_BYTES,
            stopwatch=self._stopwatch,
        )
        return self._source

    def joint(self, surfaces: FittedSurfaces, references: list[Reference], interval: int) -> JointParts:
        """As of Appearance."""
        source = self.source(surfaces, references)
        source.keeps_maps = False

        def keep_maps() -> None:
            source.keeps_maps = True

        def through(view: int, seen: GeometryBuffer) -> Estimate:
            return source.estimate_from(view, [seen])

        return JointParts(source, interval, keep_maps, through)

    def forget_maps(self) -> None:
        """As of Appearance."""
        if self._source is not None:
            self._source.forget_maps()

    def complete(self, evidence: dict[str, NDArray[np.float32]]) -> None:
        """As of Appearance."""
        assembly, margin = self._problem.assembly, self._problem.settings.margin
        for number, (material, maps) in enumerate(zip(self._materials, self.shown, strict=True)):
            uvs = assembly.uvs[assembly.texture_of_triangle == number]
            for name, block in maps.items():
                if block.value.shape[:2] == (1, 1):
                    continue
                transform = material.maps[name].uv_transform
                placed = uvs @ transform[:, :2].T + transform[:, 2]
                block.assign(finished_texture(block.value, evidence[block.name], placed, margin))


def _lit(material: LitMaterial | None, key: str) -> LitMaterial:
    if material is None:
        raise ValueError(f"material {key!r} was read without its maps")
    return material
