# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The light of a fit as parameters, and what is held fixed between it and the base colours.

Twice the light on half the base colour looks the same, but for highlights of what is no metal, channel by
channel. What nothing decides is decided here, after each change of the light, by scaling the light and all
base colours against each other: an unknown light leaves the mean base colour neutral, at a level that is
given; fitted lights keep together what the given ones did, in each channel, for neutral surfaces.

Nor does a blurred, unknown light say everywhere how blurred reflections are: with each change of it roughness
goes a little towards the middle, which pixels that know better take back in the steps between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .light_parameters import LightParameters, LightState
from .scene_lights import SceneLights

Array = NDArray[np.float64]

GREY = 0.4  # mean base colour under an unknown light, where no texture says another
MIDDLE = 0.5  # roughness, where highlights do not tell it
# Of the way to the middle, at each change of the light: a third in a whole fit.
_PULL = 0.02


@dataclass(frozen=True, eq=False)
class LightChange:
    """What a source has found. base_colour: (3,) factors for all base colours; the state is already
    divided by them."""

    state: LightState
    base_colour: Array


class Texels(Protocol):
    """A fitted map: a ``MapBlock``. value: (H, W, C)."""

    @property
    def value(self) -> NDArray[np.float32]: ...

    def assign(self, value: NDArray[np.float32]) -> None:
        """Take other values, within bounds."""
        ...


class LightBlock:
    """A core.protocols.ParameterBlock of the light.

    base_colours: of all materials under the light; empty where any of them is not fitted, since that one
    then tells how bright the light is. roughnesses: to be pulled to the middle; of an unknown light. level:
    mean base colour under an unknown light; None until the first look at what the maps began with.
    on_change: called with the new lights after each change.
    """

    name = "light"

    def __init__(
        self,
        parameters: LightParameters,
        base_colours: Sequence[Texels] = (),
        roughnesses: Sequence[Texels] = (),
    ) -> None:
        self.parameters = parameters
        self.state = parameters.start
        self.base_colours = tuple(base_colours)
        self.roughnesses = tuple(roughnesses)
        self.level: float | None = None
        self.on_change: list[Callable[[SceneLights], None]] = []

    def at(self, base_colours: Sequence[Texels], roughnesses: Sequence[Texels] = ()) -> LightBlock:
        """The same light, as it stands, over the maps of another stage."""
        other = LightBlock(self.parameters, base_colours, roughnesses)
        other.state, other.level = self.state, self.level
        return other

    @property
    def value(self) -> NDArray[np.float32]:
        """(3 K + 1,): coefficients, and the world's turn in radians."""
        return np.append(self.state.coefficients, self.state.turn).astype(np.float32)

    @property
    def lights(self) -> SceneLights:
        """The light as it stands."""
        return self.parameters.lights(self.state)

    def step(self, gradient: LightChange, progress: float) -> None:
        """Take the light that was found, scale the base colours against it, and pull roughness."""
        self.state = gradient.state
        for base_colour in self.base_colours:
            base_colour.assign(base_colour.value * gradient.base_colour.astype(np.float32))
        for roughness in self.roughnesses:
            value = roughness.value
            roughness.assign(value + np.float32(_PULL) * (np.float32(MIDDLE) - value))
        self.announce()

    def announce(self) -> None:
        """Tell the light to all who shade by it."""
        lights = self.lights
        for listener in self.on_change:
            listener(lights)

    def finish(self) -> None:
        """Nothing is gathered."""
