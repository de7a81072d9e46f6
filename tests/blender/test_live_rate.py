# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often results are shown, in a made-up time."""

from __future__ import annotations

import pytest

from sge_addon.ui.live_rate import LiveRate

TURN, IDLE = 0.08, 0.0005  # of the fit, and of Blender when nothing is to be drawn


def play(redraw: float, write: float, seconds: float, share: float = 0.1, **more: float) -> LiveRate:
    """Turns of the fit. redraw: what follows a showing of results, in eight pieces, as a viewport smooths
    its edges. panel: what follows that of figures. user: what the user's own redraws take a turn."""
    panel, user = more.get("panel", 0.004), more.get("user", 0.0)
    now = 0.0
    rate = LiveRate(now, share, more.get("expected", 0.0))
    to_draw: list[float] = []
    while now < seconds:
        now += to_draw.pop() if to_draw else IDLE
        if user:
            now += user
            rate.user_acts()
        rate.turn_begins(now)
        results = rate.results_due(now)
        figures = results or rate.figures_due(now)
        now += TURN + (write if results else 0.0)
        rate.turn_ends(now, write if results else 0.0, results=results, figures=figures)
        if results:
            to_draw = [redraw / 8] * 8
        elif figures:
            to_draw = [panel]
    return rate


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3])
@pytest.mark.parametrize("panel", [0.002, 0.03])
@pytest.mark.parametrize(("redraw", "write"), [(0.005, 0.001), (0.35, 0.002), (0.05, 0.1), (1.1, 0.02)])
def test_showing_keeps_to_its_share(redraw: float, write: float, panel: float, share: float) -> None:
    rate = play(redraw, write, 300.0, share, panel=panel)
    # What Blender takes between two turns when nothing is drawn is in it as well.
    assert rate.spent <= share + 0.01 + IDLE / TURN
    assert rate.shown > 10


def test_what_is_cheap_is_shown_several_times_a_second() -> None:
    assert 180 <= play(0.002, 0.0005, 60.0).shown <= 300


def test_what_was_dear_the_last_time_is_not_tried_at_once() -> None:
    assert play(2.0, 0.01, 20.0, expected=2.0).shown == 0
    assert play(2.0, 0.01, 24.0).shown == 1


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
