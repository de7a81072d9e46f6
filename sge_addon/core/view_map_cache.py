# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maps from texels to the pixels of a view, kept while the shape rests: a few sets of samples a view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from .view import View


class Sized(Protocol):
    """What can be kept."""

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        ...


Kept = TypeVar("Kept", bound=Sized)


class ViewMapCache(Generic[Kept]):
    """Keeps maps by view and pattern until they fill ``limit`` bytes.

    Views visited in turn would drive one another out of a cache that forgets the oldest, so what does not fit
    is made anew at each visit.

    limit, patterns, keeps: may be changed at any time. patterns: sets of samples a view.
    """

    def __init__(self, limit: int, patterns: int) -> None:
        self.limit = limit
        self.patterns = patterns
        self.keeps = True
        self.nbytes = 0
        self._kept: dict[tuple[int, int], tuple[View, Kept]] = {}
        self._visits: dict[int, int] = {}

    def clear(self) -> None:
        """Free the memory; maps that are needed again are made again, the very same."""
        self._kept.clear()
        self.nbytes = 0

    def next(self, view: int, camera: View, make: Callable[[int], Kept]) -> Kept:
        """The map of the view's next pattern. camera: through which the view is seen now.
        make: the map of a pattern."""
        visits = self._visits.get(view, 0)
        self._visits[view] = visits + 1
        number = (visits + view) % self.patterns
        mapped, found = self._kept.get((view, number), (camera, None))
        if found is not None and mapped is not camera:  # it has moved since
            del self._kept[view, number]
            self.nbytes -= found.nbytes
            found = None
        if found is None:
            found = make(number)
            size = found.nbytes
            if self.keeps and self.nbytes + size <= self.limit:
                self._kept[view, number] = camera, found
                self.nbytes += size
        return found
