# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cage and the heights that displace what modifiers make of it, fitted together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .cage import Cage
from .cage_block import CageBlock
from .errors import FitError, Remedy
from .height_block import HeightBlock
from .height_field import HeightField
from .position_block import PositionBlock
from .schedule import ShapeSchedule
from .step_rule import StepRule
from .surface import Surface
from .vertex_normals import VertexNormals

Array = NDArray[np.float32]

_ASIDE = 0.02  # of a direction's length: how far it may be off the normal, in the mean


class DisplacedCageBlock:
    """Stands where a CageBlock stands; what it shows is displaced by heights along the normals of S c + b.

    surface: displaced, with its ``height``, of which the base is what the map of its ``cage`` makes. Raises
    FitError where directions are not along the base's normals, as they are found anew when it moves. rule: by
    which both step.
    """

    def __init__(
        self, name: str, surface: Surface, schedule: ShapeSchedule, rule: StepRule = PositionBlock
    ) -> None:
        if surface.height is None or surface.cage is None or surface.cage.map is None:
            raise ValueError(f"surface '{surface.name}' has no height, or no map of its cage")
        self.name = name
        self._cage = CageBlock(name, surface, schedule, rule=rule)
        self._normals = _FieldNormals(surface, surface.height, self._cage.shown)
        self._heights = HeightBlock(
            name,
            surface.positions,
            surface.triangles,
            schedule,
            surface.height,
            _mobility(surface, surface.cage),
            rule,
        )

    @property
    def value(self) -> Array:
        """(N, 3) float32 world, the base mesh's positions."""
        return self._cage.value

    @property
    def shown(self) -> Array:
        """(V, 3) float32 world, displaced."""
        return self._heights.value

    @property
    def field(self) -> HeightField:
        """As the cage has carried it."""
        return self._heights.field

    @property
    def heights(self) -> Array:
        """(V,) float32, as the texture stores them."""
        return self._heights.heights

    def texture(self) -> Array:
        """(H, W) float32: the start's content and what has changed; at the vertices it reads ``heights``."""
        return self._heights.texture()

    def step(self, gradient: Array, progress: float) -> None:
        """gradient: (V, 3) of the loss with respect to what is shown."""
        self._heights.step(gradient, progress)
        self._cage.step(gradient, progress)
        base = self._cage.shown
        self._heights.carry(base, self._normals.directions(base))

    def inherit(self, earlier: DisplacedCageBlock) -> None:
        """Go on where the block of an earlier stage stood."""
        self._cage.inherit(earlier._cage)
        self._heights.inherit(earlier._heights)

    def rest(self) -> None:
        """No step is to come for a while: free what only steps need."""
        self._cage.rest()
        self._heights.rest()

    def finish(self) -> None:
        """Nothing is held back between steps."""


class _FieldNormals:
    """The directions of a height field for any positions of its base, (V, 3)."""

    def __init__(self, surface: Surface, field: HeightField, base: Array) -> None:
        self._frame = None if field.frame is None or _is_even(field.frame) else field.frame
        self._normals = VertexNormals(surface)
        self._ratios = np.ones((len(base), 1), np.float32)
        along = self.directions(base)
        squared = np.square(along).sum(axis=1)
        dots = (field.directions * along).sum(axis=1)
        self._ratios = np.divide(dots, squared, out=np.zeros_like(dots), where=squared > 0.0)[:, None]
        aside = np.linalg.norm(field.directions - self.directions(base), axis=1).mean()
        if aside > _ASIDE * np.linalg.norm(field.directions, axis=1).mean():
            raise FitError(
                f"Object '{surface.name}': its displacement does not go along the normals of what is "
                "displaced, as a fit of both needs it: apply the object's scale, and let no modifier follow "
                "that changes faces.",
                subject=surface.name,
                remedy=Remedy.APPLY_SCALE,
            )

    def directions(self, base: Array) -> Array:
        if self._frame is None:
            return self._ratios * self._normals.of(base)
        normals = self._normals.of(_turned(base, np.linalg.inv(self._frame)))
        return self._ratios * _turned(normals, self._frame)


def _is_even(frame: NDArray[np.float64]) -> bool:
    """Whether it scales all directions alike, so that normals are the world's, and only longer or shorter."""
    squared = frame.T @ frame
    return bool(np.allclose(squared, squared[0, 0] * np.eye(3), rtol=0.0, atol=1e-6 * squared[0, 0]))


def _turned(vectors: Array, matrix: NDArray[np.float64]) -> Array:
    """(V, 3) times the transpose of (3, 3), without BLAS, whose threads would keep spinning after it."""
    x, y, z = vectors.T
    return np.stack([row[0] * x + row[1] * y + row[2] * z for row in matrix], axis=1).astype(np.float32)


def _mobility(surface: Surface, cage: Cage) -> Array | None:
    """(V,) of the heights: the surface's own, or what the map makes of the cage's."""
    if surface.mobility is not None or cage.mobility is None or cage.map is None:
        return surface.mobility
    moved = cage.positions + cage.mobility[:, None].astype(np.float32)
    rest, whole = cage.map.apply(cage.positions), cage.map.apply(cage.positions + np.float32(1.0))
    share = np.linalg.norm(cage.map.apply(moved) - rest, axis=1)
    full = np.linalg.norm(whole - rest, axis=1)
    return np.clip(share / np.maximum(full, 1e-12), 0.0, 1.0).astype(np.float32)
