# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Solving undoes applying, with the factor and without it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import pytest

from sge_addon.core import sparse_solve
from sge_addon.core.laplacian import edges_of, laplacian_entries
from sge_addon.core.sparse_solve import SmoothingSystem
from tests.meshes import icosphere


@pytest.fixture(autouse=True)
def ask_anew() -> Iterator[None]:
    """Whether cholespy is there is asked once a process; here once a test."""
    sparse_solve._has_cholespy.cache_clear()
    yield
    sparse_solve._has_cholespy.cache_clear()


@pytest.fixture(params=["cholesky", "conjugate gradients"])
def solver(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "cholesky":
        pytest.importorskip("cholespy")
    else:
        monkeypatch.setattr(sparse_solve, "_has_cholespy", lambda: False)
    return request.param


def dense(smoothing: float, triangles: np.ndarray, count: int) -> np.ndarray:
    """I + lambda L, entry by entry from its definition."""
    matrix = np.eye(count)
    for i, j in {tuple(sorted(pair)) for a, b, c in triangles for pair in ((a, b), (b, c), (c, a))}:
        matrix[[i, j], [i, j]] += smoothing
        matrix[i, j] -= smoothing
        matrix[j, i] -= smoothing
    return matrix


def test_laplacian_of_two_triangles_by_hand() -> None:
    triangles = np.asarray([[0, 1, 2], [1, 3, 2]], np.int32)
    rows, columns, values = laplacian_entries(triangles, 5)
    matrix = np.zeros((5, 5))
    matrix[rows, columns] = values
    assert matrix.tolist() == [
        [2, -1, -1, 0, 0],
        [-1, 3, -1, -1, 0],
        [-1, -1, 3, -1, 0],
        [0, -1, -1, 2, 0],
        [0, 0, 0, 0, 0],
    ]
    assert len(rows) == len(set(zip(rows.tolist(), columns.tolist(), strict=True)))


def test_an_edge_from_a_vertex_to_itself_is_none() -> None:
    assert edges_of(np.asarray([[0, 0, 1], [2, 2, 2]], np.int32)).tolist() == [[0, 1]]


def test_apply_is_the_matrix() -> None:
    _, triangles = icosphere(1)
    x = np.random.default_rng(0).normal(size=(45, 3)).astype(np.float32)  # the last three are isolated
    system = SmoothingSystem(triangles, 45)
    np.testing.assert_allclose(system.apply(7.0, x), dense(7.0, triangles, 45) @ x, atol=1e-12)


def test_solve_is_the_inverse(solver: str) -> None:
    _, triangles = icosphere(1)
    right = np.random.default_rng(1).normal(size=(45, 3)).astype(np.float32)
    system = SmoothingSystem(triangles, 45)
    expected = np.linalg.solve(dense(19.0, triangles, 45), right)
    np.testing.assert_allclose(system.solve(19.0, right), expected, atol=2e-5)


@pytest.mark.parametrize("smoothing", [0.5, 19.0, 80.0])
def test_solving_undoes_applying(solver: str, smoothing: float) -> None:
    points, triangles = icosphere(3)
    system = SmoothingSystem(triangles, len(points))
    np.testing.assert_allclose(system.solve(smoothing, system.apply(smoothing, points)), points, atol=1e-4)


def test_without_smoothing_nothing_changes(solver: str) -> None:
    points, triangles = icosphere(1)
    system = SmoothingSystem(triangles, len(points))
    assert (system.solve(0.0, points) == points).all()
    assert (system.apply(0.0, points) == points).all()


def test_smoothing_may_change_and_change_back(solver: str) -> None:
    points, triangles = icosphere(2)
    system = SmoothingSystem(triangles, len(points))
    first = system.solve(19.0, points)
    other = system.solve(3.0, points)
    assert np.abs(first - other).max() > 0.01
    assert (system.solve(19.0, points) == first).all()


def test_both_ways_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cholespy")
    points, triangles = icosphere(3)
    right = np.random.default_rng(2).normal(size=points.shape).astype(np.float32)
    by_factor = SmoothingSystem(triangles, len(points)).solve(19.0, right)
    monkeypatch.setattr(sparse_solve, "_has_cholespy", lambda: False)
    by_iteration = SmoothingSystem(triangles, len(points)).solve(19.0, right)
    assert np.abs(by_factor - by_iteration).max() < 1e-4 * np.abs(by_factor).max()


def test_a_good_guess_saves_iterations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparse_solve, "_has_cholespy", lambda: False)
    points, triangles = icosphere(3)
    system = SmoothingSystem(triangles, len(points))
    right = system.apply(19.0, points)
    products = []
    apply = system.apply
    monkeypatch.setattr(system, "apply", lambda *given: products.append(1) or apply(*given))
    system.solve(19.0, right)
    cold = len(products)
    products.clear()
    np.testing.assert_allclose(system.solve(19.0, right, guess=points), points, atol=1e-5)
    assert len(products) == 1 < cold


def test_missing_solver_warns_once_and_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparse_solve.importlib.util, "find_spec", lambda name: None)
    points, triangles = icosphere(1)
    system = SmoothingSystem(triangles, len(points))
    with pytest.warns(UserWarning, match=r"extension.*pip install cholespy"):
        system.solve(19.0, points)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        system.solve(19.0, points)
        SmoothingSystem(triangles, len(points)).solve(3.0, points)
