# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What positions, heights and cages step by: one of several rules that are made and used alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .protocols import SurfaceBlock
from .schedule import ShapeSchedule

Array = NDArray[np.float32]


class SteppedPositions(SurfaceBlock, Protocol):
    """Positions that a rule steps; see core/position_block.py and core/adam_block.py."""

    def restrict(self, allowed: Callable[[Array], Array]) -> None:
        """Move vertices to where ``allowed`` puts them, (V, 3) for (V, 3); steps go on from there."""
        ...

    def inherit(self, earlier: Any) -> None:
        """Go on where the positions of an earlier stage stood, which were stepped by the same rule."""
        ...

    def rest(self) -> None:
        """No step is to come for a while: free what only steps need."""
        ...


class StepRule(Protocol):
    """Makes what steps; the arguments are those of ``PositionBlock``."""

    def __call__(
        self,
        name: str,
        positions: Array,
        triangles: NDArray[np.int32],
        schedule: ShapeSchedule,
        mobility: Array | None = None,
        size: float | None = None,
    ) -> SteppedPositions: ...
