# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples that are drawn, and samples that follow the slopes, of a card that is seen at a slant."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core.lookups import (
    UVBuffer,
    broken_pixels,
    covered_pixels,
    drawn_lookups,
    extrapolated_lookups,
)
from sge_addon.core.texture_source import sample_pattern

SLOPES = np.float32([[0.03, -0.01], [0.02, 0.05]])  # of (u, v), per pixel across and up
SIZE = (6, 9)


def slanted_card(offset=(0.0, 0.0), with_slopes=True):
    """A plane under all pixels but the first two columns; UVs are linear in the place on the screen."""
    rows, columns = np.indices(SIZE) + 0.5
    place = np.stack([columns + offset[0], rows + offset[1]], axis=-1)
    ids = np.where(columns > 2, 5, 0).astype(np.uint32)
    slopes = np.broadcast_to(SLOPES.ravel(), (*SIZE, 4)).astype(np.float32)
    uv = (place @ SLOPES).astype(np.float32)
    return UVBuffer(ids, uv, np.full(SIZE, 1.5, np.float32), 1, slopes=slopes if with_slopes else None)


def test_samples_on_a_plane_are_where_slopes_lead():
    centre = slanted_card()
    pixels = covered_pixels(centre)
    assert len(pixels) == 6 * 7
    offsets = sample_pattern(3)
    drawn = drawn_lookups([slanted_card(offset) for offset in offsets], pixels)
    found = extrapolated_lookups(centre, offsets)
    for name in ("ids", "u", "v", "level"):
        each = np.broadcast_to(getattr(found, name), (4, len(pixels)))
        np.testing.assert_allclose(each, getattr(drawn, name), atol=1e-6)
    assert (drawn.level == 0.5).all()  # four samples lie half a pixel apart


def test_samples_of_one_buffer_are_those_of_several():
    fine = UVBuffer(
        np.arange(1, 17, dtype=np.uint32).reshape(4, 4),
        np.random.default_rng(0).random((4, 4, 2)).astype(np.float32),
        np.zeros((4, 4), np.float32),
        samples=2,
    )
    lookups = drawn_lookups([fine], np.array([0, 3]))
    np.testing.assert_array_equal(np.sort(lookups.ids, axis=0).T, [[1, 2, 5, 6], [11, 12, 15, 16]])


def test_a_plane_is_not_broken_not_even_beside_the_background():
    centre = slanted_card()
    assert not broken_pixels(centre, covered_pixels(centre)).any()


@pytest.mark.parametrize("axis", [0, 1])
def test_both_sides_of_a_seam_are_broken(axis):
    centre = slanted_card()
    seam = 3 if axis == 0 else 5
    np.moveaxis(centre.uv, axis, 0)[seam:] += 0.1
    broken = np.zeros(SIZE, bool)
    pixels = covered_pixels(centre)
    broken.ravel()[pixels] = broken_pixels(centre, pixels)
    expected = np.zeros(SIZE, bool)
    np.moveaxis(expected, axis, 0)[seam - 1 : seam + 1] = True
    np.testing.assert_array_equal(broken, expected & (centre.ids > 0))
