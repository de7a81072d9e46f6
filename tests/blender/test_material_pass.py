# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The GPU's shading of tables of points against the oracle."""

from __future__ import annotations

from dataclasses import replace

import bpy  # noqa: F401  (and with it gpu)
import numpy as np
import pytest

from sge_addon.core.lit_shading import LitOracle
from sge_addon.core.map_shader import DERIVED_MAPS
from sge_addon.core.material_maps import LitMaterial
from sge_addon.core.scene_lights import SceneLights, World
from sge_addon.raster.material_pass import MaterialPass
from tests.lit_points import light, points, values

COUNT = 1500  # more than a row of a table
SLOPES = ("base_color", "metallic", "roughness", "normal_x", "normal_y")
WORLD = World(np.array([0.3, 0.2, 0.4], np.float32))
LIGHTS = {
    "sun": light("sun", towards=(1.0, 2.0, 3.0), radius=0.1),
    "point": light("point", (2.0, -2.0, 2.0), radius=0.5, power=(200.0, 200.0, 300.0)),
    "hard point": light(
        "point", (0.0, 2.0, 2.0), radius=0.9, soft_falloff=False, reach=6.0, power=(200.0,) * 3
    ),
    "spot": light("spot", (0.5, 0.5, 4.0), spot_angle=0.6, spot_blend=0.5, radius=0.3, power=(900.0,) * 3),
    "rectangle": light("area", (-2.0, -1.0, 3.0), (-2.0, -1.0, 3.0), size=(1.0, 2.0), power=(200.0,) * 3),
    "ellipse": light(
        "area", (2.0, 1.0, 2.0), (1.0, 1.0, 3.0), size=(1.0, 2.0), is_ellipse=True, power=(200.0,) * 3
    ),
}
MATERIALS = (
    LitMaterial({}),
    LitMaterial({}, ior=2.0, specular_level=0.8, normal_strength=0.6, emission_strength=3.0),
)


def both(lights, material=0, seed=0):
    lit = replace(points(COUNT, seed), material=material)
    shaders = (MaterialPass(MATERIALS, lights), LitOracle(MATERIALS, lights))
    return [(shader, shader.prepare(lit)) for shader in shaders]


def worst(found, expected):
    """Largest difference, relative where values are above 1."""
    return float((np.abs(found - expected) / np.maximum(np.abs(expected), 1.0)).max())


@pytest.mark.parametrize("material", [0, 1])
@pytest.mark.parametrize("name", LIGHTS)
def test_colours_are_the_oracles(name, material, gpu_ready):
    maps = values(COUNT)
    found, expected = (s.colour(p, maps) for s, p in both(SceneLights((LIGHTS[name],), WORLD), material))
    assert expected.max() > 0.5
    assert worst(found, expected) < 5e-4
    assert np.mean(np.abs(found - expected)) < 2e-5


@pytest.mark.parametrize("lights", [(), tuple(LIGHTS.values())])
def test_lights_of_all_kinds_add_up(lights, gpu_ready):
    maps = values(COUNT)
    found, expected = (s.colour(p, maps) for s, p in both(SceneLights(lights, WORLD)))
    assert worst(found, expected) < 1e-3


@pytest.mark.parametrize("name", LIGHTS)
def test_derivatives_are_the_oracles(name, gpu_ready):
    """Where materials are rough, so that differences over finite steps are derivatives."""
    maps = values(COUNT)
    maps[:, 7] = 0.5 + 0.5 * maps[:, 7]
    found, expected = (s.shade(p, maps) for s, p in both(SceneLights((LIGHTS[name],), WORLD)))
    for slope in SLOPES:
        a, b = getattr(found, slope).ravel(), getattr(expected, slope).ravel()
        cosine = a @ b / (np.linalg.norm(a) * np.linalg.norm(b))
        assert cosine > 0.998, slope
        assert np.linalg.norm(a) == pytest.approx(np.linalg.norm(b), rel=0.02)


def test_only_what_is_asked_for_is_made(gpu_ready):
    lights = SceneLights((LIGHTS["point"],), WORLD)
    (shader, prepared), _ = both(lights)
    maps = values(COUNT)
    whole = {name: getattr(shader.shade(prepared, maps), name).copy() for name in ("colour", *SLOPES)}
    for wanted in DERIVED_MAPS:
        part = shader.shade(prepared, maps, maps=(wanted,))
        assert part.colour == pytest.approx(whole["colour"], abs=1e-5)
        for name in SLOPES:
            if name.removesuffix("_x").removesuffix("_y") == wanted:
                assert getattr(part, name) == pytest.approx(whole[name], rel=1e-3, abs=2e-3)
            else:
                assert len(getattr(part, name)) == 0


def test_other_lights_are_of_one_call(gpu_ready):
    own, other = SceneLights((LIGHTS["point"],), WORLD), SceneLights((LIGHTS["spot"],), WORLD)
    (shader, prepared), (oracle, points_) = both(own)
    maps = values(COUNT)
    assert worst(shader.colour(prepared, maps, other), oracle.colour(points_, maps, other)) < 5e-4
    assert worst(shader.colour(prepared, maps), oracle.colour(points_, maps)) < 5e-4


def test_no_point_no_colour(gpu_ready):
    shader = MaterialPass(MATERIALS, SceneLights((), WORLD))
    nothing = shader.shade(shader.prepare(points(0)), values(0))
    assert nothing.colour.shape == (0, 3)
