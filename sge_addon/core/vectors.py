# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Products of vectors whose axis comes first: numbers in a row are read and written several times faster."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def dot(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """(...) of (3, ...) each."""
    product: NDArray[Any] = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return product


def cross(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """(3, ...) each; an order faster than np.cross along the other axis."""
    product = np.empty(np.broadcast_shapes(a.shape, b.shape), np.float32)
    for axis, (first, second) in enumerate(((1, 2), (2, 0), (0, 1))):
        np.multiply(a[first], b[second], out=product[axis])
        product[axis] -= a[second] * b[first]
    return product
