# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often results are shown, in a made-up time."""

from __future__ import annotations

import pytest

from sge_addon.ui.live_rate import LiveRate

TURN, IDLE = 0.08, 0.0005  # of the fit, and of Blender when nothing is to be drawn


def play(redraw: float, write: float, seconds: float, share: float = 0.1, user: float = 0.0) -> LiveRate:
    """Turns of the fit, each showing followed by a redraw. user: what the user's own redraws take a turn."""
    now = 0.0
    rate = LiveRate(now, share)
    is_due = False
    while now < seconds:
        now += redraw if is_due else IDLE
        if user:
            now += user
            rate.user_acts()
        is_due = rate.turn_begins(now)
        now += TURN + (write if is_due else 0.0)
        rate.turn_ends(now, write if is_due else 0.0, shown=is_due)
    return rate


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3])
@pytest.mark.parametrize(("redraw", "write"), [(0.005, 0.001), (0.35, 0.002), (0.05, 0.1), (1.2, 0.02)])
def test_showing_keeps_to_its_share(redraw: float, write: float, share: float) -> None:
    rate = play(redraw, write, 300.0, share)
    assert rate.spent <= share + 0.01
    assert rate.shown > 10


def test_what_is_cheap_is_shown_about_four_times_a_second() -> None:
    assert 180 <= play(0.002, 0.0005, 60.0).shown <= 300


def test_looking_around_does_not_make_it_rarer() -> None:
    alone, watched = play(0.1, 0.001, 100.0), play(0.1, 0.001, 100.0, user=0.05)
    assert watched.shown >= 0.5 * alone.shown


def test_pauses_are_in_no_total() -> None:
    rate = LiveRate(0.0)
    rate.turn_begins(1.0)
    rate.turn_ends(2.0)
    rate.rests(50.0)
    rate.turn_begins(50.5)
    assert rate.total == 2.5
    assert rate.redrawing == 1.5
