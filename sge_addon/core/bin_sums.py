# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sums of several rows by the same bins."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def sums_by_bin(
    bins: NDArray[np.integer[Any]], values: NDArray[np.floating[Any]], count: int
) -> NDArray[np.float32]:
    """(R, count): the rows of values, (R, N), summed by their bins, (N,)."""
    return np.stack([np.bincount(bins, row, count) for row in values]).astype(np.float32)
