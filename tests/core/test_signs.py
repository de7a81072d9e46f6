# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signs are a function of seed and index, and behave like fair, independent coins."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core.signs import (
    hash_bits,
    seed_key,
    sign_rows,
    signs,
    step_seed,
    sub_pixel_jitter,
    uniform,
)


def mixed(bits: int) -> int:
    """The mixing in whole numbers of any size, cut to 32 bits after each step."""
    bits = (bits ^ (bits >> 16)) * 0x7FEB352D & 0xFFFFFFFF
    bits = (bits ^ (bits >> 15)) * 0x846CA68B & 0xFFFFFFFF
    return bits ^ (bits >> 16)


@pytest.mark.parametrize("seed", [0, 1, 12345, 0xFFFFFFFF, 2**40 + 7])
def test_hash_is_arithmetic_modulo_two_to_the_32(seed: int) -> None:
    indices = [0, 1, 2, 1023, 1024, 65537, 2**31, 2**32 - 1]
    expected = [mixed((i * 0x9E3779B9 + mixed(seed & 0xFFFFFFFF)) & 0xFFFFFFFF) for i in indices]
    assert hash_bits(seed, np.asarray(indices, np.uint32)).tolist() == expected
    assert int(seed_key(seed)) == mixed(seed & 0xFFFFFFFF)


@pytest.mark.parametrize("seed", [0, 12345, 2**40 + 7])
def test_one_hash_at_a_time_is_that_of_many(seed: int) -> None:
    steps = np.asarray([0, 1, 999, 2**31, 2**32 - 1], np.uint32)
    assert [step_seed(seed, int(step)) for step in steps] == hash_bits(seed, steps).tolist()
    expected = uniform(step_seed(seed, 0x4A495454), 2) - 0.5
    assert list(sub_pixel_jitter(seed)) == expected.tolist()


def test_no_two_indices_share_their_bits() -> None:
    assert len(np.unique(hash_bits(3, np.arange(1 << 18, dtype=np.uint32)))) == 1 << 18


def test_signs_are_the_highest_bits() -> None:
    drawn = signs(7, 5)
    for index, bits in enumerate(hash_bits(7, np.arange(5, dtype=np.uint32))):
        assert [float(int(bits) >> (31 - c) & 1) * 2 - 1 for c in range(3)] == drawn[index].tolist()


def test_signs_do_not_depend_on_how_many_are_drawn() -> None:
    assert (signs(5, 1000)[:10] == signs(5, 10)).all()


def test_rows_are_the_signs_of_what_is_named() -> None:
    chosen = np.asarray([3, 999, 0, 70_000])
    np.testing.assert_array_equal(sign_rows(5, chosen), signs(5, 70_001)[chosen].T)
    np.testing.assert_array_equal(signs(5, 10, 1), signs(5, 10)[:, :1])


def test_signs_are_fair_and_uncorrelated_over_seeds() -> None:
    count, seeds = 40, 4000
    drawn = np.stack([signs(step_seed(11, step), count).ravel() for step in range(seeds)])  # (N, 120)
    correlation = drawn.T @ drawn / seeds
    np.fill_diagonal(correlation, drawn.mean(axis=0))
    # 7200 numbers of standard deviation 1 / sqrt(N): beyond 5.5 of them once in 3000 tries.
    assert np.abs(correlation).max() < 5.5 / seeds**0.5


def test_neighbouring_fits_share_no_step_seeds() -> None:
    seeds = {step_seed(seed, step) for seed in range(50) for step in range(200)}
    assert len(seeds) > 50 * 200 - 3


def test_jitter_fills_the_unit_interval_evenly() -> None:
    drawn = np.concatenate([uniform(step_seed(1, step), 2) for step in range(5000)])
    assert drawn.min() >= 0.0
    assert drawn.max() < 1.0
    counts = np.histogram(drawn, bins=10, range=(0.0, 1.0))[0]
    assert np.abs(counts - 1000).max() < 5 * 30
