# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Principled materials under the scene's lights and world, in NumPy: the oracle of the GPU's shading."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import environment
from .ggx_polynomials import GgxLobe, ggx_lobe
from .light_response import cosine_frame, light_over, lobe_frame
from .map_shader import DERIVED_MAPS, Shaded, ShadingPoints
from .material_maps import SHADED_COLUMNS, LitMaterial
from .principled import dielectric_reflectance, mapped_normals, metal_reflectance
from .scene_lights import SceneLights

Array = NDArray[np.float64]

_STEP = 1e-4  # of central differences
_NOTHING = np.zeros((0, 3), np.float32)


@dataclass(frozen=True, eq=False)
class LightOnPoints:
    """What points receive, (P, 3). diffuse: irradiance / pi. specular: mean radiance over the lobe."""

    ggx: GgxLobe
    diffuse: Array
    specular: Array


class LitOracle:
    """A core.map_shader.MapShader in float64. materials: by the indices in ShadingPoints."""

    def __init__(self, materials: Sequence[LitMaterial | None], lights: SceneLights) -> None:
        self._materials = materials
        self._lights = lights

    def set_lights(self, lights: SceneLights) -> None:
        """As of MapShader."""
        self._lights = lights

    def prepare(self, points: ShadingPoints) -> ShadingPoints:
        """As they are."""
        return points

    def colour(
        self, prepared: ShadingPoints, values: NDArray[np.float32], lights: SceneLights | None = None
    ) -> NDArray[np.float32]:
        """As of MapShader."""
        return self._radiance(prepared, values.astype(np.float64), lights).astype(np.float32)

    def shade(
        self,
        prepared: ShadingPoints,
        values: NDArray[np.float32],
        lights: SceneLights | None = None,
        maps: Collection[str] = DERIVED_MAPS,
    ) -> Shaded:
        """As of MapShader."""
        columns = {"normal_x": 4, "normal_y": 5} | {
            name: SHADED_COLUMNS[name].start for name in ("metallic", "roughness")
        }
        exact = values.astype(np.float64)
        slopes = {
            name: self._difference(prepared, exact, slice(column, column + 1), lights)
            for name, column in columns.items()
            if name.split("_")[0] in maps
        }
        if "base_color" in maps:  # each channel depends on the same channel alone
            slopes["base_color"] = self._difference(prepared, exact, SHADED_COLUMNS["base_color"], lights)
        return Shaded(
            colour=self.colour(prepared, values, lights),
            base_color=slopes.get("base_color", _NOTHING),
            metallic=slopes.get("metallic", _NOTHING),
            roughness=slopes.get("roughness", _NOTHING),
            normal_x=slopes.get("normal_x", _NOTHING),
            normal_y=slopes.get("normal_y", _NOTHING),
        )

    def _difference(
        self, points: ShadingPoints, values: Array, columns: slice, lights: SceneLights | None
    ) -> NDArray[np.float32]:
        plus, minus = values.copy(), values.copy()
        plus[:, columns] += _STEP
        minus[:, columns] -= _STEP
        difference = self._radiance(points, plus, lights) - self._radiance(points, minus, lights)
        return (difference / (2.0 * _STEP)).astype(np.float32)

    def _radiance(self, points: ShadingPoints, values: Array, lights: SceneLights | None) -> Array:
        material = self._materials[points.material]
        assert material is not None  # of lit points
        maps = {name: values[:, columns] for name, columns in SHADED_COLUMNS.items()}
        normals = mapped_normals(
            maps["normal"],
            material.normal_strength,
            points.normal.astype(np.float64),
            points.tangent.astype(np.float64),
        )
        light = received(points, normals, maps["roughness"][:, 0], lights or self._lights)
        coat = dielectric_reflectance(light.ggx, material.ior, material.specular_level)[:, None]
        base = np.maximum(maps["base_color"], 0.0)
        matter = coat * light.specular + (1.0 - coat) * base * light.diffuse
        metal = metal_reflectance(light.ggx, base)[0] * light.specular
        metallic = np.clip(maps["metallic"], 0.0, 1.0)
        emission = material.emission_strength * maps["emission"]
        return (1.0 - metallic) * matter + metallic * metal + emission


def received(
    points: ShadingPoints, normals: NDArray[Any], roughness: Array, lights: SceneLights
) -> LightOnPoints:
    """Light of all lamps and the world. normals: (P, 3) unit, world. roughness: (P,)."""
    to_eye, positions = points.to_eye.astype(np.float64), points.position.astype(np.float64)
    ggx = ggx_lobe(roughness, np.einsum("pc,pc->p", normals, to_eye))
    cosines, lobes = cosine_frame(normals), lobe_frame(ggx, roughness, normals, to_eye)
    diffuse = environment.diffuse(lights.world, normals).astype(np.float64)
    specular = _world_specular(normals, to_eye, roughness, lights)
    for light in lights.lights:
        diffuse += light.diffuse * light_over(light, positions, normals, cosines)
        specular += light.specular * light_over(light, positions, normals, lobes)
    return LightOnPoints(ggx, diffuse, specular)


def _world_specular(normals: Array, to_eye: Array, roughness: Array, lights: SceneLights) -> Array:
    """(P, 3), from between mirror and normal: rough surfaces see more from where the normal points."""
    alpha = roughness * roughness
    smoothness = np.clip(1.0 - alpha, 0.0, 1.0)
    lean = (smoothness * (np.sqrt(smoothness) + alpha))[:, None]
    mirrored = 2.0 * np.einsum("pc,pc->p", normals, to_eye)[:, None] * normals - to_eye
    middle = normals + lean * (mirrored - normals)
    middle /= np.maximum(np.linalg.norm(middle, axis=1, keepdims=True), 1e-30)
    specular = np.zeros(normals.shape)
    each, of_point = np.unique(roughness, return_inverse=True)
    for index, value in enumerate(each):
        these = of_point == index
        specular[these] = environment.specular(lights.world, middle[these], float(value))
    return specular
