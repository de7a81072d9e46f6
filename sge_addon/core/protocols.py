# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the loop needs from outside: a gradient source and parameter blocks.

A new estimator (deterministic edge gradients, exact differences for a few parameters) is a new
source; a new kind of parameter (camera poses, light, a cage) is a new block. The loop stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Estimate:
    """What a source says of one view at the blocks' current values.

    loss: mean over the view's pixels. gradients: by block name; what a gradient is (an array, a
    pair of residual and weight sums) is between the source and the block's step rule.
    """

    loss: float
    gradients: Mapping[str, Any]


class GradientSource(Protocol):
    """Estimates the loss of one view and its gradient."""

    def estimate(self, view: int, seed: int, progress: float) -> Estimate:
        """view: index among the training views. seed: of this step's signs and jitter.
        progress: in [0, 1], for schedules."""
        ...


class PictureAhead(Protocol):
    """A gradient source that can rasterise one view while it estimates another."""

    def expect(self, view: int, seed: int, progress: float) -> None:
        """The next ``estimate`` but one is of this view and seed, at about this progress."""
        ...


class ParameterBlock(Protocol):
    """Some of the parameters, with the rule by which they step."""

    name: str

    @property
    def value(self) -> NDArray[np.float32]:
        """The current parameters, as sources and write-back read them."""
        ...

    def step(self, gradient: Any, progress: float) -> None:
        """Take one step along a source's gradient, within bounds."""
        ...

    def finish(self) -> None:
        """Apply what was gathered and not yet stepped; called once, when the loop ends or stops."""
        ...


class SurfaceBlock(ParameterBlock, Protocol):
    """A block that moves the vertices of one surface, which need not be its value."""

    @property
    def shown(self) -> NDArray[np.float32]:
        """(V, 3) world: where the surface's vertices are. Another array after each change."""
        ...


Blocks = Sequence[ParameterBlock]
