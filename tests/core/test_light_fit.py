# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lights are found again from what they lit: known maps, then maps that are fitted beside them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from sge_addon.core.light_block import GREY, LightBlock
from sge_addon.core.light_fit import LightFit
from sge_addon.core.light_parameters import (
    CONSTANT,
    LightParameters,
    scene_light_parameters,
    turned,
    unknown_light_parameters,
)
from sge_addon.core.light_source import LightSchedule, LightSource
from sge_addon.core.lit_pixels import ShadedPixels, pixels_of_views
from sge_addon.core.material_maps import SHADED_COLUMNS
from sge_addon.core.scene_lights import SceneLights, World
from sge_addon.core.spherical_harmonics import basis
from sge_addon.core.stopwatch import Stopwatch
from tests.core.plain_shader import BallPixels, PlainShader, ball, point_light

BASE = SHADED_COLUMNS["base_color"]
VIEWS = 4


def three_lights(world: World | None = None) -> SceneLights:
    return SceneLights(
        (
            point_light("Key", (3.0, 1.0, 2.0), (9.0, 8.0, 7.0)),
            point_light("Fill", (-3.0, 2.0, 0.5), (2.0, 2.5, 3.0)),
            point_light("Rim", (0.5, -3.0, 2.0), (4.0, 3.0, 5.0)),
        ),
        world or World(np.float32([0.20, 0.25, 0.30])),
    )


def wrong(lights: SceneLights) -> SceneLights:
    """The same lights, of other energies and all white."""
    powers = (3.0, 6.0, 1.0)
    return SceneLights(
        tuple(
            replace(light, power=np.full(3, power, np.float32))
            for light, power in zip(lights.lights, powers, strict=True)
        ),
        replace(lights.world, gain=np.full(3, 0.6, np.float32)),
    )


def image_world() -> World:
    """Colours around the horizon and a bright spot 40 degrees wide."""
    around = np.linspace(0.0, 2.0 * np.pi, 512, endpoint=False)
    row = np.stack([0.4 + 0.3 * np.cos(around), 0.4 + 0.3 * np.sin(2 * around), 0.3 + 0.0 * around], -1)
    row += 1.5 * np.exp(-(((around - 2.0) / 0.35) ** 2))[:, None]
    return World(np.float32([1.0, 0.9, 0.8]), row[None].astype(np.float32))


def harmonics() -> NDArray[np.float32]:
    """Coefficients of a light that is bright above and coloured, nowhere negative."""
    rng = np.random.default_rng(3)
    coefficients = 0.12 * rng.normal(size=(9, 3))
    coefficients[0] = (1.0, 0.9, 1.1)
    coefficients[2] = 0.35
    return (0.8 * CONSTANT * coefficients).astype(np.float32)


def source(
    block: LightBlock, reader: BallPixels, loss: str = "l1", shader: PlainShader | None = None
) -> LightSource:
    return LightSource(block, reader, shader or PlainShader(), VIEWS, loss, seed=0, stopwatch=Stopwatch())


def fitted(parameters: LightParameters, reader: BallPixels, loss: str = "l1") -> LightBlock:
    """The light after one fit to maps that are known."""
    block = LightBlock(parameters)
    estimate = source(block, reader, loss).estimate(0, 0, 0.0)
    block.step(estimate.gradients["light"], 0.0)
    return block


def off_by(found: SceneLights, true: SceneLights) -> float:
    """The largest relative error of a channel of a light's power or the world's gain."""
    pairs = [(a.power, b.power) for a, b in zip(found.lights, true.lights, strict=True)]
    pairs.append((found.world.gain, true.world.gain))
    return float(max(np.abs(a / b - 1.0).max() for a, b in pairs))


@pytest.mark.parametrize("loss", ["l1", "l2", "log_l1"])
def test_three_lights_and_the_world_are_found_within_a_hundredth(loss: str) -> None:
    true = three_lights()
    block = fitted(scene_light_parameters(wrong(true)), BallPixels(true), loss)
    assert off_by(block.lights, true) < 0.01


def test_pixels_that_no_light_explains_do_not_pull() -> None:
    """A tenth of the pixels show something white; squared differences would follow it."""
    true = three_lights()
    reader = BallPixels(true)
    reader.targets[:, ::10] = 3.0
    assert off_by(fitted(scene_light_parameters(wrong(true)), reader, "l1").lights, true) < 0.06
    assert off_by(fitted(scene_light_parameters(wrong(true)), reader, "l2").lights, true) > 0.2


