# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which part of a picture surfaces can be seen in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sge_addon.core.picture_area import Area, seen_area, whole
from sge_addon.core.view import View
from tests.meshes import icosphere, orthographic_view, perspective_view

VIEWS = {
    "perspective": perspective_view(300, 200, 4.0),
    "orthographic": orthographic_view(320, 240, 0.02),
}
all_views = pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)


@all_views
@pytest.mark.parametrize("aside", [(0.0, 0.0, 0.0), (0.9, -0.4, 0.3), (-1.9, 1.3, 0.0)])
def test_it_holds_what_is_projected_and_a_margin_and_no_more(view: View, aside: tuple) -> None:
    points = icosphere(2, 0.5)[0] + np.float32(aside)
    area = seen_area(view, points, 3.0)
    pixels = view.to_pixels(points)
    size = np.asarray([view.width, view.height])
    low = np.maximum(pixels.min(axis=0) - 3.0, 0.0)
    high = np.minimum(pixels.max(axis=0) + 3.0, size)
    first = np.asarray([area.x, area.y])
    end = first + [area.width, area.height]
    assert (first <= low + 1e-3).all()
    assert (end >= high - 1e-3).all()
    assert (low - first < 1.01).all()
    assert (end - high < 1.01).all()
    assert area.across == view.width


@all_views
@pytest.mark.parametrize("aside", [(90.0, 0.0, 0.0), (0.0, -90.0, 0.0)])
def test_of_what_is_out_of_the_picture_a_strip_at_its_edge_is_left(view: View, aside: tuple) -> None:
    area = seen_area(view, icosphere(1, 0.5)[0] + np.float32(aside), 2.0)
    assert area.width >= 1
    assert area.height >= 1
    assert 0 <= area.x <= view.width - area.width
    assert 0 <= area.y <= view.height - area.height
    assert min(area.width, area.height) == 1


def test_it_is_the_whole_where_little_is_known_or_saved() -> None:
    view, ball = VIEWS["perspective"], icosphere(1, 0.5)[0]
    beside_the_camera = np.r_[ball, np.float32([[0.0, 0.0, 4.05]])]
    behind = np.r_[ball, np.float32([[0.0, 0.0, 9.0]])]
    for points in (beside_the_camera, behind, 6.0 * ball, ball[:0]):
        assert seen_area(view, points, 2.0) == whole(view)
    small = replace(view, width=150, height=100)
    assert seen_area(small, ball, 2.0) == whole(small) == Area(0, 0, 150, 100, 150)


def test_its_pixels_are_those_of_the_picture() -> None:
    picture = np.arange(7 * 9 * 2).reshape(7, 9, 2)
    for area in (Area(2, 3, 4, 3, 9), Area(0, 1, 9, 2, 9), Area(0, 0, 9, 7, 9)):
        part = area.part(picture)
        assert part.shape == (*area.shape, 2)
        at = np.arange(area.width * area.height)
        assert np.array_equal(picture.reshape(-1, 2)[area.in_picture(at)], part.reshape(-1, 2))
