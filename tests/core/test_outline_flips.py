# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What outlines tell when they pass a pixel: the force that explains it, whatever the signs."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from sge_addon.core.outline_flips import Flips

PLACES = np.float32([[0.5, 0.0, 1.0, 0.2], [0.5, 0.3, 0.0, 0.3], [0.0, 0.7, 0.0, 0.5]])  # (3, N)
FORCES = np.float32([[1.0, 2.0, -1.0, 0.5], [0.0, 1.0, 0.5, -2.0], [0.3, 0.0, 0.0, 1.0]])  # (3, N)
CORNERS = np.int32([[0] * 4, [1] * 4, [2] * 4])
FLIPS = Flips(np.arange(4), CORNERS, PLACES)
EPSILON = np.float32(0.1)


def pulls(offsets: np.ndarray) -> np.ndarray:
    """Of a loss that goes evenly with the point that is seen: (3 axes, 3 corners, N)."""
    motion = np.einsum("ak,kn->an", offsets, PLACES)
    return FLIPS.pulls((2.0 * (FORCES * motion).sum(axis=0)).astype(np.float32), offsets)


def test_along_one_axis_the_mean_is_exact() -> None:
    axis = np.float32([0.6, 0.0, 0.8])
    found = [pulls(EPSILON * axis[:, None] * np.float32(signs)) for signs in product((-1, 1), repeat=3)]
    along = axis[:, None] * (axis @ FORCES)  # (3, N)
    np.testing.assert_allclose(np.mean(found, axis=0), along[:, None] * PLACES, atol=1e-5)


def test_along_all_axes_it_is_a_third() -> None:
    choices = product((-1, 1), repeat=9)
    found = [pulls(EPSILON * np.float32(signs).reshape(3, 3)) for signs in choices]
    np.testing.assert_allclose(np.mean(found, axis=0), FORCES[:, None] * PLACES / 3.0, atol=1e-5)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_at_a_corner_there_is_no_noise(sign: float) -> None:
    """What other corners' signs are does not matter to what they do not move."""
    axis = np.float32([0.6, 0.0, 0.8])
    found = pulls(EPSILON * axis[:, None] * np.float32([sign, -1.0, 1.0]))[:, :, 2]
    expected = axis * (axis @ FORCES[:, 2])
    np.testing.assert_allclose(found, np.stack([expected, 0 * expected, 0 * expected], axis=1), atol=1e-5)


def test_what_nothing_moves_is_pulled_by_nothing() -> None:
    assert (FLIPS.pulls(np.ones(4, np.float32), np.zeros((3, 3), np.float32)) == 0.0).all()
