# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The triangles that a picture shows, numbered among themselves: sums by them are short for any mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Seen:
    """pixels: (N,) flat, that show a triangle. triangles: (T,) that are shown, ascending. ranks: (N,) which
    of these each pixel shows."""

    pixels: Indices
    triangles: Indices
    ranks: Indices


class SeenTriangles:
    """Of a mesh of so many triangles."""

    def __init__(self, count: int) -> None:
        self._ranks = np.empty(count, np.intp)

    def of(self, ids: NDArray[np.uint32]) -> Seen:
        """ids: (H, W), triangle + 1, 0 = background."""
        flat = ids.ravel()
        pixels = np.flatnonzero(flat != 0)  # of truth values, a third of the time
        shown = flat.take(pixels).astype(np.intp) - 1
        is_seen = np.zeros(len(self._ranks), bool)
        is_seen[shown] = True
        triangles = np.flatnonzero(is_seen)
        self._ranks[triangles] = np.arange(len(triangles))
        return Seen(pixels, triangles, self._ranks.take(shown))
