# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texels of UV triangles, and textures read at points."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core.texture_bake import bilinear, texel_places
from tests.meshes import waves


def test_two_triangles_cover_every_texel_of_a_square_once() -> None:
    uvs = np.asarray([[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]], np.float32)
    places = texel_places(uvs, (8, 16))
    assert np.array_equal(np.sort(places.texels), np.arange(8 * 16))
    y, x = np.divmod(places.texels, 16)
    assert places.points(uvs) == pytest.approx(np.stack([(x + 0.5) / 16, (y + 0.5) / 8], axis=1))
    below = (x + 0.5) / 16 > (y + 0.5) / 8
    assert np.array_equal(places.triangles[below], np.zeros(below.sum()))


def test_triangles_without_area_and_beyond_the_map_cover_nothing() -> None:
    uvs = np.asarray([[[0.2, 0.2], [0.4, 0.4], [0.6, 0.6]], [[0.1, 0.1], [0.1, 0.1], [0.1, 0.1]]], np.float32)
    assert len(texel_places(uvs, (10, 10)).texels) <= 4  # centres on the line itself
    outside = np.asarray([[[1.2, 1.2], [1.6, 1.2], [1.2, 1.6]]], np.float32)
    assert len(texel_places(outside, (10, 10)).texels) == 0


def test_bilinear_is_exact_at_centres_and_the_mean_between_them() -> None:
    texture = waves(6, 5)
    y, x = np.mgrid[0:6, 0:5]
    centres = np.stack([(x.ravel() + 0.5) / 5, (y.ravel() + 0.5) / 6], axis=1)
    assert bilinear(texture, centres) == pytest.approx(texture.reshape(-1, 3), abs=1e-6)
    corner = np.asarray([[1.0, 1.0]])  # where the map repeats
    mean = 0.25 * (texture[0, 0] + texture[0, -1] + texture[-1, 0] + texture[-1, -1])
    assert bilinear(texture, corner)[0] == pytest.approx(mean, abs=1e-6)
