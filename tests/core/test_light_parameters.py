# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The light as numbers: there and back, and which of them are free."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sge_addon.core.errors import FitError
from sge_addon.core.light_parameters import (
    CONSTANT,
    LightState,
    scene_light_parameters,
    turned,
    unknown_light_parameters,
)
from sge_addon.core.scene_lights import SceneLights, World
from sge_addon.core.spherical_harmonics import basis
from tests.core.plain_shader import point_light

IMAGE = np.ones((4, 8, 3), np.float32)
GIVEN = SceneLights(
    (
        point_light("Key", (3.0, 0.0, 3.0), (40.0, 30.0, 20.0)),
        point_light("Off", (0.0, 3.0, 0.0), (0.0, 0.0, 0.0)),
        point_light("Shade", (0.0, -3.0, 0.0), (-5.0, -5.0, 0.0)),
    ),
    World(np.float32([0.5, 0.6, 0.7]), IMAGE),
)


def test_the_start_stands_for_the_given_light() -> None:
    parameters = scene_light_parameters(GIVEN)
    lights = parameters.lights(parameters.start)
    for made, given in zip(lights.lights, GIVEN.lights, strict=True):
        assert np.array_equal(made.power, given.power)
        assert made.position is given.position
    assert np.array_equal(lights.world.gain, GIVEN.world.gain)
    assert np.array_equal(lights.world.rotation, GIVEN.world.rotation)


def test_the_image_of_the_world_is_the_very_same_in_every_state() -> None:
    """What is made of it (a prefiltered chain) need not be made again."""
    parameters = scene_light_parameters(GIVEN)
    states = [parameters.lights(LightState(2.0 * parameters.start.coefficients, 0.3))]
    assert all(lights.world.image is IMAGE for lights in states + parameters.probes(parameters.start))


def test_a_light_that_is_off_stays_off_and_one_that_darkens_still_does() -> None:
    parameters = scene_light_parameters(GIVEN)
    assert parameters.free.tolist() == [True, False, True, True]
    lights = parameters.lights(LightState(np.full((4, 3), 7.0)))
    assert np.array_equal(lights.lights[2].power, np.float32([-7.0, -7.0, 7.0]))


def test_only_an_image_can_be_turned() -> None:
    assert scene_light_parameters(GIVEN).turns
    constant = SceneLights(GIVEN.lights, World(np.ones(3, np.float32)))
    assert not scene_light_parameters(constant).turns


def test_the_turn_is_anticlockwise_from_above() -> None:
    """What shone from +X shines from +Y after a quarter turn."""
    world = turned(World(image=IMAGE), np.pi / 2)
    assert np.allclose(world.rotation @ np.float32([0.0, 1.0, 0.0]), [1.0, 0.0, 0.0], atol=1e-6)


def test_a_step_stops_at_darkness() -> None:
    parameters = scene_light_parameters(GIVEN)
    state = parameters.stepped(parameters.start, np.append(np.full(12, -100.0), 0.25))
    assert np.array_equal(state.coefficients, np.zeros((4, 3)))
    assert state.turn == 0.25


def test_a_scene_without_light_is_refused_with_the_remedy() -> None:
    with pytest.raises(FitError, match="Light 'fit': the scene has no light that is on"):
        scene_light_parameters(SceneLights())


def test_an_unknown_light_begins_as_one_from_all_sides_and_its_probes_shine_nowhere_below_zero() -> None:
    parameters = unknown_light_parameters()
    directions = np.random.default_rng(0).normal(size=(500, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    for number, lights in enumerate(parameters.probes(parameters.start)):
        assert lights.world.harmonics is not None
        radiance = basis(directions) @ lights.world.harmonics
        assert radiance.min() > 0.0
        if number == 0:
            assert np.allclose(radiance, 1.0)
            assert np.allclose(lights.world.harmonics[0], CONSTANT)


def test_a_lamp_of_four_times_the_power_reaches_twice_as_far_unless_its_reach_is_set() -> None:
    lamp = replace(point_light("Lamp", (0.0, 0.0, 3.0), (10.0, 10.0, 10.0)), reach=5.0)
    held = replace(lamp, name="Held", reach_is_set=True)
    parameters = scene_light_parameters(SceneLights((lamp, held)))
    lights = parameters.lights(LightState(4.0 * parameters.start.coefficients)).lights
    assert [light.reach for light in lights] == [10.0, 5.0]
