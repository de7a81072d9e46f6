# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mip levels and their two layouts."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core.texture_pyramid import PyramidLayout, build_levels, level_count, pyramid_atlas


def test_levels_are_built_while_both_sides_are_even():
    assert [level_count(*size) for size in ((512, 512), (6, 4), (12, 8), (5, 8), (1, 1))] == [10, 2, 3, 1, 1]


def test_every_level_keeps_the_mean():
    texture = np.random.default_rng(0).random((16, 8, 3), np.float32)
    for level in build_levels(texture):
        np.testing.assert_allclose(level.mean(axis=(0, 1)), texture.mean(axis=(0, 1)), rtol=1e-5)


def test_atlas_of_a_known_texture():
    texture = np.repeat(np.arange(16, dtype=np.float32).reshape(4, 4, 1), 3, axis=2)
    atlas = pyramid_atlas(texture)
    assert atlas.shape == (4, 6, 4)
    np.testing.assert_array_equal(atlas[:, :4, 0], texture[..., 0])
    np.testing.assert_array_equal(atlas[:2, 4:, 1], [[2.5, 4.5], [10.5, 12.5]])
    assert atlas[2, 4, 2] == 7.5
    assert (atlas[..., 3] == 1).all()


@pytest.mark.parametrize("size", [(8, 8), (12, 4), (5, 7), (4, 12)])
def test_unpacking_sums_is_the_transpose_of_packing(size):
    rng = np.random.default_rng(1)
    layout = PyramidLayout(*size)
    texture = rng.random((*size, 3)).astype(np.float32)
    flat = np.zeros(layout.length)
    # Where padded texels lie, found by packing ones: elsewhere nothing may be summed.
    used = layout.pack(np.ones((*size, 3), np.float32))[0] > 0
    flat[used] = rng.standard_normal(used.sum())
    forward = float(layout.pack(texture)[0].astype(np.float64) @ flat)
    backward = float((texture[..., 0] * layout.unpack_sums(flat.copy())).sum())
    assert forward == pytest.approx(backward, rel=1e-5)


def test_the_void_reads_zero():
    layout = PyramidLayout(8, 8)
    packed = layout.pack(np.ones((8, 8, 3), np.float32))
    corners = layout.void + np.array([0, 1, layout.stride, layout.stride + 1])
    assert (packed[:, corners] == 0).all()
