# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One camera brought to where its picture matches the reference: exact differences and least squares.

Up to seven numbers of pose and focal length, by central differences of whole pictures, and one or three
gains, whose derivative is the picture itself. From coarse to fine, since a picture says where to go only
as far as its details are wide: at 64 pixels an error of ten pixels at 512 is little more than one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .background import TRANSPARENT, Background
from .camera_parameters import FOCAL, POSE, SIZE, in_view, moved, screen_units
from .levenberg_marquardt import Linearised, minimise
from .picture_residual import PictureResidual
from .pixels import Image
from .reference import Reference
from .view import View

Array = NDArray[np.float64]

COARSEST = 48  # no level's long side is shorter, unless the reference's is
STEP_PIXELS = 1.0  # of the differences, either way
SMALLEST_STEP = 0.02  # pixels; a smaller one ends a level
POINTS = 1000  # at most, that tell what a parameter does on the screen


@dataclass(frozen=True, eq=False)
class CameraState:
    """A view where it stands, and the factors (3,) that its rendered colour is multiplied by."""

    view: View
    gain: Array


@dataclass(frozen=True)
class CameraFreedom:
    """What may change. gains: 0, 1 (all channels alike) or 3."""

    pose: bool
    focal: bool
    gains: int

    @property
    def numbers(self) -> list[int]:
        """Places of what may change in a change of ``camera_parameters``."""
        return [*(range(SIZE)[POSE] if self.pose else ()), *([FOCAL] if self.focal else ())]


class Picture(Protocol):
    """colour: (H, W, 4) premultiplied; normal: (H, W, 3) or None."""

    @property
    def colour(self) -> Image: ...

    @property
    def normal(self) -> Image | None: ...


# View, whether normals are wanted.
Render = Callable[[View, bool], Picture]


@dataclass(frozen=True, eq=False)
class CameraRefinement:
    """How cameras of a fit are refined. match, loss: as in FitSettings."""

    freedom: CameraFreedom
    match: tuple[str, ...]
    loss: str
    render: Render
    background: Background = TRANSPARENT

    def refined(
        self,
        reference: Reference,
        state: CameraState,
        points: NDArray[np.float32],
        long_side: int,
        iterations: int,
    ) -> tuple[CameraState, float]:
        """The state that matches the reference best with pictures of one size, and the cost at its start.

        reference: with its colours as they were taken; its view says only the size. points: (N, 3) world,
        of the surfaces. iterations: at most, each of two pictures a number of pose and focal length.
        """
        level = _Level(self, reference.resized(long_side), _some(points), state.view)
        found = minimise(state, level.linearise, level.cost, level.step, iterations, SMALLEST_STEP)
        return found.state, found.costs[0]


def level_sizes(width: int, height: int) -> list[int]:
    """Long sides of pictures in pixels, coarse to fine, each about twice the last.

    The last is half of the image's: whole images find cameras no better, at four times the cost.
    """
    size = max(width, height)
    sizes = [(size + 1) // 2 if size >= 2 * COARSEST else size]
    while sizes[-1] >= 2 * COARSEST:
        sizes.append((sizes[-1] + 1) // 2)
    return sizes[::-1]


class _Level:
    """One reference at one size: what ``minimise`` asks for. Steps count in pixels of this size."""

    def __init__(
        self, refinement: CameraRefinement, reference: Reference, points: Array, start: View
    ) -> None:
        self._refinement = refinement
        self._numbers = refinement.freedom.numbers
        self._size = (reference.view.width, reference.view.height)
        self._residual = PictureResidual(reference, refinement.match, refinement.loss, refinement.background)
        seen = points[in_view(start, points)]
        self._pivot = (seen if len(seen) else points).mean(axis=0)
        self._units = screen_units(start.resized(*self._size), seen, self._pivot, STEP_PIXELS)
        self._columns: list[NDArray[np.float32]] = []

    def cost(self, state: CameraState) -> float:
        picture = self._picture(state.view)
        trust = self._residual.trust(picture.colour)
        return self._residual.cost(self._compared(picture, state.gain, trust), trust)

    def step(self, state: CameraState, change: Array) -> CameraState:
        """change: of pose and focal length, in ``_units``, then of the gains' logarithms."""
        count = len(self._numbers)
        view = self._moved(state.view, change[:count]) if count else state.view
        return CameraState(view, state.gain * np.exp(change[count:]) if len(change) > count else state.gain)

    def linearise(self, state: CameraState, differentiates: bool) -> Linearised:
        here = self._picture(state.view)
        trust = self._residual.trust(here.colour)
        residual = self._compared(here, state.gain, trust)
        if differentiates:
            self._columns = [self._difference(state, place, trust) for place in range(len(self._numbers))]
        columns = list(self._columns)
        gains = self._refinement.freedom.gains
        if gains:
            columns += self._residual.by_log_gain(here.colour, _single(state.gain), gains, trust)
        weights = self._residual.weights(residual, trust)
        curvature, gradient = np.zeros((len(columns), len(columns))), np.zeros(len(columns))
        for i, column in enumerate(columns):
            weighted = column * weights
            gradient[i] = np.einsum("cp,cp->", weighted, residual)
            for j, other in enumerate(columns[: i + 1]):
                curvature[i, j] = curvature[j, i] = np.einsum("cp,cp->", weighted, other)
        return Linearised(self._residual.cost(residual, trust), gradient, curvature)

    def _difference(
        self, state: CameraState, place: int, trust: NDArray[np.float32] | None
    ) -> NDArray[np.float32]:
        """(C, P): half the difference of the pictures a step either way."""
        step = np.zeros(len(self._numbers))
        if self._units[self._numbers[place]] == 0.0:
            picture = self._picture(state.view)
            return np.zeros_like(self._compared(picture, state.gain, trust))
        step[place] = 1.0
        plus, minus = (
            self._compared(self._picture(self._moved(state.view, side * step)), state.gain, trust)
            for side in (1.0, -1.0)
        )
        plus -= minus
        plus *= np.float32(0.5)
        return plus

    def _compared(
        self, picture: Picture, gain: Array, trust: NDArray[np.float32] | None
    ) -> NDArray[np.float32]:
        return self._residual.residual(picture.colour, picture.normal, _single(gain), trust)

    def _moved(self, view: View, step: Array) -> View:
        change = np.zeros(SIZE)
        change[self._numbers] = step
        return moved(view, change * self._units, self._pivot)

    def _picture(self, view: View) -> Picture:
        return self._refinement.render(view.resized(*self._size), self._residual.needs_normal)


def _some(points: NDArray[np.float32]) -> Array:
    """(N, 3): at most about ``POINTS`` of them, evenly chosen."""
    return points[:: max(1, len(points) // POINTS)].astype(np.float64)


def _single(gain: Array) -> NDArray[np.float32]:
    return gain.astype(np.float32)
