# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The oracle of lit shading against what is known of light: closed forms, integrals, energy, derivatives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sge_addon.core.errors import FitError
from sge_addon.core.ggx_polynomials import ggx_lobe
from sge_addon.core.light_response import clipped_ball, cosine_frame, light_over, lobe_frame
from sge_addon.core.light_rows import MAX_LIGHTS, light_rows
from sge_addon.core.lit_shading import LitOracle
from sge_addon.core.material_maps import MAP_KINDS, LitMaterial
from sge_addon.core.principled import mapped_normals
from sge_addon.core.scene_lights import SceneLights, World
from tests.lit_points import light, points, unit, values

UP = np.array([[0.0, 0.0, 1.0]])


def material(**settings):
    return LitMaterial({}, **settings)


def hemisphere(count):
    """Directions and the solid angle of each."""
    k = np.arange(count) + 0.5
    z, angle = 1.0 - k / count, np.pi * (1.0 + 5.0**0.5) * k
    ring = np.sqrt(1.0 - z * z)
    return np.stack([ring * np.cos(angle), ring * np.sin(angle), z], axis=1), 2.0 * np.pi / count


def irradiance(lamp, position, normal):
    """(3,) over pi, by the formula."""
    frames = cosine_frame(np.asarray(normal, float)[None])
    return light_over(lamp, np.asarray(position, float)[None], np.asarray(normal, float)[None], frames)[0]


def test_a_sun_gives_its_power_times_the_cosine():
    normal = unit(np.array([0.3, -0.2, 0.9]))
    assert irradiance(light("sun"), (5.0, 6.0, 7.0), normal) == pytest.approx(
        np.array([1.0, 2.0, 3.0]) * normal[2] / np.pi, rel=1e-5
    )


def test_a_small_lamp_falls_off_with_the_square_of_the_distance():
    # Blender's point lights of W watts have a radiant intensity of W / (4 pi^2) per steradian.
    for distance in (2.0, 4.0):
        found = irradiance(light("point", (0.0, 0.0, distance), radius=0.01), (0, 0, 0), (0, 0, 1))
        # Over pi, as every irradiance here: 1 / (4 pi^2 d^2).
        assert found == pytest.approx(np.array([1.0, 2.0, 3.0]) / (4.0 * np.pi**2 * distance**2), rel=1e-3)


def test_a_ball_without_soft_falloff_is_seen_as_large_as_it_is():
    lamp = light("point", (0.0, 0.0, 2.0), radius=1.0, soft_falloff=False)
    radiance = 1.0 / (4.0 * np.pi**2)
    assert irradiance(lamp, (0, 0, 0), (0, 0, 1))[0] == pytest.approx(radiance * 0.25, rel=1e-5)


def test_a_spot_light_is_a_point_light_inside_its_cone_and_nothing_outside():
    inside, outside = (0.1, 0.0, 0.0), (3.0, 0.0, 0.0)
    spot = light("spot", (0.0, 0.0, 3.0), spot_angle=0.8, spot_blend=0.1, radius=0.1)
    point = replace(spot, kind="point")
    assert irradiance(spot, inside, UP[0]) == pytest.approx(irradiance(point, inside, UP[0]))
    assert not irradiance(spot, outside, UP[0]).any()


def test_a_light_ends_at_its_reach():
    lamp = light("point", (0.0, 0.0, 3.0), radius=0.1)
    assert irradiance(replace(lamp, reach=6.0), (0, 0, 0), UP[0])[0] == pytest.approx(
        irradiance(lamp, (0, 0, 0), UP[0])[0] * (1.0 - 0.5**4) ** 2
    )
    assert not irradiance(replace(lamp, reach=2.9), (0, 0, 0), UP[0]).any()


@pytest.mark.parametrize("is_ellipse", [False, True])
def test_an_area_light_is_the_integral_over_its_surface(is_ellipse):
    lamp = light("area", (0.4, 0.3, 1.5), towards=(0.3, 0.1, 1.0), size=(1.0, 2.0), is_ellipse=is_ellipse)
    grid = (np.arange(400) + 0.5) / 400 * 2.0 - 1.0
    u, v = (each.ravel() for each in np.meshgrid(grid, grid))
    if is_ellipse:
        u, v = u[u**2 + v**2 <= 1.0], v[u**2 + v**2 <= 1.0]
    places = lamp.position + 0.5 * u[:, None] * lamp.axes[0] + 1.0 * v[:, None] * lamp.axes[1]
    distance = np.linalg.norm(places, axis=1)
    towards = places / distance[:, None]
    cosines = np.maximum(towards[:, 2], 0.0) * np.maximum(towards @ lamp.axes[2], 0.0)
    # Power is spread evenly: radiance = W / (pi area), so that the area cancels.
    expected = np.mean(cosines / distance**2) / np.pi**2
    assert irradiance(lamp, (0, 0, 0), UP[0])[0] == pytest.approx(expected, rel=2e-3)


