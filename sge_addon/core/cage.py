# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mesh that a fit moves where what is seen is what modifiers make of it: the cage of a surface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .surface import Surface

Array = NDArray[np.float32]


class CageMap(Protocol):
    """How a surface follows from its cage: x = S c + b, for cages (N, 3) and surfaces (V, 3)."""

    def apply(self, cage: Array) -> Array:
        """(V, 3) float32 world: the surface's vertices for a cage's, (N, 3)."""
        ...

    def pulled_back(self, gradient: Array) -> Array:
        """(N, 3) float32: dL/dc of a gradient dL/dx, (V, 3)."""
        ...


@dataclass(frozen=True, eq=False)
class MirrorPlane:
    """Where a Mirror modifier joins a cage to its image.

    point, normal: (3,) float64, world; the normal is of unit length. merge: distance, world units, below
    which a vertex and its image become one; 0 where they never do.
    """

    point: NDArray[np.float64]
    normal: NDArray[np.float64]
    merge: float


@dataclass(frozen=True, eq=False)
class Cage:
    """The base mesh of a surface, world space, and which part of the surface hangs on which of its faces.

    positions: (N, 3) float32. triangles: (T, 3) int32, its faces triangulated.
    face_offsets: (P + 1,) int64, face_vertices: (M,) int32: the vertices of each face of the base mesh.
    face_of_triangle: (F,) int32, of each triangle of the *surface*: the base face that it came from, -1 where
    a modifier added it from elsewhere (a Boolean's other object).
    mobility: (N,) float32 in [0, 1]: how far the fit may move a vertex; None: all wholly.
    planes: the Mirror modifiers' planes. Vertices on one stay on it, the others on their side.
    map: how the surface's vertices follow from these; None where only Blender can tell.
    """

    positions: Array
    triangles: NDArray[np.int32]
    face_offsets: NDArray[np.int64]
    face_vertices: NDArray[np.int32]
    face_of_triangle: NDArray[np.int32]
    mobility: Array | None = None
    planes: tuple[MirrorPlane, ...] = ()
    map: CageMap | None = field(default=None, repr=False)


class Stack(Protocol):
    """The modifiers of one object, evaluated by Blender at any positions of its base mesh."""

    def evaluate(self, cages: Sequence[Array]) -> list[Surface]:
        """A Surface, with its ``cage`` but without its map, for each (N, 3) float32 world positions of the
        base mesh. Surfaces of equal topology share all arrays but the positions. Raises FitError where the
        stack yields no faces, or no longer tells which face came from where."""
        ...

    def positions(self, cages: Sequence[Array]) -> list[Array]:
        """(V, 3) float32 world of each, as ``evaluate``: cheaper where the topology is known to stay. Raises
        TopologyChanged where a number of vertices differs from the first evaluation's."""
        ...


class TopologyChanged(Exception):
    """The stack made another mesh than before of moved vertices."""
