# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pixels read, against a slow, obvious reader; and the transpose."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core.footprint import Footprint
from sge_addon.core.gathered_sums import GatheredSums, PixelSums
from sge_addon.core.lookups import UVBuffer, covered_pixels, drawn_lookups
from sge_addon.core.texture_pyramid import LEVEL_ROUNDING, PyramidLayout, build_levels

TEXTURE_OF_TRIANGLE = np.array([0, 1, -1], np.int32)


def random_buffer(seed: int, samples: int = 2, size=(6, 5), shaded: bool = False) -> UVBuffer:
    """Background, two textures and a constant, mixed in every pixel; seams, wraps and all mip levels."""
    rng = np.random.default_rng(seed)
    shape = (size[0] * samples, size[1] * samples)
    uv = rng.uniform(-1.5, 2.5, (*shape, 2)).astype(np.float32)
    uv[0, :4] = [[0.0, 0.0], [1.0, 1.0], [-1e-9, 0.5], [0.999999, 1e-7]]
    return UVBuffer(
        ids=rng.integers(0, 4, shape).astype(np.uint32),
        uv=uv,
        level=rng.uniform(-2.0, 6.0, shape).astype(np.float32),
        samples=samples,
        shade=rng.uniform(0.0, 2.0, (*shape, 3)).astype(np.float32) if shaded else None,
    )


def footprint_of(buffers, number, layout, of_triangle=TEXTURE_OF_TRIANGLE, by_cell=False):
    pixels = np.unique(np.concatenate([covered_pixels(buffer) for buffer in buffers]))
    return Footprint(drawn_lookups(buffers, pixels), of_triangle, number, layout, by_cell)


