# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How well a render matches its reference: PSNR in linear space, peak 1 (design: Conventions)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .pixel_loss import over
from .reference import Reference

CAP = 120.0


def psnr(mean_squared_error: float) -> float:
    """-10 log10 of the error, capped at 120 dB."""
    return CAP if mean_squared_error <= 10.0 ** (-CAP / 10.0) else -10.0 * math.log10(mean_squared_error)


def squared_errors(
    reference: Reference, colour: NDArray[np.float32], background: NDArray[np.float32] | None = None
) -> tuple[float, float]:
    """Mean squared error over the object and over the whole image; colour: (H, W, 4) premultiplied, seen
    like the reference before a background, (3,) linear, or black.

    The object is where the reference's alpha is above 0.5; where it has no alpha, where the render's
    is. Pixels count by the reference's weight. An object without any counts as the whole image.
    """
    error = np.square(over(colour, background) - over(reference.colour, background)).mean(axis=2)  # (H, W)
    inside = (reference.colour if reference.has_alpha else colour)[..., 3] > 0.5
    weight = np.ones_like(error) if reference.weight is None else reference.weight
    image = float(np.average(error.astype(np.float64), weights=weight))
    inside &= weight > 0.0
    if not inside.any():
        return image, image
    return float(np.average(error[inside].astype(np.float64), weights=weight[inside])), image


def mean_psnr(errors: Sequence[float]) -> float | None:
    """PSNR of the mean over views of their errors; None of no views."""
    return psnr(sum(errors) / len(errors)) if errors else None
