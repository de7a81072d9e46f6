# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Seven numbers of a view: their derivatives against finite differences of the projection itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sge_addon.core.camera_parameters import (
    SIZE,
    in_view,
    moved,
    rotation_matrix,
    rotation_vector,
    screen_derivative,
    screen_units,
)
from sge_addon.core.view import View, orthographic, perspective

POINTS = np.random.default_rng(5).uniform(-0.7, 0.7, (40, 3))
PIVOT = np.array([0.1, -0.2, 0.05])


def tilted(projection: np.ndarray) -> View:
    """A camera three units away that looks askance at the origin."""
    pose = np.eye(4)
    pose[:3, :3] = rotation_matrix(np.array([0.4, -0.7, 0.2]))
    pose[:3, 3] = pose[:3, :3] @ (0.1, -0.05, 3.0)
    return View("tilted", pose, projection, 320, 200)


VIEWS = [
    tilted(perspective(330.0, 350.0, 150.0, 110.0, 320, 200, 0.1, 50.0)),
    tilted(orthographic(0.01, 150.0, 110.0, 320, 200, 0.1, 50.0)),
]


@pytest.mark.parametrize("view", VIEWS, ids=["perspective", "orthographic"])
def test_derivative_is_that_of_the_projection(view: View) -> None:
    derivative = screen_derivative(view, POINTS, PIVOT)
    for index in range(SIZE):
        change = np.zeros(SIZE)
        change[index] = 1e-5
        plus, minus = (moved(view, side * change, PIVOT).to_pixels(POINTS) for side in (1.0, -1.0))
        assert np.allclose(derivative[:, :, index], (plus - minus) / 2e-5, rtol=1e-6, atol=1e-5), index


@pytest.mark.parametrize("view", VIEWS, ids=["perspective", "orthographic"])
def test_a_unit_moves_the_points_by_as_many_pixels(view: View) -> None:
    units = screen_units(view, POINTS, PIVOT, 0.01)
    for index in np.flatnonzero(units):
        change = np.zeros(SIZE)
        change[index] = units[index]
        movement = moved(view, change, PIVOT).to_pixels(POINTS) - view.to_pixels(POINTS)
        assert np.sqrt(np.square(movement).sum(axis=1).mean()) == pytest.approx(0.01, rel=1e-2)


def test_distance_does_nothing_without_perspective() -> None:
    assert screen_units(VIEWS[1], POINTS, PIVOT, 1.0)[5] == 0.0
    assert (screen_units(VIEWS[1], POINTS, PIVOT, 1.0)[[0, 1, 2, 3, 4, 6]] > 0.0).all()
    assert (screen_units(VIEWS[0], POINTS[:0], PIVOT, 1.0) == 0.0).all()


def test_rotation_vectors_and_matrices_belong_together() -> None:
    # A quarter turn about z takes x to y.
    quarter = rotation_matrix(np.array([0.0, 0.0, 0.5 * np.pi]))
    assert np.allclose(quarter @ (1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    for vector in ([0.0, 0.0, 0.0], [1e-9, 0.0, 0.0], [0.3, -1.2, 0.8], [0.0, 3.0, 0.0]):
        matrix = rotation_matrix(np.array(vector))
        assert np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-14)
        assert np.allclose(rotation_vector(matrix), vector, rtol=1e-9, atol=1e-15)


def test_turning_keeps_the_pivot_where_it_is_seen() -> None:
    turned = moved(VIEWS[0], np.array([0.1, -0.2, 0.3, 0.0, 0.0, 0.0, 0.0]), PIVOT)
    assert np.allclose(turned.to_pixels(PIVOT[None]), VIEWS[0].to_pixels(PIVOT[None]))
    assert np.linalg.norm(turned.camera_to_world[:3, 3] - PIVOT) == pytest.approx(
        np.linalg.norm(VIEWS[0].camera_to_world[:3, 3] - PIVOT)
    )


def test_focal_length_scales_the_picture_about_its_principal_point() -> None:
    change = np.zeros(SIZE)
    change[6] = np.log(1.25)
    principal = (150.0, 200.0 - 110.0)
    before, after = VIEWS[0].to_pixels(POINTS), moved(VIEWS[0], change, PIVOT).to_pixels(POINTS)
    assert np.allclose(after - principal, 1.25 * (before - principal))


def test_points_in_view_are_within_the_image_and_in_front() -> None:
    view = VIEWS[0]
    behind = view.camera_to_world[:3, 3] + view.camera_to_world[:3, 2]
    beside = view.camera_to_world[:3, 3] + view.camera_to_world[:3, :3] @ (5.0, 0.0, -3.0)
    assert in_view(view, np.array([[0.0, 0.0, 0.0], behind, beside])).tolist() == [True, False, False]
    assert not in_view(replace(view, width=320), view.camera_to_world[:3, 3][None]).any()
