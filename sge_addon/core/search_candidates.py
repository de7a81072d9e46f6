# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a search for the start of maps tries: normals and roughnesses of the cells of a grid.

A candidate is (C, N) by kind of map, or (C, 1) for the same in all N cells.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray

from .material_maps import MAP_KINDS

Array = NDArray[np.float32]
Candidate = Mapping[str, Array]
# From the best so far to what is tried next.
Move = Callable[[Candidate], Candidate]

# x and y of the first normals: on a square grid within a circle.
SPACING, REACH = 0.16, 0.72
ROUGHNESSES = (0.2, 0.4, 0.7)
# Changes of a cell's own normal, and half of those of its roughness, relatively; in turn.
REFINEMENTS = (0.08, 0.04)
# Cells to all four sides whose choices are tried.
NEIGHBOURS = (1, 3)
LONGEST = 0.9  # of x and y of a candidate's normal

_TRIED = ("normal", "roughness")
_SIDES = ((0, 1), (0, -1), (1, 1), (1, -1))  # axis, direction


def moves(kinds: Collection[str], grid: tuple[int, int]) -> list[Move]:
    """All that is tried, in this order. kinds: of the maps that are fitted. grid: (rows, columns)."""
    normals = [{"normal": unit_normal(x, y)} for x, y in _normal_grid()] if "normal" in kinds else [{}]
    roughnesses = [{"roughness": np.full((1, 1), each, np.float32)} for each in ROUGHNESSES]
    if "roughness" not in kinds:
        roughnesses = [{}]
    tried: list[Move] = [partial(_same, one | other) for other, one in product(roughnesses, normals)]
    if not set(kinds) & set(_TRIED):
        return tried
    for size in REFINEMENTS:
        tried += [
            partial(_of_neighbour, grid, axis, sign * distance)
            for distance in NEIGHBOURS
            for axis, sign in _SIDES
        ]
        if "normal" in kinds:
            around = product((-size, 0.0, size), repeat=2)
            tried += [partial(_tilted, x, y) for x, y in around if x or y]
        if "roughness" in kinds:
            tried += [partial(_rougher, factor) for factor in (1.0 + 2.0 * size, 1.0 / (1.0 + 2.0 * size))]
    return tried


def unit_normal(x: Array | float, y: Array | float) -> Array:
    """(3, N), x and y (N,) shortened to ``LONGEST``; of two numbers (3, 1)."""
    across, along = np.atleast_1d(x), np.atleast_1d(y)
    shorter = np.minimum(1.0, LONGEST / np.maximum(np.hypot(across, along), 1e-6))
    across, along = across * shorter, along * shorter
    return np.stack([across, along, np.sqrt(1.0 - across**2 - along**2)]).astype(np.float32)


def _normal_grid() -> list[tuple[float, float]]:
    steps = int(REACH / SPACING)
    axis = [SPACING * number for number in range(-steps, steps + 1)]
    return [(x, y) for x in axis for y in axis if x * x + y * y <= REACH**2]


def _same(candidate: Candidate, best: Candidate) -> Candidate:
    return candidate


def _of_neighbour(grid: tuple[int, int], axis: int, distance: int, best: Candidate) -> Candidate:
    return {
        kind: np.roll(best[kind].reshape(-1, *grid), distance, axis + 1).reshape(len(best[kind]), -1)
        for kind in _TRIED
        if kind in best
    }


def _tilted(x: float, y: float, best: Candidate) -> Candidate:
    return _tried(best) | {"normal": unit_normal(best["normal"][0] + x, best["normal"][1] + y)}


def _rougher(factor: float, best: Candidate) -> Candidate:
    kind = MAP_KINDS["roughness"]
    changed = np.clip(best["roughness"] * np.float32(factor), kind.low, kind.high)
    return _tried(best) | {"roughness": changed.astype(np.float32)}


def _tried(best: Candidate) -> dict[str, Array]:
    return {kind: best[kind] for kind in _TRIED if kind in best}
