# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours for the columns of a sparse matrix, so that no row has two columns of one colour: then one product
with the sum of a colour's columns tells them all (Curtis, Powell and Reid 1974)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .cage_rings import Lists, inverted

_ORDERS = 8  # greedy colourings tried: one costs milliseconds, a colour one or three evaluations


def colours_of(rows: Lists, column_count: int) -> NDArray[np.int64]:
    """(column_count,) colours from 0; no two columns that one row has are of one colour."""
    rows_at = inverted(rows, column_count)
    rng = np.random.default_rng(0)
    orders = [np.argsort(-rows_at.lengths, kind="stable"), np.arange(column_count)]
    orders += [rng.permutation(column_count) for _ in range(_ORDERS - len(orders))]
    colourings = [_greedy(rows_at, order, len(rows.offsets) - 1) for order in orders]
    return min(colourings, key=lambda colours: colours.max(initial=0))


def _greedy(rows_at: Lists, order: NDArray[np.int64], row_count: int) -> NDArray[np.int64]:
    """The first free colour for one column after another; a row's colours are the bits of a number."""
    offsets, items = rows_at.offsets.tolist(), rows_at.items.tolist()
    taken = [0] * row_count
    colours = np.zeros(len(order), np.int64)
    for column in order.tolist():
        rows = items[offsets[column] : offsets[column + 1]]
        mask = 0
        for row in rows:
            mask |= taken[row]
        free = ~mask & (mask + 1)
        for row in rows:
            taken[row] |= free
        colours[column] = free.bit_length() - 1
    return colours
