# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When cameras are refined, and through pictures of which size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class CameraSchedule:
    """As functions of progress in [0, 1].

    start, end: of the fit, between which cameras are refined. visits: how often a step shows a view in
    the whole fit. refinements: of each view, at the most, spread evenly. descent: part of the time by whose
    end the finest pictures are reached.
    """

    visits: float
    start: float = 0.0
    end: float = 1.0
    refinements: int = 12
    descent: float = 0.5

    @property
    def interval(self) -> int:
        """Visits from one refinement of a view to the next."""
        return max(1, round(self.visits * (self.end - self.start) / self.refinements))

    def is_due(self, visit: int, progress: float) -> bool:
        """visit: number of the view's visits since ``start``, from 0."""
        return self.start <= progress < self.end and visit % self.interval == 0

    def levels(self, sizes: Sequence[int], reached: int, progress: float) -> list[int]:
        """Those of ``sizes``, coarse to fine, to go through now. reached: the last one gone through, or 0.

        Many in one go where few visits are left.
        """
        pause = self.interval / max(self.visits, 1e-9)  # progress up to the next refinement
        share = (progress + pause - self.start) / (self.descent * (self.end - self.start))
        depth = min(max(math.ceil(share * len(sizes) - 1e-9), 1), len(sizes))
        return [size for size in sizes[: depth - 1] if size > reached] + [
            max(sizes[depth - 1], min(reached, sizes[-1]))
        ]
