# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many small systems at once, against NumPy's solver one by one; sums over cells, by hand."""

from __future__ import annotations

import numpy as np

from sge_addon.core.cell_sums import CellGrid, CellSums, one_sample
from sge_addon.core.lookups import UVBuffer
from sge_addon.core.map_group import GroupChannels
from sge_addon.core.texel_systems import BLOCK, multiply_systems, solve_systems

CHANNELS = GroupChannels((("base_color", 3), ("normal", 2), ("emission", 3), ("alpha", 1)))


def random_systems(count: int):
    """Matrices that arise from slopes of three colours, with their entries by pair."""
    rng = np.random.default_rng(0)
    slopes = rng.standard_normal((count, 5, 3, 9))  # (N, observations, colours, channels)
    for channel, colour in enumerate(CHANNELS.colours):
        if colour is not None:
            slopes[..., np.arange(3) != colour, channel] = 0.0
    matrices = np.einsum("nkca,nkcb->nab", slopes, slopes)
    entries = np.stack([matrices[:, a, b] for a, b in CHANNELS.pairs]).astype(np.float32)
    return matrices, entries, rng


def test_systems_are_solved_as_one_by_one():
    count = BLOCK + 7
    matrices, entries, rng = random_systems(count)
    sides = rng.standard_normal((9, 2, count)).astype(np.float32)
    damping = rng.uniform(0.5, 2.0, (9, count)).astype(np.float32)
    found = solve_systems(entries, CHANNELS.pairs, damping, sides)
    full = matrices + damping.T[:, None] * np.eye(9)
    expected = np.linalg.solve(full, sides.transpose(2, 0, 1)).transpose(1, 2, 0)
    np.testing.assert_allclose(found, expected, atol=2e-4)


def test_products_are_those_of_the_matrices():
    matrices, entries, rng = random_systems(50)
    vectors = rng.standard_normal((9, 4, 50)).astype(np.float32)
    found = multiply_systems(entries, CHANNELS.pairs, vectors)
    expected = np.einsum("nab,brn->arn", matrices, vectors)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


def test_channels_of_different_colours_share_no_entry():
    assert (0, 1) not in CHANNELS.pairs
    assert (0, 5) in CHANNELS.pairs  # red of base colour and of emission
    assert (0, 6) not in CHANNELS.pairs
    assert {(k, k) for k in range(9)} < set(CHANNELS.pairs)


def test_a_pixel_counts_in_the_four_cells_about_it():
    grid = CellGrid(2, 4)
    sums = CellSums(np.float32([[0.25, 0.5]]), np.float32([0.0]), grid)  # between four cells, mid-height
    rows = np.zeros((grid.length, 1), np.float32)
    rows[sums.cells] += sums.of(np.float32([[8.0]]))
    np.testing.assert_allclose(grid.finest(rows)[..., 0], [[2, 2, 0, 0], [2, 2, 0, 0]])


def test_cells_wrap_around():
    grid = CellGrid(1, 3)
    sums = CellSums(np.float32([[-1.0 + 1e-9, 0.5], [2.0, 7.5]]), np.float32([0.0, 0.0]), grid)
    rows = np.zeros((grid.length, 1), np.float32)
    rows[sums.cells] += sums.of(np.float32([[1.0, 3.0]]))
    np.testing.assert_allclose(grid.finest(rows)[0, :, 0], [2, 0, 2], atol=1e-5)


def test_a_coarse_pixel_counts_in_all_cells_that_it_covers():
    grid = CellGrid(4, 4)
    sums = CellSums(np.float32([[0.25, 0.25]]), np.float32([1.3]), grid)  # the centre of a cell of level 1
    rows = np.zeros((grid.length, 1), np.float32)
    rows[sums.cells] += sums.of(np.float32([[4.0]]))
    finest = grid.finest(rows)[..., 0]
    np.testing.assert_allclose(finest[:2, :2], 1.0, atol=1e-5)
    assert abs(finest.sum() - 4.0) < 1e-5


def test_a_pixel_is_read_where_one_of_its_own_samples_is():
    def lookup(u):
        uv = np.full((1, 2, 2), u, np.float32)
        return UVBuffer(np.ones((1, 2), np.uint32), uv, np.full((1, 2), 3.0, np.float32), 1)

    mine = np.array([[False, True], [True, True]])
    uv, level = one_sample([lookup(0.1), lookup(0.7)], mine, np.array([0, 1], np.int32))
    np.testing.assert_allclose(uv[:, 0], [0.7, 0.7])
    np.testing.assert_allclose(level, 2.5)
