# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""References: sizes that must agree, and area-weighted scaling."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sge_addon.core.errors import FitError
from sge_addon.core.reference import Reference, resize_area
from sge_addon.core.view import View, perspective


def view(width: int, height: int) -> View:
    return View("front", np.eye(4), perspective(10, 10, width / 2, height / 2, width, height), width, height)


def image(height: int, width: int, channels: int = 4) -> np.ndarray:
    return np.random.default_rng(height * width).random((height, width, channels), dtype=np.float32)


def test_halving_is_the_mean_of_four() -> None:
    source = image(6, 8)
    expected = source.reshape(3, 2, 4, 2, 4).mean(axis=(1, 3))
    assert np.allclose(resize_area(source, 4, 3), expected, atol=1e-6)


def test_fractional_borders_are_shared() -> None:
    row = np.array([0.0, 3.0, 6.0], np.float32).reshape(1, 3, 1)
    # Each new pixel covers one and a half old ones: (0 + 3/2) / 1.5 and (3/2 + 6) / 1.5.
    assert np.allclose(resize_area(row, 2, 1).ravel(), [1.0, 5.0])


@pytest.mark.parametrize("size", [(17, 11), (53, 36), (1, 1), (52, 37), (7, 5)])
def test_the_mean_is_kept_and_memory_is_contiguous(size: tuple[int, int]) -> None:
    source = image(37, 53)
    small = resize_area(source, *size)
    assert small.shape == (size[1], size[0], 4)
    assert small.dtype == np.float32
    assert small.flags.c_contiguous
    assert np.allclose(small.mean(axis=(0, 1)), source.mean(axis=(0, 1)), atol=1e-6)
    assert np.allclose(resize_area(np.ones_like(source), *size), 1.0, atol=1e-6)


def test_resizing_scales_view_colour_and_normals_together() -> None:
    small = Reference(view(40, 20), image(20, 40), True, normal=image(20, 40, 3)).resized(10)
    assert (small.view.width, small.view.height) == (10, 5)
    assert small.colour.shape == (5, 10, 4)
    assert small.normal is not None
    assert small.normal.shape == (5, 10, 3)


def test_weights_shrink_along_and_what_does_not_count_does_not_bleed() -> None:
    """Two of four pixels, one of them black; the other two show something else in glaring red."""
    colour = np.zeros((1, 4, 4), np.float32)
    colour[0, :2] = [[0.4, 0.4, 0.4, 1.0], [0.0, 0.0, 0.0, 0.0]]
    colour[0, 2:] = [9.0, 0.0, 0.0, 1.0]
    weight = np.float32([[1.0, 1.0, 0.0, 0.0]])
    reference = Reference(view(4, 1), colour, True, normal=colour[..., :3], weight=weight)
    middle = replace(reference, weight=np.float32([[0.0, 1.0, 0.5, 0.0]])).resized(2)
    assert middle.weight is not None
    assert np.allclose(middle.weight, [[0.5, 0.25]])
    assert np.allclose(middle.colour, [[[0.0, 0.0, 0.0, 0.0], [9.0, 0.0, 0.0, 1.0]]])
    small = reference.resized(2)
    assert small.weight is not None
    assert np.allclose(small.weight, [[1.0, 0.0]])
    assert np.allclose(small.colour, [[[0.2, 0.2, 0.2, 0.5], [0.0, 0.0, 0.0, 0.0]]])
    assert np.allclose(small.normal, small.colour[..., :3])
    assert np.allclose(reference.resized(1).colour, [[[0.2, 0.2, 0.2, 0.5]]])


def test_weights_that_cannot_be_are_refused_by_name() -> None:
    def weigh(weight: np.ndarray) -> Reference:
        return Reference(view(4, 2), image(2, 4), True, weight=np.asarray(weight, np.float32))

    with pytest.raises(FitError, match=r"'front': its mask has 2 x 4 pixels, its image 4 x 2"):
        weigh(np.ones((4, 2)))
    with pytest.raises(FitError, match=r"'front': its mask is black everywhere.*invert"):
        weigh(np.zeros((2, 4)))
    for wrong in (np.nan, np.inf, -0.5, 2.0):
        weight = np.ones((2, 4))
        weight[1, 2] = wrong
        with pytest.raises(FitError, match=r"'front': its mask contains NaN.*beyond 0 and 1"):
            weigh(weight)


def test_larger_resolutions_leave_it_alone() -> None:
    reference = Reference(view(40, 20), image(20, 40), True)
    assert reference.resized(512) is reference


def test_sizes_and_pixels_that_cannot_be_are_refused_by_name() -> None:
    with pytest.raises(FitError, match=r"'front'.*40 x 20"):
        Reference(view(40, 20), image(40, 20), True)
    with pytest.raises(FitError, match=r"'front'.*differ in size"):
        Reference(view(40, 20), image(20, 40), True, normal=image(10, 40, 3))
    broken = image(20, 40)
    broken[3, 4, 1] = np.inf
    with pytest.raises(FitError, match=r"'front'.*infinite"):
        Reference(view(40, 20), broken, True)
