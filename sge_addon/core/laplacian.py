# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The combinatorial Laplacian of a mesh."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def edges_of(triangles: NDArray[np.int32]) -> NDArray[np.int32]:
    """Distinct undirected edges, (E, 2) int32, smaller vertex first; none from a vertex to itself."""
    ends = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    low, high = ends.min(axis=1).astype(np.int64), ends.max(axis=1).astype(np.int64)
    count = int(triangles.max()) + 1
    keys = np.unique(low[low != high] * count + high[low != high])
    return np.stack(np.divmod(keys, count), axis=1).astype(np.int32)


def laplacian_entries(
    triangles: NDArray[np.int32], vertex_count: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    """L = D - A with unit weights, as (rows, columns, values) without repeats; (V, V)."""
    edges = edges_of(triangles)
    degree = np.bincount(edges.ravel(), minlength=vertex_count)
    diagonal = np.arange(vertex_count, dtype=np.int32)
    rows = np.concatenate([edges[:, 0], edges[:, 1], diagonal])
    columns = np.concatenate([edges[:, 1], edges[:, 0], diagonal])
    values = np.concatenate([np.full(2 * len(edges), -1.0), degree.astype(np.float64)])
    return rows, columns, values
