# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The estimator: from two rasterisations' per-pixel losses and IDs to the gradient of every vertex.

Deliot, Heitz, Belcour 2024, section 3: g_i = s_i / (2 epsilon_i) times the sum of d_p over the pixels
whose ID buffer names something in i's support, in the plus or in the minus image, each pixel once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .support import Support


def sum_over_support(
    difference: NDArray[np.float32],
    id_plus: NDArray[np.uint32],
    id_minus: NDArray[np.uint32],
    support: Support,
) -> NDArray[np.float64]:
    """Sum of d_p over each vertex's pixels: (V,) float64.

    difference: (P,) loss plus minus loss minus. id_plus, id_minus: (P,) triangle + 1, 0 = background.

    The sum over a union is the sum over both parts less the sum over what they share; d is summed by
    triangle first, since a vertex's sum only needs its triangles' sums.
    """
    active = np.flatnonzero(difference)
    difference = difference[active]
    plus = id_plus[active].view(np.int32)
    minus = id_minus[active].view(np.int32)
    triangle_count = len(support.offsets) - 1
    by_triangle = np.bincount(plus, difference, triangle_count + 1)
    changed = np.flatnonzero(plus != minus)
    difference, plus, minus = difference[changed], plus[changed], minus[changed]
    by_triangle += np.bincount(minus, difference, triangle_count + 1)
    both = np.flatnonzero((plus > 0) & (minus > 0))
    shared = _sum_shared(difference[both], plus[both] - 1, minus[both] - 1, support)
    return _triangles_to_vertices(by_triangle[1:], support) - shared


def _triangles_to_vertices(by_triangle: NDArray[np.float64], support: Support) -> NDArray[np.float64]:
    seen = np.flatnonzero(by_triangle)
    if support.corners is not None:
        vertices = support.corners[seen]  # (S, 3)
        return np.bincount(vertices.ravel(), np.repeat(by_triangle[seen], 3), support.vertex_count)
    row, vertices = support.rows(seen)
    return np.bincount(vertices, by_triangle[seen][row], support.vertex_count)


def _sum_shared(
    difference: NDArray[np.float32], plus: NDArray[np.int32], minus: NDArray[np.int32], support: Support
) -> NDArray[np.float64]:
    """Sum over pixels of d for each vertex that has both of the pixel's triangles in its support."""
    if support.corners is not None:
        first, second = support.corners[plus], support.corners[minus]  # (P, 3)
        shared = first == second[:, :1]
        shared |= first == second[:, 1:2]
        shared |= first == second[:, 2:]
        pixel, corner = np.nonzero(shared)
        return np.bincount(first[pixel, corner], difference[pixel], support.vertex_count)
    triangle_count = len(support.offsets) - 1
    pairs, inverse = np.unique(plus.astype(np.int64) * triangle_count + minus, return_inverse=True)
    by_pair = np.bincount(inverse, difference, len(pairs))
    lists = [support.rows(triangles) for triangles in np.divmod(pairs, triangle_count)]
    keys = [row * support.vertex_count + vertices for row, vertices in lists]
    common = np.intersect1d(*keys, assume_unique=True)
    pair, vertex = np.divmod(common, support.vertex_count)
    return np.bincount(vertex, by_pair[pair], support.vertex_count)


def vertex_gradient(
    sums: NDArray[np.float64],
    signs: NDArray[np.float32],
    epsilons: NDArray[np.float32],
    pixel_count: int,
) -> NDArray[np.float32]:
    """Gradient of the loss averaged over pixels: (V, 3) float32, 0 where epsilon is 0.

    sums: (V,) of ``sum_over_support``. signs: (V, 3). epsilons: (V,) world units.
    """
    scale = np.zeros(len(sums))
    np.divide(sums, 2.0 * pixel_count * epsilons, out=scale, where=epsilons > 0.0)
    return signs * scale[:, None].astype(np.float32)
