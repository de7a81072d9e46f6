# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of modifiers, objects, shape keys and bones that are fitted: few numbers, and how they change.

A state holds one array per parameter. Rotations are rotation vectors from where the fit began, in radians,
so that no step leaves the rotations; everything else is the value itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .camera_parameters import rotation_matrix, rotation_vector

Array = NDArray[np.float64]
State = tuple[Array, ...]  # one (K,) per parameter


@dataclass(frozen=True, eq=False)
class FittedParameter:
    """One value that is fitted.

    name: as the user gave it, OBJECT:PATH. start: (K,). free: places in it that may change.
    minimum, maximum: (K,), which are never left. guess: of a change that can be seen. is_rotation: see above.
    """

    name: str
    start: Array
    free: tuple[int, ...]
    minimum: Array
    maximum: Array
    guess: float = 0.01
    is_rotation: bool = False


@dataclass(frozen=True, eq=False)
class ParameterSpace:
    """All parameters of a fit as one vector of numbers: those that are free, parameter by parameter."""

    parameters: tuple[FittedParameter, ...]

    @property
    def places(self) -> list[tuple[int, int]]:
        """(parameter, place in it) of each number."""
        return [(index, place) for index, each in enumerate(self.parameters) for place in each.free]

    @property
    def start(self) -> State:
        """Where the fit begins."""
        return tuple(each.start.astype(np.float64) for each in self.parameters)

    @property
    def guesses(self) -> Array:
        """(n,) of a change of each number that can be seen."""
        return np.array([self.parameters[index].guess for index, _ in self.places])

    def changed(self, state: State, change: Array) -> State:
        """The state after a change (n,), within the limits."""
        result, first = [], 0
        for parameter, value in zip(self.parameters, state, strict=True):
            count = len(parameter.free)
            whole = np.zeros(len(value))
            whole[list(parameter.free)] = change[first : first + count]
            first += count
            if parameter.is_rotation:
                result.append(rotation_vector(rotation_matrix(whole) @ rotation_matrix(value)))
            else:
                result.append(np.clip(value + whole, parameter.minimum, parameter.maximum))
        return tuple(result)

    def distance(self, a: State, b: State, place: int) -> float:
        """By how much one of the numbers differs; of rotations, by how much all do."""
        index, within = self.places[place]
        if self.parameters[index].is_rotation:
            turn = rotation_matrix(b[index]) @ rotation_matrix(a[index]).T
            return float(np.linalg.norm(rotation_vector(turn)))
        return float(abs(b[index][within] - a[index][within]))


def same_states(a: Sequence[Array], b: Sequence[Array]) -> bool:
    """Whether no number differs."""
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