def test_an_area_light_shines_from_one_side():
    lamp = light("area", (0.0, 0.0, 2.0), towards=(0.0, 0.0, -1.0), size=(1.0, 1.0))
    assert not irradiance(lamp, (0, 0, 0), UP[0]).any()


def test_a_ball_half_below_the_horizon_gives_what_is_above():
    directions, share = hemisphere(200_000)
    for angle, half in ((1.3, 0.5), (np.pi / 2, 0.4), (1.8, 0.6), (0.2, 0.3)):
        middle = np.array([np.sin(angle), 0.0, np.cos(angle)])
        inside = directions @ middle > np.cos(half)
        expected = directions[inside, 2].sum() * share / np.pi
        found = clipped_ball(np.array(np.cos(angle)), np.array(np.sin(half) ** 2))
        assert found == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize("kind", ["point", "area"])
def test_light_over_a_lobe_is_the_integral_over_the_lobe(kind):
    """The map of directions is an integral of its own: the lobe's density by its Jacobian."""
    roughness, eye = np.array([0.4]), unit(np.array([[0.6, 0.2, 0.7]]))
    lobe = lobe_frame(ggx_lobe(roughness, eye[:, 2]), roughness, UP, eye)[0]
    directions, share = hemisphere(400_000)
    mapped = directions @ lobe.T
    length = np.linalg.norm(mapped, axis=1)
    density = np.maximum(mapped[:, 2], 0.0) / length**4 * abs(np.linalg.det(lobe)) / np.pi
    assert density.sum() * share == pytest.approx(1.0, abs=0.02)
    mirrored = 2.0 * eye[0, 2] * UP[0] - eye[0]
    rest = {"radius": 0.8} if kind == "point" else {"size": (1.5, 0.8), "is_ellipse": True}
    lamp = light(kind, 3.0 * mirrored + (0.1, 0.2, 0.0), towards=mirrored, soft_falloff=False, **rest)
    if kind == "point":
        place = lamp.position / np.linalg.norm(lamp.position)
        hit = directions @ place > np.sqrt(1.0 - (0.8 / np.linalg.norm(lamp.position)) ** 2)
        radiance = 1.0 / (4.0 * np.pi**2 * 0.8**2)
    else:
        at = directions * ((lamp.position @ lamp.axes[2]) / (directions @ lamp.axes[2]))[:, None]
        u, v = ((at - lamp.position) @ lamp.axes[k] / half for k, half in ((0, 0.75), (1, 0.4)))
        hit = (u**2 + v**2 <= 1.0) & (directions @ lamp.axes[2] > 0.0)
        radiance = 1.0 / (np.pi * np.pi * 0.75 * 0.4)
    expected = radiance * density[hit].sum() * share
    found = light_over(lamp, np.zeros((1, 3)), UP, lobe[None])[0, 0]
    assert found == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("roughness", [0.1, 0.3, 0.6, 1.0])
@pytest.mark.parametrize("cosine", [0.25, 0.6, 1.0])
def test_polynomials_are_the_integral_of_ggx(roughness, cosine):
    alpha = roughness**2
    eye = np.array([np.sqrt(1.0 - cosine**2), 0.0, cosine])
    # Over half vectors, in which even sharp lobes are smooth: d light = 4 (h . eye) d half.
    first, second = (np.arange(800) + 0.5) / 800, (np.arange(400) + 0.5) / 400 * 2.0 * np.pi
    tangent = alpha * np.sqrt(first / (1.0 - first))  # equal probability by D(h) n . h
    z = 1.0 / np.sqrt(1.0 + tangent**2)
    half = np.stack(
        [
            np.outer(tangent * z, np.cos(second)),
            np.outer(tangent * z, np.sin(second)),
            np.outer(z, np.ones(400)),
        ],
        axis=-1,
    ).reshape(-1, 3)
    facet = half @ eye
    lit = 2.0 * facet * half[:, 2] - cosine

    def unshadowed(c):
        c2 = np.clip(c, 1e-6, 1.0) ** 2
        return 2.0 / (1.0 + np.sqrt(1.0 + alpha**2 * (1.0 - c2) / c2))

    weight = np.where((lit > 0) & (facet > 0), unshadowed(lit) * unshadowed(cosine) * facet, 0.0)
    weight /= cosine * half[:, 2]
    found = ggx_lobe(np.array(roughness), np.array(cosine))
    assert found.albedo == pytest.approx(weight.mean(), abs=0.015)
    assert found.facing == pytest.approx((weight * (1.0 - facet).clip(0) ** 5).mean(), abs=0.01)


