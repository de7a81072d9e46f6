# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sum over a vertex's pixels: the union of two images' IDs, each pixel once."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core.assembly import Assembly, assemble
from sge_addon.core.estimator import limited, sum_over_support, vertex_gradient
from sge_addon.core.support import Support, full_support, narrow_support
from sge_addon.core.surface import Surface
from tests.meshes import icosphere, surface


def brute_force(difference: np.ndarray, plus: np.ndarray, minus: np.ndarray, support: Support) -> np.ndarray:
    """One pixel after the other, one vertex after the other."""
    sums = np.zeros(support.vertex_count)
    for d, *ids in zip(difference, plus, minus, strict=True):
        touched = set()
        for number in ids:
            if number > 0:
                first, end = support.offsets[number - 1 : number + 1]
                touched |= set(support.vertices[first:end].tolist())
        for vertex in touched:
            sums[vertex] += d
    return sums


def strip() -> Assembly:
    """Triangles (0, 1, 2), (1, 3, 2), (4, 5, 6): the first two share an edge, the third stands alone."""
    positions = np.asarray(
        [[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [3, 0, 0], [4, 0, 0], [3, 1, 0]], np.float32
    )
    triangles = np.asarray([[0, 1, 2], [1, 3, 2], [4, 5, 6]], np.int32)
    return assemble([Surface("strip", positions, triangles, triangles)])


def ids(*numbers: int) -> np.ndarray:
    return np.asarray(numbers, np.uint32)


def test_differences_are_limited_by_the_mean_square_of_those_that_there_are() -> None:
    difference = np.float32([0.0, 3.0, -3.0, 0.0, 1.0, -1.0, 0.0])  # mean square 5
    assert limited(difference, 1.0) is difference
    most = 5.0**0.5
    np.testing.assert_allclose(difference, [0.0, most, -most, 0.0, 1.0, -1.0, 0.0], rtol=1e-6)
    np.testing.assert_array_equal(limited(10.0 * difference, 2.0), 10.0 * difference)
    np.testing.assert_array_equal(limited(difference.copy(), 0.0), difference)
    np.testing.assert_array_equal(limited(np.zeros(3, np.float32), 1.0), np.zeros(3))
    assert len(limited(np.zeros(0, np.float32), 1.0)) == 0


@pytest.mark.parametrize("make", [narrow_support, full_support])
@pytest.mark.parametrize("seed", range(4))
def test_sum_is_that_of_brute_force(make, seed: int) -> None:
    rng = np.random.default_rng(seed)
    assembly = assemble([surface(*icosphere(1)), surface(*icosphere(0), smooth=False)])
    support = make(assembly)
    count = len(assembly.triangles)
    plus = rng.integers(0, count + 1, 400).astype(np.uint32)
    minus = rng.integers(0, count + 1, 400).astype(np.uint32)
    minus[:100] = plus[:100]  # nothing happened at the edges
    minus[100:200] = np.clip(plus[100:200].astype(int) + rng.integers(-1, 2, 100), 0, count)
    plus[200:230], minus[220:250] = 0, 0
    difference = rng.normal(size=400).astype(np.float32)
    difference[::7] = 0.0
    found = sum_over_support(difference, plus, minus, support)
    np.testing.assert_allclose(found, brute_force(difference, plus, minus, support), atol=1e-5)


@pytest.mark.parametrize("make", [narrow_support, full_support])
def test_a_pixel_counts_once_where_both_images_name_a_vertex(make) -> None:
    support = make(strip())
    same = sum_over_support(np.float32([1.0]), ids(1), ids(1), support)
    assert same[:3].tolist() == [1, 1, 1]  # 2 each, were both IDs added
    across = sum_over_support(np.float32([1.0]), ids(1), ids(2), support)
    assert across[:4].tolist() == [1, 1, 1, 1]  # vertices 1 and 2 lie in both triangles


def test_full_support_reaches_the_neighbour_whose_normal_tilts() -> None:
    once = sum_over_support(np.float32([1.0]), ids(1), ids(1), full_support(strip()))
    assert once.tolist() == [1, 1, 1, 1, 0, 0, 0]


@pytest.mark.parametrize("make", [narrow_support, full_support])
def test_background_is_nobodys_triangle(make) -> None:
    support = make(strip())
    difference = np.float32([1.0, 10.0, 100.0])
    found = sum_over_support(difference, ids(0, 3, 0), ids(0, 0, 3), support)
    assert found.tolist() == [0, 0, 0, 0, 110, 110, 110]


@pytest.mark.parametrize("make", [narrow_support, full_support])
def test_one_surface_uncovering_another_counts_for_both(make) -> None:
    found = sum_over_support(np.float32([2.0]), ids(3), ids(1), make(strip()))
    assert (found[[0, 1, 2, 4, 5, 6]] == 2).all()


@pytest.mark.parametrize("make", [narrow_support, full_support])
def test_equal_images_give_nothing(make) -> None:
    found = sum_over_support(np.zeros(3, np.float32), ids(1, 2, 0), ids(1, 2, 0), make(strip()))
    assert not found.any()


def test_gradient_is_sign_over_two_epsilon_and_zero_where_nothing_moves() -> None:
    signs = np.float32([[1, -1, 1], [-1, -1, 1]])
    gradient = vertex_gradient(np.asarray([6.0, 5.0]), signs, np.float32([0.25, 0.0]), 4)
    assert gradient.tolist() == [[3, -3, 3], [0, 0, 0]]
