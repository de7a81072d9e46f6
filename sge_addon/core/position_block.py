# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Positions of a surface's vertices, in large steps: of its own mesh, or of a coarser one that it follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .coarse_mesh import CoarseMesh
from .large_steps import LargeSteps, rms_radius
from .schedule import ShapeSchedule

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class CoarseGradient:
    """values: (C, 3) gradient by positions of a coarser mesh, which is to step in the fine one's place."""

    mesh: CoarseMesh
    values: Array


class _CoarseSteps:
    """A coarser mesh that steps; the fine one moves along with it, smoothly, from where it was at first."""

    def __init__(self, mesh: CoarseMesh, fine: Array, schedule: ShapeSchedule, size: float) -> None:
        self.mesh = mesh
        self._begun, self._fine_begun = mesh.positions(fine), fine
        self.large = LargeSteps(self._begun, mesh.triangles, schedule, size, mesh.sizes)
        self._followed, self._fine = self._begun, fine

    @property
    def fine(self) -> Array:
        """(V, 3) where the fine mesh is: worked out when it is asked for."""
        points = self.large.points
        if self._followed is not points:
            # Always from the beginning: so it does not matter how often anybody looks.
            self._fine = self._fine_begun + self.mesh.spread(points - self._begun)
            self._followed = points
        return self._fine


class PositionBlock:
    """The vertex positions of one surface: (V, 3) float32, world space; or (V, C), anything else that
    vertices have in world units.

    mobility: (V,) in [0, 1] or None; steps are scaled by it, and vertices at 0 stay where they are.
    size: of the surface, by which steps are measured; None for the rms radius of the positions.
    """

    def __init__(
        self,
        name: str,
        positions: Array,
        triangles: NDArray[np.int32],
        schedule: ShapeSchedule,
        mobility: Array | None = None,
        size: float | None = None,
    ) -> None:
        self.name = name
        self._start = positions.astype(np.float32)
        self._value = self._start  # where no coarser mesh steps
        self._mobility = None if mobility is None else mobility[:, None].astype(np.float32)
        self._schedule = schedule
        size = rms_radius(positions) if size is None else size
        self._large = LargeSteps(self._start, triangles, schedule, size)  # before mobility
        self._coarse: _CoarseSteps | None = None

    @property
    def value(self) -> Array:
        """(V, C) the current positions; another array after each change."""
        return self._value if self._coarse is None else self._coarse.fine

    @property
    def shown(self) -> Array:
        """(V, 3) where the surface's vertices are: the value itself."""
        return self.value

    @property
    def may_be_coarse(self) -> bool:
        """Whether a coarser mesh may step: all vertices move alike."""
        return self._mobility is None

    def of(self, mesh: CoarseMesh) -> Array:
        """(C, 3) the positions of a coarser mesh."""
        if self._coarse is not None and self._coarse.mesh is mesh:
            return self._coarse.large.points
        return mesh.positions(self.value)

    def inherit(self, earlier: PositionBlock) -> None:
        """Go on where the block of an earlier stage stood, as far as that is known of other vertices."""
        earlier._step_with(None)
        self._large.adam.inherit(earlier._large.adam)
        self._large.size = earlier._large.size  # what has taken shape by now may be of another

    def step(self, gradient: Array | CoarseGradient, progress: float) -> None:
        """gradient: (V, 3) of the loss with respect to positions, or that by a coarser mesh's, which from
        now on steps."""
        if isinstance(gradient, CoarseGradient):
            self._step_with(gradient.mesh).step(gradient.values, progress)
            return
        self._step_with(None)
        if self._mobility is not None:
            gradient = gradient * self._mobility
        self._large.step(gradient, progress)
        self._put_in_place()

    def restrict(self, allowed: Callable[[Array], Array]) -> None:
        """Move vertices to where ``allowed`` puts them, (V, 3) for (V, 3); steps go on from there. It returns
        the same array where nothing is to be moved."""
        free = self._step_with(None).points
        restricted = allowed(free)
        if restricted is not free:
            self._large.points = restricted
            self._put_in_place()

    def rest(self) -> None:
        """No step is to come for a while: free what only steps need."""
        self._step_with(None).rest()

    def finish(self) -> None:
        """Nothing is held back between steps."""

    def _step_with(self, mesh: CoarseMesh | None) -> LargeSteps:
        """What steps a coarser mesh; the mesh itself for None."""
        coarse, large = self._coarse, self._large
        if coarse is not None and mesh is not coarse.mesh:
            self._value = large.points = coarse.fine
            # As it is on clusters: what steps take of it is smoothed.
            large.adam.take_over(
                coarse.large.adam, lambda momentum: momentum.take(coarse.mesh.cluster, axis=0)
            )
            self._coarse = None
        if mesh is None:
            return large
        if self._coarse is None:
            self._coarse = _CoarseSteps(mesh, large.points, self._schedule, large.size)
            self._coarse.large.adam.take_over(large.adam, mesh.positions)
            large.rest()
        return self._coarse.large

    def _put_in_place(self) -> None:
        free = self._large.points
        self._value = free if self._mobility is None else self._start + self._mobility * (free - self._start)
