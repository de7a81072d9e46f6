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
LEAST_DAMPING = 1e-9
ATTEMPTS = 4  # with more and more damping, before a state counts as the best that there is
FAIR = 0.5  # of what was foretold; a step that takes off less asks for a new derivative


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


@dataclass(frozen=True, eq=False)
class _Attempt(Generic[State]):
    """A step that lowers the cost. is_fair: the first try did, and about as much as was foretold."""

    change: Array
    state: State
    cost: float
    damping: float
    is_fair: bool


def minimise(
    start: State,
    linearise: Callable[[State, bool], Linearised],
    cost: Callable[[State], float],
    step: Callable[[State, Array], State],
    iterations: int,
    smallest: float,
) -> Minimum[State]:
    """Step down until ``iterations`` are spent, no step lowers the cost, or none of its numbers exceeds
    ``smallest``.

    linearise: of a state, with a derivative of its own (True) or with the last one that it took, which
    serves as long as steps do about what it foretells. step: the state after a step (n,). cost: the same
    measure as ``Linearised.cost``.
    """
    state, damping, is_own = start, FIRST_DAMPING, True
    here = linearise(state, True)
    costs = [here.cost]
    for _ in range(iterations):
        found = _attempt(state, here, cost, step, damping)
        if found is None and is_own:
            break
        if found is not None:
            state, damping = found.state, found.damping
            costs.append(found.cost)
            if np.abs(found.change).max() <= smallest:
                break
        is_own = found is None or not found.is_fair
        here = linearise(state, is_own)
    return Minimum(state, tuple(costs))


def _attempt(
    state: State,
    here: Linearised,
    cost: Callable[[State], float],
    step: Callable[[State, Array], State],
    damping: float,
) -> _Attempt[State] | None:
    """The first step that lowers the cost, with ever more damping."""
    for number in range(ATTEMPTS):
        change = damped_step(here, damping)
        trial = step(state, change)
        reached = cost(trial)
        if reached < here.cost:
            foretold = -float(change @ (2.0 * here.gradient + here.curvature @ change))
            is_fair = number == 0 and here.cost - reached >= FAIR * foretold
            return _Attempt(change, trial, reached, max(damping * 0.1, LEAST_DAMPING), is_fair)
        damping *= 10.0
    return None


def damped_step(here: Linearised, damping: float) -> Array:
    """(n,): the solution of (J^T J + damping diag(J^T J)) step = -gradient; 0 where J is."""
    diagonal = np.diag(here.curvature)
    free = np.flatnonzero(diagonal > 0.0)
    change = np.zeros(len(diagonal))
    if len(free):
        system = here.curvature[np.ix_(free, free)] + np.diag(damping * diagonal[free])
        change[free] = -np.linalg.solve(system, here.gradient[free])
    return change
