# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The paper's estimator of the texture gradient is unbiased."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core.footprint import Footprint
from sge_addon.core.lookups import UVBuffer, covered_pixels, drawn_lookups
from sge_addon.core.texel_signs import TexelPerturbation, texel_sign_gradient
from sge_addon.core.texture_pyramid import PyramidLayout

SEEDS = 1500


def packed_levels(layout, levels):
    """The flat pyramid whose levels are given, each on its own."""
    packed = np.zeros((3, layout.length), np.float32)
    for number, image in enumerate(levels):
        alone = PyramidLayout(*image.shape[:2]).pack(image)
        height, width = image.shape[:2]
        row = PyramidLayout(height, width).stride
        for y in range(height + 1):
            start = layout.origins[number] + y * layout.stride
            packed[:, start : start + width + 1] = alone[:, y * row : y * row + width + 1]
    return packed


@pytest.mark.parametrize(("samples", "levels"), [(1, (-1.0, 0.4)), (2, (-1.0, 2.4))])
@pytest.mark.parametrize("shaded", [False, True])
def test_mean_over_seeds_is_the_exact_gradient(samples, levels, shaded):
    rng = np.random.default_rng(0)
    size, image_size = (8, 4), (12, 10)
    shape = (image_size[0] * samples, image_size[1] * samples)
    buffer = UVBuffer(
        ids=rng.integers(0, 3, shape).astype(np.uint32),
        uv=rng.uniform(0, 1, (*shape, 2)).astype(np.float32),
        level=rng.uniform(*levels, shape).astype(np.float32),
        samples=samples,
        shade=rng.uniform(0.3, 1.5, (*shape, 3)).astype(np.float32) if shaded else None,
    )
    of_triangle = np.array([0, -1], np.int32)
    layout = PyramidLayout(*size)
    footprint = Footprint(drawn_lookups([buffer], covered_pixels(buffer)), of_triangle, 0, layout)
    texture = rng.random((*size, 3)).astype(np.float32)
    target = rng.random((len(footprint.pixels), 3)).astype(np.float32)

    def losses(pyramid):
        return (footprint.read(pyramid) - target) ** 2

    residual = 2.0 * (footprint.read(layout.pack(texture)) - target)
    exact = footprint.scatter(residual, residual[:, :1]).residual
    epsilon = 0.1
    pyramid = layout.pack(texture)
    mean = np.zeros_like(texture, dtype=np.float64)
    for seed in range(SEEDS):
        level_signs = TexelPerturbation(seed, epsilon, (0,)).signs(0, layout)
        offset = epsilon * packed_levels(layout, level_signs)
        difference = np.zeros((image_size[0] * image_size[1], 3), np.float32)
        difference[footprint.pixels] = losses(pyramid + offset) - losses(pyramid - offset)
        mean += texel_sign_gradient(
            difference.reshape(*image_size, 3), [buffer, buffer], of_triangle, 0, layout, level_signs, epsilon
        )
    mean /= SEEDS
    cosine = (mean * exact).sum() / np.linalg.norm(mean) / np.linalg.norm(exact)
    assert cosine > 0.99
    assert np.linalg.norm(mean) / np.linalg.norm(exact) == pytest.approx(1.0, abs=0.03)


def test_a_pixel_counts_once_though_both_images_and_all_samples_name_the_texel():
    layout = PyramidLayout(2, 2)
    buffer = UVBuffer(
        ids=np.ones((2, 2), np.uint32),
        uv=np.full((2, 2, 2), 0.5, np.float32),
        level=np.zeros((2, 2), np.float32),
        samples=2,
    )
    difference = np.array([[[0.2, -0.4, 0.0]]], np.float32)
    ones = np.ones((2, 2, 3), np.float32)
    gradient = texel_sign_gradient(
        difference, [buffer, buffer], np.zeros(1, np.int32), 0, layout, [ones], 0.1
    )
    np.testing.assert_allclose(gradient, np.tile([1.0, -2.0, 0.0], (2, 2, 1)), atol=1e-6)


def test_the_union_of_both_images_is_summed():
    layout = PyramidLayout(4, 4)

    def showing(shown, u):
        return UVBuffer(
            np.array([[shown]], np.uint32),
            np.array([[[u, 0.125]]], np.float32),
            np.zeros((1, 1), np.float32),
            1,
        )

    difference = np.full((1, 1, 3), 2.0, np.float32)
    ones = np.ones((4, 4, 3), np.float32)
    gradient = texel_sign_gradient(
        difference, [showing(1, 0.125), showing(0, 0.0)], np.zeros(1, np.int32), 0, layout, [ones], 1.0
    )
    assert gradient[0, 0, 0] == 1.0
    both = texel_sign_gradient(
        difference, [showing(1, 0.125), showing(1, 0.625)], np.zeros(1, np.int32), 0, layout, [ones], 1.0
    )
    assert both[0, 0, 0] == 1.0
    assert both[0, 2, 0] == 1.0
