# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far vertices are perturbed, and which way: epsilon in screen pixels, in world units at each vertex,
or in world units, the same for all; along all three axes at once, or along one of their own. And how far
normals are tilted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from .signs import seed_key, sign_rows, signs, step_seed
from .view import View

_TILTS = 0x54494C54  # tells the hash of tilts from that of signs


@dataclass(frozen=True, eq=False)
class Axes:
    """Along which vertices are perturbed, for several pairs. lines: (V, 3), of unit length; zeros where a
    vertex moves along x, y and z at once."""

    lines: NDArray[np.float32]

    @cached_property
    def free(self) -> NDArray[np.intp]:
        """The vertices without a line."""
        x, y, z = self.lines.T
        return np.flatnonzero((x == 0.0) & (y == 0.0) & (z == 0.0))


@dataclass(frozen=True, eq=False)
class Perturbation:
    """The perturbation of all vertices in one view.

    depth_row: (4,) row of world-to-clip that gives clip w. pixel_scale: epsilon in world units
    where w = 1. nearest: w below which epsilon no longer shrinks. seed: of the signs. axes: with a line
    vertices are perturbed along it by their first sign; without, or None for all, along x, y and z by a sign
    each.
    """

    depth_row: NDArray[np.float64]
    pixel_scale: float
    nearest: float
    seed: int
    axes: Axes | None = None

    def along(self, axes: Axes | None) -> Perturbation:
        """The same along other axes."""
        return replace(self, axes=axes)

    @property
    def key(self) -> int:
        """The seed's hash as the signed 32-bit integer that a push constant carries."""
        return int(seed_key(self.seed).view(np.int32))

    def epsilons(self, positions: NDArray[np.float32], movable: NDArray[np.bool_]) -> NDArray[np.float32]:
        """(V,) float32 world units; 0 where a vertex does not move."""
        # Not a matrix product: BLAS threads spin on the rasteriser's cores long after it.
        x, y, z, w = self.depth_row.astype(np.float32)
        clip_w = x * positions[:, 0] + y * positions[:, 1] + z * positions[:, 2] + w
        return np.float32(self.pixel_scale) * np.maximum(clip_w, np.float32(self.nearest)) * movable

    def offsets(self, positions: NDArray[np.float32], movable: NDArray[np.bool_]) -> NDArray[np.float32]:
        """(V, 3): theta plus is positions + offsets, theta minus positions - offsets."""
        return self.epsilons(positions, movable)[:, None] * self.directions(len(positions))

    def directions(self, count: int) -> NDArray[np.float32]:
        """(count, 3): the offsets in units of epsilon."""
        if self.axes is None:
            return signs(self.seed, count)
        along = self.axes.lines * signs(self.seed, count, 1)
        free = self.axes.free
        along[free] = sign_rows(self.seed, free).T
        return along


@dataclass(frozen=True, eq=False)
class PerturbedShape:
    """A shape of which vertices are moved both ways, and normals tilted.

    positions: (V, 3) at rest. movable: (V,). tilt: how far the unit normals of the shape at rest are moved
    along x, y and z before they are shaded, pixel by pixel, both ways in both images, by signs of the seed
    ``tilt_seed``.
    """

    perturbation: Perturbation
    positions: NDArray[np.float32]
    movable: NDArray[np.bool_]
    tilt: float

    @cached_property
    def directions(self) -> NDArray[np.float32]:
        """(V, 3), of Perturbation."""
        return self.perturbation.directions(len(self.positions))

    @cached_property
    def epsilons(self) -> NDArray[np.float32]:
        """(V,), of Perturbation."""
        return self.perturbation.epsilons(self.positions, self.movable)

    @cached_property
    def offsets(self) -> NDArray[np.float32]:
        """(V, 3), of Perturbation."""
        return self.epsilons[:, None] * self.directions

    @property
    def tilt_seed(self) -> int:
        """Of the tilts' signs, by pixel."""
        return step_seed(self.perturbation.seed, _TILTS)

    @property
    def tilt_key(self) -> int:
        """As ``Perturbation.key``, of the tilts' seed."""
        return int(seed_key(self.tilt_seed).view(np.int32))


def perturbation(view: View, epsilon_pixels: float, seed: int) -> Perturbation:
    """Perturb by ``epsilon_pixels`` of this view: z / f_y per pixel, or scale / height where orthographic.

    Behind or before the near plane the near plane's size holds.
    """
    row = view.world_to_clip[3]
    nearest = view.near if view.is_perspective else 1.0
    return Perturbation(row, epsilon_pixels * view.world_per_pixel, nearest, seed)


def even_perturbation(epsilon: float, seed: int) -> Perturbation:
    """Perturb all vertices by the same length in world units, whatever the view."""
    return Perturbation(np.zeros(4), epsilon, 1.0, seed)


def pixel_at_centre(views: Sequence[View], positions: NDArray[np.float32]) -> float:
    """One pixel in world units at the centre of positions, (V, 3), in the mean over the views."""
    centre = positions.mean(axis=0)[None]
    all_move = np.ones(1, np.bool_)
    return fmean(float(perturbation(view, 1.0, 0).epsilons(centre, all_move)[0]) for view in views)
