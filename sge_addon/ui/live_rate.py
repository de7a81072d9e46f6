# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often a fit shows itself: writing and redrawing together stay within a share of the time."""

from __future__ import annotations

LIVE_SHARE = 0.1  # of the time; also the default of the preferences
_FIGURES_SHARE = 0.2  # of that, for the panel and the status bar alone
_SHORTEST, _LONGEST = 0.2, 120.0  # seconds from one showing to the next
_IDLE = 0.008  # seconds that Blender takes for itself between two turns when nothing is to be drawn
_SETTLED = 4  # so many idle times in a row mean that all is drawn


class LiveRate:
    """Measures what showing costs, and says when it may be done again. All times in seconds.

    Two things are shown: results in the viewports, and figures in the panel. A viewport draws several times
    after a change, to smooth its edges. So all the time that Blender takes for itself until it has settled
    counts as the cost of what was shown last, unless the user was looking around meanwhile.
    share: of the time that showing may take. expected: what showing results took the last time.
    """

    def __init__(self, now: float, share: float = LIVE_SHARE, expected: float = 0.0) -> None:
        self.share = share
        self.total = 0.0  # since the first turn
        self.redrawing = 0.0  # in total
        self.writing = 0.0  # in total
        self.shown = 0  # how often results were
        self.cost = expected  # of showing results, the last time
        self.turn_ended = now
        self._begin = self._results_at = self._figures_at = now
        self._figures_cost = 0.0
        self._figures_last = False  # what the time until Blender settles is counted to: images are made anew
        self._idle = 0  # times in a row
        self._user_acts = False

    def user_acts(self) -> None:
        """The redraw that follows is the user's own."""
        self._user_acts = True

    def rests(self, now: float) -> None:
        """Since the last turn nobody worked: a pause, which is in no total."""
        self._begin += now - self.turn_ended
        self.turn_ended = now

    def turn_begins(self, now: float) -> None:
        """Our turn again: count what Blender took for itself."""
        taken = now - self.turn_ended
        if self._idle < _SETTLED and not self._user_acts:
            self.redrawing += taken
            if self._figures_last:
                self._figures_cost += taken
            else:
                self.cost += taken
        self._user_acts = False
        self._idle = self._idle + 1 if taken < _IDLE or self._idle >= _SETTLED else 0
        self.total = now - self._begin

    def results_due(self, now: float) -> bool:
        """Whether results may be written and shown in this turn."""
        return now - self._results_at >= _pause(self.cost, (1.0 - _FIGURES_SHARE) * self.share)

    def figures_due(self, now: float) -> bool:
        """Whether the panel may be drawn anew after this turn."""
        pause = _pause(self._figures_cost, _FIGURES_SHARE * self.share)
        return self._idle >= _SETTLED and now - self._figures_at >= pause

    def turn_ends(
        self, now: float, wrote: float = 0.0, *, results: bool = False, figures: bool = False
    ) -> None:
        """wrote: how long the turn took to write. results, figures: what a redraw will follow for."""
        self.writing += wrote
        self.turn_ended = now
        self.total = now - self._begin
        if results:
            self.shown += 1
            self._results_at, self.cost = now, wrote
            self._figures_last = False
        elif figures:
            self._figures_cost = 0.0
            self._figures_last = True
        if results or figures:
            self._figures_at = now
            self._idle = 0

    @property
    def spent(self) -> float:
        """The share of the time that showing has taken so far."""
        return (self.redrawing + self.writing) / self.total if self.total > 0.0 else 0.0


def _pause(cost: float, share: float) -> float:
    return min(max(_SHORTEST, cost / share), _LONGEST)