def test_a_light_that_nothing_shows_stays_as_it_was_given() -> None:
    true = three_lights()
    hidden = replace(true.lights[1], name="Far", position=np.float32([0.0, 0.0, 1e5]))
    given = wrong(true)
    given = SceneLights((*given.lights, hidden), given.world)
    block = fitted(scene_light_parameters(given), BallPixels(true))
    assert np.allclose(block.lights.lights[3].power, hidden.power, rtol=1e-3)


def test_no_light_turns_negative() -> None:
    """The references are darker than one light alone would make them."""
    true = replace(three_lights(), lights=three_lights().lights[:1])
    reader = BallPixels(true)
    reader.targets *= np.maximum(reader.points[0].normal[:, :1] * 0.0 + 1.0, 0.0)
    block = fitted(scene_light_parameters(wrong(three_lights())), reader)
    assert min(float(light.power.min()) for light in block.lights.lights) >= 0.0
    assert np.allclose(block.lights.lights[2].power, 0.0, atol=0.03)


def test_a_lamp_too_dim_to_be_seen_from_where_it_is_is_found() -> None:
    """As given it reaches 2 units, the ball is 3 away; at its true power it reaches 20."""
    true = three_lights()
    dim = [
        replace(light, power=given.power * np.float32(0.01), reach=2.0)
        for light, given in zip(true.lights, wrong(true).lights, strict=True)
    ]
    reached = [
        replace(light, reach=2.0 * float(light.power.max() / given.power.max()) ** 0.5)
        for light, given in zip(true.lights, dim, strict=True)
    ]
    reader = BallPixels(SceneLights(tuple(reached), true.world))
    block = fitted(scene_light_parameters(SceneLights(tuple(dim), true.world)), reader)
    assert off_by(block.lights, true) < 0.01
    for light, same in zip(block.lights.lights, reached, strict=True):
        assert light.reach == pytest.approx(same.reach, rel=0.01)


@pytest.mark.parametrize("degrees", [10.0, -35.0, 150.0])
def test_the_turn_of_an_image_is_found_within_a_degree(degrees: float) -> None:
    true = three_lights(image_world())
    given = SceneLights(wrong(true).lights, turned(wrong(true).world, np.radians(-degrees)))
    block = fitted(scene_light_parameters(given), BallPixels(true))
    assert abs(np.degrees(block.state.turn) - degrees) < 1.0
    assert off_by(block.lights, true) < 0.05


def test_harmonics_are_found_with_known_maps() -> None:
    true = harmonics()
    reader = BallPixels(SceneLights((), World(np.ones(3, np.float32), harmonics=true)))
    block = fitted(unknown_light_parameters(), reader)
    assert np.abs(block.state.coefficients - true).max() < 0.02 * CONSTANT
    assert np.abs(block.state.coefficients - true)[:4].max() < 0.005 * CONSTANT


def test_radiance_below_zero_is_avoided() -> None:
    """A light from one side asks harmonics for less than nothing on the other: -0.24 of the brightest, if
    nothing spoke against it."""
    true = SceneLights((point_light("Key", (0.0, 0.0, 9.0), (200.0, 200.0, 200.0)),))
    reader = BallPixels(true)
    pixels = ShadedPixels(pixels_of_views(reader, VIEWS, 4000, 0), PlainShader())
    parameters = unknown_light_parameters()
    state, before, after = LightFit(parameters, pixels, "l2", parameters.start).solve(parameters.start)
    radiance = basis(ball(2000, 9).normal) @ state.coefficients
    assert after < 0.15 * before
    assert radiance.min() > -0.17 * radiance.max()


def taken_in(reader: BallPixels, block: LightBlock, share: float = 0.7) -> None:
    """A step of the base colours towards what explains the targets under the light as it stands."""
    shader = PlainShader()
    for view, points in enumerate(reader.points):
        seen = shader.colour(points, reader.values[view], block.lights)
        wanted = reader.values[view][:, BASE] * reader.targets[view] / np.maximum(seen, 1e-3)
        reader.values[view][:, BASE] += share * (wanted - reader.values[view][:, BASE])
        reader.values[view][:, BASE] = np.clip(reader.values[view][:, BASE], 0.0, 1.0)


def error(reader: BallPixels, block: LightBlock) -> float:
    """Mean absolute difference of all pixels."""
    shader = PlainShader()
    seen = [
        shader.colour(points, values, block.lights)
        for points, values in zip(reader.points, reader.values, strict=True)
    ]
    return float(np.abs(np.stack(seen) - reader.targets).mean())


def joint(block: LightBlock, reader: BallPixels, steps: int) -> list[NDArray[np.float64]]:
    """Light and base colours in turn; the mean base colour after each change of the light."""
    light = source(block, reader)
    means = []
    for step in range(steps):
        estimate = light.estimate(step % VIEWS, step, step / steps)
        if estimate.gradients:
            block.step(estimate.gradients["light"], step / steps)
            means.append(reader.values[..., BASE].mean(axis=(0, 1), dtype=np.float64))
        taken_in(reader, block)
    return means


