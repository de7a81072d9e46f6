# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How step sizes, smoothing and perturbation change over a fit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ShapeSchedule:
    """All as functions of progress in [0, 1].

    epsilon: pixels, start and end. rate: learning rate, start and end, in units of the object's rms
    radius, for a mesh of ``vertices`` vertices. smoothing: lambda, start and end, for that mesh.
    stages: lambda changes in so many steps, since each change costs a factorisation. share: part of
    the fit in which the shape moves; all of the schedule runs over it.
    """

    epsilon: tuple[float, float] = (1.0, 0.5)
    rate: tuple[float, float] = (0.125, 0.0125)
    smoothing_range: tuple[float, float] = (19.0, 3.0)
    stages: int = 5
    vertices: int = 2562
    share: float = 1.0

    def epsilon_pixels(self, progress: float) -> float:
        """Perturbation in screen pixels, linear from start to end."""
        return self.epsilon[0] + (self.epsilon[1] - self.epsilon[0]) * self._own(progress)

    def learning_rate(self, progress: float, vertex_count: int) -> float:
        """Exponential from start to end; smaller for finer meshes."""
        return _geometric(self.rate, self._own(progress)) * (self.vertices / vertex_count) ** 0.5

    def smoothing(self, progress: float, vertex_count: int) -> float:
        """lambda, in geometric stages; larger for finer meshes, whose edges are shorter."""
        stage = min(int(self._own(progress) * self.stages), self.stages - 1) / max(self.stages - 1, 1)
        return _geometric(self.smoothing_range, stage) * max(1.0, vertex_count / self.vertices) ** 0.5

    def _own(self, progress: float) -> float:
        return min(progress / self.share, 1.0)


def _geometric(ends: tuple[float, float], t: float) -> float:
    return float(ends[0] * (ends[1] / ends[0]) ** t)
