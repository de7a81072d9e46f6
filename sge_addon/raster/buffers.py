# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the passes over the surfaces give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.geometry_buffer import GeometryBuffer
from ..core.lookups import UVBuffer
from ..core.stacked_surfaces import Shape


@dataclass(frozen=True, eq=False)
class ShapePair:
    """Two shapes to compare. key: of the step's seed, by which alpha is drawn (Perturbation.key)."""

    plus: Shape
    minus: Shape
    key: int


def geometry_of(ids: NDArray[np.uint32], parts: Sequence[NDArray[np.float32]]) -> GeometryBuffer:
    """parts: (H, W, 4) of each of programs_lit.GEOMETRY_OUTPUTS, which stay in use."""
    slopes, position, normal, tangent = parts
    uv = np.stack([position[..., 3], normal[..., 3]], axis=-1)
    return GeometryBuffer(ids, uv, slopes, position[..., :3], normal[..., :3], tangent)


@dataclass(frozen=True, eq=False)
class TexelPair:
    """What the pictures of two sets of texels say. Arrays are overwritten by the next pair of this size.

    loss_plus, loss_minus: (H, W, 3) float32, losses of the channels, whose mean is the pixel's; relative
    to an empty pixel's where the reference has alpha. seen: what both pictures show.
    """

    loss_plus: NDArray[np.float32]
    loss_minus: NDArray[np.float32]
    seen: UVBuffer


@dataclass(frozen=True, eq=False)
class Picture:
    """A rendered view. colour: (H, W, 4) float32 linear premultiplied; normal: (H, W, 3) or None."""

    colour: NDArray[np.float32]
    normal: NDArray[np.float32] | None
