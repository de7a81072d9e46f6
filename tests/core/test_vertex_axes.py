# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Along which lines vertices are perturbed, and where in all directions."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core.perturbation import Axes, even_perturbation
from sge_addon.core.signs import signs
from sge_addon.core.vertex_axes import VertexAxes
from tests.meshes import icosphere

POSITIONS, SPHERE = icosphere(3)
CUBE = np.float32([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
SQUARES = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
CUBE_FACES = np.int32([each for a, b, c, d in SQUARES for each in ([a, b, c], [a, c, d])])


def axes_of(positions: np.ndarray, triangles: np.ndarray, materials: np.ndarray | None = None) -> np.ndarray:
    materials = np.zeros(len(triangles), np.int32) if materials is None else materials
    return VertexAxes(triangles, materials, len(positions)).at(positions).lines


def sheet(side: int) -> tuple[np.ndarray, np.ndarray]:
    """A square of side x side vertices in the plane z = 0."""
    y, x = np.divmod(np.arange(side * side), side)
    index = np.arange(side * side).reshape(side, side)
    a, b, c, d = (each.ravel() for each in (index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]))
    faces = np.r_[np.c_[a, b, d], np.c_[a, d, c]].astype(np.int32)
    return np.stack([x, y, np.zeros(side * side)], axis=1).astype(np.float32), faces


def test_on_a_ball_they_are_its_radii() -> None:
    axes = axes_of(3.0 * POSITIONS, SPHERE)
    assert axes.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(axes, axis=1), 1.0, rtol=1e-6)
    assert (np.abs((axes * POSITIONS).sum(axis=1)) > 0.999).all()


def test_at_sharp_corners_all_directions_tell() -> None:
    assert not axes_of(CUBE, CUBE_FACES).any()
    rounded = icosphere(1)
    assert axes_of(*rounded).any(axis=1).all()


def test_where_a_surface_ends_all_directions_tell() -> None:
    positions, faces = sheet(5)
    inside = ((positions[:, :2] > 0) & (positions[:, :2] < 4)).all(axis=1)
    axes = axes_of(positions, faces)
    assert (axes[inside] == [0, 0, 1]).all()
    assert not axes[~inside].any()


def test_where_another_material_begins_all_directions_tell() -> None:
    positions, faces = sheet(7)
    right = (positions[faces].mean(axis=1)[:, 0] > 3).astype(np.int32)
    alone = axes_of(positions, faces).any(axis=1)
    beside = axes_of(positions, faces, right).any(axis=1)
    assert np.array_equal(alone & ~beside, alone & (positions[:, 0] == 3))


def test_a_third_triangle_at_an_edge_lets_its_ends_go_anywhere() -> None:
    positions = np.r_[POSITIONS, np.float32([[0, 0, 3]])]
    first, second = SPHERE[0, :2]
    axes = axes_of(positions, np.r_[SPHERE, np.int32([[first, second, len(POSITIONS)]])])
    assert not axes[[first, second, len(POSITIONS)]].any()
    assert axes.any(axis=1).sum() == len(POSITIONS) - 2


def test_loose_vertices_and_triangles_without_area_are_no_numbers_gone_wrong() -> None:
    positions = np.r_[np.float32([[0, 0, 0]] * 4), np.float32([[9, 9, 9]])]
    faces = np.int32([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]])
    axes = axes_of(positions, faces)
    assert axes.shape == (5, 3)
    assert not axes.any()


@pytest.mark.parametrize("seed", [0, 7])
def test_vertices_move_along_their_axis_by_their_first_sign(seed: int) -> None:
    axes = POSITIONS.copy()
    axes[::2] = 0.0
    along = even_perturbation(0.5, seed).along(Axes(axes)).directions(len(axes))
    random = signs(seed, len(axes))
    assert np.array_equal(along[::2], random[::2])
    assert np.array_equal(along[1::2], (axes * random[:, :1])[1::2])
    assert np.array_equal(even_perturbation(0.5, seed).directions(len(axes)), random)
