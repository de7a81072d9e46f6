# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sums by bins, two rows at a time."""

import numpy as np
import pytest

from sge_addon.core.bin_sums import add_pairs, no_pairs, numbered, of_pairs


@pytest.mark.parametrize("row_count", [1, 2, 5])
def test_rows_are_summed_by_bin_and_weight(row_count: int) -> None:
    rng = np.random.default_rng(3)
    bins = rng.integers(0, 7, (4, 500))
    weights = rng.random((2, 4, 500), dtype=np.float32)
    rows = rng.standard_normal((row_count, 500)).astype(np.float32)
    starts = (0, 2)
    sums = no_pairs(row_count, 9)
    for part in (slice(0, 200), slice(200, None)):
        add_pairs(sums, bins[:, part], weights[..., part], list(rows[:, part]), starts)
    found = of_pairs(sums, row_count)
    assert found.shape == (9, row_count)
    for column, row in zip(found.T, rows, strict=True):
        all_bins = bins + np.reshape(starts, (2, 1, 1))
        expected = np.bincount(all_bins.ravel(), (weights.astype(np.float64) * row).ravel(), 9)
        np.testing.assert_allclose(column, expected, atol=1e-4)


def test_distinct_values_are_numbered_in_order() -> None:
    distinct, number = numbered(np.int32([[5, 2], [2, 9]]), 10)
    assert distinct.tolist() == [2, 5, 9]
    assert number.tolist() == [[1, 0], [0, 2]]
