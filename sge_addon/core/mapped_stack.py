# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Linear modifiers in the place of those that only Blender can evaluate: cages are perturbed, not surfaces.

Vertices of a surface whose triangles are small beside a perturbation turn them over when each moves by
itself; moved by their cage, they stay beside one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .cage import CageMap
from .laplacian import edges_of
from .pixel_scale import edge_pixels
from .surface import Surface
from .view import View

Array = NDArray[np.float32]

SHORT_EDGES = 3.0  # pixels; epsilon begins at one
_COUNTED_VIEWS, _COUNTED_EDGES = 16, 20_000


def is_fine(surface: Surface, views: Sequence[View]) -> bool:
    """Whether half of a surface's edges are too short in the views for its own vertices to be perturbed."""
    edges = edges_of(surface.triangles)
    counted = edges[:: -(-len(edges) // _COUNTED_EDGES)]
    lengths = edge_pixels(surface.positions, counted, views[:: -(-len(views) // _COUNTED_VIEWS)])
    seen = lengths[lengths > 0.0]
    return len(seen) > 0 and float(np.median(seen)) < SHORT_EDGES


class Mapped(Protocol):
    """What has a map from a cage to its surface."""

    @property
    def map(self) -> CageMap | None: ...


@dataclass(frozen=True, eq=False)
class MappedStack:
    """A core.cage.Stack. surface: with its cage. owner: has the map as it is now."""

    surface: Surface
    owner: Mapped

    def evaluate(self, cages: Sequence[Array]) -> list[Surface]:
        """As of Stack; the topology always stays."""
        own = self.surface.cage
        if own is None:
            raise ValueError(f"surface '{self.surface.name}' has no cage")
        return [
            replace(self.surface, positions=positions, cage=replace(own, positions=each))
            for positions, each in zip(self.positions(cages), cages, strict=True)
        ]

    def positions(self, cages: Sequence[Array]) -> list[Array]:
        """As of Stack."""
        found = self.owner.map
        if found is None:
            raise ValueError(f"surface '{self.surface.name}' has no map")
        return [found.apply(each) for each in cages]
