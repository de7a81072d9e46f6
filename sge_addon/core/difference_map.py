# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a render is from its reference, as the eye sees it, in colours that can be read off a scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .colour import linear_to_srgb
from .reference import Reference

Array = NDArray[np.float32]

# Black, violet, red, orange, pale yellow: lightness rises evenly, so that it reads in grey as well.
_STOPS = np.array(
    [(0.0, 0.0, 0.01), (0.33, 0.06, 0.42), (0.73, 0.21, 0.33), (0.97, 0.55, 0.09), (0.99, 0.98, 0.66)],
    np.float32,
)
SCALES = (0.05, 0.1, 0.2, 0.5, 1.0)  # what the brightest colour may stand for


def displayed(colour: Array, background: Array) -> Array:
    """(H, W, 4) linear premultiplied over (H, W, 3) or (3,) linear: (H, W, 3) sRGB-encoded in [0, 1]."""
    over = colour[..., :3] + (1.0 - colour[..., 3:]) * background
    return linear_to_srgb(np.clip(over, 0.0, 1.0))


def difference(reference: Reference, colour: Array) -> Array:
    """(H, W) in [0, 1]: the largest difference of the sRGB-encoded channels and, where the reference knows
    its silhouette, of alpha. Where it does not, pixels that the render leaves empty count as equal."""
    encoded = [linear_to_srgb(np.clip(image[..., :3], 0.0, 1.0)) for image in (reference.colour, colour)]
    result = np.abs(encoded[0] - encoded[1]).max(axis=2)
    if reference.has_alpha:
        return np.maximum(result, np.abs(reference.colour[..., 3] - colour[..., 3])).clip(0.0, 1.0)
    return (result * colour[..., 3]).clip(0.0, 1.0)


def fitting_scale(values: Array) -> float:
    """The smallest of ``SCALES`` that 99 % of the values above zero keep to."""
    shown = values[values > 1e-3]
    top = float(np.quantile(shown, 0.99)) if shown.size else 0.0
    return next((scale for scale in SCALES if top <= scale), SCALES[-1])


def in_colours(values: Array, scale: float) -> Array:
    """(..., ) to (..., 3) sRGB-encoded: black at 0, the brightest at ``scale`` and above."""
    places = np.linspace(0.0, scale, len(_STOPS))
    channels = [np.interp(values, places, _STOPS[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)
