# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Views against projections computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core.errors import FitError
from sge_addon.core.view import View, fitted_size, jittered, orthographic, perspective


def view(projection: np.ndarray, width: int = 400, height: int = 300) -> View:
    """A camera at (0, 0, 4) that looks down at the origin."""
    camera_to_world = np.eye(4)
    camera_to_world[2, 3] = 4.0
    return View("camera", camera_to_world, projection, width, height)


PERSPECTIVE = perspective(200.0, 220.0, 190.0, 140.0, 400, 300, near=0.5, far=50.0)
ORTHOGRAPHIC = orthographic(0.01, 190.0, 140.0, 400, 300, near=0.5, far=50.0)


def test_pinhole_projects_as_computed_by_hand() -> None:
    # x = cx + fx X / Z, and rows counted from the bottom: y = h - cy + fy Y / Z.
    pixels = view(PERSPECTIVE).to_pixels(np.array([[0.0, 0.0, 0.0], [1.0, 2.0, 0.0], [1.0, 2.0, 2.0]]))
    assert np.allclose(pixels, [[190, 160], [190 + 50, 160 + 110], [190 + 100, 160 + 220]])


def test_parallel_projection_as_computed_by_hand() -> None:
    pixels = view(ORTHOGRAPHIC).to_pixels(np.array([[0.0, 0.0, 0.0], [1.0, 0.5, 0.0], [1.0, 0.5, 2.0]]))
    assert np.allclose(pixels, [[190, 160], [290, 210], [290, 210]])


@pytest.mark.parametrize("projection", [PERSPECTIVE, ORTHOGRAPHIC])
def test_near_and_far_planes_are_the_ends_of_clip_space(projection: np.ndarray) -> None:
    camera = view(projection)
    points = np.array([[0.0, 0.0, 4.0 - 0.5, 1.0], [0.0, 0.0, 4.0 - 50.0, 1.0]])
    clip = points @ camera.world_to_clip.T
    assert np.allclose(clip[:, 2] / clip[:, 3], [-1.0, 1.0])
    assert camera.clip_range() == pytest.approx((0.5, 50.0))
    moved = camera.with_clip_range(2.0, 8.0)
    assert moved.clip_range() == pytest.approx((2.0, 8.0))
    assert np.array_equal(moved.projection[[0, 1, 3]], projection[[0, 1, 3]])


def test_intrinsics_are_what_the_projection_was_made_of() -> None:
    assert view(PERSPECTIVE).intrinsics() == pytest.approx((200.0, 220.0, 190.0, 140.0))
    assert view(ORTHOGRAPHIC).intrinsics() == pytest.approx((100.0, 100.0, 190.0, 140.0))


@pytest.mark.parametrize("projection", [PERSPECTIVE, ORTHOGRAPHIC])
def test_world_per_pixel_times_w_moves_a_point_by_one_pixel(projection: np.ndarray) -> None:
    camera = view(projection)
    point = np.array([[0.3, -0.2, 1.0]])
    w = float((np.append(point, 1.0) @ camera.world_to_clip.T)[3])
    moved = point + [[0.0, camera.world_per_pixel * w, 0.0]]
    assert np.allclose(camera.to_pixels(moved) - camera.to_pixels(point), [[0.0, 1.0]])


def test_world_to_clip_undoes_the_cameras_place_and_scale() -> None:
    camera = np.eye(4)
    camera[:3] = np.random.default_rng(3).normal(size=(3, 4))
    view = View("sheared", camera, PERSPECTIVE, 400, 300)
    np.testing.assert_allclose(view.world_to_clip @ camera, view.projection, atol=1e-12)


def test_another_number_of_pixels_sees_the_same() -> None:
    point = np.array([[0.4, 0.3, -1.0]])
    assert np.allclose(
        view(PERSPECTIVE).resized(200, 150).to_pixels(point) * 2, view(PERSPECTIVE).to_pixels(point)
    )


def test_jitter_moves_the_image_by_pixels() -> None:
    point = np.array([[0.4, 0.3, -1.0]])
    moved = view(jittered(PERSPECTIVE, 0.25, -0.5, 400, 300))
    assert np.allclose(moved.to_pixels(point) - view(PERSPECTIVE).to_pixels(point), [[0.25, -0.5]])


def test_fitted_size_never_enlarges_and_never_vanishes() -> None:
    assert fitted_size(4000, 3000, 512) == (512, 384)
    assert fitted_size(300, 200, 512) == (300, 200)
    assert fitted_size(4000, 1, 512) == (512, 1)


@pytest.mark.parametrize("bad", [np.full((4, 4), np.nan), np.eye(3), np.diag([1.0, 0.0, 1.0, 1.0])])
def test_a_camera_that_stands_nowhere_is_refused_by_name(bad: np.ndarray) -> None:
    with pytest.raises(FitError, match="'left eye'"):
        View("left eye", bad, PERSPECTIVE, 4, 4)
