# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C and SIGTERM, by handlers of our own, since Blender's swallow them."""

from __future__ import annotations

import signal
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..job import FitJob, Progress


class Interrupted(Exception):
    """The user gave up before there was anything to keep."""


class Interruption:
    """What the signals do: without a job they raise Interrupted; the first asks a job to stop after its
    step, a second to skip measuring. What is being written is always written whole.

    count: signals so far. begun: whether the job has made a step. job: set when it is about to run.
    """

    def __init__(self) -> None:
        self.count = 0
        self.begun = False
        self.job: FitJob | None = None

    def receive(self, _number: int, _frame: object) -> None:
        """The signal handler."""
        self.count += 1
        if self.job is None:
            raise Interrupted
        self.job.stop()

    def until_cut(self, run: Generator[Progress]) -> Iterator[Progress]:
        """The job's progress; closes the job where waiting for its own end would be in vain."""
        for progress in run:
            self.begun |= progress.step > 0
            yield progress
            if self.count > 1 or (self.count and not self.begun):
                run.close()
                return


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Within it, Ctrl-C and SIGTERM go to the interruption that it gives."""
    interruption = Interruption()
    before = {
        number: signal.signal(number, interruption.receive) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            # None: it was set from C, as the Blender program does, and cannot be set again from here.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
