# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A few values brought to where pictures match the references: exact differences and least squares.

The derivative by each number is half the difference of the pictures a step either way, in several views at
once; the step moves what it moves by about a pixel. From coarse to fine, since a picture says where to go
only as far as its details are wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .background import TRANSPARENT, Background
from .camera_parameters import in_view
from .camera_refinement import Picture
from .levenberg_marquardt import Linearised, minimise
from .parameter_values import ParameterSpace, State
from .picture_residual import PictureResidual
from .reference import Reference
from .view import View

Array = NDArray[np.float64]
Positions = NDArray[np.float32]

STEP_PIXELS = 1.0  # of the differences, either way
SMALLEST_STEP = 0.02  # pixels; a smaller one ends a level
POINTS = 2000  # at most, that tell what a number does on the screen
ATTEMPTS = 5  # to find a change of a number that can be seen
VISIBLE = (0.2, 5.0)  # pixels: a change that moves points by so much tells its size well enough
LEAST_SHARE = 1e-3  # of a step, that limits leave
KEPT_BYTES = 1 << 28  # of derivatives, for steps that do what they foretell

_ONE = np.ones(3, np.float32)


class Shown(Protocol):
    """The surfaces at any values of the parameters."""

    def positions(self, state: State) -> Positions | None:
        """(V, 3) world, of all surfaces; None where vertices would be others than at the start."""
        ...

    def render(self, positions: Positions, view: View, normal: bool) -> Picture:
        """A picture with the surfaces' vertices there. normal: whether normals are wanted."""
        ...


@dataclass(frozen=True, eq=False)
class ParameterFit:
    """How values are fitted. match, loss: as in FitSettings."""

    space: ParameterSpace
    match: tuple[str, ...]
    loss: str
    shown: Shown
    background: Background = TRANSPARENT

    def refined(
        self,
        references: Sequence[Reference],
        state: State,
        units: Array,
        long_side: int,
        iterations: int,
    ) -> tuple[State, float]:
        """The state whose pictures of one size match all the references best, and the cost at its start.

        units: (n,) as ``units`` gives them for the references' own size; numbers at 0 stay as they are.
        iterations: at most, each of two evaluations a number and two pictures a number and view.
        """
        own = max(max(each.view.width, each.view.height) for each in references)
        level = _Level(
            self, [each.resized(long_side) for each in references], units * max(1.0, own / long_side)
        )
        found = minimise(state, level.linearise, level.cost, level.step, iterations, SMALLEST_STEP)
        return found.state, found.costs[0]

    def units(self, views: Sequence[View], state: State) -> Array:
        """(n,): the change of each number that moves what it moves by about a pixel in the views; 0 where
        none does so."""
        here = self.shown.positions(state)
        count = len(self.space.places)
        if here is None:
            return np.zeros(count)
        return np.array([self._unit(place, views, state, here) for place in range(count)])

    def _unit(self, place: int, views: Sequence[View], state: State, here: Positions) -> float:
        change = float(self.space.guesses[place])
        found = 0.0
        for _ in range(ATTEMPTS):
            pixels = self._movement(place, change, views, state, here)
            if pixels > 0.0:
                found = change * STEP_PIXELS / pixels
            if VISIBLE[0] <= pixels <= VISIBLE[1]:
                break
            change = found if found > 0.0 else change * 10.0
        return found

    def _movement(
        self, place: int, change: float, views: Sequence[View], state: State, here: Positions
    ) -> float:
        """Pixels by which a change of one number moves points, either way, where it is felt most."""
        largest = 0.0
        for side in (1.0, -1.0):  # one of both may be clamped
            step = np.zeros(len(self.space.places))
            step[place] = side * change
            there = self.shown.positions(self.space.changed(state, step))
            if there is not None:
                largest = max(largest, _moved_pixels(here, there, views))
        return largest