def test_an_unknown_light_and_base_colours_do_not_drift() -> None:
    true = harmonics()
    reader = BallPixels(SceneLights((), World(np.ones(3, np.float32), harmonics=true)))
    known = reader.values[..., BASE].copy()
    reader.values[..., BASE] = 0.5
    block = LightBlock(unknown_light_parameters(), [reader])
    at_start = error(reader, block)
    means = joint(block, reader, 120)
    assert len(means) > 15
    assert np.abs(np.array(means) - GREY).max() < 0.003
    assert error(reader, block) < 0.02 * at_start
    # Up to the brightness and the tint that nobody can know, it is the true light.
    gain = (known / np.maximum(reader.values[..., BASE], 1e-3)).mean(axis=(0, 1))
    found = block.state.coefficients / gain
    assert np.abs(found - true).max() < 0.06 * CONSTANT


def test_textures_that_were_there_say_at_which_level_base_colours_stay() -> None:
    reader = BallPixels(SceneLights((), World(np.ones(3, np.float32), harmonics=harmonics())))
    reader.values[..., BASE] *= 0.5
    level = float(reader.values[..., BASE].mean())
    means = joint(LightBlock(unknown_light_parameters(), [reader]), reader, 30)
    assert np.abs(np.array(means) - level).max() < 0.01


def test_fitted_lights_keep_together_what_the_given_ones_did_while_base_colours_are_fitted() -> None:
    """They are given half as bright as they were: the material takes that, not the lights."""
    true = three_lights()
    given = SceneLights(
        tuple(
            replace(light, power=light.power * np.float32(part))
            for light, part in zip(true.lights, (0.5, 0.9, 0.3), strict=True)
        ),
        World(true.world.gain * np.float32(0.5)),
    )
    reader = BallPixels(true)
    reader.values[..., BASE] *= 1.0 + 0.1 * np.sin(40.0 * reader.values[..., BASE])
    shader = PlainShader()
    block = LightBlock(scene_light_parameters(given), [reader])
    grey = [np.full_like(values, 0.0) for values in reader.values]
    for values in grey:
        values[:, BASE] = 0.5
        values[:, SHADED_COLUMNS["roughness"]] = 0.8
        values[:, SHADED_COLUMNS["normal"]] = (0.0, 0.0, 1.0)

    def total(lights: SceneLights) -> NDArray[np.float32]:
        seen = [shader.colour(points, each, lights) for points, each in zip(reader.points, grey, strict=True)]
        return np.asarray(np.mean(seen, axis=(0, 1)))

    joint(block, reader, 60)
    assert np.allclose(total(block.lights), total(given), rtol=0.01)
    powers = np.array([light.power for light in block.lights.lights])
    ratios = powers / np.array([light.power for light in true.lights])
    assert np.abs(ratios / ratios.mean(axis=0) - 1.0).max() < 0.06


def test_with_base_colours_that_are_not_fitted_the_whole_power_is_found() -> None:
    true = three_lights()
    block = LightBlock(scene_light_parameters(wrong(true)))
    joint(block, BallPixels(true), 1)
    assert off_by(block.lights, true) < 0.01


def test_lights_are_fitted_often_at_first_and_rest_at_the_end() -> None:
    schedule = LightSchedule()
    due = [schedule.due(step / 1000) for step in range(1000)]
    fits = [step for step in range(1000) if due[step] > max(due[:step], default=0)]
    assert fits[0] == 0
    assert len(fits) == schedule.refits
    assert fits[5] < 60
    assert fits[-1] < 900
    gaps = np.diff(fits)
    assert (np.diff(gaps) >= -1).all()


def test_a_step_without_a_refit_asks_for_no_pixels() -> None:
    true = three_lights()
    shader = PlainShader()
    light = source(LightBlock(scene_light_parameters(true)), BallPixels(true), shader=shader)
    assert light.estimate(0, 0, 0.0).gradients
    passes = shader.passes
    assert passes == 5  # darkness, three lights, the world
    assert not light.estimate(1, 1, 1e-4).gradients
    assert shader.passes == passes


def test_who_shades_by_the_light_hears_of_it() -> None:
    true = three_lights()
    block = LightBlock(scene_light_parameters(wrong(true)))
    heard: list[SceneLights] = []
    block.on_change.append(heard.append)
    joint(block, BallPixels(true), 1)
    assert len(heard) == 1
    assert off_by(heard[0], true) < 0.01
