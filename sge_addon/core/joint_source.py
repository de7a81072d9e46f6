# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shape and texture in one loop."""

from __future__ import annotations

from collections.abc import Sequence

from .protocols import Estimate, GradientSource
from .texture_block import TextureBlock
from .texture_source import FilteredTextureSource


class JointSource:
    """Steps the shape, at intervals also the texture; at the end the texture alone.

    A texture step through the moving shape brings its colours roughly into place, which the shape
    needs; sharpness comes at the end, when the shape rests and views can be gathered (texture_block).

    shape_share: part of the fit in which the shape moves. interval: shape steps to a texture step.
    """

    def __init__(
        self,
        shape: GradientSource,
        texture: FilteredTextureSource,
        blocks: Sequence[TextureBlock],
        shape_share: float,
        interval: int,
    ) -> None:
        self._shape = shape
        self._texture = texture
        self._blocks = blocks
        self._shape_share = shape_share
        self._interval = interval
        self._steps = 0
        self._texture.keeps_maps = False

    def estimate(self, view: int, seed: int, progress: float) -> Estimate:
        """The shape's gradient, with the texture's in every ``interval``-th step, or the texture's."""
        if progress >= self._shape_share:
            self._texture.keeps_maps = True
            for block in self._blocks:
                block.gather = True
            return self._texture.estimate(view, seed, progress)
        estimate = self._shape.estimate(view, seed, progress)
        self._steps += 1
        if self._steps % self._interval:
            return estimate
        texture = self._texture.estimate(view, seed, progress)
        return Estimate(estimate.loss, {**estimate.gradients, **texture.gradients})