@dataclass(eq=False)
class _Level:
    """References at one size: what ``minimise`` asks for. Steps count in ``units``."""

    fit: ParameterFit
    references: Sequence[Reference]
    units: Array
    _columns: list[list[Positions]] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        fit = self.fit
        self._residuals = [
            PictureResidual(each, fit.match, fit.loss, fit.background) for each in self.references
        ]

    def step(self, state: State, change: Array) -> State:
        return self.fit.space.changed(state, change * self.units)

    def cost(self, state: State) -> float:
        positions = self.fit.shown.positions(state)
        if positions is None:
            return np.inf
        total = 0.0
        for index, residual in enumerate(self._residuals):
            picture = self._picture(positions, index)
            trust = residual.trust(picture.colour)
            total += residual.cost(residual.residual(picture.colour, picture.normal, _ONE, trust), trust)
        return total / len(self.references)

    def linearise(self, state: State, differentiates: bool) -> Linearised:
        here = self.fit.shown.positions(state)
        if here is None:
            raise ValueError("values from which steps lead on must leave the vertices those of the start")
        count = len(self.units)
        curvature, gradient, cost = np.zeros((count, count)), np.zeros(count), 0.0
        if differentiates or self._columns is None:
            self._columns = None
            sides = self._sides(state)
        kept: list[list[Positions]] = []
        size = 0
        for index, compared in enumerate(self._residuals):
            picture = self._picture(here, index)
            trust = compared.trust(picture.colour)
            residual = compared.residual(picture.colour, picture.normal, _ONE, trust)
            if self._columns is not None:
                columns = self._columns[index]
            else:
                columns = [self._difference(side, index, residual, trust) for side in sides]
                size += sum(column.nbytes for column in columns)
                kept.append(columns if size <= KEPT_BYTES else [])
            weights = compared.weights(residual, trust) / np.float32(len(self.references))
            cost += compared.cost(residual, trust) / len(self.references)
            for i, column in enumerate(columns):
                weighted = column * weights
                gradient[i] += np.einsum("cp,cp->", weighted, residual)
                for j, other in enumerate(columns[: i + 1]):
                    curvature[i, j] += np.einsum("cp,cp->", weighted, other)
        if self._columns is None and size <= KEPT_BYTES:
            self._columns = kept
        return Linearised(cost, gradient, np.tril(curvature) + np.tril(curvature, -1).T)

    def _sides(self, state: State) -> list[tuple[Positions | None, Positions | None, float]]:
        """For each number: positions a step either way, and by how many steps they differ."""
        return [self._sides_of(place, state) for place in range(len(self.units))]

    def _sides_of(self, place: int, state: State) -> tuple[Positions | None, Positions | None, float]:
        found: list[Positions | None] = [None, None]
        steps = 0.0
        for index, side in enumerate((1.0, -1.0) if self.units[place] > 0.0 else ()):
            step = np.zeros(len(self.units))
            step[place] = side
            there = self.step(state, step)
            share = self.fit.space.distance(state, there, place) / self.units[place]  # less at a limit
            if share > LEAST_SHARE:
                found[index] = self.fit.shown.positions(there)
                steps += share if found[index] is not None else 0.0
        return found[0], found[1], steps

    def _difference(
        self,
        side: tuple[Positions | None, Positions | None, float],
        index: int,
        residual: Positions,
        trust: Positions | None,
    ) -> Positions:
        """(C, P): by how much the residual changes with a step."""
        plus, minus, steps = side
        if steps == 0.0:
            return np.zeros_like(residual)
        compared = self._residuals[index]
        ends = []
        for positions in (plus, minus):
            if positions is None:
                ends.append(residual)
                continue
            picture = self._picture(positions, index)
            ends.append(compared.residual(picture.colour, picture.normal, _ONE, trust))
        return (ends[0] - ends[1]) / np.float32(steps)

    def _picture(self, positions: Positions, index: int) -> Picture:
        view = self.references[index].view
        return self.fit.shown.render(positions, view, self._residuals[index].needs_normal)


def _moved_pixels(here: Positions, there: Positions, views: Sequence[View]) -> float:
    """How far points move on the screen, each counted by how far that is; 0 where none is seen to move."""
    stride = max(1, len(here) // POINTS)
    before, after = (each[::stride].astype(np.float64) for each in (here, there))
    second = fourth = 0.0
    for view in views:
        seen = in_view(view, before) & in_view(view, after)
        squares = np.square(view.to_pixels(after[seen]) - view.to_pixels(before[seen])).sum(axis=1)
        second, fourth = second + squares.sum(), fourth + np.square(squares).sum()
    return float(np.sqrt(fourth / second)) if second > 0.0 else 0.0
