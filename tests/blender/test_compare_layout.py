# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Compare draws."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from sge_addon.core.view import View, orthographic, perspective
from sge_addon.ui.compare_layout import Box, frame_in_region, free_of_panels, side_by_side

POSE = np.array([[0.0, 0, 1, 3], [1, 0, 0, -2], [0, 1, 0, 1], [0, 0, 0, 1]])


def region_clip(focal: float, width: int, height: int) -> np.ndarray:
    """What a viewport of that size has, looking from POSE."""
    viewport = View(
        "viewport", POSE, perspective(focal, focal, width / 2, height / 2, width, height), width, height
    )
    return viewport.world_to_clip


def test_a_viewport_with_the_camera_s_lens_shows_the_image_in_its_own_size() -> None:
    view = View("view", POSE, perspective(200, 200, 50, 40, 100, 80), 100, 80)
    box = frame_in_region(view, region_clip(200, 400, 300), 400, 300)
    assert (box.x, box.y, box.width, box.height) == pytest.approx((150, 110, 100, 80))


def test_a_shifted_principal_point_moves_the_image() -> None:
    view = View("view", POSE, perspective(200, 200, 60, 30, 100, 80), 100, 80)
    box = frame_in_region(view, region_clip(400, 400, 300), 400, 300)
    # Twice the focal length: twice the size. The principal point stays in the middle of the viewport.
    assert (box.x, box.y, box.width, box.height) == pytest.approx((80, 50, 200, 160))


def test_pixels_lie_where_the_viewport_draws_them() -> None:
    view = View("view", POSE, perspective(150, 170, 48, 37, 100, 80), 100, 80)
    clip = region_clip(333, 640, 480)
    box = frame_in_region(view, clip, 640, 480)
    points = (POSE[:3, :3] @ np.array([[0.2, -0.1, -4], [-0.5, 0.3, -9], [0.1, 0.4, -2.0]]).T).T + POSE[:3, 3]
    x, y = (view.to_pixels(points) / (100, 80)).T
    h = np.c_[points, np.ones(3)] @ clip.T
    drawn = (0.5 * h[:, :2] / h[:, 3:] + 0.5) * (640, 480)
    assert np.allclose(np.c_[box.x + x * box.width, box.y + y * box.height], drawn)


def test_orthographic_cameras_have_frames_too() -> None:
    view = View("view", POSE, orthographic(0.01, 50, 50, 100, 100), 100, 100)
    viewport = View("viewport", POSE, orthographic(0.005, 200, 150, 400, 300), 400, 300)
    box = frame_in_region(view, viewport.world_to_clip, 400, 300)
    assert (box.x, box.y, box.width, box.height) == pytest.approx((100, 50, 200, 200))


def test_an_image_behind_the_viewport_has_no_frame() -> None:
    turned = POSE @ np.diag([-1.0, 1.0, -1.0, 1.0])
    view = View("view", turned, perspective(200, 200, 50, 40, 100, 80), 100, 80)
    assert frame_in_region(view, region_clip(200, 400, 300), 400, 300) is None


def test_panels_take_their_side() -> None:
    region = Box(0, 0, 1000, 700)
    sidebar, tools, header = Box(760, 0, 240, 660), Box(0, 0, 50, 660), Box(0, 660, 1000, 40)
    assert free_of_panels(region, [sidebar, tools, header]) == Box(50, 0, 710, 660)
    assert free_of_panels(region, [Box(1000, 0, 240, 700)]) == region  # beside it, not on it


def test_side_by_side_fits_without_touching() -> None:
    free = Box(50, 10, 700, 400)
    boxes = side_by_side(free, 1.5, 3, 20)
    assert all(box.width == pytest.approx(1.5 * box.height) for box in boxes)
    assert boxes[0].x >= free.x
    assert boxes[-1].right <= free.right
    assert all(a.right < b.x for a, b in pairwise(boxes))
    assert all(box.y - 20 >= free.y and box.top + 20 <= free.top for box in side_by_side(free, 0.2, 3, 20))
