# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shading of tables of points on the GPU: one pass makes colours and what they change by."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache

import gpu
import numpy as np
from numpy.typing import NDArray

from ..core.map_shader import DERIVED_MAPS, Shaded, ShadingPoints
from ..core.material_maps import MAP_KINDS, SHADED_WIDTH, LitMaterial
from ..core.scene_lights import SceneLights
from .geometry import screen_batch
from .lit_resources import LitResources
from .program import Program, build_program
from .tables import TABLE_WIDTH, Reader, table_size, upload_table
from .targets import TargetPool, drawing

Array = NDArray[np.float32]

_OUTPUTS = {
    "base_color": ("d_base_color",),
    "metallic": ("d_metallic",),
    "roughness": ("d_roughness",),
    "normal": ("d_normal_x", "d_normal_y"),
}
_NOTHING: Array = np.zeros((0, 3), np.float32)


@dataclass(frozen=True, eq=False)
class PreparedPoints:
    """Points on the GPU. count: their number. table: four rows each. material: as in ShadingPoints."""

    count: int
    table: gpu.types.GPUTexture
    material: int


class MaterialPass:
    """A core.map_shader.MapShader. materials: by the indices in ShadingPoints."""

    def __init__(self, materials: Sequence[LitMaterial | None], lights: SceneLights) -> None:
        self._constants = [None if material is None else lit_constants(material) for material in materials]
        self._lights = lights
        self._resources = LitResources(lights)
        self._targets = TargetPool(capacity=8)
        self._reader = Reader()
        self._screen = screen_batch()
        self._rows: Array = np.zeros((0, 4), np.float32)

    def set_lights(self, lights: SceneLights) -> None:
        """As of MapShader."""
        self._lights = lights

    def prepare(self, points: ShadingPoints) -> PreparedPoints:
        """The points as a table on the GPU."""
        rows = np.zeros((len(points.position), 4, 4), np.float32)
        rows[:, 0, :3] = points.position
        rows[:, 0, 3] = points.tangent[:, 3]
        rows[:, 1, :3] = points.normal
        rows[:, 2, :3] = points.tangent[:, :3]
        rows[:, 3, :3] = points.to_eye
        return PreparedPoints(len(rows), upload_table(rows.reshape(-1, 4)), points.material)

    def shade(
        self,
        prepared: PreparedPoints,
        values: Array,
        lights: SceneLights | None = None,
        maps: Collection[str] = DERIVED_MAPS,
    ) -> Shaded:
        """As of MapShader. Derivatives to base colour and metallic are exact, those to roughness and normal
        are central differences over MAP_KINDS' epsilon."""
        wanted = tuple(name for name in DERIVED_MAPS if name in maps)
        read = self._drawn(prepared, values, lights, wanted)
        return Shaded(
            colour=read["colour"],
            base_color=read.get("d_base_color", _NOTHING),
            metallic=read.get("d_metallic", _NOTHING),
            roughness=read.get("d_roughness", _NOTHING),
            normal_x=read.get("d_normal_x", _NOTHING),
            normal_y=read.get("d_normal_y", _NOTHING),
        )

    def colour(self, prepared: PreparedPoints, values: Array, lights: SceneLights | None = None) -> Array:
        """As of MapShader."""
        return self._drawn(prepared, values, lights, ())["colour"]

    def _drawn(
        self, prepared: PreparedPoints, values: Array, lights: SceneLights | None, wanted: tuple[str, ...]
    ) -> dict[str, Array]:
        """(P, 3) by output."""
        if prepared.count == 0:
            return dict.fromkeys(("colour", *_outputs(wanted)), _NOTHING)
        resources = self._resources
        resources.set_lights(lights or self._lights)
        program = _table_program(
            resources.sources, resources.samplers, _rows(resources), resources.defines, wanted
        )
        formats = dict.fromkeys(("colour", *_outputs(wanted)), "RGBA32F")
        width, height = table_size(prepared.count)
        target = self._targets.get("table", width, height, formats, depth=False)
        bound = resources.values() | {  # kept until it is drawn
            "points": prepared.table,
            "values": self._uploaded(values),
            "point_count": prepared.count,
            "lit_constants": self._constants[prepared.material],
        }
        with drawing(target, "NONE"):
            program.bind(bound)
            self._screen.draw(program.shader)
        return {
            name: self._reader.read(target, slot, 4, "FLOAT").reshape(-1, 4)[: prepared.count, :3]
            for slot, name in enumerate(formats)
        }

    def _uploaded(self, values: Array) -> gpu.types.GPUTexture:
        """(P, 12) as a table of three rows a point."""
        rows = values.size // 4
        padded = TABLE_WIDTH * table_size(rows)[1]
        if len(self._rows) < padded:
            self._rows = np.zeros((padded, 4), np.float32)
        self._rows[:rows].reshape(-1, SHADED_WIDTH)[:] = values
        return upload_table(self._rows[:padded])


def lit_constants(material: LitMaterial) -> tuple[float, float, float, float]:
    """What of a material is the same everywhere: ``lit_constants`` of the shaders."""
    return (material.ior, material.specular_level, material.normal_strength, material.emission_strength)


def _outputs(wanted: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(output for name in wanted for output in _OUTPUTS[name])


def _rows(resources: LitResources) -> tuple[tuple[str, int], ...]:
    return tuple(resources.blocks.items())


@cache
def _table_program(
    sources: tuple[str, ...],
    samplers: tuple[str, ...],
    blocks: tuple[tuple[str, int], ...],
    defines: tuple[str, ...],
    wanted: tuple[str, ...],
) -> Program:
    """points, values -> colour and the wanted derivatives."""
    steps = (f"SGE_STEP_{name.upper()} {MAP_KINDS[name].epsilon}" for name in ("roughness", "normal"))
    return build_program(
        sources=(("screen_vert",), ("table", *sources, "lit_table_frag")),
        inputs={"corner": "VEC2"},
        outputs=dict.fromkeys(("colour", *_outputs(wanted)), "VEC4"),
        samplers=("points", "values", *samplers),
        constants={"point_count": "INT", "lit_constants": "VEC4"},
        defines=(*defines, *steps, *(f"SGE_D_{name.upper()}" for name in wanted)),
        blocks=dict(blocks),
    )
