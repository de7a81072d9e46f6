# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Residuals of pictures: against the loss they stand for, and what does not count in them."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core.background import Background
from sge_addon.core.picture_residual import KNEE, PictureResidual, blurred, eroded
from sge_addon.core.pixel_loss import pixel_loss
from sge_addon.core.reference import Reference
from tests.meshes import perspective_view

MATCH = ("colour", "alpha", "normal")
ONES = np.ones(3, np.float32)


def picture(seed: int, height: int = 20, width: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """Smooth colour (H, W, 4) and normal (H, W, 3), so that blurring changes little."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / 40.0
    planes = [0.5 + 0.3 * np.sin(a * x + b * y + c) for a, b, c in rng.uniform(0.0, 3.0, (7, 3))]
    image = np.stack(planes, axis=-1).astype(np.float32)
    return image[..., :4].copy(), image[..., 4:].copy()


def reference(has_alpha: bool = True, weight: np.ndarray | None = None) -> Reference:
    colour, normal = picture(1)
    if not has_alpha:
        colour[..., 3] = 1.0
    return Reference(perspective_view(30, 20), colour, has_alpha, normal, weight=weight)


def test_cost_is_the_squared_loss_of_smooth_pictures() -> None:
    colour, normal = picture(2)
    compared = PictureResidual(reference(), MATCH, "l2")
    cost = compared.cost(compared.residual(colour, normal, ONES, None), None)
    assert cost == pytest.approx(float(pixel_loss(reference(), colour, normal, MATCH, "l2").mean()), rel=0.02)


def test_huber_is_square_below_the_knee_and_grows_as_the_size_above() -> None:
    target = reference()
    compared = PictureResidual(target, ("colour",), "l1")

    def cost(offset: float) -> float:
        shifted = target.colour + np.float32(offset)
        return compared.cost(compared.residual(shifted, None, ONES, None), None)

    assert cost(0.02) == pytest.approx(0.02**2, rel=1e-3)
    assert cost(0.2) - cost(0.1) == pytest.approx(2.0 * KNEE * 0.1, rel=1e-3)


@pytest.mark.parametrize("loss", ["l1", "l2", "log_l1"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_derivative_by_gain_is_that_of_the_residual(loss: str, channels: int, weighted: bool) -> None:
    colour, normal = picture(2)
    weight = np.linspace(0.0, 1.0, 600, dtype=np.float32).reshape(20, 30) if weighted else None
    compared = PictureResidual(reference(weight=weight), MATCH, loss, Background("colour", (0.3, 0.2, 0.6)))
    gain = np.array([0.9, 1.1, 1.3], np.float32)
    trust = compared.trust(colour)
    columns = compared.by_log_gain(colour, gain, channels, trust)
    assert len(columns) == channels
    for channel, column in enumerate(columns):
        turned = np.ones(3) if channels == 1 else np.eye(3)[channel]
        plus, minus = (
            compared.residual(colour, normal, (gain * np.exp(side * turned)).astype(np.float32), trust)
            for side in (0.01, -0.01)
        )
        assert np.abs(column - (plus - minus) / 0.02).max() < 2e-4


def test_beside_a_surface_a_photo_without_alpha_says_nothing() -> None:
    target = reference(has_alpha=False)
    colour = np.zeros_like(target.colour)
    colour[5:16, 8:22] = target.colour[5:16, 8:22]
    compared = PictureResidual(target, ("colour", "alpha"), "l1")
    trust = compared.trust(colour)
    assert trust is not None
    assert trust.sum() == (11 - 6) * (14 - 6)  # three pixels from the surface's edge
    assert compared.cost(compared.residual(colour, None, ONES, trust), trust) == 0.0


def test_what_weighs_nothing_bleeds_into_nothing() -> None:
    weight = np.ones((20, 30), np.float32)
    weight[:, 15:] = 0.0
    target = reference(weight=weight)
    wrong = target.colour.copy()
    wrong[:, 15:] = 7.0
    compared = PictureResidual(target, ("colour", "alpha"), "l1")
    trust = compared.trust(wrong)
    assert compared.cost(compared.residual(wrong, None, ONES, trust), trust) == 0.0


def test_blur_spreads_a_pixel_with_binomial_weights() -> None:
    image = np.zeros((9, 9, 1), np.float32)
    image[4, 4] = 256.0
    row = np.array([1.0, 4.0, 6.0, 4.0, 1.0])
    assert np.allclose(blurred(image)[2:7, 2:7, 0], np.outer(row, row))
    assert np.allclose(blurred(np.full((5, 7, 2), 0.3, np.float32)), 0.3)


def test_the_images_border_takes_nothing_from_a_mask() -> None:
    assert eroded(np.ones((8, 8), bool)).all()
    mask = np.zeros((12, 12), bool)
    mask[:7, :7] = True
    assert np.argwhere(eroded(mask)).max(axis=0).tolist() == [3, 3]
