# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Threads that share blocks of work, of which none needs another's result: the same bits as by one.

NumPy lets go of Python while it gathers, multiplies or sums many numbers; not in ``add.at`` and ``bincount``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from typing import Generic, TypeVar

from .working_memory import WorkingMemory

_MOST_THREADS = 4  # more wait for memory, and for Python
# Pixels that each of several threads takes at once, at least and at most: of fewer, they wait for Python.
PIXELS_AT_ONCE = (1 << 13, 1 << 15)
LARGE_PLANE = 1 << 20  # numbers, from which threads gain more by a plane each than they lose by fresh memory

Room = TypeVar("Room")


class Crew(Generic[Room]):
    """Each thread has a room of its own to work in, made by ``make_room``.

    least_blocks: how many are worth sharing.
    """

    def __init__(self, make_room: Callable[[], Room], least_blocks: int) -> None:
        count = min(os.cpu_count() or 1, _MOST_THREADS)
        self._least_blocks = least_blocks
        self._rooms = [make_room() for _ in range(count)]
        self._pool = ThreadPoolExecutor(count - 1) if count > 1 else None

    def blocks_of(self, length: int, least: int, most: int) -> list[slice]:
        """Of equal lengths from ``least`` to ``most``, as many for each thread; one where there is not
        enough for more, none of nothing."""
        count = len(self._rooms) * -(-length // (len(self._rooms) * most))
        count = min(count, max(1, length // least))
        return [slice(length * i // count, length * (i + 1) // count) for i in range(count)]

    def share(self, blocks: range, work: Callable[[range, Room], None]) -> None:
        """Do the work for all blocks, in as many runs of them as there are threads, this one among them."""
        if self._pool is None or len(blocks) < self._least_blocks:
            work(blocks, self._rooms[0])
            return
        count = len(self._rooms)
        runs = [blocks[len(blocks) * i // count : len(blocks) * (i + 1) // count] for i in range(count)]
        others = [self._pool.submit(work, *each) for each in zip(runs[1:], self._rooms[1:], strict=True)]
        try:
            work(runs[0], self._rooms[0])
        finally:
            wait(others)  # none may work on when the rooms are given out again
        for other in others:
            other.result()


@cache
def pixel_crew() -> Crew[WorkingMemory]:
    """Threads for work on pixels."""
    return Crew(WorkingMemory, least_blocks=2)


def share_pixels(count: int, work: Callable[[slice, WorkingMemory], None]) -> None:
    """Do the work for blocks of ``count`` pixels."""
    crew = pixel_crew()
    blocks = crew.blocks_of(count, *PIXELS_AT_ONCE)

    def run(numbers: range, memory: WorkingMemory) -> None:
        for number in numbers:
            work(blocks[number], memory)

    crew.share(range(len(blocks)), run)


def share_planes(count: int, size: int, work: Callable[[int], None]) -> None:
    """Do the work for each of ``count`` planes, of ``size`` numbers each."""

    def run(numbers: range, _: WorkingMemory | None) -> None:
        for number in numbers:
            work(number)

    if size < LARGE_PLANE:
        run(range(count), None)
    else:
        pixel_crew().share(range(count), run)
