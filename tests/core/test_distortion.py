# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lens distortion: OpenCV's formulas, images that lose it, and models that fold."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sge_addon.core.distortion import Distortion, undistort
from sge_addon.core.errors import FitError
from sge_addon.core.view import View, perspective

WIDTH, HEIGHT = 320, 240
INTRINSICS = (260.0, 250.0, 170.5, 110.25)
PHOTO_LENS = Distortion((0.0578421, -0.0805099, 0.0, 0.0), (-0.000980296, 0.00015575))
LENSES = {
    "photo": PHOTO_LENS,
    "barrel": Distortion((-0.28, 0.09, -0.01, 0.0), (0.001, -0.002)),
    "pincushion": Distortion((0.2, 0.05, 0.01, 0.003)),
    "rational": Distortion((0.4, -0.1, 0.02, 0.0), (0.0005, 0.0), (0.8, 0.05, 0.01)),
    "fisheye": Distortion((0.05, -0.01, 0.002, -0.0003), fisheye=True),
}


def view(name: str = "photo") -> View:
    return View(name, np.eye(4), perspective(*INTRINSICS, WIDTH, HEIGHT), WIDTH, HEIGHT)


def texture(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A smooth picture of the plane at distance 1, (..., 3) in [0, 1]."""
    waves = [
        np.sin(9.0 * x + 4.0 * y),
        np.sin(-5.0 * x + 13.0 * y + 1.0),
        np.cos(16.0 * np.hypot(x - 0.2, y + 0.1)),
    ]
    return (0.5 + 0.4 * np.stack(waves, axis=-1)).astype(np.float32)


def plane(width: int = WIDTH, height: int = HEIGHT) -> tuple[np.ndarray, np.ndarray]:
    """Points at distance 1 that the pixels of an image see without distortion, row 0 at the bottom."""
    focal_x, focal_y, center_x, center_y = INTRINSICS
    columns, rows = np.meshgrid(
        (np.arange(width) + 0.5) * (WIDTH / width), (np.arange(height)[::-1] + 0.5) * (HEIGHT / height)
    )
    return (columns - center_x) / focal_x, (rows - center_y) / focal_y


def photo(lens: Distortion, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """What a camera with that lens sees of the texture: the model is inverted by Newton's method."""
    target_x, target_y = plane(width, height)
    x, y = target_x.copy(), target_y.copy()
    step = 1e-6
    for _ in range(30):
        here_x, here_y = lens.distorted(x, y)
        right_x, right_y = lens.distorted(x + step, y)
        up_x, up_y = lens.distorted(x, y + step)
        a, b = (right_x - here_x) / step, (up_x - here_x) / step
        c, d = (right_y - here_y) / step, (up_y - here_y) / step
        error_x, error_y = here_x - target_x, here_y - target_y
        determinant = a * d - b * c
        x = x - (d * error_x - b * error_y) / determinant
        y = y - (a * error_y - c * error_x) / determinant
    assert np.hypot(*(np.subtract(lens.distorted(x, y), (target_x, target_y)))).max() < 1e-9
    return texture(x, y)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return -10.0 * math.log10(np.square(a - b).mean())


@pytest.mark.parametrize("name", LENSES)
def test_an_undistorted_photo_is_what_a_pinhole_sees(name: str) -> None:
    result, shown = undistort(photo(LENSES[name]), view(), LENSES[name])
    truth = texture(*plane())
    assert shown.mean() > 0.7
    assert psnr(result[shown], truth[shown]) >= 45.0
    assert not result[~shown].any()
    # Had the lens been ignored, the picture would be another.
    assert psnr(result[shown], truth[shown]) > psnr(photo(LENSES[name])[shown], truth[shown]) + 10.0


def test_a_smaller_copy_of_the_photo_has_the_same_lens() -> None:
    lens = LENSES["barrel"]
    result, shown = undistort(photo(lens, 160, 120), view(), lens)
    assert psnr(result[shown], texture(*plane(160, 120))[shown]) >= 35.0


def test_without_distortion_every_bit_stays() -> None:
    image = np.random.default_rng(1).random((37, 53, 4), dtype=np.float32)
    camera = View("a", np.eye(4), perspective(64.0, 64.0, 20.0, 30.0, 53, 37), 53, 37)
    result, shown = undistort(image, camera, Distortion())
    assert shown.all()
    assert np.abs(result - image).max() < 1e-4
    assert Distortion().is_none


def test_opencvs_formula_by_hand() -> None:
    lens = Distortion((0.1, 0.2, 0.3, 0.0), (0.01, 0.02), (0.4, 0.5, 0.6))
    # x = 1, y = 2: r² = 5; (1 + 0.5 + 5 + 37.5) / (1 + 2 + 12.5 + 75) = 44 / 90.5
    x, y = lens.distorted(np.array([1.0]), np.array([2.0]))
    assert x[0] == pytest.approx(44 / 90.5 + 2 * 0.01 * 2 + 0.02 * (5 + 2))
    assert y[0] == pytest.approx(2 * 44 / 90.5 + 0.01 * (5 + 8) + 2 * 0.02 * 2)
    equidistant = Distortion(fisheye=True)
    x, y = equidistant.distorted(np.array([0.0, 1.0]), np.array([0.0, 0.0]))
    assert x == pytest.approx([0.0, math.pi / 4])
    assert not equidistant.is_none


def test_what_lies_beyond_the_photo_is_marked_where_it_is() -> None:
    """A pincushion photo shows less than the pinhole in its corners, and the marks say which pixels."""
    lens = LENSES["pincushion"]
    _, shown = undistort(photo(lens), view(), lens)
    x, y = lens.distorted(*plane())
    columns, rows = x * INTRINSICS[0] + INTRINSICS[2], y * INTRINSICS[1] + INTRINSICS[3]
    margin = 1e-3  # of 32-bit positions
    clearly = (columns > margin) & (columns < WIDTH - margin) & (rows > margin) & (rows < HEIGHT - margin)
    never = (columns < -margin) | (columns > WIDTH + margin) | (rows < -margin) | (rows > HEIGHT + margin)
    assert shown[clearly].all()
    assert not shown[never].any()
    assert never[0, 0]
    assert not never[HEIGHT // 2, WIDTH // 2]


@pytest.mark.parametrize(
    "lens",
    [
        Distortion((-1.2, 0.0, 0.0, 0.0)),
        Distortion((0.0, 0.0, 0.0, -9.0)),
        Distortion(tangential=(0.4, 0.0)),
        Distortion(divisor=(-2.5, 0.0, 0.0)),
        Distortion((-0.9, 0.0, 0.0, 0.0), fisheye=True),
        Distortion((-1e12, 1e12, -1e12, 1e12)),
    ],
)
def test_a_model_that_folds_the_image_is_refused_by_name(lens: Distortion) -> None:
    with pytest.raises(FitError, match=r"'IMG_1'.*folds the image.*Calibrate again"):
        undistort(np.zeros((HEIGHT, WIDTH, 4), np.float32), view("IMG_1"), lens)


def test_a_fold_that_the_photo_does_not_reach_is_no_error() -> None:
    """This polynomial turns back in the pinhole's corners, but the photo ends long before."""
    lens = Distortion((3.0, -3.3, 0.0, 0.0))
    x, y = plane()
    radius = np.hypot(x, y)
    fold = lens.fold(1.0)
    # Where 1 + 9 r² - 16.5 r⁴ = 0.
    assert fold == pytest.approx(math.sqrt((9 + math.sqrt(81 + 66)) / 33), abs=1e-3)
    assert fold < radius.max()
    _, shown = undistort(np.ones((HEIGHT, WIDTH, 1), np.float32), view(), lens)
    assert not shown[radius > fold].any()
    assert shown[radius < 0.2].all()


def test_coefficients_that_are_not_finite_are_refused() -> None:
    with pytest.raises(FitError, match="not finite"):
        Distortion((math.nan, 0.0, 0.0, 0.0))
