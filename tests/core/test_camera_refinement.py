# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras found again from pictures of a curved, painted surface that is traced exactly, without a GPU."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from sge_addon.core.camera_parameters import moved, rotation_matrix
from sge_addon.core.camera_refinement import CameraFreedom, CameraRefinement, CameraState, level_sizes
from sge_addon.core.reference import Reference
from sge_addon.core.view import View, perspective

SIZE = 128
RNG = np.random.default_rng(2)
# The surface: a plane z = 0 with two steps, each a disc that stands nearer to the camera.
DISCS = ((0.3, 0.1, 0.35, 0.5), (-0.35, -0.2, 0.25, 0.9))  # x, y, radius, z
WAVES = RNG.uniform(-9.0, 9.0, (3, 6, 2)), RNG.uniform(0.0, 6.0, (3, 6))


@dataclass(frozen=True)
class Traced:
    colour: np.ndarray
    normal: np.ndarray | None = None


def paint(points: np.ndarray) -> np.ndarray:
    """(..., 3) smooth colours of the surface's points."""
    waves = np.sin(np.einsum("...k,cwk->...cw", points[..., :2], WAVES[0]) + WAVES[1])
    return 0.5 + 0.08 * waves.sum(axis=-1)


def trace(view: View, _normal: bool = False) -> Traced:
    """2 x 2 samples a pixel: the ray's first hit of the discs, or of the plane within |x|, |y| < 1."""
    x, y = np.meshgrid((np.arange(2 * view.width) + 0.5) / view.width - 1.0, np.arange(2 * view.height))
    y = (y + 0.5) / view.height - 1.0
    p = view.projection
    rays = np.stack([(x + p[0, 2]) / p[0, 0], (y + p[1, 2]) / p[1, 1], -np.ones_like(x)], axis=-1)
    rays = rays @ view.camera_to_world[:3, :3].T
    eye = view.camera_to_world[:3, 3]
    colour = np.zeros((*x.shape, 4))
    ground = eye + rays * (-eye[2] / rays[..., 2])[..., None]
    hit = (np.abs(ground[..., :2]) < 1.0).all(axis=-1)
    colour[hit] = np.c_[paint(ground[hit]), np.ones(hit.sum())]
    for cx, cy, radius, height in DISCS:
        points = eye + rays * ((height - eye[2]) / rays[..., 2])[..., None]
        hit = np.hypot(points[..., 0] - cx, points[..., 1] - cy) < radius
        colour[hit] = np.c_[paint(points[hit] * 1.7 + 0.3), np.ones(hit.sum())]
    pixels = colour.reshape(view.height, 2, view.width, 2, 4).mean(axis=(1, 3))
    return Traced(pixels.astype(np.float32))


def surface_points() -> np.ndarray:
    ground = np.c_[RNG.uniform(-1.0, 1.0, (60, 2)), np.zeros(60)]
    discs = [
        np.c_[(cx, cy) + 0.6 * r * RNG.uniform(-1.0, 1.0, (20, 2)), np.full(20, z)] for cx, cy, r, z in DISCS
    ]
    return np.concatenate([ground, *discs]).astype(np.float32)


POINTS = surface_points()


def true_view() -> View:
    pose = np.eye(4)
    pose[:3, :3] = rotation_matrix(np.array([0.35, -0.3, 0.1]))
    pose[:3, 3] = pose[:3, :3] @ (0.05, 0.0, 4.0)
    return View("true", pose, perspective(180.0, 180.0, 64.0, 64.0, SIZE, SIZE, 0.1, 20.0), SIZE, SIZE)


def error(view: View) -> float:
    """Mean distance in pixels of the surface's points from where they should be seen."""
    there = true_view().to_pixels(POINTS.astype(np.float64))
    return float(np.linalg.norm(view.to_pixels(POINTS.astype(np.float64)) - there, axis=1).mean())


def off(degrees: float = 1.0, focal: float = 1.01) -> View:
    """The true view turned about its eye and about the surface, with another focal length."""
    angle = np.radians(degrees)
    change = np.array([0.6, -0.5, 0.62, 0.0, 0.0, 0.0, 0.0]) * angle
    change[6] = np.log(focal)
    view = moved(true_view(), change, np.zeros(3))
    return moved(view, np.array([-0.3, 0.8, 0.5, 0, 0, 0, 0]) * angle, view.camera_to_world[:3, 3])


def refine(reference: Reference, start: CameraState, freedom: CameraFreedom, loss: str = "l1") -> CameraState:
    refinement = CameraRefinement(freedom, ("colour", "alpha"), loss, trace)
    for long_side in level_sizes(SIZE, SIZE):
        start, _ = refinement.refined(reference, start, POINTS, long_side, 8)
    return start


def seen(gain: np.ndarray | None = None, has_alpha: bool = True) -> Reference:
    colour = trace(true_view()).colour
    if gain is not None:
        colour = (colour * np.append(gain, 1.0)).astype(np.float32)
    if not has_alpha:
        colour[..., :3] += 0.2 * (1.0 - colour[..., 3:])
        colour[..., 3] = 1.0
    return Reference(true_view(), colour, has_alpha)


@pytest.mark.parametrize("loss", ["l1", "l2", "log_l1"])
@pytest.mark.parametrize("has_alpha", [True, False])
def test_a_camera_off_by_a_degree_and_a_percent_is_found_again(loss: str, has_alpha: bool) -> None:
    start = CameraState(off(), np.ones(3))
    assert error(start.view) > 2.0
    found = refine(seen(has_alpha=has_alpha), start, CameraFreedom(True, True, 0), loss)
    assert error(found.view) < 0.1
    assert found.gain.tolist() == [1.0, 1.0, 1.0]


def test_gains_are_found_together_with_the_camera() -> None:
    gain = np.array([0.8, 1.1, 1.25])
    found = refine(seen(gain), CameraState(off(), np.ones(3)), CameraFreedom(True, True, 3))
    assert error(found.view) < 0.1
    assert np.abs(found.gain / gain - 1.0).max() < 0.01


def test_one_gain_leaves_the_camera_as_it_is() -> None:
    found = refine(
        seen(np.full(3, 1.3)), CameraState(true_view(), np.ones(3)), CameraFreedom(False, False, 1)
    )
    assert found.gain == pytest.approx([1.3] * 3, rel=1e-3)
    assert np.array_equal(found.view.camera_to_world, true_view().camera_to_world)
    assert np.array_equal(found.view.projection, true_view().projection)


def test_pose_alone_leaves_the_focal_length_as_it_is() -> None:
    found = refine(seen(), CameraState(off(focal=1.0), np.ones(3)), CameraFreedom(True, False, 0))
    assert error(found.view) < 0.1
    assert np.array_equal(found.view.projection, true_view().projection)


def test_what_does_not_count_does_not_pull() -> None:
    """A bright bar before the surface: the camera is found where it weighs nothing."""
    clean = seen()
    colour, weight = clean.colour.copy(), np.ones((SIZE, SIZE), np.float32)
    colour[:, 50:62] = 1.0
    weight[:, 50:62] = 0.0
    found = refine(
        replace(clean, colour=colour, weight=weight),
        CameraState(off(), np.ones(3)),
        CameraFreedom(True, True, 0),
    )
    assert error(found.view) < 0.1


def test_levels_double_up_to_half_of_the_image() -> None:
    assert level_sizes(512, 300) == [64, 128, 256]
    assert level_sizes(300, 400) == [50, 100, 200]
    assert level_sizes(60, 40) == [60]
    assert level_sizes(8, 8) == [8]
