# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our lit shading and EEVEE's, light by light and feature by feature; pictures in $SGE_TEST_OUTPUT."""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest

from tests.blender.eevee_scene import Ball, Pair, add_light, compare, set_world

DIFFUSE, GLOSSY = 35.0, 30.0  # dB at least

# In one picture of each light.
BALLS = {
    "diffuse": Ball(roughness=1.0, specular_level=0.0),
    "smooth": Ball((0.1, 0.2, 0.4), roughness=0.1),
    "glossy": Ball((0.1, 0.2, 0.4), roughness=0.3),
    "rough": Ball((0.1, 0.2, 0.4), roughness=0.7),
    "metal": Ball((0.8, 0.5, 0.3), metallic=1.0, roughness=0.3),
    "rough metal": Ball((0.8, 0.5, 0.3), metallic=1.0, roughness=0.7),
    "half metal": Ball((0.8, 0.5, 0.3), metallic=0.5, roughness=0.5),
    "dense": Ball((0.2, 0.2, 0.2), ior=2.2, roughness=0.4),
    "thin": Ball((0.2, 0.2, 0.2), ior=1.15, roughness=0.4),
    "dull": Ball((0.2, 0.2, 0.2), specular_level=0.2, roughness=0.4),
    "shiny": Ball((0.2, 0.2, 0.2), specular_level=1.0, roughness=0.4),
    "glowing": Ball((0.4, 0.4, 0.4), emission=(0.2, 0.5, 0.1), emission_strength=0.7),
}
LIGHTS = ("sun", "point", "hard point", "spot", "rectangle", "ellipse", "world")


def shine(light: str) -> None:
    if light == "sun":
        add_light("SUN", (1.0, 2.0, 3.0), 1.2, angle=0.3)
    elif light == "point":
        add_light("POINT", (3.0, 2.0, 6.0), 900.0, shadow_soft_size=0.6)
    elif light == "hard point":  # without soft falloff, and ended by EEVEE's Light Threshold
        bpy.context.scene.eevee.light_threshold = 0.05
        add_light("POINT", (1.0, 0.5, 5.0), 700.0, shadow_soft_size=0.9, use_soft_falloff=False)
    elif light == "spot":
        add_light("SPOT", (2.0, 1.0, 7.0), 1500.0, shadow_soft_size=0.5, spot_size=1.0, spot_blend=0.4)
    elif light == "rectangle":
        add_light("AREA", (2.0, 2.0, 5.0), 500.0, shape="RECTANGLE", size=3.0, size_y=1.5)
    elif light == "ellipse":
        add_light("AREA", (2.0, 2.0, 5.0), 500.0, shape="ELLIPSE", size=3.0, size_y=1.5)
    else:
        set_world((0.5, 0.6, 0.7))


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pair]:
    """By light; rendered when first asked for."""
    return {"folder": tmp_path_factory.mktemp("agreement")}


def pair_of(light: str, pairs: dict) -> Pair:
    if light not in pairs:
        bpy.context.scene.eevee.light_threshold = 0.0
        shine(light)
        folder: Path = pairs["folder"]
        pairs[light] = compare(light.replace(" ", "_"), list(BALLS.values()), folder)
    return pairs[light]


@pytest.mark.parametrize("feature", BALLS)
@pytest.mark.parametrize("light", LIGHTS)
def test_agrees_with_eevee(light, feature, pairs, gpu_ready):
    pair = pair_of(light, pairs)
    ball = list(BALLS).index(feature)
    assert pair.is_lit(ball)
    assert pair.psnr(ball) >= (DIFFUSE if feature in ("diffuse", "glowing") else GLOSSY)


def test_lights_add_up(pairs, gpu_ready, tmp_path):
    shine("sun")
    shine("point")
    shine("rectangle")
    shine("world")
    pair = compare("all_lights", [BALLS["diffuse"], BALLS["glossy"], BALLS["half metal"]], tmp_path)
    assert min(pair.by_ball()) >= GLOSSY
