# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes for small pictures: closed and turned as the fine ones, and moved by them linearly."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core.coarse_mesh import CoarseMesh, _contracted, coarsened, unchanged
from sge_addon.core.laplacian import edges_of
from tests.meshes import icosphere


def sphere_and_coarse(shortest: float, least: int = 20) -> tuple[np.ndarray, np.ndarray, CoarseMesh]:
    points, triangles = icosphere(3)  # 642 vertices, edges of 0.15
    return points, triangles, coarsened(unchanged(points, triangles), points, shortest, least)


def volume(points: np.ndarray, triangles: np.ndarray) -> float:
    a, b, c = points.astype(float)[triangles].transpose(1, 0, 2)
    return float((np.cross(a, b) * c).sum() / 6.0)


def lengths(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    edges = edges_of(triangles)
    return np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)


@pytest.mark.parametrize("shortest", [0.2, 0.4])
def test_a_sphere_stays_a_closed_sphere_turned_outwards(shortest: float) -> None:
    points, triangles, mesh = sphere_and_coarse(shortest)
    coarse = mesh.positions(points)
    directed = np.concatenate(
        [mesh.triangles[:, [0, 1]], mesh.triangles[:, [1, 2]], mesh.triangles[:, [2, 0]]]
    )
    ways = {tuple(edge) for edge in directed.tolist()}
    assert len(ways) == len(directed)  # no edge twice in one direction,
    assert {(b, a) for a, b in ways} == ways  # and each once in the other
    assert len(np.unique(mesh.triangles)) - len(ways) // 2 + len(mesh.triangles) == 2
    assert 0.7 * volume(points, triangles) < volume(coarse, mesh.triangles) < volume(points, triangles)


def test_hardly_any_edge_is_left_that_is_short() -> None:
    points, triangles, mesh = sphere_and_coarse(0.2)
    assert np.mean(lengths(points, triangles) < 0.2) == 1.0
    coarse = lengths(mesh.positions(points), mesh.triangles)
    assert np.mean(coarse < 0.2) < 0.1
    assert np.median(coarse) < 0.4


