# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Vertices gathered into aggregates: the vertices of a coarser mesh.

Roots are a maximal set of vertices no two of which are within so many edges of one another, drawn by lot
(Luby 1986; for aggregates Bell, Dalton and Olson 2012): all vertices are within as many edges of one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .sparse_matrix import SparseMatrix

_ROOT = np.int64(1) << 40  # above all lots


def aggregates(matrix: SparseMatrix, reach: int = 2) -> NDArray[np.int32]:
    """(V,) the aggregate of each vertex from 0, or -1 of those that are joined to no other.

    matrix: (V, V), symmetric; its off-diagonal entries are the edges, and its diagonal is there. reach: edges
    from the farthest vertex of an aggregate to its root.
    """
    joined = np.diff(matrix.starts) > 1
    lots = np.where(joined, _lots(matrix.height), 0)
    while True:
        best = lots
        for _ in range(reach):
            best = _around(matrix, best)
        open_to_all = (lots > 0) & (lots < _ROOT)
        if not open_to_all.any():
            break
        lots[open_to_all & (best == _ROOT)] = 0
        lots[open_to_all & (best == lots)] = _ROOT
    roots = np.flatnonzero(lots == _ROOT)
    label = np.zeros(matrix.height, np.int64)
    label[roots] = np.arange(1, len(roots) + 1)
    for _ in range(reach):
        label = np.where(label > 0, label, _around(matrix, label))
    return (label - 1).astype(np.int32)


def _around(matrix: SparseMatrix, values: NDArray[np.int64]) -> NDArray[np.int64]:
    """The largest of each vertex's own value and those of its neighbours."""
    return np.maximum.reduceat(values[matrix.columns], matrix.starts[:-1])


def _lots(count: int) -> NDArray[np.int64]:
    """(count,) distinct numbers from 1 to 2^32 without order: odd factors and shifts are bijections."""
    lots = np.arange(count, dtype=np.uint32)
    for factor, shift in ((0x9E3779B1, 15), (0x85EBCA77, 13), (0xC2B2AE3D, 16)):
        lots = lots * np.uint32(factor)
        lots ^= lots >> np.uint32(shift)
    return lots.astype(np.int64) + 1
