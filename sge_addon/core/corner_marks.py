# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Barycentric coordinates from two numbers that a rasteriser interpolates.

Every vertex gets a mark, one of eight points on the unit circle, such that the corners of a triangle have
three different ones. What a pixel sees of the interpolated mark, with the triangle's own three, is its place
in the triangle: no index of a corner needs to reach the fragment, and sums over pixels of something times
(1, x, y) tell the sums times each barycentric coordinate.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .signs import hash_bits

_COLOURS = 8  # more than a vertex has neighbours, as a rule
_ROUNDS = 40  # of colouring; four or five do, but where more than eight neighbours crowd
_LEAST_AREA = 1e-3  # twice the area between three marks, below which two of them are one


def vertex_marks(triangles: NDArray[np.int32], vertex_count: int) -> NDArray[np.float32]:
    """(V, 2): the mark of each vertex. triangles: (F, 3)."""
    angles = _colours(triangles, vertex_count) * (2.0 * np.pi / _COLOURS)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def place_matrices(triangles: NDArray[np.int32], marks: NDArray[np.float32]) -> NDArray[np.float32]:
    """(3, 3, F): [corner, (1, x, y)], from a mark (1, x, y) to the barycentric coordinates of each triangle;
    where two corners share a mark, a third for each."""
    x, y = marks[triangles].transpose(2, 1, 0).astype(np.float64)  # (3, F) each
    following, last = [1, 2, 0], [2, 0, 1]
    constant = x[following] * y[last] - x[last] * y[following]
    matrices = np.stack([constant, y[following] - y[last], x[last] - x[following]], axis=1)
    area = constant.sum(axis=0)
    known = np.abs(area) > _LEAST_AREA
    matrices /= np.where(known, area, 1.0)
    matrices[:, 0, ~known] = 1.0 / 3.0
    matrices[:, 1:, ~known] = 0.0
    return matrices.astype(np.float32)


def _colours(triangles: NDArray[np.int32], vertex_count: int) -> NDArray[np.uint8]:
    """(V,) from 0 to 7; neighbours differ, but for a few that have more than seven of their own.

    All take a colour by lot; of two alike the one with fewer neighbours takes one that they have not.
    """
    lots = hash_bits(0, np.arange(vertex_count, dtype=np.uint32))
    colours = (lots >> np.uint32(29)).astype(np.uint8)
    tails = triangles[:, [0, 1, 2, 1, 2, 0]].ravel()
    heads = triangles[:, [1, 2, 0, 0, 1, 2]].ravel()
    ranks = np.bincount(tails, minlength=vertex_count).astype(np.uint64) << np.uint64(32) | lots
    for turn in range(1, _ROUNDS + 1):
        is_alike = (colours[tails] == colours[heads]) & (tails != heads)
        tail, head = tails[is_alike], heads[is_alike]
        loses = (ranks[tail] < ranks[head]) | ((ranks[tail] == ranks[head]) & (tail < head))
        if not loses.any():
            break
        losers = np.unique(tail[loses])
        is_loser = np.zeros(vertex_count, bool)
        is_loser[losers] = True
        around = is_loser[tails]
        taken = np.zeros(vertex_count, np.uint8)
        np.bitwise_or.at(taken, tails[around], np.uint8(1) << colours[heads[around]])
        colours[losers] = _free(taken[losers], hash_bits(turn, losers.astype(np.uint32)))
    return colours


def _free(taken: NDArray[np.uint8], lot: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """For each set of taken colours, bit by bit, a free one, the next after a random one; that if none is."""
    first = (lot % np.uint32(_COLOURS)).astype(np.uint8)
    found, is_found = first.copy(), np.zeros(len(first), bool)
    for offset in range(_COLOURS):
        colour = (first + np.uint8(offset)) % np.uint8(_COLOURS)
        takes = ~is_found & ((taken >> colour) & np.uint8(1) == 0)
        found[takes] = colour[takes]
        is_found |= takes
    return found
