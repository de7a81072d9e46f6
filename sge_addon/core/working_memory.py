# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arrays that are kept from one step to the next."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class WorkingMemory:
    """Room by name. A fresh large array costs a page fault every 4 kB, more than what is done with it."""

    def __init__(self) -> None:
        self._arrays: dict[str, NDArray[Any]] = {}

    def array(self, name: str, size: int, dtype: DTypeLike) -> NDArray[Any]:
        """(size,) of undefined content, until the next call with this name."""
        kept = self._arrays.get(name)
        if kept is None or kept.size < size:
            kept = self._arrays[name] = np.empty(size + size // 4, dtype)
        return kept[:size]

    def take(self, name: str, source: NDArray[Any], indices: NDArray[np.intp]) -> NDArray[Any]:
        """source[indices], in the room of that name."""
        out = self.array(name, len(indices), source.dtype)
        return source.take(indices, out=out, mode="clip")  # other modes copy once more

    def cast(self, name: str, source: NDArray[Any], dtype: DTypeLike) -> NDArray[Any]:
        """source in another type, in the room of that name."""
        out = self.array(name, source.size, dtype)
        out[:] = source
        return out
