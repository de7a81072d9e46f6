# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lights found again under the Principled shading itself, with highlights, by its oracle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sge_addon.core.light_block import LightBlock
from sge_addon.core.light_parameters import (
    LightParameters,
    LightState,
    scene_light_parameters,
    unknown_light_parameters,
)
from sge_addon.core.light_source import LightSource
from sge_addon.core.lit_pixels import LitPixels
from sge_addon.core.lit_shading import LitOracle
from sge_addon.core.material_maps import SHADED_COLUMNS
from sge_addon.core.scene_lights import Light, SceneLights, World
from sge_addon.core.stopwatch import Stopwatch
from tests.core.plain_shader import ball, maps, point_light
from tests.lit_scene import lit_material

POINTS = 200


def lamp(kind: str, position: tuple[float, float, float], power: tuple[float, float, float], **more: object):
    """A lamp that shines on the origin."""
    light = replace(point_light(kind.title(), position, power), kind=kind, **more)
    back = np.float32(position) / np.linalg.norm(position)
    side = np.cross([0.0, 0.0, 1.0], back)
    side /= np.linalg.norm(side)
    return replace(light, axes=np.stack([side, np.cross(back, side), back]).astype(np.float32))


LIGHTS: tuple[Light, ...] = (
    lamp("area", (2.5, 1.0, 1.5), (90.0, 80.0, 60.0), size=(1.0, 0.5)),
    lamp("spot", (-2.0, 1.5, 0.5), (60.0, 90.0, 120.0), spot_angle=0.9, spot_blend=0.3),
    lamp("sun", (0.5, -2.0, 1.0), (1.0, 1.1, 0.8), radius=0.05),
)


class Shown:
    """A LitPixelReader of one view of a ball of plastic and metal under a light."""

    def __init__(self, true: SceneLights) -> None:
        self.points = ball(POINTS, 0)
        self.values = maps(POINTS, 1)
        self.values[::3, SHADED_COLUMNS["metallic"]] = 1.0
        self.shader = LitOracle([lit_material("one")], true)
        self.target = self.shader.colour(self.points, self.values)

    def lit_pixels(self, view: int, count: int, seed: int) -> list[LitPixels]:
        return [LitPixels(self.points, self.values, self.target, np.ones(POINTS, np.float32))]


def found(parameters: LightParameters, shown: Shown) -> LightBlock:
    block = LightBlock(parameters)
    light = LightSource(block, shown, shown.shader, 1, "l1", 0, Stopwatch())
    block.step(light.estimate(0, 0, 0.0).gradients["light"], 0.0)
    return block


def otherwise() -> tuple[Light, ...]:
    """The lights dimmer, and all white."""
    return tuple(replace(light, power=np.full(3, 0.3 * light.power.mean(), np.float32)) for light in LIGHTS)


def test_lamps_of_every_kind_and_the_world_are_found_within_a_hundredth() -> None:
    world = World(np.float32([0.3, 0.25, 0.2]))
    shown = Shown(SceneLights(LIGHTS, world))
    given = SceneLights(otherwise(), World(np.ones(3, np.float32)))
    block = found(scene_light_parameters(given), shown)
    for light, true in zip(block.lights.lights, LIGHTS, strict=True):
        assert np.allclose(light.power, true.power, rtol=0.01)
    assert np.allclose(block.lights.world.gain, world.gain, rtol=0.01)


def test_an_unknown_light_is_found_with_known_maps() -> None:
    harmonics = unknown_light_parameters().start.coefficients.astype(np.float32)
    harmonics[1:] = 0.15 * np.random.default_rng(5).normal(size=(8, 3))
    shown = Shown(SceneLights((), World(np.ones(3, np.float32), harmonics=harmonics)))
    block = found(unknown_light_parameters(), shown)
    assert np.abs(block.state.coefficients - harmonics).max() < 0.02
    seen = shown.shader.colour(shown.points, shown.values, block.lights)
    assert np.abs(seen - shown.target).max() < 0.005


def test_the_sum_of_what_each_coefficient_adds_is_the_whole_light() -> None:
    """Of any light that is positive everywhere: derivatives of it are exact."""
    shown = Shown(SceneLights((), World(np.ones(3, np.float32), harmonics=np.zeros((9, 3), np.float32))))
    parameters = unknown_light_parameters()
    floor, *raised = (
        shown.shader.colour(shown.points, shown.values, lights)
        for lights in parameters.probes(parameters.start)
    )
    rng = np.random.default_rng(6)
    coefficients = parameters.floor * 1.3 + 0.2 * rng.normal(size=(9, 3))
    summed = floor + sum(
        (seen - floor) * ((coefficients[k] - parameters.floor[k]) / parameters.probe[k])
        for k, seen in enumerate(raised)
    )
    whole = shown.shader.colour(shown.points, shown.values, parameters.lights(LightState(coefficients)))
    assert np.abs(summed - whole).max() < 1e-4
