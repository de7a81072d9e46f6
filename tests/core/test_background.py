# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backgrounds: what they say about empty pixels, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sge_addon.core.background import Background, background_of
from sge_addon.core.metrics import squared_errors
from sge_addon.core.pixel_loss import (
    background_loss,
    covering_loss,
    distance,
    empty_colour_loss,
    encoded,
    is_outlined,
    over,
    pixel_loss,
)
from sge_addon.core.reference import Reference
from sge_addon.core.settings import FitSettings
from tests.meshes import perspective_view

GREEN = np.float32([0.0, 1.0, 0.0])
MATCH = ("colour", "alpha")


@pytest.fixture
def cut_out() -> Reference:
    """A half-covered orange pixel and an empty one."""
    return Reference(perspective_view(2, 1), np.float32([[[0.4, 0.2, 0.0, 0.5], [0.0, 0.0, 0.0, 0.0]]]), True)


@pytest.fixture
def photo() -> Reference:
    """An orange pixel and one of a green backdrop."""
    return Reference(perspective_view(2, 1), np.float32([[[0.8, 0.4, 0.0, 1.0], [0, 1, 0, 1]]]), False)


def test_what_is_behind_a_reference(cut_out: Reference, photo: Reference) -> None:
    for reference in (cut_out, photo):
        assert Background().behind(reference) is None
        np.testing.assert_array_equal(Background("colour", (0, 1, 0)).behind(reference), GREEN)
    assert Background("random").behind(photo, 3) is None, "a photo cannot be put before another backdrop"
    assert background_of(FitSettings(background="colour", background_colour=(0.0, 1.0, 0.0))) == Background(
        "colour", (0.0, 1.0, 0.0)
    )


def test_random_colours_follow_from_the_seed_and_fill_the_cube(cut_out: Reference) -> None:
    drawn = np.array([Background("random").behind(cut_out, seed) for seed in range(300)])
    np.testing.assert_array_equal(drawn[7], Background("random").behind(cut_out, 7))
    assert len(np.unique(drawn, axis=0)) == 300
    assert drawn.min() >= 0.0
    assert drawn.max() < 1.0
    np.testing.assert_allclose(drawn.mean(axis=0), 0.5, atol=0.06)
    np.testing.assert_allclose(np.cov(drawn.T), np.eye(3) / 12.0, atol=0.02)


def test_both_sides_lie_over_the_background(cut_out: Reference) -> None:
    np.testing.assert_allclose(over(cut_out.colour, GREEN), [[[0.4, 0.7, 0.0], [0.0, 1.0, 0.0]]])
    full = np.float32([[[0.8, 0.4, 0.0, 1.0], [0.8, 0.4, 0.0, 1.0]]])
    found = pixel_loss(cut_out, full, None, MATCH, "l1", GREEN)
    np.testing.assert_allclose(found, [[0.7 / 3 + 0.25 * 0.5, 1.4 / 3 + 0.25]], rtol=1e-6)
    assert not pixel_loss(cut_out, cut_out.colour, None, MATCH, "l1", GREEN).any()
    assert background_loss(cut_out, MATCH, "l1", GREEN) == pytest.approx(0.5 * (0.7 / 3 + 0.25 * 0.5))


def test_a_photo_before_a_known_backdrop_has_an_outline(photo: Reference) -> None:
    assert not is_outlined(photo, None)
    assert is_outlined(photo, GREEN)
    assert background_loss(photo, MATCH, "l1") == 0.0
    assert background_loss(photo, MATCH, "l1", GREEN) == pytest.approx(0.5 * 1.4 / 3)
    gained = covering_loss(photo, MATCH, "l1", GREEN)
    np.testing.assert_allclose(gained, [[-1.4 / 3, 0.0]], rtol=1e-6)


@pytest.mark.parametrize("has_alpha", [True, False])
@pytest.mark.parametrize("loss", ["l1", "l2", "log_l1"])
def test_covering_costs_distances_and_the_rest_over_any_background(loss: str, has_alpha: bool) -> None:
    rng = np.random.default_rng(0)
    colour, picture = rng.random((2, 4, 5, 4), dtype=np.float32)
    picture[..., 3] = 1.0
    if not has_alpha:
        colour[..., 3] = 1.0
    reference = Reference(perspective_view(5, 4), colour, has_alpha)
    behind = np.float32([0.9, 0.2, 0.6])
    empty = np.zeros_like(picture)
    gained = pixel_loss(reference, picture, None, MATCH, loss, behind)
    gained -= pixel_loss(reference, empty, None, MATCH, loss, behind)
    seen = encoded(picture[..., :3], loss) - encoded(over(colour, behind), loss)
    np.testing.assert_allclose(
        covering_loss(reference, MATCH, loss, behind) + distance(seen, loss), gained, atol=1e-6
    )


@pytest.mark.parametrize("weighs", [False, True])
@pytest.mark.parametrize("loss", ["l1", "l2", "log_l1"])
def test_the_loss_of_an_empty_picture_channel_by_channel(loss: str, weighs: bool) -> None:
    rng = np.random.default_rng(0)
    colour = rng.random((4, 5, 4), dtype=np.float32)
    weight = rng.random((4, 5), dtype=np.float32) if weighs else None
    reference = Reference(perspective_view(5, 4), colour, True, weight=weight)
    expected = background_loss(reference, ("colour",), loss, GREEN)
    assert empty_colour_loss(reference, loss, GREEN) == pytest.approx(expected, rel=1e-5)


def test_log_loss_by_hand() -> None:
    """sRGB(ln(1 + x)): ln 2 -> 0.850586 at 1, ln 101 -> 1.940241 at 100; alpha is not encoded."""
    reference = Reference(perspective_view(1, 1), np.float32([[[1.0, 100.0, 0.0, 0.5]]]), True)
    black = np.zeros((1, 1, 4), np.float32)
    found = pixel_loss(reference, black, None, MATCH, "log_l1")
    np.testing.assert_allclose(found, [[(0.850586 + 1.940241) / 3 + 0.25 * 0.5]], rtol=1e-5)


def test_psnr_over_the_image_sees_the_backdrop(photo: Reference) -> None:
    """The render is right where it covers and empty where the photo shows the backdrop."""
    rendered = photo.colour.copy()
    rendered[0, 1] = 0.0
    assert squared_errors(photo, rendered)[1] == pytest.approx(1.0 / 6.0)
    assert squared_errors(photo, rendered, GREEN) == (0.0, 0.0)
    moved = replace(photo, colour=photo.colour[:, ::-1].copy())
    assert squared_errors(moved, rendered, GREEN)[1] > 0.1
