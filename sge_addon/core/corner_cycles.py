# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The corners of triangles and the first two again, so that what follows each corner, and what follows that,
are slices: rows 0:3, 1:4 and 2:5."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CYCLE = [0, 1, 2, 0, 1]


def corner_cycles(triangles: NDArray[np.int32], chosen: NDArray[np.intp]) -> NDArray[np.int32]:
    """(5, N): the vertices of the chosen triangles (N,). triangles: (F, 3)."""
    return triangles.take(chosen, axis=0).T.take(CYCLE, axis=0)
