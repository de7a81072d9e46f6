# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A clock that stands still in pauses, and the loop that goes by it."""

from __future__ import annotations

from sge_addon.core.pausable_clock import PausableClock


class Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_pauses_are_left_out() -> None:
    time = Time()
    clock = PausableClock(time)
    time.now += 2.0
    clock.pause()
    time.now += 50.0
    assert clock() == 2.0
    clock.pause()
    time.now += 1.0
    clock.resume()
    clock.resume()
    time.now += 3.0
    assert clock() == 5.0
