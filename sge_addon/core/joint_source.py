# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shape and texture in one loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from .geometry_buffer import GeometryBuffer
from .protocols import Estimate, GradientSource


class ShapeGradientSource(GradientSource, Protocol):
    """A source that also tells what its picture showed."""

    def estimate_with_geometry(
        self, view: int, seed: int, progress: float
    ) -> tuple[Estimate, GeometryBuffer]:
        """The estimate, and the geometry of its picture; with signs, that of the positive ones."""
        ...


def _nothing() -> None:
    pass


@dataclass(frozen=True, eq=False)
class JointParts:
    """The textures' part of a joint fit.

    texture: estimates by pictures of its own. interval: shape steps to a texture step. on_rest: called when
    the shape comes to rest. through: estimates of a view by the geometry of the shape's own picture, so that
    its rasterisations serve both; None where pictures of its own are needed. first: steps of the
    texture alone before the shape moves: a surface much brighter than its references would rather shrink
    out of the picture, and turn inside out, than wait for its colours.
    """

    texture: GradientSource
    interval: int
    on_rest: Callable[[], None] = _nothing
    through: Callable[[int, GeometryBuffer], Estimate] | None = None
    first: int = 0


class JointSource:
    """Steps the shape, at intervals also the texture; at the end the texture alone.

    A texture step through the moving shape brings its colours roughly into place, which the shape
    needs; sharpness comes at the end, when the shape rests and views can be gathered (texture_block).

    on_rest: called when the shape comes to rest. shape_share: part of the fit in which the shape moves.
    """

    def __init__(
        self,
        shape: ShapeGradientSource,
        parts: JointParts,
        on_rest: Callable[[], None],
        shape_share: float,
    ) -> None:
        self._shape: ShapeGradientSource | None = shape  # until it comes to rest
        self._parts = parts
        self._on_rest = on_rest
        self._shape_share = shape_share
        self._steps = 0

    def estimate(self, view: int, seed: int, progress: float) -> Estimate:
        """The shape's gradient, with the texture's in every ``interval``-th step, or the texture's."""
        parts = self._parts
        if self._shape is not None and progress >= self._shape_share:
            self._shape = None  # with its pictures and its references on the GPU, beside which maps are kept
            self._on_rest()
            parts.on_rest()
        shape = self._shape
        if shape is None:
            return parts.texture.estimate(view, seed, progress)
        self._steps += 1
        if self._steps <= parts.first:
            return parts.texture.estimate(view, seed, progress)
        if self._steps % parts.interval:
            return shape.estimate(view, seed, progress)
        if parts.through is not None:
            estimate, seen = shape.estimate_with_geometry(view, seed, progress)
            texture = parts.through(view, seen)
        else:
            estimate = shape.estimate(view, seed, progress)
            texture = parts.texture.estimate(view, seed, progress)
        return Estimate(estimate.loss, {**estimate.gradients, **texture.gradients})
