# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a camera cannot see, and clip planes around what it sees."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core.view import View
from sge_addon.core.visibility import clip_around, sees_nothing
from tests.meshes import orthographic_view, perspective_view

VIEWS = [perspective_view(32, 24, distance=3.0, focal=1.0), orthographic_view(32, 24, pixel_size=0.125)]
TRIANGLE = np.array([[0, 1, 2]], np.int32)


def moved(*offset: float, size: float = 0.1) -> np.ndarray:
    corners = np.array([[-1, -1, 0], [1, -1, 0], [0, 1, 0]], np.float32) * size
    return corners + np.asarray(offset, np.float32)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
@pytest.mark.parametrize(
    ("offset", "hidden"),
    [
        ((0, 0, 0), False),
        ((1.9, 0, 0), False),
        ((50, 0, 0), True),
        ((-50, 0, 0), True),
        ((0, 50, 0), True),
        ((0, -50, 0), True),
        ((0, 0, 50), True),  # behind the camera
        ((0, 0, -500), True),  # beyond the far plane
    ],
)
def test_small_triangle(view: View, offset: tuple, hidden: bool) -> None:
    assert sees_nothing(view, moved(*offset), TRIANGLE) == hidden


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_triangle_larger_than_the_image_is_seen(view: View) -> None:
    """None of its corners lies inside the frustum."""
    assert not sees_nothing(view, moved(0, 0, 0, size=100.0), TRIANGLE)


def test_triangle_through_the_camera_is_seen() -> None:
    points = np.array([[0.0, -1.0, 0.0], [0.1, -1.0, 10.0], [-0.1, -1.0, 10.0]], np.float32)
    assert not sees_nothing(VIEWS[0], points, TRIANGLE)


def test_one_seen_triangle_is_enough() -> None:
    points = np.concatenate([moved(50, 0, 0), moved(0, 0, 0)])
    assert not sees_nothing(VIEWS[0], points, np.array([[0, 1, 2], [3, 4, 5]], np.int32))
    assert sees_nothing(VIEWS[0], points, TRIANGLE)


def test_one_seen_triangle_among_very_many_is_found() -> None:
    points = np.concatenate([moved(100.0, 0, 0), moved(0, 0, 0)])
    triangles = np.tile(TRIANGLE, (20_000, 1))
    assert sees_nothing(VIEWS[0], points, triangles)
    triangles[12_347] += 3
    assert not sees_nothing(VIEWS[0], points, triangles)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
@pytest.mark.parametrize("center", [(0.0, 0.0, 0.0), (1.0, -2.0, 0.5)])
def test_clip_planes_hold_the_sphere_and_its_growth(view: View, center: tuple) -> None:
    near, far = clip_around(view, np.asarray(center), 0.5).clip_range()
    depth = view.camera_to_world[2, 3] - center[2]
    assert 0.0 < near <= depth - 3.0 * 0.5 + 1e-9
    assert far >= depth + 3.0 * 0.5 - 1e-9


def test_clip_planes_of_a_camera_inside_stay_in_front_of_it() -> None:
    near, far = clip_around(VIEWS[0], np.array([0.0, 0.0, 3.0]), 4.0).clip_range()
    assert 0.0 < near < 0.1
    assert far == pytest.approx(12.0)


def test_clip_planes_leave_the_picture_alone() -> None:
    points = np.array([[0.3, -0.2, 0.1]])
    around = clip_around(VIEWS[0], np.zeros(3), 0.5)
    assert np.allclose(around.to_pixels(points), VIEWS[0].to_pixels(points), atol=1e-9)
