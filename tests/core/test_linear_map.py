# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sparse matrix kept face by face is the matrix, whatever sizes its faces have."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core.cage_rings import Lists
from sge_addon.core.linear_map import FaceRows, LinearMap, linear_map


def made(shapes: list[tuple[int, int]], blocks: bool, seed: int = 0) -> tuple[LinearMap, np.ndarray]:
    """A map with a face for each (rows, columns), and the same as a dense matrix, (3 V, 3 N). The last vertex
    of the surface hangs on nothing."""
    rng = np.random.default_rng(seed)
    base_count = max(columns for _, columns in shapes) + 3
    row_count = sum(rows for rows, _ in shapes)
    order = rng.permutation(row_count)
    columns = [np.sort(rng.choice(base_count, width, replace=False)) for _, width in shapes]
    faces = np.repeat(np.arange(len(shapes)), [rows for rows, _ in shapes])
    dense = np.zeros((row_count + 1, 3, base_count, 3))
    weights = []
    for row, face in zip(order, faces, strict=True):
        each = rng.normal(size=(len(columns[face]), 3, 3) if blocks else len(columns[face]))
        weights.append(each)
        matrices = each if blocks else each[:, None, None] * np.eye(3)
        dense[row][:, columns[face]] = matrices.transpose(1, 0, 2)
    lists = Lists(np.r_[0, np.cumsum([len(each) for each in columns])], np.concatenate(columns))
    parts = FaceRows(order, faces, lists, np.concatenate(weights).astype(np.float32))
    origin = rng.normal(size=(base_count, 3)).astype(np.float32)
    rest = rng.normal(size=(row_count + 1, 3)).astype(np.float32)
    return linear_map(origin, rest, parts, 0.0), dense.reshape(3 * row_count + 3, 3 * base_count)


# One row, no padding, padding, two faces of one size; more than a product may have without BLAS's threads.
SHAPES = [(1, 1), (4, 4), (5, 3), (9, 13), (9, 13), (600, 140)]


@pytest.mark.parametrize("blocks", [False, True])
def test_map_is_its_matrix(blocks: bool) -> None:
    found, dense = made(SHAPES, blocks)
    rng = np.random.default_rng(1)
    cage = rng.normal(size=found.origin.shape).astype(np.float32)
    expected = found.rest + (dense @ (cage - found.origin).ravel()).reshape(-1, 3)
    np.testing.assert_allclose(found.apply(cage), expected, atol=1e-4)
    gradient = rng.normal(size=found.rest.shape)
    expected = (dense.T @ gradient.ravel()).reshape(-1, 3)
    np.testing.assert_allclose(found.pulled_back(gradient.astype(np.float32)), expected, atol=1e-4)


@pytest.mark.parametrize("blocks", [False, True])
def test_results_are_float32_and_arrays_of_their_own(blocks: bool) -> None:
    found, _ = made(SHAPES[:4], blocks)
    first, second = found.apply(found.origin), found.apply(found.origin)
    np.testing.assert_array_equal(first, found.rest)
    assert first is not second
    assert first.dtype == found.pulled_back(first).dtype == np.float32


def test_a_map_of_nothing_stays_at_rest() -> None:
    rest = np.ones((2, 3), np.float32)
    none = np.zeros(0, np.int64)
    parts = FaceRows(none, none, Lists(np.zeros(3, np.int64), none), np.zeros(0, np.float32))
    found = linear_map(np.zeros((4, 3), np.float32), rest, parts, 0.0)
    np.testing.assert_array_equal(found.apply(np.ones((4, 3), np.float32)), rest)
    np.testing.assert_array_equal(found.pulled_back(rest), np.zeros((4, 3)))


def test_weights_below_the_threshold_are_dropped() -> None:
    """By hand: two vertices of a face with columns 0, 1, 2; nobody needs column 1."""
    weights = np.float32([0.5, 1e-7, 0.5, 1.0, -1e-7, 1e-7])
    lists = Lists(np.array([0, 3]), np.array([0, 1, 2]))
    parts = FaceRows(np.array([0, 1]), np.array([0, 0]), lists, weights)
    found = linear_map(np.zeros((3, 3), np.float32), np.zeros((2, 3), np.float32), parts, 1e-6)
    cage = np.float32([[1.0, 0.0, 0.0], [1e6, 1e6, 1e6], [0.0, 4.0, 0.0]])
    np.testing.assert_array_equal(found.apply(cage), [[0.5, 2.0, 0.0], [1.0, 0.0, 0.0]])
    pulled = found.pulled_back(np.float32([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
    np.testing.assert_array_equal(pulled, [[0.5, 1.0, 0.0], [0.0, 0.0, 0.0], [0.5, 0.0, 0.0]])
