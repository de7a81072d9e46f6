# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unseen texels and margins."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from sge_addon.core.texture_fill import extend_margin, fill_unseen, island_mask


def test_fill_keeps_seen_texels_and_stays_within_their_range():
    rng = np.random.default_rng(0)
    texture = rng.random((32, 16, 3)).astype(np.float32)
    weight = (rng.random((32, 16)) < 0.1).astype(np.float32)
    filled = fill_unseen(texture, weight)
    seen = weight > 0
    np.testing.assert_array_equal(filled[seen], texture[seen])
    assert filled.min() >= texture[seen].min() - 1e-6
    assert filled.max() <= texture[seen].max() + 1e-6


def test_fill_of_two_flat_regions_takes_the_nearer_colour():
    texture = np.zeros((32, 32, 3), np.float32)
    weight = np.zeros((32, 32), np.float32)
    texture[:, 4:8] = (1, 0, 0)
    texture[:, 20:24] = (0, 0, 1)
    weight[:, 4:8] = weight[:, 20:24] = 1
    filled = fill_unseen(texture, weight)
    assert (filled[:, 9, 0] > filled[:, 9, 2]).all()
    assert (filled[:, 18, 2] > filled[:, 18, 0]).all()
    np.testing.assert_allclose(filled.sum(axis=-1), 1.0, atol=1e-5)


def test_fill_without_any_seen_texel_changes_nothing():
    texture = np.random.default_rng(0).random((6, 6, 3)).astype(np.float32)
    np.testing.assert_array_equal(fill_unseen(texture, np.zeros((6, 6), np.float32)), texture)


def test_fill_of_odd_sizes_uses_the_mean():
    texture = np.zeros((5, 7, 3), np.float32)
    weight = np.zeros((5, 7), np.float32)
    texture[0, 0], texture[4, 6] = 1.0, 0.5
    weight[0, 0] = weight[4, 6] = 1
    np.testing.assert_allclose(fill_unseen(texture, weight)[2, 2], 0.75)


def test_islands_of_a_known_triangle():
    uvs = np.array([[[0.0, 0.0], [0.5, 0.0], [0.0, 0.5]]], np.float32)
    expected = np.zeros((8, 8), bool)
    for row, count in enumerate((4, 3, 2, 1)):
        expected[row, :count] = True
    np.testing.assert_array_equal(island_mask(uvs, (8, 8)), expected)


def test_islands_wrap_around():
    uvs = np.array([[[-0.125, 0.9], [0.125, 0.9], [0.125, 1.1]]], np.float32)
    mask = island_mask(uvs, (8, 8))
    assert mask[7, 7]
    assert mask[0, 0]
    assert not mask[:, 2:6].any()
    assert not mask[2:6].any()


def test_a_tiling_triangle_covers_everything():
    uvs = np.array([[[-3.0, -3.0], [5.0, -3.0], [-3.0, 5.0]]], np.float32)
    assert island_mask(uvs, (8, 16)).all()


@pytest.mark.parametrize("degenerate", [[[0.3, 0.3]] * 3, [[0.1, 0.3], [0.9, 0.3], [0.5, 0.3]]])
def test_triangles_without_area_still_mark_the_texels_they_touch(degenerate):
    mask = island_mask(np.array([degenerate], np.float32), (10, 10))
    assert mask[3, 3]
    assert mask.sum() in (1, 8, 9)


def test_islands_hold_every_texel_that_dense_sampling_hits():
    rng = np.random.default_rng(0)
    uvs = (rng.random((40, 1, 2)) + 0.2 * rng.random((40, 3, 2)) - 0.1).astype(np.float32)
    mask = island_mask(uvs, (24, 32))
    weights = rng.dirichlet((0.5, 0.5, 0.5), 4000)
    points = np.einsum("nk,fkc->fnc", weights, uvs).reshape(-1, 2) * (32, 24)
    hit = np.zeros_like(mask)
    cells = np.floor(points).astype(int)
    hit[cells[:, 1] % 24, cells[:, 0] % 32] = True
    assert mask[hit].all()
    assert (mask & ~hit).mean() < 0.03


def test_margin_copies_the_nearest_island_texel():
    rng = np.random.default_rng(1)
    islands = np.zeros((64, 64), bool)
    islands[20:30, 22:40] = True
    islands[35:44, 30:33] = True
    texture = rng.random((64, 64, 3)).astype(np.float32)
    extended = extend_margin(texture, islands, 8)
    distance, (rows, columns) = distance_transform_edt(~islands, return_indices=True)
    near = distance <= 8
    nearest = texture[rows, columns]
    # Where two island texels are equally near, either will do: compare where the choice is unique.
    agreeing = (extended == nearest).all(axis=-1)
    assert agreeing[near].mean() > 0.95
    np.testing.assert_array_equal(extended[~near], texture[~near])
    np.testing.assert_array_equal(extended[islands], texture[islands])


def test_margin_wraps_and_zero_margin_changes_nothing():
    islands = np.zeros((8, 8), bool)
    islands[:, 0] = True
    texture = np.zeros((8, 8, 3), np.float32)
    texture[:, 0] = 1.0
    assert (extend_margin(texture, islands, 1)[:, 7] == 1).all()
    np.testing.assert_array_equal(extend_margin(texture, islands, 0), texture)
