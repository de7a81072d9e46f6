# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How step sizes, smoothing and perturbation change over a fit.

The constants were found on the shape task (a sphere of 2 562 vertices becomes Suzanne, 16 views of
256 x 256), for 400, 700 and 1600 steps: chamfer 0.0056, 0.0048 and 0.0045 of the radius. Short fits
need large steps and little smoothing at the end; in long ones the same crumples the mesh.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from .perturbation import Perturbation, even_perturbation, perturbation
from .view import View

_STEPS = 400  # the fit for which the ranges below are given
_LEAST_COOLED = 20  # steps: the ends of shorter fits are not larger
_LEAST_SIDE = 64  # pixels, along the longer side, of small pictures
# Pixels, beyond which a picture of a mesh of ``vertices`` tells little more in fits of so many steps; in
# fits shorter and longer, down to and up to so many times, it goes with these powers of the length.
_TELLING_SIDE, _TELLING_STEPS, _LENGTHS, _LENGTH_POWERS = 220, 200, (0.2, 4.0), (0.3, 0.5)


@dataclass(frozen=True)
class ShapeSchedule:
    """All as functions of progress in [0, 1]; pairs are start and end.

    steps: of the whole fit. share: part of it in which the shape moves; the schedule runs over that.
    window: where a stage of a longer fit begins and ends in that fit's schedule. shape_steps: in which the
    shape moves, in all stages together; 0 for steps * share.
    epsilon: pixels. even_epsilon: world units by which all vertices are perturbed instead, in all views and
    steps; 0 for pixels. rate: learning rate, in units of the object's rms radius. cooling: how much smaller
    its end is in longer fits, the power of their length. refining: how much smaller its start and its end
    are on finer meshes, the powers of their number of vertices. momentum: part of the last direction that
    a step keeps, which averages noise. smoothing_range: lambda.
    tilt: how far unit normals are tilted (PerturbedShape), and vertices then perturbed along the surface's,
    where nothing is to slide on it; 0 where normals are those of perturbed vertices.
    limit: how far pixels of a pair may differ, in units of their root mean square; 0 for any distance.
    coarse: until when pictures are at the most as large as tells of the mesh, half as large, a quarter, and
    so on; without any, they are whole throughout.
    boldest: steps grow in shorter fits, down to this part of 400 steps.
    stages: in so many lambda changes. vertices: of the mesh for which rate and smoothing_range are given.
    """

    steps: int = _STEPS
    share: float = 1.0
    window: tuple[float, float] = (0.0, 1.0)
    shape_steps: float = 0.0
    epsilon: tuple[float, float] = (1.0, 0.25)
    even_epsilon: float = 0.0
    rate: tuple[float, float] = (0.2, 0.01)
    cooling: float = 0.0
    refining: tuple[float, float] = (0.5, 0.5)
    momentum: float = 0.9
    smoothing_range: tuple[float, float] = (10.0, 1.0)
    tilt: float = 0.0
    limit: float = 0.0
    coarse: tuple[float, ...] = ()
    boldest: float = 0.25
    stages: int = 5
    vertices: int = 2562

    def for_edges(self, textured: bool = False, displaced: bool = False) -> ShapeSchedule:
        """For gradients without noise, which can be followed to smaller steps and smoothing.

        textured: whether textures are fitted along, to which small pictures are worse than they are fast;
        displaced: whether heights are. Either way bold steps of fine surfaces are no gain, nor are the
        smallest steps and smoothing at the end."""
        is_alone = not textured and not displaced
        return replace(
            self,
            rate=(0.4, 0.0014 if is_alone else 0.005),
            boldest=0.15 if is_alone else self.boldest,
            cooling=1.0,
            refining=(0.0, 0.25) if is_alone else self.refining,
            momentum=0.3,
            smoothing_range=(10.0, 0.35 if is_alone else 0.5),
            coarse=() if textured else (0.95, 0.8, 0.5, 0.25),
            stages=8 if is_alone else self.stages,
        )

    def for_meshes_alone(self, lit: bool = False) -> ShapeSchedule:
        """For pairs of pictures where the vertices of meshes without modifiers and textures are perturbed,
        and nothing but these is fitted: so little noise that they step as ``edge`` does. lit: whether shading
        is, whose pictures show no coarser meshes, and whose outlines differ by more than others."""
        edges = self.for_edges()
        return replace(
            edges,
            epsilon=(0.6, 0.3),
            rate=(0.45, edges.rate[1]),
            tilt=0.1,
            limit=2.0 if lit else 1.0,
            coarse=() if lit else edges.coarse,
        )

    def epsilon_pixels(self, progress: float) -> float:
        """Perturbation in screen pixels, linear from start to end."""
        return self.epsilon[0] + (self.epsilon[1] - self.epsilon[0]) * self._own(progress)

    def perturbation(self, view: View, progress: float, seed: int) -> Perturbation:
        """How the vertices are perturbed in one step, which sees this view."""
        if self.even_epsilon > 0.0:
            return even_perturbation(self.even_epsilon, seed)
        return perturbation(view, self.epsilon_pixels(progress), seed)

    def learning_rate(self, progress: float, vertex_count: int) -> float:
        """Exponential from start to end; smaller for longer fits and finer meshes."""
        start, end = self.rate
        end = min(end * (max(self._moving_steps, _LEAST_COOLED) / _STEPS) ** -self.cooling, start)
        fineness = max(self._fineness(vertex_count), 1.0)
        start, end = (
            rate * fineness**-power for rate, power in zip((start, end), self.refining, strict=True)
        )
        length = max(self._moving_steps / _STEPS, self.boldest)
        return _geometric((start, end), self._own(progress)) * length**-0.3

    def halvings(self, progress: float, side: int, vertex_count: int) -> int:
        """How often references with this longer side, in pixels, are halved before they are compared: at
        first small pictures tell as much for a fraction of the time. Where this is one
        of several stages, they are small already."""
        if self.window != (0.0, 1.0) or not self.coarse:
            return 0
        return sum(self._own(progress) < end for end in _ends_of_small_pictures(self, side, vertex_count))

    @property
    def steps_coarsely(self) -> bool:
        """Whether coarse meshes of small pictures may step in the fine ones' place: long fits end better if
        they never do."""
        return self._moving_steps <= _TELLING_STEPS

    def telling_side(self, vertex_count: int) -> float:
        """Pixels, along the longer side, beyond which a picture of a mesh tells little more."""
        length = min(max(self._moving_steps / _TELLING_STEPS, _LENGTHS[0]), _LENGTHS[1])
        power = _LENGTH_POWERS[length > 1.0]
        return _TELLING_SIDE * length**power * self._fineness(vertex_count) ** 0.25

    def bears_delay(self, progress: float) -> bool:
        """Whether gradients may be a step old: in a fit's second half, or where steps average several."""
        return self.momentum > 0.5 or self._own(progress) >= 0.5

    def smoothing(self, progress: float, vertex_count: int) -> float:
        """lambda, in geometric stages; larger for finer meshes, whose edges are shorter, and at the
        end of longer fits."""
        fineness = self._fineness(vertex_count)
        start, end = self.smoothing_range
        end = min(end * self._length**0.5, start)
        stage = min(int(self._own(progress) * self.stages), self.stages - 1) / max(self.stages - 1, 1)
        return _geometric((start * fineness, end * fineness**0.5), stage)

    @property
    def _moving_steps(self) -> float:
        return self.shape_steps or self.steps * self.share

    @property
    def _length(self) -> float:
        """Steps of the shape, relative to the fit that the ranges are for."""
        return max(self._moving_steps / _STEPS, 0.25)

    def _fineness(self, vertex_count: int) -> float:
        return vertex_count / self.vertices

    def _own(self, progress: float) -> float:
        start, end = self.window
        return start + (end - start) * min(progress / self.share, 1.0)


@cache
def _ends_of_small_pictures(schedule: ShapeSchedule, side: int, vertex_count: int) -> tuple[float, ...]:
    """Until when in the schedule references are halved at least once, at least twice, and so on."""
    telling = math.log2(schedule.telling_side(vertex_count))
    ends = []
    while (side := side >> 1) >= _LEAST_SIDE:
        places, values = range(len(schedule.coarse)), schedule.coarse
        ends.append(float(np.interp(telling - math.log2(side), places, values)))
    return tuple(ends)


def _geometric(ends: tuple[float, float], t: float) -> float:
    return float(ends[0] * (ends[1] / ends[0]) ** t)
