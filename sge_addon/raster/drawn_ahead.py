# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of the next step that are drawn while this one is estimated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Drawn = TypeVar("Drawn")


class DrawnAhead(Generic[Drawn]):
    """What steps draw, at the most one of them ahead.

    draw: of a view, seed and progress; last whether something else is done before it is read.
    turn: 0 or 1, of two sets of targets, so that one can be drawn while the other is read.
    """

    def __init__(self, draw: Callable[[int, int, float, bool], Drawn]) -> None:
        self.turn = 0
        self._draw = draw
        self._expected: tuple[int, int, float] | None = None
        self._ahead: dict[tuple[int, int], Drawn] = {}  # by view and seed

    def expect(self, view: int, seed: int, progress: float) -> None:
        """The step after the next to be taken is this one."""
        self._expected = (view, seed, progress)

    def take(self, view: int, seed: int, progress: float) -> Drawn:
        """What was drawn for a step, or is now."""
        return self._ahead.pop((view, seed), None) or self._draw(view, seed, progress, False)

    def begin_expected(self) -> None:
        """Draw for the step that is expected, now that what this one takes is read."""
        if self._expected is not None:
            self.turn = 1 - self.turn
            self._ahead = {self._expected[:2]: self._draw(*self._expected, True)}
            self._expected = None