def test_a_white_metal_in_a_white_world_is_invisible():
    lit = points(200)
    white = values(200, base_color=1.0, metallic=1.0, emission=0.0)
    found = LitOracle([material()], SceneLights((), World(np.ones(3, np.float32)))).colour(lit, white)
    assert found == pytest.approx(np.ones((200, 3)), abs=1e-6)


def test_nothing_reflects_more_than_it_receives():
    lit = points(500)
    world = SceneLights((), World(np.ones(3, np.float32)))
    for ior, level in ((1.5, 0.5), (2.5, 1.0), (1.05, 0.5), (0.7, 0.5)):
        shader = LitOracle([material(ior=ior, specular_level=level)], world)
        found = shader.colour(lit, values(500, base_color=1.0, emission=0.0))
        assert found.max() <= 1.02
        assert found.min() >= 0.85


def test_no_specular_level_leaves_lambert():
    lit, lamp = points(50), light("sun", towards=(1.0, 1.0, 1.0))
    flat = values(50, metallic=0.0, emission=0.0, normal=(0.0, 0.0, 1.0))
    found = LitOracle([material(specular_level=0.0)], SceneLights((lamp,))).colour(lit, flat)
    cosines = np.maximum(lit.normal @ lamp.axes[2], 0.0)[:, None]
    assert found == pytest.approx(flat[:, :3] * cosines * np.array([1.0, 2.0, 3.0]) / np.pi, abs=1e-4)


def test_emission_comes_on_top():
    lit, plain = points(20), values(20)
    dark = LitOracle([material(emission_strength=2.0)], SceneLights())
    assert dark.colour(lit, plain) == pytest.approx(2.0 * plain[:, 8:11], abs=1e-6)


def test_factors_take_diffuse_and_specular_light_away():
    lit = points(100)
    lamp = light("point", (2.0, 1.0, 3.0), radius=0.5, power=(100.0, 100.0, 100.0))
    black, metal = values(100, base_color=0.0, emission=0.0), values(100, metallic=1.0, emission=0.0)
    no_specular = LitOracle([material()], SceneLights((replace(lamp, specular=0.0),)))
    assert not no_specular.colour(lit, black).any()
    no_diffuse = LitOracle([material()], SceneLights((replace(lamp, diffuse=0.0),)))
    both = LitOracle([material()], SceneLights((lamp,)))
    assert (no_diffuse.colour(lit, metal) == both.colour(lit, metal)).all()


def test_strength_of_the_normal_map():
    normal, tangent = UP, np.array([[1.0, 0.0, 0.0, 1.0]])
    mapped = unit(np.array([[0.3, -0.4, 0.8]]))
    assert mapped_normals(mapped, 0.0, normal, tangent) == pytest.approx(UP)
    assert mapped_normals(mapped, 1.0, normal, tangent) == pytest.approx(mapped)
    left_handed = mapped_normals(mapped, 1.0, normal, tangent * (1, 1, 1, -1))
    assert left_handed == pytest.approx(mapped * (1, -1, 1))
    double = mapped_normals(mapped, 2.0, normal, tangent)
    assert double == pytest.approx(unit(mapped * (2.0, 2.0, 1.0)))


def test_derivatives_are_those_of_the_colour():
    lit, start = points(40), values(40, roughness=0.5)
    lamp = light("area", (2.0, 2.0, 3.0), towards=(2.0, 2.0, 3.0), size=(2.0, 1.0), power=(90.0, 80.0, 70.0))
    shader = LitOracle([material()], SceneLights((lamp,), World(np.full(3, 0.2, np.float32))))
    slopes = shader.shade(lit, start)
    for name, column in (("metallic", 3), ("roughness", 7), ("normal_x", 4), ("normal_y", 5)):
        step = np.zeros(12, np.float32)
        step[column] = MAP_KINDS[name.split("_")[0]].epsilon / 8
        found = (shader.colour(lit, start + step) - shader.colour(lit, start - step)) / (2.0 * step[column])
        assert getattr(slopes, name) == pytest.approx(found, rel=0.02, abs=2e-3)
    assert shader.shade(lit, start, maps=("metallic",)).roughness.shape == (0, 3)


def test_too_many_lights_are_refused():
    with pytest.raises(FitError, match="lights"):
        light_rows([light("sun")] * (MAX_LIGHTS + 1))
