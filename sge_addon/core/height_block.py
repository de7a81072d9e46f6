# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The heights of one surface, stepped as positions are: smoothed over the mesh, as in Large Steps.

What steps is the distance from the undisplaced surface in world units, so that a step moves the surface by
what the schedule says, whatever the strength of the displacement.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .height_field import HeightField
from .height_texture import HeightTexture
from .large_steps import rms_radius
from .position_block import PositionBlock
from .schedule import ShapeSchedule
from .step_rule import StepRule

Array = NDArray[np.float32]


class HeightBlock:
    """Stands where a PositionBlock stands; its value are the displaced positions, (V, 3) float32, world.

    positions: (V, 3) where it begins: displaced, that is on the lines of ``field``.
    mobility: (V,) in [0, 1] or None; steps are scaled by it, and vertices at 0 stay where they are.
    rule: by which the distances step.
    """

    def __init__(
        self,
        name: str,
        positions: Array,
        triangles: NDArray[np.int32],
        schedule: ShapeSchedule,
        field: HeightField,
        mobility: Array | None = None,
        rule: StepRule = PositionBlock,
    ) -> None:
        self.name = name
        self.field = field
        self.value = positions.astype(np.float32)
        self._triangles = triangles
        # World units to one unit of height, at the start; not zero where a vertex has no normal.
        self._reach = np.maximum(np.linalg.norm(field.directions, axis=1), 1e-20).astype(np.float32)
        distances = self._reach * (field.heights_at(positions) - np.float32(field.midlevel))
        self._distances = rule(
            name, distances[:, None], triangles, schedule, mobility, size=rms_radius(positions)
        )

    @property
    def shown(self) -> Array:
        """(V, 3) where the surface's vertices are: the value itself."""
        return self.value

    @property
    def heights(self) -> Array:
        """(V,) float32, as the texture stores them."""
        return (np.float32(self.field.midlevel) + self._distances.value[:, 0] / self._reach).astype(
            np.float32
        )

    def texture(self) -> Array:
        """(H, W) float32: the start's content and what has changed; at the vertices it reads ``heights``."""
        return self._baking.texture(self.heights)

    def step(self, gradient: Array, progress: float) -> None:
        """gradient: (V, 3) of the loss with respect to positions."""
        self._distances.step((self.field.pulled_back(gradient) / self._reach)[:, None], progress)
        self.value = self.field.positions(self.heights)

    def carry(self, base: Array, directions: Array) -> None:
        """Displace another base, (V, 3), along other directions, (V, 3), by the same heights."""
        self.field = replace(self.field, base=base, directions=directions)
        self.value = self.field.positions(self.heights)

    def inherit(self, earlier: HeightBlock) -> None:
        """Go on where the block of an earlier stage stood."""
        self._distances.inherit(earlier._distances)

    def rest(self) -> None:
        """No step is to come for a while: free what only steps need."""
        self._distances.rest()

    def finish(self) -> None:
        """Nothing is held back between steps."""

    @cached_property
    def _baking(self) -> HeightTexture:
        return HeightTexture(self.field, self._triangles)
