# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time that stands still while a fit is paused, so that time limits and reports leave pauses out."""

from __future__ import annotations

import time
from collections.abc import Callable


class PausableClock:
    """Called, it gives seconds since it was made, without those in which it stood still."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._gone = 0.0  # seconds until it last stood still
        self._since: float | None = clock()  # None while it stands still

    def __call__(self) -> float:
        running = 0.0 if self._since is None else self._clock() - self._since
        return self._gone + running

    def pause(self) -> None:
        """Stand still from now on."""
        self._gone, self._since = self(), None

    def resume(self) -> None:
        """Go on from where it stood still."""
        if self._since is None:
            self._since = self._clock()
