# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A shading of a few lines, linear in the light, and pixels of a ball under it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sge_addon.core.light_parameters import DEGREES
from sge_addon.core.lit_pixels import LitPixels, chosen
from sge_addon.core.map_shader import Shaded, ShadingPoints
from sge_addon.core.material_maps import SHADED_COLUMNS, SHADED_WIDTH
from sge_addon.core.scene_lights import Light, SceneLights, World
from sge_addon.core.spherical_harmonics import basis

Array = NDArray[np.float32]

DIFFUSE = np.array([1.0, 2.0 / 3.0, 0.25])[DEGREES]  # of a degree, that a cosine lets through


class PlainShader:
    """A core.map_shader.MapShader: Lambert, and for the world a mirror that roughness dims."""

    def __init__(self) -> None:
        self.passes = 0

    def prepare(self, points: ShadingPoints) -> ShadingPoints:
        return points

    def shade(self, prepared: ShadingPoints, values: Array, lights: SceneLights | None = None) -> Shaded:
        raise NotImplementedError

    def colour(self, prepared: ShadingPoints, values: Array, lights: SceneLights | None = None) -> Array:
        assert lights is not None
        self.passes += 1
        points = prepared
        base = values[:, SHADED_COLUMNS["base_color"]].astype(np.float64)
        mirror = 0.04 * (1.0 - values[:, SHADED_COLUMNS["roughness"]].astype(np.float64))
        colour = values[:, SHADED_COLUMNS["emission"]].astype(np.float64)
        for light in lights.lights:
            towards = light.position - points.position
            distance = np.linalg.norm(towards, axis=1, keepdims=True)
            cosine = np.einsum("pc,pc->p", points.normal, towards / distance)
            ended = np.clip(1.0 - (distance / light.reach) ** 4, 0.0, 1.0) ** 2
            colour = colour + base * light.power * (np.maximum(cosine, 0.0)[:, None] / distance**2 * ended)
        reflected = 2.0 * np.einsum("pc,pc->p", points.normal, points.to_eye)[:, None] * points.normal
        world = lights.world
        colour = colour + base * self._world(world, points.normal, DIFFUSE)
        colour = colour + mirror * self._world(world, reflected - points.to_eye, np.ones(9))
        return colour.astype(np.float32)

    @staticmethod
    def _world(world: World, directions: Array, share: NDArray[np.float64]) -> NDArray[np.float64]:
        if world.harmonics is not None:
            return np.asarray(
                world.gain * np.maximum(basis(directions) @ (share[:, None] * world.harmonics), 0.0)
            )
        if world.image is not None:
            x, y, _ = (directions @ world.rotation.T).T
            angle = np.arctan2(y, x)
            column = ((angle / (2.0 * np.pi) + 0.5) * world.image.shape[1]).astype(int) % world.image.shape[1]
            return np.asarray(world.gain * world.image[0, column])
        return np.asarray(world.gain * np.ones((len(directions), 3)))


def ball(count: int, seed: int) -> ShadingPoints:
    """Points all over a unit ball, seen from straight ahead and a little away."""
    rng = np.random.default_rng(seed)
    normal = rng.normal(size=(count, 3))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    to_eye = normal + 0.5 * rng.normal(size=(count, 3))
    to_eye /= np.linalg.norm(to_eye, axis=1, keepdims=True)
    single = normal.astype(np.float32)
    tangent = np.tile(np.float32([1.0, 0.0, 0.0, 1.0]), (count, 1))
    return ShadingPoints(single, single, tangent, to_eye.astype(np.float32), 0)


def maps(count: int, seed: int) -> Array:
    """(P, 12) material values: colours around mid-grey, roughness from 0.2 to 0.8."""
    rng = np.random.default_rng(seed)
    values = np.zeros((count, SHADED_WIDTH), np.float32)
    values[:, SHADED_COLUMNS["base_color"]] = rng.uniform(0.2, 0.8, (count, 3))
    values[:, SHADED_COLUMNS["roughness"]] = rng.uniform(0.2, 0.8, (count, 1))
    values[:, SHADED_COLUMNS["normal"]] = (0.0, 0.0, 1.0)
    values[:, SHADED_COLUMNS["alpha"]] = 1.0
    return values


class BallPixels:
    """A core.lit_pixels.LitPixelReader whose every view shows other points of the ball, and its maps as a
    BaseColours block.

    values: (V, P, 12) as they stand; targets: (V, P, 3) under the true light, with the true values.
    """

    def __init__(self, true: SceneLights, views: int = 4, count: int = 1500) -> None:
        shader = PlainShader()
        self.points = [ball(count, view) for view in range(views)]
        self.values = np.stack([maps(count, 100 + view) for view in range(views)])
        self.targets = np.stack(
            [
                shader.colour(points, values, true)
                for points, values in zip(self.points, self.values, strict=True)
            ]
        )

    def lit_pixels(self, view: int, count: int, seed: int) -> list[LitPixels]:
        points = self.points[view]
        keep = chosen(np.arange(len(points.position), dtype=np.int32), count, seed)
        kept = ShadingPoints(
            points.position[keep], points.normal[keep], points.tangent[keep], points.to_eye[keep], 0
        )
        weight = np.ones(len(keep), np.float32)
        return [LitPixels(kept, self.values[view][keep], self.targets[view][keep], weight)]

    @property
    def value(self) -> Array:
        return self.values[..., SHADED_COLUMNS["base_color"]]

    def assign(self, value: Array) -> None:
        self.values[..., SHADED_COLUMNS["base_color"]] = np.clip(value, 0.0, 1.0)


def point_light(name: str, position: tuple[float, float, float], power: tuple[float, float, float]) -> Light:
    """A small lamp."""
    return Light(
        "point", name, np.float32(position), np.eye(3, dtype=np.float32), np.float32(power), radius=0.1
    )
