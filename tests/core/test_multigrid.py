# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The multigrid against dense solves, on meshes that are not spheres; its parts by their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core import multigrid
from sge_addon.core.aggregation import aggregates
from sge_addon.core.laplacian import laplacian_entries
from sge_addon.core.multigrid import Multigrid
from sge_addon.core.multigrid_level import transfer_from
from sge_addon.core.row_products import RowProducts, row_crew
from sge_addon.core.sparse_matrix import SparseMatrix, from_entries, product
from tests.meshes import icosphere

Mesh = tuple[np.ndarray, int]  # triangles and the number of vertices


def grid(width: int, height: int) -> Mesh:
    """An open sheet."""
    index = np.arange(width * height).reshape(height, width)
    a, b, c, d = (part.ravel() for part in (index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]))
    return np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.int32), width * height


def torn() -> Mesh:
    """A sheet without a third of its triangles, its vertices in no order: boundaries, islands, vertices in no
    triangle."""
    triangles, count = grid(40, 40)
    random = np.random.default_rng(0)
    kept = triangles[random.random(len(triangles)) < 0.66]
    return random.permutation(count).astype(np.int32)[kept], count


def islands() -> Mesh:
    """Two spheres, and 300 triangles that touch nothing."""
    points, triangles = icosphere(2)
    loose = np.arange(900, dtype=np.int32).reshape(-1, 3) + 2 * len(points)
    both = np.concatenate([triangles, triangles + len(points), loose]).astype(np.int32)
    return both, 2 * len(points) + 900


def fan() -> Mesh:
    """Two vertices with 700 neighbours each, as the poles of a sphere of Blender's."""
    rim = np.arange(700)
    after = np.roll(rim, -1)
    top = np.stack([rim, after, np.full(700, 700)], 1)
    return np.concatenate([top, top + [0, 0, 1]]).astype(np.int32), 702


def hung() -> Mesh:
    """Triangles at random: vertices of 3 to 20 neighbours, most edges of one triangle."""
    return np.random.default_rng(3).integers(0, 900, (2500, 3)).astype(np.int32), 900


MESHES = {"torn": torn, "islands": islands, "fan": fan, "hung": hung, "sheet": lambda: grid(60, 30)}


def dense(smoothing: float, mesh: Mesh) -> np.ndarray:
    rows, columns, values = laplacian_entries(*mesh)
    matrix = np.eye(mesh[1])
    matrix[rows, columns] += smoothing * values
    return matrix


def relative_error(x: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(x - expected) / np.linalg.norm(expected))


@pytest.mark.parametrize("name", MESHES)
@pytest.mark.parametrize("smoothing", [0.3, 10.0, 300.0])
def test_within_a_few_percent_of_the_solution(name: str, smoothing: float) -> None:
    mesh = MESHES[name]()
    right = np.random.default_rng(1).normal(size=(mesh[1], 3)).astype(np.float32)
    expected = np.linalg.solve(dense(smoothing, mesh), right)
    assert relative_error(Multigrid(*mesh, lanes=4).solve(smoothing, right), expected) < 0.05


@pytest.mark.parametrize("name", MESHES)
def test_more_steps_come_as_near_as_wanted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multigrid, "_SHORT_STEP", 1e-4)
    mesh = MESHES[name]()
    right = np.random.default_rng(1).normal(size=(mesh[1], 3)).astype(np.float32)
    expected = np.linalg.solve(dense(30.0, mesh), right)
    assert relative_error(Multigrid(*mesh, lanes=4).solve(30.0, right), expected) < 1e-4


def test_two_steps_serve_whatever_the_size_and_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    cycles = []
    cycle = Multigrid._cycle

    def counted(self: Multigrid, number: int, right: np.ndarray) -> np.ndarray:
        cycles.append(number)
        return cycle(self, number, right)

    monkeypatch.setattr(Multigrid, "_cycle", counted)
    for subdivisions in (4, 5):
        points, triangles = icosphere(subdivisions)
        levels = Multigrid(triangles, len(points), lanes=4)
        right = np.random.default_rng(2).normal(size=points.shape).astype(np.float32)
        for smoothing in (1.0, 10.0, 0.004 * len(points)):
            cycles.clear()
            levels.solve(smoothing, right)
            assert cycles.count(0) == 2


@pytest.mark.parametrize("name", MESHES)
def test_smoothing_never_diverges(name: str) -> None:
    """Jacobi's step applied again and again comes to the solution, on every level."""
    levels = Multigrid(*MESHES[name](), lanes=4)
    levels.solve(50.0, np.ones((MESHES[name]()[1], 3), np.float32))
    for level in levels._levels:
        right = np.zeros_like(level.x)
        level.x[:] = np.random.default_rng(5).normal(size=len(level.x))
        before = np.abs(level.x).max()
        for _ in range(200):
            level.smooth(right, fresh=False)
        assert np.abs(level.x).max() <= before


