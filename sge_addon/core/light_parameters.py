# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The light of a scene as a few numbers that a fit may change.

Radiance is linear in all of them but the turn of the world: colour = colour at the floor + the sum over
coefficients of (coefficient - floor) times what a unit of it adds. So one pass over the pixels for each
coefficient gives the whole model exactly; red, green and blue go side by side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .errors import FitError
from .scene_lights import SceneLights, World

Array = NDArray[np.float64]

WORLD = "world"  # name of the world's coefficient; Blender has none for it
HARMONICS = 9  # real, orthonormal, up to degree 2
# (9,): degree of each.
DEGREES = np.array([0, 1, 1, 1, 2, 2, 2, 2, 2])
# A constant radiance of 1 as coefficient of degree 0.
CONSTANT = math.sqrt(4.0 * math.pi)
# Part of the given power, below which a light reaches no less far: at 0 it could not be fitted again.
_DIMMEST = 1e-4
# Of degree 0, that a probe of a higher degree adds: so little that the sum shines nowhere below zero.
_PROBE = 0.25


@dataclass(frozen=True, eq=False)
class LightState:
    """coefficients: (K, 3) linear. turn: of the world about Z, in radians, anticlockwise from above, on top
    of how it was given."""

    coefficients: Array
    turn: float = 0.0


@dataclass(frozen=True, eq=False)
class LightParameters:
    """Which numbers the light has, and what scene light they stand for.

    given: the light at the start. names: (K,) lights, then ``WORLD``; or 'harmonic 0' to 'harmonic 8'.
    free: (K,) bool; what is off stays off. low: (K,) bound of a coefficient; there is no upper one.
    floor: (K, 3) where derivatives are taken. probe: (K,) what is added there for a unit of a coefficient.
    turns: whether the world's turn is free. is_unknown: harmonics instead of the scene's lights.
    """

    given: SceneLights
    names: tuple[str, ...]
    free: NDArray[np.bool_]
    low: Array
    floor: Array
    probe: Array
    start: LightState
    turns: bool = False
    is_unknown: bool = False

    def lights(self, state: LightState) -> SceneLights:
        """The light of a state. The world's image is the given one itself, never a copy of it.

        A light's reach grows as EEVEE lets it, by the square root of its power.
        """
        return self._lights(state, self.reaches(state))

    def probes(self, state: LightState, unlimited: bool = False) -> list[SceneLights]:
        """(1 + K) lights: the floor, and with each coefficient raised by its probe.

        state: whose turn and reaches they have. unlimited: lights reach everywhere, also those that are too
        dim as yet to be seen from where they are.
        """
        reaches = [math.inf] * len(self.given.lights) if unlimited else self.reaches(state)
        found = [self._lights(LightState(self.floor, state.turn), reaches)]
        for place, amount in enumerate(self.probe):
            raised = self.floor.copy()
            raised[place] += amount
            found.append(self._lights(LightState(raised, state.turn), reaches))
        return found

    def reaches(self, state: LightState) -> list[float]:
        """How far each light of the scene reaches."""
        if self.is_unknown:
            return []
        result = []
        for light, now in zip(self.given.lights, state.coefficients[:-1], strict=True):
            given = float(np.abs(light.power).max())
            is_fixed = light.reach_is_set or given == 0.0
            ratio = 1.0 if is_fixed else max(float(now.max()) / given, _DIMMEST)
            result.append(light.reach * math.sqrt(ratio))
        return result

    def _lights(self, state: LightState, reaches: Sequence[float]) -> SceneLights:
        values = state.coefficients.astype(np.float32)
        if self.is_unknown:
            return SceneLights((), World(np.ones(3, np.float32), harmonics=values))
        powers = np.where(self._signs() < 0.0, -values, values)
        lights = tuple(
            replace(light, power=power, reach=reach)
            for light, power, reach in zip(self.given.lights, powers[:-1], reaches, strict=True)
        )
        return SceneLights(lights, turned(replace(self.given.world, gain=powers[-1]), state.turn))

    def stepped(self, state: LightState, change: Array) -> LightState:
        """change: (3 K + 1,): of each coefficient's channels, then of the turn. Kept within bounds."""
        coefficients = state.coefficients + change[:-1].reshape(-1, 3)
        return LightState(np.maximum(coefficients, self.low[:, None]), state.turn + float(change[-1]))

    def _signs(self) -> Array:
        """(K, 3): -1 where a light takes light away, as Blender's may."""
        rows = [light.power for light in self.given.lights] + [self.given.world.gain]
        return np.where(np.asarray(rows) < 0.0, -1.0, 1.0)


def scene_light_parameters(given: SceneLights) -> LightParameters:
    """Powers of all lights and the world's gain; where the world is an image, its turn, too.

    Raises FitError where no light is on.
    """
    powers = np.abs([*(light.power for light in given.lights), given.world.gain]).astype(np.float64)
    free = powers.any(axis=1)
    if not free.any():
        raise FitError(
            "Light 'fit': the scene has no light that is on, and its world is black, so there is nothing to "
            "fit. Add a light or a world, or choose the light 'unknown'."
        )
    count = len(powers)
    return LightParameters(
        given,
        names=(*(light.name for light in given.lights), WORLD),
        free=free,
        low=np.zeros(count),
        floor=np.zeros((count, 3)),
        probe=np.ones(count),
        start=LightState(powers),
        turns=given.world.image is not None and bool(free[-1]),
    )


def unknown_light_parameters() -> LightParameters:
    """Radiance from everywhere in spherical harmonics; it starts as 1 from all sides.

    Derivatives are taken where the light is nowhere negative, since shading may cut off what is.
    """
    start = np.zeros((HARMONICS, 3))
    start[0] = CONSTANT
    return LightParameters(
        SceneLights(),
        names=tuple(f"harmonic {index}" for index in range(HARMONICS)),
        free=np.ones(HARMONICS, bool),
        low=np.where(DEGREES == 0, 0.0, -np.inf),
        floor=start,
        probe=np.where(DEGREES == 0, 1.0, _PROBE) * CONSTANT,
        start=LightState(start.copy()),
        is_unknown=True,
    )


def unknown_light() -> SceneLights:
    """The light that an unknown one is before it is fitted."""
    parameters = unknown_light_parameters()
    return parameters.lights(parameters.start)


def turned(world: World, angle: float) -> World:
    """The world turned about Z by an angle in radians, anticlockwise from above."""
    if angle == 0.0:
        return world
    cosine, sine = math.cos(angle), math.sin(angle)
    back = np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    rotation = np.einsum("ij,jk->ik", world.rotation.astype(np.float64), back)
    return replace(world, rotation=rotation.astype(np.float32))
