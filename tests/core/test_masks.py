# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What masks and alpha mean, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core.errors import FitError
from sge_addon.core.masks import mask_of, masked

# Opaque orange, half of a blue, nothing.
CUT_OUT = np.float32([[[0.8, 0.4, 0.0, 1.0], [0.0, 0.1, 0.4, 0.5], [0.0, 0.0, 0.0, 0.0]]])
PHOTO = np.float32([[[0.8, 0.4, 0.0, 1.0], [0.0, 0.2, 0.8, 1.0], [0.3, 0.3, 0.3, 1.0]]])
MASK = np.float32([[1.0, 0.25, 0.0]])


def test_match_silhouette_takes_the_mask_or_the_alpha() -> None:
    own = masked(CUT_OUT, None, "silhouette", "x")
    assert own.colour is CUT_OUT
    assert own.has_alpha
    for image in (CUT_OUT, PHOTO):
        given = masked(image, MASK, "silhouette", "x")
        assert given.has_alpha
        assert given.weight is None
        expected = [[0.8, 0.4, 0.0, 1.0], [0.0, 0.05, 0.2, 0.25], [0.0, 0.0, 0.0, 0.0]]
        np.testing.assert_allclose(given.colour[0], expected, atol=1e-7)


def test_ignore_outside_weighs_and_keeps_the_alpha_that_is_not_the_mask() -> None:
    photo = masked(PHOTO, MASK, "ignore", "x")
    assert not photo.has_alpha
    np.testing.assert_array_equal(photo.colour, PHOTO)
    np.testing.assert_array_equal(photo.weight, MASK)
    both = masked(CUT_OUT, MASK, "ignore", "x")
    assert both.has_alpha
    np.testing.assert_array_equal(both.colour, CUT_OUT)
    np.testing.assert_array_equal(both.weight, MASK)


def test_ignore_outside_by_alpha_has_straight_colour_and_no_outline() -> None:
    found = masked(CUT_OUT, None, "ignore", "x")
    assert not found.has_alpha
    np.testing.assert_array_equal(found.weight, [[1.0, 0.5, 0.0]])
    np.testing.assert_allclose(found.colour[0, :2], PHOTO[0, :2], atol=1e-7)
    assert (found.colour[..., 3] == 1.0).all()


def test_none_is_a_picture_without_outline() -> None:
    for mask in (None, MASK, np.float32([[np.nan]])):
        found = masked(CUT_OUT, mask, "none", "x")
        assert not found.has_alpha
        assert found.weight is None
        np.testing.assert_allclose(found.colour[0, :2], PHOTO[0, :2], atol=1e-7)
        assert (found.colour[..., 3] == 1.0).all()


def test_automatic_goes_by_what_there_is() -> None:
    assert masked(CUT_OUT, None, "auto", "x").has_alpha
    assert not masked(PHOTO, None, "auto", "x").has_alpha
    assert masked(PHOTO, None, "auto", "x").weight is None
    assert masked(PHOTO, MASK, "auto", "x").weight is MASK
    assert masked(PHOTO, np.ones((1, 3), np.float32), "auto", "x").weight is None  # nothing is left out


def test_mask_images_are_grey_or_transparent_and_as_bright_as_they_like() -> None:
    grey = np.ones((1, 3, 4), np.float32)
    grey[..., :3] = np.float32([1.0, 0.5, 0.0])[:, None] / 255.0
    np.testing.assert_allclose(mask_of(grey), [[1.0, 0.5, 0.0]])
    red = np.float32([[[1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 1.0]]])
    np.testing.assert_array_equal(mask_of(red), [[1.0, 0.0]])
    np.testing.assert_array_equal(mask_of(CUT_OUT), [[1.0, 0.5, 0.0]])
    assert not mask_of(np.zeros((1, 2, 4), np.float32)).any()


@pytest.mark.parametrize("mode", ["auto", "ignore", "silhouette"])
def test_masks_that_cannot_be_used_are_refused_by_name(mode: str) -> None:
    def refused(mask: list) -> str:
        with pytest.raises(FitError, match=r"^Camera 'Left': its mask ") as caught:
            masked(PHOTO, np.asarray(mask, np.float32), mode, "Camera 'Left'")
        return str(caught.value)

    assert "2 x 1 pixels, its image 3 x 1" in refused([[1, 0]])
    assert "black everywhere" in refused([[0, 0, 0]])
    assert "NaN" in refused([[1, np.nan, 0]])


def test_a_silhouette_must_be_there_to_be_matched() -> None:
    with pytest.raises(FitError, match=r"Camera 'Left': there is no silhouette.*mask image"):
        masked(PHOTO, None, "silhouette", "Camera 'Left'")
    with pytest.raises(FitError, match=r"Camera 'Left'.*black everywhere"):
        masked(np.zeros((2, 2, 4), np.float32), None, "ignore", "Camera 'Left'")
