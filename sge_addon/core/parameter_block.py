# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fitted values of modifiers and objects as parameters of the loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .parameter_values import ParameterSpace, State, same_states


@dataclass(frozen=True, eq=False)
class ParameterChange:
    """What a source has found. visible: (n,) bool, the numbers that move something in its views."""

    state: State
    visible: NDArray[np.bool_]


class ParameterBlock:
    """A core.protocols.ParameterBlock of all values that are fitted.

    visible: (n,) bool, the numbers that have moved anything in any view so far. tried: whether a source has
    looked at them at all. on_change: called with the new state after each change.
    """

    name = "parameters"

    def __init__(self, space: ParameterSpace, state: State | None = None) -> None:
        self.space = space
        self.state = space.start if state is None else state
        self.visible = np.zeros(len(space.places), bool)
        self.tried = False
        self.on_change: list[Callable[[State], None]] = []

    @property
    def value(self) -> NDArray[np.float32]:
        """All values, one after the other."""
        return np.concatenate([np.zeros(0), *self.state]).astype(np.float32)

    def step(self, gradient: ParameterChange, progress: float) -> None:
        """Take the values that were found."""
        self.tried = True
        self.visible |= gradient.visible
        if not same_states(self.state, gradient.state):
            self.state = gradient.state
            for listener in self.on_change:
                listener(self.state)

    def without_effect(self) -> list[str]:
        """The parameters of which no number has moved anything in any view."""
        shown = {index for (index, _), seen in zip(self.space.places, self.visible, strict=True) if seen}
        names = [each.name for each in self.space.parameters]
        return [name for index, name in enumerate(names) if self.tried and index not in shown]

    def finish(self) -> None:
        """Nothing is gathered."""
