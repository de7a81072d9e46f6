# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Least squares over a few parameters (Levenberg 1944, Marquardt 1963).

The state may be anything that steps lead on from: a camera is no vector, its steps are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

State = TypeVar("State")
Array = NDArray[np.float64]

FIRST_DAMPING = 1e-3
ATTEMPTS = 4  # with more and more damping, before a state counts as the best that there is


@dataclass(frozen=True, eq=False)
class Linearised:
    """A sum of squares around one state: cost, its gradient (n,) halved, J^T J (n, n).

    A parameter whose row in ``curvature`` is zero is left where it is.
    """

    cost: float
    gradient: Array
    curvature: Array


@dataclass(frozen=True, eq=False)
class Minimum(Generic[State]):
    """Where the search ended. costs: of the start and of every state that was accepted."""

    state: State
    costs: tuple[float, ...]


def minimise(
    start: State,
    linearise: Callable[[State], Linearised],
    cost: Callable[[State], float],
    step: Callable[[State, Array], State],
    iterations: int,
    smallest: float,
) -> Minimum[State]:
    """Step down until ``iterations`` are spent, no step lowers the cost, or none of its numbers exceeds
    ``smallest``. step: the state after a step (n,); cost: the same measure as ``Linearised.cost``."""
    state, damping = start, FIRST_DAMPING
    costs: list[float] = []
    for _ in range(iterations):
        here = linearise(state)
        if not costs:
            costs.append(here.cost)
        for _attempt in range(ATTEMPTS):
            change = damped_step(here, damping)
            trial = step(state, change)
            reached = cost(trial)
            if reached < here.cost:
                break
            damping *= 10.0
        else:
            break
        state = trial
        costs.append(reached)
        damping = max(damping * 0.1, 1e-9)
        if np.abs(change).max() <= smallest:
            break
    return Minimum(state, tuple(costs))


def damped_step(here: Linearised, damping: float) -> Array:
    """(n,): the solution of (J^T J + damping diag(J^T J)) step = -gradient; 0 where J is."""
    diagonal = np.diag(here.curvature)
    free = np.flatnonzero(diagonal > 0.0)
    change = np.zeros(len(diagonal))
    if len(free):
        system = here.curvature[np.ix_(free, free)] + np.diag(damping * diagonal[free])
        change[free] = -np.linalg.solve(system, here.gradient[free])
    return change
