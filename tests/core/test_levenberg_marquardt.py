# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Least squares whose minima are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sge_addon.core.levenberg_marquardt import Linearised, Minimum, damped_step, minimise

Array = np.ndarray


class Problem:
    """Residuals of a vector, with counted derivatives."""

    def __init__(self, residual: Callable[[Array], Array], derivative: Callable[[Array], Array]) -> None:
        self.residual, self.derivative = residual, derivative
        self.derivatives = 0

    def linearise(self, state: Array, differentiates: bool) -> Linearised:
        if differentiates:
            self.derivatives += 1
            self._jacobian = self.derivative(state)
        residual = self.residual(state)
        jacobian = self._jacobian
        return Linearised(float(residual @ residual), jacobian.T @ residual, jacobian.T @ jacobian)

    def cost(self, state: Array) -> float:
        return float(np.square(self.residual(state)).sum())

    def solve(self, start: list[float], iterations: int = 50, smallest: float = 1e-10) -> Minimum[Array]:
        return minimise(np.array(start), self.linearise, self.cost, np.add, iterations, smallest)


def rosenbrock() -> Problem:
    """Its valley is curved; the minimum is (1, 1)."""
    return Problem(
        lambda x: np.array([10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]]),
        lambda x: np.array([[-20.0 * x[0], 10.0], [-1.0, 0.0]]),
    )


def test_curved_valley_is_followed_to_its_end() -> None:
    found = rosenbrock().solve([-1.2, 1.0])
    assert np.allclose(found.state, [1.0, 1.0], atol=1e-6)
    assert all(later < earlier for earlier, later in zip(found.costs, found.costs[1:], strict=False))


def test_decay_is_recovered_from_its_samples() -> None:
    """y = a exp(-b t), a = 3, b = 0.7, without noise."""
    time = np.linspace(0.0, 4.0, 30)
    problem = Problem(
        lambda x: x[0] * np.exp(-x[1] * time) - 3.0 * np.exp(-0.7 * time),
        lambda x: np.stack([np.exp(-x[1] * time), -x[0] * time * np.exp(-x[1] * time)], axis=1),
    )
    assert np.allclose(problem.solve([1.0, 0.1]).state, [3.0, 0.7], atol=1e-7)


def test_one_derivative_serves_a_problem_that_is_linear() -> None:
    matrix = np.array([[2.0, 1.0], [0.0, 3.0], [1.0, -1.0]])
    target = np.array([1.0, 2.0, 0.0])
    problem = Problem(lambda x: matrix @ x - target, lambda x: matrix)
    found = problem.solve([10.0, -10.0], smallest=1e-9)
    assert np.allclose(found.state, np.linalg.lstsq(matrix, target, rcond=None)[0])
    assert problem.derivatives == 1


def test_what_has_no_effect_stays() -> None:
    problem = Problem(lambda x: np.array([x[0] - 2.0, 0.0]), lambda x: np.array([[1.0, 0.0], [0.0, 0.0]]))
    assert problem.solve([0.0, 5.0]).state == pytest.approx([2.0, 5.0])


def test_minimum_that_is_reached_already_is_kept_bit_for_bit() -> None:
    found = rosenbrock().solve([1.0, 1.0])
    assert found.state.tolist() == [1.0, 1.0]
    assert found.costs == (0.0,)


def test_damping_shortens_each_step_by_itself() -> None:
    """With damping 1 the diagonal doubles: half of the way."""
    here = Linearised(1.0, np.array([4.0, -300.0]), np.diag([2.0, 100.0]))
    assert damped_step(here, 0.0) == pytest.approx([-2.0, 3.0])
    assert damped_step(here, 1.0) == pytest.approx([-1.0, 1.5])