def test_the_same_bits_every_time() -> None:
    triangles, count = torn()
    right = np.random.default_rng(1).normal(size=(count, 3)).astype(np.float32)
    first = Multigrid(triangles, count, lanes=4).solve(20.0, right)
    again = Multigrid(triangles, count, lanes=4)
    again.solve(5.0, right)
    assert (again.solve(20.0, right) == first).all()


def test_one_lane_solves_as_four() -> None:
    triangles, count = grid(50, 50)
    right = np.random.default_rng(1).normal(size=(count, 1)).astype(np.float32)
    four = Multigrid(triangles, count, lanes=4).solve(20.0, right)
    np.testing.assert_allclose(Multigrid(triangles, count, lanes=1).solve(20.0, right), four, atol=1e-6)


def test_nothing_to_solve() -> None:
    triangles, count = grid(30, 30)
    assert not Multigrid(triangles, count, lanes=4).solve(20.0, np.zeros((count, 3), np.float32)).any()


def test_right_sides_of_any_size_are_solved_alike() -> None:
    triangles, count = grid(30, 30)
    right = np.random.default_rng(1).normal(size=(count, 3)).astype(np.float32)
    levels = Multigrid(triangles, count, lanes=4)
    expected = levels.solve(20.0, right)
    for size in (2.0**-90, 2.0**60):
        x = levels.solve(20.0, right * np.float32(size))
        np.testing.assert_allclose(x / np.float32(size), expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("name", MESHES)
def test_aggregates_are_small_and_leave_no_vertex_of_an_edge_out(name: str) -> None:
    triangles, count = MESHES[name]()
    rows, columns, values = laplacian_entries(triangles, count)
    matrix = from_entries(rows, columns, values, count, count)
    of = aggregates(matrix)
    alone = np.diff(matrix.starts) == 1
    assert (of[alone] == -1).all()
    assert (of[~alone] >= 0).all()
    assert np.unique(of[~alone]).tolist() == list(range(of.max() + 1))
    joined = np.linalg.matrix_power(np.minimum(dense(1.0, (triangles, count)) != 0, 1).astype(np.float32), 4)
    for member in range(of.max() + 1):
        inside = np.flatnonzero(of == member)
        assert (joined[np.ix_(inside, inside)] > 0).all()  # all within four edges


def test_transfer_keeps_what_is_constant() -> None:
    triangles, count = torn()
    rows, columns, values = laplacian_entries(triangles, count)
    matrix = from_entries(rows, columns, 1j * values, count, count)
    transfer = transfer_from(matrix)
    assert transfer is not None
    alone = np.diff(matrix.starts) == 1
    sums = np.bincount(transfer.rows(), transfer.values, minlength=count)
    np.testing.assert_allclose(sums, np.where(alone, 0.0, 1.0), atol=1e-6)


def scattered(height: int, width: int, seed: int) -> tuple[SparseMatrix, np.ndarray]:
    """A matrix with repeated entries and empty rows, and the same densely; one row is full."""
    random = np.random.default_rng(seed)
    rows, columns = random.integers(0, height, 3 * height), random.integers(0, width, 3 * height)
    rows, columns = np.append(rows, np.full(width, height // 2)), np.append(columns, np.arange(width))
    values = random.normal(size=len(rows))
    full = np.zeros((height, width))
    np.add.at(full, (rows, columns), values)
    return from_entries(rows, columns, values, height, width), full


def test_products_and_transposes_are_those_of_dense_matrices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sge_addon.core.sparse_matrix._AT_ONCE", 100)  # so that there are several parts
    (left, dense_left), (right, dense_right) = scattered(70, 60, 0), scattered(60, 50, 1)
    made = product(product(left, right).transposed(), left)
    full = np.zeros((50, 60))
    full[made.rows(), made.columns] = made.values
    np.testing.assert_allclose(full, (dense_left @ dense_right).T @ dense_left, atol=1e-12)


@pytest.mark.parametrize("lanes", [1, 4])
def test_row_products_are_the_matrix_times_columns(lanes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sge_addon.core.row_products.BLOCK", 64)
    matrix, full = scattered(300, 120, 2)
    x = np.random.default_rng(3).normal(size=(120, lanes)).astype(np.float32)
    out = np.full(300 * lanes, np.nan, np.float32)
    RowProducts(matrix, lanes).multiply(x.ravel(), out, row_crew(lanes))
    np.testing.assert_allclose(out.reshape(-1, lanes), full @ x, atol=1e-4)
    RowProducts(matrix, lanes, unit=True).multiply(x.ravel(), out, row_crew(lanes))
    np.testing.assert_allclose(out.reshape(-1, lanes), (full != 0) @ x, atol=1e-4)
