# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the deterministic gradient stands on: marks of corners, normals' derivatives, where surfaces end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sge_addon.core.assembly import assemble
from sge_addon.core.corner_marks import place_matrices, vertex_marks
from sge_addon.core.group_normals import GroupNormals
from sge_addon.core.normal_gradient import NormalGradient
from sge_addon.core.oracle import group_normals
from sge_addon.core.surface_ends import SurfaceEnds, across_edges
from tests.meshes import icosphere, orthographic_view, perspective_view, surface


def fan(count: int) -> np.ndarray:
    """So many triangles around one vertex."""
    rim = np.arange(count) + 1
    return np.stack([np.zeros(count, int), rim, np.roll(rim, -1)], axis=1).astype(np.int32)


@pytest.mark.parametrize(
    "triangles", [icosphere(3, 1.0)[1], fan(200), fan(3)], ids=["sphere", "fan", "pyramid"]
)
def test_a_mark_tells_the_place_in_every_triangle(triangles: np.ndarray) -> None:
    marks = vertex_marks(triangles, triangles.max() + 1)
    matrices = place_matrices(triangles, marks)
    places = np.random.default_rng(0).dirichlet([1, 1, 1], len(triangles))
    x, y = np.einsum("fk,fkc->cf", places, marks[triangles])
    found = matrices[:, 0] + matrices[:, 1] * x + matrices[:, 2] * y
    np.testing.assert_allclose(found.T, places, atol=1e-5)


def test_corners_that_share_a_mark_weigh_alike() -> None:
    triangles = np.int32([[0, 1, 2], [0, 0, 1]])  # the second has a corner twice
    matrices = place_matrices(triangles, vertex_marks(triangles, 3))
    np.testing.assert_allclose(matrices[:, :, 1], [[1 / 3, 0, 0]] * 3, atol=1e-6)


@pytest.mark.parametrize("smooth", [True, False], ids=["smooth", "flat"])
def test_normals_are_the_oracles(smooth: bool) -> None:
    points, faces = icosphere(2, 1.0)
    points = (points + 0.1 * np.random.default_rng(1).normal(size=points.shape)).astype(np.float32)
    assembly = assemble([surface(points, faces, smooth=smooth), surface(points + 3.0, faces[::-1])])
    found = GroupNormals(assembly).at(assembly.positions).normals
    np.testing.assert_allclose(found.T, group_normals(assembly.positions, assembly), atol=1e-5)


@pytest.mark.parametrize("known", [True, False], ids=["areas known", "areas unknown"])
@pytest.mark.parametrize("smooth", [True, False], ids=["smooth", "flat"])
def test_the_normals_derivative_is_the_central_difference(smooth: bool, known: bool) -> None:
    points, faces = icosphere(1, 1.0)
    rng = np.random.default_rng(2)
    points = (points + 0.1 * rng.normal(size=points.shape)).astype(np.float32)
    assembly = assemble([surface(points, faces, smooth=smooth)])
    by_group = rng.normal(size=(len(assembly.group_offsets) - 1, 3)).astype(np.float32)
    by_group[::3] = 0.0
    areas = GroupNormals(assembly).at(points) if known else None
    vertices, pulls = NormalGradient(assembly).pulls(points.T, by_group.T, areas)
    found = np.zeros(points.shape)
    np.add.at(found, vertices, pulls.T)
    expected = np.zeros(points.shape)
    for index in np.ndindex(*points.shape):
        moved = [points.astype(np.float64), points.astype(np.float64)]
        moved[0][index] += 1e-3
        moved[1][index] -= 1e-3
        plus, minus = ((by_group * group_normals(each.astype(np.float32), assembly)).sum() for each in moved)
        expected[index] = (plus - minus) / 2e-3
    np.testing.assert_allclose(found, expected, atol=5e-3 * np.abs(expected).max())


def test_a_fold_turns_normals_within_measure() -> None:
    """Both sides of a sheet as one smooth surface: its normal points nowhere, and would turn by anything."""
    points = np.float32([[0, 0, 0], [1, 0, 0], [0, 1, 1e-6], [0, 1, 0]])
    assembly = assemble([surface(points, np.int32([[0, 1, 2], [1, 0, 3]]))])
    _, pulls = NormalGradient(assembly).pulls(points.T, np.ones((3, 4), np.float32))
    assert 1.0 < np.abs(pulls).max() < 100.0


def test_triangles_across_edges() -> None:
    #  3---2
    #  | \ |     and a third triangle at the edge 0-1, a fourth there, too
    #  0---1
    triangles = np.int32([[0, 1, 3], [1, 2, 3], [1, 0, 4]])
    across = across_edges(triangles)
    assert across.tolist() == [[1, -1, 2], [-1, 0, -1], [-1, -1, 0]]
    crowded = across_edges(np.r_[triangles, np.int32([[0, 1, 5]])])
    assert crowded[0].tolist() == [1, -1, -1]  # which of two would be meant?


@settings(max_examples=50, deadline=None)
@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95), st.booleans())
def test_a_surface_ends_at_its_outline(x: float, y: float, perspective: bool) -> None:
    """A square of many triangles: from its last pixel in a row to the next, which it does not cover."""
    view = perspective_view(16, 16, 3.0, 1.1) if perspective else orthographic_view(16, 16, 0.2)
    side = np.linspace(-1.0, 1.0, 5)
    points = np.stack(
        [*np.meshgrid(side + 0.1 * (x - 0.5), side + 0.1 * (y - 0.5)), np.zeros((5, 5))], axis=-1
    )
    points = points.reshape(-1, 3).astype(np.float32)
    index = np.arange(25).reshape(5, 5)
    a, b, c, d = (each.ravel() for each in (index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]))
    faces = np.r_[np.c_[a, b, d], np.c_[a, d, c]].astype(np.int32)
    pixels = view.to_pixels(points.astype(np.float64))
    right = pixels[:, 0].max()
    # The last column of pixel centres before the outline, and triangles at the border of its rows.
    column = int(np.ceil(right - 0.5)) - 1
    rows = [r for r in range(16) if pixels[:, 1].min() < r + 0.5 < pixels[:, 1].max()]
    start, triangle = [], []
    for row in rows:
        for number, face in enumerate(faces):
            corners = pixels[face]
            edges = np.roll(corners, -1, axis=0) - corners
            towards = np.array([column + 0.5, row + 0.5]) - corners
            turn = edges[:, 0] * towards[:, 1] - edges[:, 1] * towards[:, 0]
            if (turn >= 0).all() or (turn <= 0).all():
                start.append(row * 16 + column)
                triangle.append(number)
                break
    start, triangle = np.array(start), np.array(triangle)
    ends = SurfaceEnds(faces).find(points.T, view, view.world_to_clip, triangle, start, start + 1)
    reached = np.einsum("kn,nkc->nc", ends.places, points[faces[ends.triangle]])
    np.testing.assert_allclose(view.to_pixels(reached.astype(np.float64))[:, 0], right, atol=2e-3)
    slopes = ends.gradient.T
    moved = view.to_pixels(reached + 1e-3 * slopes / np.square(slopes).sum(axis=1)[:, None])
    np.testing.assert_allclose((moved - view.to_pixels(reached.astype(np.float64)))[:, 0], 1e-3, rtol=0.05)