def test_vertices_are_means_and_gradients_go_back_in_equal_parts() -> None:
    points, _, mesh = sphere_and_coarse(0.2)
    coarse = mesh.positions(points)
    for vertex in (0, len(coarse) // 2, len(coarse) - 1):
        own = np.flatnonzero(mesh.cluster == vertex)
        assert len(own) == mesh.sizes[vertex]
        np.testing.assert_allclose(coarse[vertex], points[own].mean(axis=0), atol=1e-6)
    random = np.random.default_rng(0)
    moved = random.normal(size=points.shape).astype(np.float32)
    slopes = random.normal(size=coarse.shape).astype(np.float32)
    forwards = float((mesh.positions(moved).astype(float) * slopes).sum())
    backwards = float((moved.astype(float) * mesh.gradient(slopes)).sum())
    assert forwards == pytest.approx(backwards, rel=1e-4)


def test_the_fine_mesh_follows_smoothly_and_as_far() -> None:
    points, triangles, mesh = sphere_and_coarse(0.2)
    wanted = np.stack([np.sin(2 * points[:, 1]), points[:, 2] ** 2, 0.5 - points[:, 0]], axis=1)
    motion = mesh.positions(wanted.astype(np.float32))
    spread = mesh.spread(motion)
    assert spread.dtype == np.float32
    assert np.abs(mesh.positions(spread) - motion).max() < 0.04
    assert np.abs(spread - wanted).max() < 0.06
    tails, heads = edges_of(triangles).T
    jumps, expected = (np.linalg.norm(x[tails] - x[heads], axis=1) for x in (spread, wanted))
    assert jumps.max() < 1.1 * expected.max()
    steep = motion[mesh.cluster]  # which is not smooth
    assert np.linalg.norm(steep[tails] - steep[heads], axis=1).max() > 2.0 * expected.max()


def test_what_moves_as_a_whole_does_so_exactly() -> None:
    points, _, mesh = sphere_and_coarse(0.4)
    shift = np.float32([0.25, -0.5, 2.0])
    np.testing.assert_allclose(
        mesh.spread(np.tile(shift, (len(mesh.sizes), 1))), np.tile(shift, (len(points), 1)), rtol=1e-5
    )


def test_vertices_that_nothing_was_gathered_with_follow_their_own_alone() -> None:
    points, _, mesh, others = fine_and_large()
    motion = np.random.default_rng(0).normal(size=(len(mesh.sizes), 3)).astype(np.float32)
    alone = slice(len(points) - others, None)
    np.testing.assert_allclose(mesh.spread(motion)[alone], motion[mesh.cluster[alone]], rtol=1e-5)


def test_each_triangle_comes_from_one_between_the_same_clusters() -> None:
    _, triangles, mesh = sphere_and_coarse(0.4)
    corners = np.sort(mesh.cluster[triangles[mesh.origins]], axis=1)
    assert (corners == np.sort(mesh.triangles, axis=1)).all()


def fine_and_large() -> tuple[np.ndarray, np.ndarray, CoarseMesh, int]:
    """Points and triangles of a sphere of short edges and one of long ones, their coarse mesh, and how many
    of the vertices are of the latter."""
    fine, triangles = icosphere(3)
    large, others = icosphere(1)
    points = np.concatenate([fine, 3.0 * large + np.float32([9.0, 0.0, 0.0])])
    both = np.concatenate([triangles, others + len(fine)])
    return points, both, coarsened(unchanged(points, both), points, 0.2, 20), len(large)


def test_what_is_coarse_already_stays() -> None:
    points, both, mesh, large = fine_and_large()
    fine = len(points) - large
    assert mesh.sizes[mesh.cluster[fine:]].tolist() == [1.0] * large
    assert set(mesh.cluster[:fine]).isdisjoint(mesh.cluster[fine:])
    of_large = np.count_nonzero(both[:, 0] >= fine)
    assert np.count_nonzero(mesh.origins >= len(both) - of_large) == of_large


def test_what_would_have_no_triangles_left_stays() -> None:
    loose = np.repeat(np.arange(50, dtype=np.float32), 3)[:, None] + np.tile(
        np.eye(3, dtype=np.float32), (50, 1)
    )
    mesh = unchanged(loose, np.arange(150, dtype=np.int32).reshape(-1, 3))
    assert coarsened(mesh, loose, 5.0, 20) is mesh


@pytest.mark.parametrize(("shortest", "least"), [(0.05, 20), (0.2, 400)])
def test_where_edges_are_long_or_vertices_few_nothing_changes(shortest: float, least: int) -> None:
    points, triangles = icosphere(3)
    mesh = unchanged(points, triangles)
    assert (mesh.positions(points) == points).all()
    assert coarsened(mesh, points, shortest, least) is mesh


def test_a_coarse_mesh_may_be_coarsened_again() -> None:
    points, triangles, mesh = sphere_and_coarse(0.2)
    again, at_once = (
        coarsened(mesh, points, 0.4, 20),
        coarsened(unchanged(points, triangles), points, 0.4, 20),
    )
    assert (again.cluster == at_once.cluster).all()
    assert (again.triangles == at_once.triangles).all()
    assert (again.origins == at_once.origins).all()


def test_triangles_stay_once_and_those_back_to_back_vanish() -> None:
    triangles = np.asarray(
        [
            [0, 1, 1],  # gathered into an edge
            [2, 0, 1],
            [0, 1, 2],  # the same again
            [3, 4, 5],
            [4, 3, 5],  # its back
            [7, 6, 8],  # turned the other way round
        ],
        np.int32,
    )
    left, origins = _contracted(triangles)
    assert [tuple(each) for each in left.tolist()] == [(0, 1, 2), (6, 8, 7)]
    assert (np.sort(triangles[origins], axis=1) == np.sort(left, axis=1)).all()
