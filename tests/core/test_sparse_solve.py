# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Solves with I + lambda L, by a factor and by a multigrid, against the matrix as it is defined."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import pytest

from sge_addon.core import sparse_solve
from sge_addon.core.laplacian import edges_of, laplacian_entries
from sge_addon.core.sparse_matrix import neighbours
from sge_addon.core.sparse_solve import SmoothingSystem
from tests.meshes import icosphere

TOLERANCE = {"cholesky": 1e-5, "multigrid": 0.05}  # of the solution's length


@pytest.fixture(autouse=True)
def ask_anew() -> Iterator[None]:
    """Whether cholespy is there is asked once a process; here once a test."""
    sparse_solve._has_cholespy.cache_clear()
    yield
    sparse_solve._has_cholespy.cache_clear()


@pytest.fixture(params=["cholesky", "multigrid"])
def solver(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "cholesky":
        pytest.importorskip("cholespy")
    else:
        monkeypatch.setattr(sparse_solve, "_MANY_VERTICES", 0)
    return request.param


def dense(smoothing: float, triangles: np.ndarray, count: int) -> np.ndarray:
    """I + lambda L, entry by entry from its definition."""
    matrix = np.eye(count)
    for i, j in {tuple(sorted(pair)) for a, b, c in triangles for pair in ((a, b), (b, c), (c, a))}:
        matrix[[i, j], [i, j]] += smoothing
        matrix[i, j] -= smoothing
        matrix[j, i] -= smoothing
    return matrix


def relative_error(x: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(x - expected) / np.linalg.norm(expected))


def noise(count: int, columns: int = 3, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, columns)).astype(np.float32)


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


@pytest.mark.parametrize("with_own", [False, True])
def test_neighbours_are_what_the_laplacian_takes_away(with_own: bool) -> None:
    _, triangles = icosphere(1)
    matrix = neighbours(edges_of(triangles), 45, with_own)
    found = np.zeros((45, 45))
    found[matrix.rows(), matrix.columns] += matrix.values
    expected = np.diag(np.diag(dense(1.0, triangles, 45))) - dense(1.0, triangles, 45)
    assert (found == expected + with_own * np.eye(45)).all()


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_solve_is_the_inverse(solver: str, columns: int) -> None:
    _, triangles = icosphere(3)
    count = 645  # the last three are in no triangle
    right = noise(count, columns)
    expected = np.linalg.solve(dense(19.0, triangles, count), right)
    x = SmoothingSystem(triangles, count).solve(19.0, right)
    assert x.dtype == np.float32
    assert relative_error(x, expected) < TOLERANCE[solver]


def test_vertices_in_no_triangle_keep_their_values(solver: str) -> None:
    _, triangles = icosphere(3)
    right = noise(645)
    x = SmoothingSystem(triangles, 645).solve(19.0, right)
    np.testing.assert_allclose(x[642:], right[642:], rtol=TOLERANCE[solver])


@pytest.mark.parametrize("smoothing", [0.5, 19.0, 80.0])
def test_what_is_constant_stays(solver: str, smoothing: float) -> None:
    points, triangles = icosphere(4)
    x = SmoothingSystem(triangles, len(points)).solve(smoothing, np.ones_like(points))
    np.testing.assert_allclose(x, 1.0, atol=TOLERANCE[solver])


def test_without_smoothing_nothing_changes(solver: str) -> None:
    points, triangles = icosphere(1)
    assert (SmoothingSystem(triangles, len(points)).solve(0.0, points) == points).all()


def test_smoothing_may_change_and_change_back(solver: str) -> None:
    points, triangles = icosphere(3)
    system = SmoothingSystem(triangles, len(points))
    first = system.solve(19.0, points)
    other = system.solve(3.0, points)
    assert np.abs(first - other).max() > 0.01
    assert (system.solve(19.0, points) == first).all()
    system.forget()
    assert (system.solve(19.0, points) == first).all()


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


