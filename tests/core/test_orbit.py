# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras on an orbit: where they stand, and what they see."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core.errors import FitError
from sge_addon.core.orbit import look_at, orbit_views, sphere_directions

CENTER = np.array([1.0, -2.0, 3.0])


@pytest.mark.parametrize(("width", "height"), [(512, 512), (640, 360), (300, 500)])
def test_the_sphere_fits_every_frame_and_nearly_fills_it(width: int, height: int) -> None:
    directions = np.random.default_rng(1).normal(size=(20000, 3))
    sphere = CENTER + 2.5 * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    for view in orbit_views(CENTER, 2.5, 5, width, height):
        pixels = view.to_pixels(sphere)
        assert pixels.min() >= 0.0
        assert (pixels <= (width, height)).all()
        filled = np.ptp(pixels, axis=0).max() / min(width, height)
        assert 0.9 < filled <= 1.0
        near, far = view.clip_range()
        depth = -((np.c_[sphere, np.ones(len(sphere))] @ np.linalg.inv(view.camera_to_world).T)[:, 2])
        assert near < depth.min()
        assert depth.max() < far


def test_cameras_look_at_the_centre_with_the_world_upright() -> None:
    for view in orbit_views(CENTER, 1.0, 40, 64, 64):
        assert np.allclose(view.to_pixels(CENTER[None]), [[32, 32]])
        rotation = view.camera_to_world[:3, :3]
        assert np.allclose(rotation.T @ rotation, np.eye(3), atol=1e-12)
        assert np.linalg.det(rotation) > 0
        assert rotation[2, 0] == pytest.approx(0.0, abs=1e-12), "the horizon is level"
        assert rotation[2, 1] > 0.1, "up is up"


def test_lens_is_fifty_millimetres() -> None:
    focal_x, focal_y, center_x, center_y = orbit_views(CENTER, 1.0, 1, 720, 360)[0].intrinsics()
    assert (focal_x, focal_y) == pytest.approx((1000.0, 1000.0))
    assert (center_x, center_y) == pytest.approx((360.0, 180.0))


@pytest.mark.parametrize("count", [8, 16, 50])
def test_directions_leave_no_hole(count: int) -> None:
    directions = sphere_directions(count)
    points = np.random.default_rng(2).normal(size=(5000, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    # A cap of area 4 pi / count has half angle acos(1 - 2 / count); twice that is a generous bound.
    farthest = np.arccos(np.clip(points @ directions.T, -1, 1).max(axis=1)).max()
    assert farthest < 2.0 * np.arccos(1.0 - 2.0 / count)
    apart = directions @ directions.T - 2.0 * np.eye(count)
    assert np.arccos(apart.max()) > 0.8 * np.arccos(1.0 - 2.0 / count), "and no two stand together"


def test_names_are_distinct_and_everything_is_deterministic() -> None:
    first, second = orbit_views(CENTER, 1.0, 12, 8, 8), orbit_views(CENTER, 1.0, 12, 8, 8)
    assert len({view.name for view in first}) == 12
    assert all(
        np.array_equal(a.camera_to_world, b.camera_to_world) for a, b in zip(first, second, strict=True)
    )


def test_what_cannot_be_orbited_is_refused() -> None:
    with pytest.raises(FitError, match="at least 1"):
        orbit_views(CENTER, 1.0, 0, 8, 8)
    with pytest.raises(FitError, match="no extent"):
        orbit_views(CENTER, 0.0, 4, 8, 8)
    with pytest.raises(FitError, match="straight up or down"):
        look_at((0, 0, 5), (0, 0, 0))
