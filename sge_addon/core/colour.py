# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sRGB transfer function (IEC 61966-2-1), its extension to lamps, and the two ways of keeping alpha."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def srgb_to_linear(encoded: Array) -> Array:
    """Decode sRGB values to linear ones: any shape, float32. Values below 0 stay linear."""
    encoded = np.asarray(encoded, dtype=np.float32)
    curve = ((np.maximum(encoded, 0.04045) + 0.055) / 1.055) ** 2.4
    return np.where(encoded <= 0.04045, encoded / 12.92, curve).astype(np.float32)


# (256,) linear: what 8-bit sRGB values stand for.
SRGB_TABLE = srgb_to_linear(np.arange(256, dtype=np.float32) / np.float32(255.0))


def linear_to_srgb(linear: Array) -> Array:
    """Encode linear values with the sRGB curve: any shape, float32. Values below 0 stay linear."""
    linear = np.asarray(linear, dtype=np.float32)
    curve = 1.055 * np.maximum(linear, 0.0031308) ** (1.0 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, linear * 12.92, curve).astype(np.float32)


def log_encoded(linear: Array) -> Array:
    """sRGB(ln(1 + x)) of linear values, those below 0 taken for 0 (Munkberg et al. 2022): float32, any shape.

    Like sRGB in the shadows, logarithmic in highlights: 0 -> 0, 0.18 -> 0.44, 1 -> 0.85, 100 -> 1.94.
    """
    return linear_to_srgb(np.log1p(np.maximum(linear, 0.0)))


def log_encoded_slope(linear: Array) -> Array:
    """Derivative of ``log_encoded``, that at 0 for values below 0: any shape, float32."""
    logarithm = np.log1p(np.maximum(linear, 0.0))
    curve = 1.055 / 2.4 * np.maximum(logarithm, 0.0031308) ** (1.0 / 2.4 - 1.0)
    slope = np.where(logarithm <= 0.0031308, 12.92, curve) / (1.0 + np.maximum(linear, 0.0))
    return slope.astype(np.float32)


def premultiplied(straight: Array) -> Array:
    """(..., 4) straight to premultiplied alpha."""
    result = np.array(straight, dtype=np.float32)
    result[..., :3] *= result[..., 3:]
    return result


def straight(premultiplied_pixels: Array) -> Array:
    """(..., 4) premultiplied to straight alpha; black where nothing is covered."""
    result = np.array(premultiplied_pixels, dtype=np.float32)
    alpha = result[..., 3:]
    np.divide(result[..., :3], alpha, out=result[..., :3], where=alpha > 0.0)
    result[..., :3] *= alpha > 0.0
    return result