def test_many_vertices_need_no_cholespy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparse_solve.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(sparse_solve, "_MANY_VERTICES", 600)
    points, triangles = icosphere(3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SmoothingSystem(triangles, len(points)).solve(19.0, points)


class Counted:
    """Counts the factors that cholespy makes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        cholespy = pytest.importorskip("cholespy")
        make, self.factors = cholespy.CholeskySolverF, 0

        def counted(*arguments: object) -> object:
            self.factors += 1
            return make(*arguments)

        monkeypatch.setattr(cholespy, "CholeskySolverF", counted)


@pytest.mark.parametrize(("ratio", "left"), [(0.7, 0.0014), (0.5, 0.0101), (0.36, 0.0313)])
def test_the_factor_of_a_larger_lambda_serves_to_three_percent(
    ratio: float, left: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = Counted(monkeypatch)
    _, triangles = icosphere(1)
    system = SmoothingSystem(triangles, 45)
    system.solve(19.0, noise(45))
    columns = np.split(np.eye(45, dtype=np.float32), 15, axis=1)
    operator = np.concatenate([system.solve(19.0 * ratio, each) for each in columns], axis=1)
    assert counted.factors == 1
    # All that it leaves, in whatever direction: a symmetric operator's largest eigenvalue.
    errors = np.linalg.eigvals(operator @ dense(19.0 * ratio, triangles, 45) - np.eye(45))
    assert 0.3 * left < np.abs(errors).max() < 1.05 * left
    assert np.abs(operator - operator.T).max() < 1e-5


def test_a_factor_serves_as_long_as_that_is_cheaper_than_another(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted(monkeypatch)
    points, triangles = icosphere(3)
    system = SmoothingSystem(triangles, len(points))
    system.solve(10.0, points)
    for _ in range(30):
        system.solve(5.0, points)  # two more solves each
    assert counted.factors == 1
    exact = SmoothingSystem(triangles, len(points)).solve(5.0, points)
    assert counted.factors == 2
    assert (system.solve(5.0, points) == exact).all()
    assert counted.factors == 3
    for _ in range(200):
        system.solve(5.0, points)
    assert counted.factors == 3


@pytest.mark.parametrize("smoothing", [3.5, 20.0])
def test_a_lambda_that_is_larger_or_far_smaller_takes_its_own_factor(
    smoothing: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = Counted(monkeypatch)
    points, triangles = icosphere(3)
    system = SmoothingSystem(triangles, len(points))
    system.solve(10.0, points)
    system.solve(smoothing, points)
    assert counted.factors == 2


@pytest.mark.parametrize("smoothing", [0.2, 19.0])
def test_heavy_vertices_are_smoothed_less(solver: str, smoothing: float) -> None:
    _, triangles = icosphere(3)
    count = 642
    masses = np.random.default_rng(0).integers(1, 20, count).astype(np.float32)
    right = noise(count)
    matrix = dense(smoothing, triangles, count) - np.eye(count) + np.diag(masses.astype(float))
    expected = np.linalg.solve(matrix, masses[:, None] * right)
    x = SmoothingSystem(triangles, count, masses).solve(smoothing, right)
    assert relative_error(x, expected) < (0.05 if smoothing < 1.0 else TOLERANCE[solver])


def test_small_lambdas_take_no_factor_until_that_is_cheaper(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted(monkeypatch)
    points, triangles = icosphere(4)
    system = SmoothingSystem(triangles, len(points))
    right = noise(len(points))
    first = system.solve(0.5, right)
    for _ in range(20):
        assert (system.solve(0.5, right) == first).all()
    assert counted.factors == 0
    for _ in range(100):
        last = system.solve(0.5, right)
    assert counted.factors == 1
    assert 1e-5 < relative_error(first, last) < 0.03
    larger = SmoothingSystem(triangles, len(points))
    larger.solve(50.0, right)
    monkeypatch.setattr(sparse_solve, "_MOST_STEPS", 0)
    assert (larger.solve(0.5, right) == last).all()  # as by the factor that was made for it
