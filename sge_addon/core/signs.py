# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random signs from a counter-based hash, so that perturbations are neither stored nor uploaded.

The same integer arithmetic stands in ``raster/shaders/signs.glsl``; the two agree bit for bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_INDEX_STRIDE = 0x9E3779B9  # odd, near 2^32 over the golden ratio: spreads neighbours
_BITS = 0xFFFFFFFF
# Shifts and factors of a bijective mixing of 32 bits, by Wellons' low-bias search (2018), and its last shift.
_ROUNDS, _LAST_SHIFT = ((16, 0x7FEB352D), (15, 0x846CA68B)), 16

_JITTER = 0x4A495454  # tells the jitter's hash from the signs'


def _mixed(bits: int) -> int:
    for shift, factor in _ROUNDS:
        bits = (bits ^ (bits >> shift)) * factor & _BITS
    return bits ^ (bits >> _LAST_SHIFT)


def _bits(seed: int, index: int) -> int:
    """As ``hash_bits``, of one index: a twentieth of the time of an array of one."""
    return _mixed(index * _INDEX_STRIDE + _mixed(seed & _BITS) & _BITS)


def seed_key(seed: int) -> np.uint32:
    """The hashed seed that shaders are given."""
    return np.uint32(_mixed(seed & _BITS))


def hash_bits(seed: int, indices: NDArray[np.integer[Any]]) -> NDArray[np.uint32]:
    """32 random bits for each parameter index under a seed. indices: any shape, uint32."""
    bits = indices.astype(np.uint32) * np.uint32(_INDEX_STRIDE) + seed_key(seed)
    for shift, factor in _ROUNDS:
        bits = (bits ^ (bits >> np.uint32(shift))) * np.uint32(factor)
    return bits ^ (bits >> np.uint32(_LAST_SHIFT))


def signs(seed: int, count: int, channels: int = 3) -> NDArray[np.float32]:
    """(count, channels) of -1 and +1: channel c of parameter i is bit 31 - c of its hash."""
    result = np.empty((count, channels), np.float32)
    _fill_with_signs(result.T, seed, np.arange(count, dtype=np.uint32))
    return result


def sign_rows(seed: int, indices: NDArray[np.integer[Any]], channels: int = 3) -> NDArray[np.float32]:
    """(channels, N): as ``signs`` of the parameters with these indices (N,), in rows."""
    result = np.empty((channels, len(indices)), np.float32)
    _fill_with_signs(result, seed, indices)
    return result


def _fill_with_signs(rows: NDArray[np.float32], seed: int, indices: NDArray[np.integer[Any]]) -> None:
    negative = ~hash_bits(seed, indices)
    for channel, row in enumerate(rows):
        # 1.0 with the bit as its sign bit.
        bits = (negative << np.uint32(channel)) & np.uint32(0x80000000) | np.uint32(0x3F800000)
        row[:] = bits.view(np.float32)


def step_seed(seed: int, step: int) -> int:
    """The seed of one step of a fit: hashed, so that neighbouring fits share no signs."""
    return _bits(seed, step)


def uniform(seed: int, count: int) -> NDArray[np.float64]:
    """(count,) numbers in [0, 1)."""
    return hash_bits(seed, np.arange(count, dtype=np.uint32)) / 2.0**32


def sub_pixel_jitter(seed: int) -> tuple[float, float]:
    """Offset of a step's image in pixels, each in [-0.5, 0.5), independent of the step's signs."""
    own = step_seed(seed, _JITTER)
    return _bits(own, 0) / 2.0**32 - 0.5, _bits(own, 1) / 2.0**32 - 0.5
