# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cage of one surface, stepped as positions are, on the base mesh: what modifiers make of it is shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .cage import Cage, CageMap
from .mirror_planes import MirrorRules
from .position_block import PositionBlock
from .schedule import ShapeSchedule
from .step_rule import StepRule
from .surface import Surface

Array = NDArray[np.float32]

_RATE = 0.5  # a vertex of a cage moves a whole patch of the surface
_SMOOTHING = (0.5, 0.02)  # at start and end; what a cage controls is smooth by itself


def cage_schedule(schedule: ShapeSchedule) -> ShapeSchedule:
    """As it serves cages best: at half the rate, with less smoothing and at the end hardly any."""
    rate = (_RATE * schedule.rate[0], _RATE * schedule.rate[1])
    start, end = schedule.smoothing_range
    return replace(schedule, rate=rate, smoothing_range=(_SMOOTHING[0] * start, _SMOOTHING[1] * end))


class CageBlock:
    """Stands where a PositionBlock stands; its value are the base mesh's positions, (N, 3) float32, world.

    surface: as the modifiers make it of ``surface.cage``. Where the cage has a map, ``shown`` follows from
    the value by itself, and ``step`` takes gradients of the surface's vertices. Where it has none, ``show``
    tells what was made of the value, and ``step`` takes gradients of the cage's; so it does also with
    ``by_cage``. Vertices on the plane of a Mirror modifier stay on it, the others on their side.
    rule: by which the cage's positions step.
    """

    def __init__(
        self,
        name: str,
        surface: Surface,
        schedule: ShapeSchedule,
        by_cage: bool = False,
        rule: StepRule = PositionBlock,
    ) -> None:
        cage = _cage_of(surface)
        self.name = name
        self._by_cage = by_cage
        self._map: CageMap | None = cage.map
        self._rules = MirrorRules(cage)
        self._positions = rule(name, cage.positions, cage.triangles, cage_schedule(schedule), cage.mobility)
        self._shown = surface.positions if cage.map is None else cage.map.apply(cage.positions)

    @property
    def value(self) -> Array:
        """(N, 3) float32 world, the base mesh's positions."""
        return self._positions.value

    @property
    def shown(self) -> Array:
        """(V, 3) float32 world, the surface's positions."""
        return self._shown

    @property
    def map(self) -> CageMap | None:
        """How the surface follows from the value; None where only Blender can tell."""
        return self._map

    def show(self, surface: Surface) -> None:
        """What the modifiers made of the value, where only Blender can tell."""
        self._shown = surface.positions

    def remap(self, found: CageMap) -> None:
        """The surface follows from the value in another way from now on: modifiers or object have changed."""
        self._map = found
        self._shown = found.apply(self.value)

    def step(self, gradient: Array, progress: float) -> None:
        """gradient: (V, 3) of the loss with respect to what is shown; without a map, or with ``by_cage``,
        (N, 3), to the value."""
        if self._map is not None and not self._by_cage:
            gradient = self._map.pulled_back(gradient)
        self.step_cage(gradient, progress)

    def step_cage(self, gradient: Array, progress: float) -> None:
        """gradient: (N, 3) of the loss with respect to the value."""
        self._positions.step(self._rules.projected(gradient), progress)
        self._positions.restrict(self._rules.enforced)
        if self._map is not None:
            self._shown = self._map.apply(self.value)

    def inherit(self, earlier: CageBlock) -> None:
        """Go on where the block of an earlier stage stood."""
        self._positions.inherit(earlier._positions)

    def rest(self) -> None:
        """No step is to come for a while: free what only steps need."""
        self._positions.rest()

    def finish(self) -> None:
        """Nothing is held back between steps."""


def _cage_of(surface: Surface) -> Cage:
    if surface.cage is None:
        raise ValueError(f"surface '{surface.name}' has no cage")
    return surface.cage
