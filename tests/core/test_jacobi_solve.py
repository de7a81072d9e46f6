# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Solves by iteration alone, against the matrix as it is defined."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core.jacobi_solve import JacobiSystem
from sge_addon.core.laplacian import edges_of
from tests.core.test_sparse_solve import dense
from tests.meshes import icosphere

COUNT = 45  # a sphere of 42, and three in no triangle
TRIANGLES = icosphere(1)[1]
EVEN = np.ones(COUNT, np.float32)
MASSES = np.random.default_rng(0).integers(1, 20, COUNT).astype(np.float32)


def operator(system: JacobiSystem, smoothing: float, steps: int) -> np.ndarray:
    columns = np.split(np.eye(COUNT, dtype=np.float32), 15, axis=1)
    return np.concatenate([system.solve(smoothing, each, steps) for each in columns], axis=1)


@pytest.mark.parametrize("masses", [EVEN, MASSES])
@pytest.mark.parametrize("smoothing", [0.1, 1.0, 30.0])
def test_as_much_is_left_as_is_allowed(smoothing: float, masses: np.ndarray) -> None:
    system = JacobiSystem(edges_of(TRIANGLES), masses, lanes=4)
    matrix = np.diag(masses.astype(float)) + dense(smoothing, TRIANGLES, COUNT) - np.eye(COUNT)
    exact = np.linalg.solve(matrix, np.diag(masses.astype(float)))
    for left in (0.03, 0.001):
        found = operator(system, smoothing, system.steps(smoothing, left))
        roots = np.sqrt(np.diag(matrix))
        symmetric = (found @ np.linalg.inv(exact) - np.eye(COUNT)) * roots[:, None] / roots
        # Half of it by the iteration, whose norm this is; the other half is divided by, vertex by vertex.
        assert 0.05 * left < np.linalg.norm(symmetric, 2) < 1.5 * left
    assert system.steps(smoothing, 0.001) > system.steps(smoothing, 0.03)


@pytest.mark.parametrize("smoothing", [0.1, 30.0])
def test_what_is_constant_stays(smoothing: float) -> None:
    system = JacobiSystem(edges_of(TRIANGLES), MASSES, lanes=4)
    right = np.tile(np.float32([1.0, -2.0, 30.0]), (COUNT, 1))
    np.testing.assert_allclose(system.solve(smoothing, right, 3), right, rtol=1e-5)


def test_without_edges_nothing_changes() -> None:
    system = JacobiSystem(np.empty((0, 2), np.int32), MASSES, lanes=1)
    right = np.arange(COUNT, dtype=np.float32)[:, None]
    assert system.steps(5.0, 0.03) == 1
    np.testing.assert_allclose(system.solve(5.0, right, 1), right)


def test_one_lane_solves_as_four() -> None:
    right = np.random.default_rng(1).normal(size=(COUNT, 1)).astype(np.float32)
    one, four = (JacobiSystem(edges_of(TRIANGLES), MASSES, lanes) for lanes in (1, 4))
    np.testing.assert_allclose(one.solve(2.0, right, 9), four.solve(2.0, right, 9), rtol=1e-5)


def test_larger_lambdas_take_more_steps() -> None:
    system = JacobiSystem(edges_of(TRIANGLES), EVEN, lanes=4)
    steps = [system.steps(smoothing, 0.03) for smoothing in (0.0, 0.1, 1.0, 10.0)]
    assert steps == sorted(set(steps))
    assert steps[0] == 1
