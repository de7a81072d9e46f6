# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a step's time goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stopwatch:
    """Seconds by stage, summed.

    precise: passes are waited for at the end of their stage, so that 'raster' and 'read' can be told
    apart; else drawing is only queued in 'raster' and waited for in 'read'.
    clock: seconds, by which time limits go.
    """

    def __init__(self, precise: bool = False, clock: Callable[[], float] = time.perf_counter) -> None:
        self.precise = precise
        self.clock = clock
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time inside the block to a stage."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begin
