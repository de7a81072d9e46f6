# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shape and texture in one loop."""

from __future__ import annotations

from collections.abc import Callable

from .protocols import Estimate, GradientSource


class JointSource:
    """Steps the shape, at intervals also the texture; at the end the texture alone.

    A texture step through the moving shape brings its colours roughly into place, which the shape
    needs; sharpness comes at the end, when the shape rests and views can be gathered (texture_block).

    on_rest: called when the shape comes to rest. shape_share: part of the fit in which the shape moves.
    interval: shape steps to a texture step.
    """

    def __init__(
        self,
        shape: GradientSource,
        texture: GradientSource,
        on_rest: Callable[[], None],
        shape_share: float,
        interval: int,
    ) -> None:
        self._shape = shape
        self._texture = texture
        self._on_rest = on_rest
        self._shape_share = shape_share
        self._interval = interval
        self._steps = 0
        self._rests = False

    def estimate(self, view: int, seed: int, progress: float) -> Estimate:
        """The shape's gradient, with the texture's in every ``interval``-th step, or the texture's."""
        if progress >= self._shape_share:
            if not self._rests:
                self._rests = True
                self._on_rest()
            return self._texture.estimate(view, seed, progress)
        estimate = self._shape.estimate(view, seed, progress)
        self._steps += 1
        if self._steps % self._interval:
            return estimate
        texture = self._texture.estimate(view, seed, progress)
        return Estimate(estimate.loss, {**estimate.gradients, **texture.gradients})
