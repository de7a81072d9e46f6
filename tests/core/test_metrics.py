# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""PSNR: cases by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sge_addon.core.metrics import mean_psnr, psnr, squared_errors
from sge_addon.core.reference import Reference
from tests.meshes import perspective_view


def reference(alpha: np.ndarray, value: float = 0.5, has_alpha: bool = True) -> Reference:
    height, width = alpha.shape
    colour = np.full((height, width, 4), value, np.float32)
    colour[..., 3] = 1.0
    return Reference(perspective_view(width, height), colour * alpha[..., None].astype(np.float32), has_alpha)


@pytest.mark.parametrize(("error", "decibels"), [(1.0, 0.0), (0.1, 10.0), (1e-4, 40.0), (4.0, -6.0206)])
def test_psnr_of_known_errors(error: float, decibels: float) -> None:
    assert psnr(error) == pytest.approx(decibels, abs=1e-4)


def test_psnr_of_no_error_is_the_cap() -> None:
    assert psnr(0.0) == 120.0
    assert psnr(1e-15) == 120.0


def test_mean_is_taken_over_errors() -> None:
    assert mean_psnr([0.01, 0.03]) == pytest.approx(psnr(0.02))
    assert mean_psnr([]) is None


def test_object_is_where_the_references_alpha_is_above_a_half() -> None:
    """One pixel of the object is off by 0.2 in one of three channels; one beside it by 1 in all."""
    target = reference(np.array([[1.0, 1.0, 0.0, 0.4]]))
    rendered = target.colour.copy()
    rendered[0, 0, 1] += 0.2
    rendered[0, 2, :3] += 1.0
    inside, image = squared_errors(target, rendered)
    assert inside == pytest.approx(0.04 / 3 / 2, rel=1e-5)
    assert image == pytest.approx((0.04 / 3 + 1.0) / 4, rel=1e-5)


def test_without_alpha_the_object_is_where_the_render_is() -> None:
    target = reference(np.ones((1, 4)), has_alpha=False)
    rendered = target.colour.copy()
    rendered[0, 2:] = 0.0
    rendered[0, 0, :3] += 0.1
    inside, image = squared_errors(target, rendered)
    assert inside == pytest.approx(0.01 / 2, rel=1e-4)
    assert image == pytest.approx((0.01 + 2 * 0.25) / 4, rel=1e-4)


def test_errors_of_alpha_alone_do_not_count() -> None:
    target = reference(np.ones((2, 2)))
    rendered = target.colour.copy()
    rendered[..., 3] = 0.25
    assert squared_errors(target, rendered) == (0.0, 0.0)


def test_without_any_object_the_whole_image_counts() -> None:
    target = reference(np.zeros((2, 2)))
    rendered = np.full((2, 2, 4), 0.5, np.float32)
    inside, image = squared_errors(target, rendered)
    assert inside == image == pytest.approx(0.25)


def test_pixels_count_by_their_weight() -> None:
    """Three pixels of an object are off by 0.1, 0.2 and 0.7; they count 1, 0.5 and not at all."""
    target = replace(reference(np.ones((1, 3))), weight=np.float32([[1.0, 0.5, 0.0]]))
    rendered = target.colour.copy()
    rendered[0, :, :3] += np.float32([0.1, 0.2, 0.7])[:, None]
    inside, image = squared_errors(target, rendered)
    assert inside == pytest.approx((0.01 + 0.5 * 0.04) / 1.5, rel=1e-4)
    assert image == inside


def test_an_object_that_does_not_count_leaves_the_image() -> None:
    target = replace(reference(np.array([[1.0, 0.0]])), weight=np.float32([[0.0, 1.0]]))
    rendered = target.colour.copy()
    rendered[0, 1, :3] += 0.1
    assert squared_errors(target, rendered) == pytest.approx((0.01, 0.01), rel=1e-4)