def slow_image(buffers, texture_of_triangle, number, texture):
    """The definition, one sample at a time: (H, W, 3)."""
    levels = build_levels(texture)
    image = np.zeros((*buffers[0].image_size, 3))
    count = sum(buffer.samples**2 for buffer in buffers)
    for buffer in buffers:
        nearer = 0.5 * np.log2(len(buffers))
        for row, column in np.argwhere(buffer.ids > 0):
            if texture_of_triangle[buffer.ids[row, column] - 1] != number:
                continue
            level = levels[
                int(
                    np.clip(np.floor(buffer.level[row, column] - nearer + LEVEL_ROUNDING), 0, len(levels) - 1)
                )
            ]
            height, width = level.shape[:2]
            x, y = buffer.uv[row, column].astype(np.float64) * (width, height) - 0.5
            i, j = int(np.floor(x)), int(np.floor(y))
            colour = np.zeros(3)
            for up, across, weight in (
                (0, 0, (i + 1 - x) * (j + 1 - y)),
                (0, 1, (x - i) * (j + 1 - y)),
                (1, 0, (i + 1 - x) * (y - j)),
                (1, 1, (x - i) * (y - j)),
            ):
                colour += weight * level[(j + up) % height, (i + across) % width]
            if buffer.shade is not None:
                colour = colour * buffer.shade[row, column]
            image[row // buffer.samples, column // buffer.samples] += colour / count
    return image


@pytest.mark.parametrize("shaded", [False, True])
@pytest.mark.parametrize("size", [(8, 8), (8, 4), (5, 7)])
@pytest.mark.parametrize(("samples", "parts"), [(1, 1), (2, 1), (1, 4)])
def test_read_agrees_with_the_definition(samples, parts, size, shaded):
    buffers = [random_buffer(seed, samples, shaded=shaded) for seed in range(parts)]
    texture = np.random.default_rng(9).random((*size, 3)).astype(np.float32)
    layout = PyramidLayout(*size)
    footprint = footprint_of(buffers, 1, layout)
    image = np.zeros((30, 3))
    image[footprint.pixels] = footprint.read(layout.pack(texture))
    expected = slow_image(buffers, TEXTURE_OF_TRIANGLE, 1, texture)
    np.testing.assert_allclose(image.reshape(6, 5, 3), expected, atol=2e-5)


@pytest.mark.parametrize("shaded", [False, True])
def test_scatter_is_the_transpose_of_read(shaded):
    rng = np.random.default_rng(3)
    layout = PyramidLayout(16, 8)
    footprint = footprint_of([random_buffer(4, 2, (20, 20), shaded)], 0, layout)
    texture = rng.standard_normal((16, 8, 3)).astype(np.float32)
    other = rng.standard_normal((16, 8, 3)).astype(np.float32)
    residual = rng.standard_normal((len(footprint.pixels), 3)).astype(np.float32)
    weight = rng.standard_normal((len(footprint.pixels), 3)).astype(np.float32)
    sums = footprint.scatter(residual, weight)
    assert float((footprint.read(layout.pack(texture)) * residual).sum()) == pytest.approx(
        float((texture * sums.residual).sum()), rel=1e-4, abs=1e-4
    )
    assert float((footprint.read(layout.pack(other)) * weight).sum()) == pytest.approx(
        float((other * sums.weight).sum()), rel=1e-4, abs=1e-4
    )


@pytest.mark.parametrize("shaded", [False, True])
def test_row_sums_are_what_a_white_texture_reads(shaded):
    layout = PyramidLayout(8, 8)
    footprint = footprint_of([random_buffer(5, shaded=shaded)], 0, layout)
    white = footprint.read(layout.pack(np.ones((8, 8, 3), np.float32)))
    np.testing.assert_allclose(np.broadcast_to(footprint.row_sums(), white.shape), white, atol=1e-5)


def test_a_texel_centre_reads_that_texel_alone():
    layout = PyramidLayout(4, 4)
    buffer = UVBuffer(
        ids=np.array([[1]], np.uint32),
        uv=np.array([[[2.5 / 4, 1.5 / 4]]], np.float32),
        level=np.zeros((1, 1), np.float32),
        samples=1,
    )
    footprint = footprint_of([buffer], 0, layout, np.array([0], np.int32))
    sums = footprint.scatter(np.ones((1, 3), np.float32), np.ones((1, 1), np.float32))
    expected = np.zeros((4, 4))
    expected[1, 2] = 1.0
    np.testing.assert_allclose(sums.weight, expected, atol=1e-6)


def test_a_view_that_sees_nothing_of_a_texture_has_no_pixels():
    layout = PyramidLayout(4, 4)
    footprint = footprint_of([random_buffer(6)], 7, layout)
    empty = np.zeros((0, 3), np.float32)
    assert footprint.read(layout.pack(np.ones((4, 4, 3), np.float32))).shape == (0, 3)
    assert (footprint.scatter(empty, empty[:, :1]).weight == 0).all()


@pytest.mark.parametrize("parts", [1, 4])
def test_sums_by_cell_are_those_by_texel(parts):
    layout = PyramidLayout(16, 8)
    buffers = [random_buffer(seed, 1, (20, 20)) for seed in range(parts)]
    footprint = footprint_of(buffers, 0, layout, by_cell=True)
    columns = np.random.default_rng(1).standard_normal((4, len(footprint.pixels))).astype(np.float32)
    sums = footprint.corner_sums(list(columns))
    rows = np.zeros((layout.length, 4), np.float32)
    sums.add_to(rows)
    by_texel = footprint_of(buffers, 0, layout).scatter(columns[:3].T, columns[3:].T)
    for channel, expected in enumerate([*np.moveaxis(by_texel.residual, -1, 0), by_texel.weight]):
        found = layout.unpack_sums(rows[:, channel].copy(), sums.level_count)
        np.testing.assert_allclose(found, expected, atol=2e-5)


@pytest.mark.parametrize("shaded", [False, True])
def test_gathered_sums_are_the_sums_of_each_view(shaded):
    layout = PyramidLayout(16, 8)
    rng = np.random.default_rng(5)
    gathered = GatheredSums()
    expected = []
    for seed in range(3):
        footprint = footprint_of([random_buffer(seed, 1, (20, 20), shaded)], seed % 2, layout)
        residual, weight = (
            rng.standard_normal((len(footprint.pixels), n)).astype(np.float32) for n in (3, 1)
        )
        expected.append(footprint.scatter(residual, weight))
        gathered.add(PixelSums(footprint, residual, weight))
        for _ in range(2):  # asking changes nothing
            total = gathered.total()
        np.testing.assert_allclose(total.residual, sum(each.residual for each in expected), atol=2e-5)
        np.testing.assert_allclose(total.weight, sum(each.weight for each in expected), atol=2e-5)
    gathered.add(expected[0])
    np.testing.assert_allclose(gathered.total().weight - total.weight, expected[0].weight, atol=2e-5)
