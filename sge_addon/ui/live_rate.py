# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often results are shown: writing and redrawing together stay within a share of the time."""

from __future__ import annotations

LIVE_SHARE = 0.1  # of the time; also the default of the preferences
_SHORTEST, _LONGEST = 0.2, 30.0  # seconds from one showing to the next


class LiveRate:
    """Measures what showing costs, and says when it may be done again. All times in seconds.

    A viewport draws several times after a change, to smooth its edges. So all the time that Blender takes
    for itself between two of our turns counts, unless the user was looking around meanwhile.
    share: of the time that showing may take.
    """

    def __init__(self, now: float, share: float = LIVE_SHARE) -> None:
        self.share = share
        self.total = 0.0  # since the first turn
        self.redrawing = 0.0  # in total
        self.writing = 0.0  # in total
        self.shown = 0  # how often
        self._begin = self.turn_ended = self._shown_at = now
        self._cost = 0.0  # of the last showing
        self._user_acts = False

    def user_acts(self) -> None:
        """The redraw that follows is the user's own."""
        self._user_acts = True

    def rests(self, now: float) -> None:
        """Since the last turn nobody worked: a pause, which is in no total."""
        self._begin += now - self.turn_ended
        self.turn_ended = now

    def turn_begins(self, now: float) -> bool:
        """Whether results may be shown in this turn."""
        if not self._user_acts:
            self.redrawing += now - self.turn_ended
            self._cost += now - self.turn_ended
        self._user_acts = False
        self.total = now - self._begin
        return now - self._shown_at >= self.pause

    def turn_ends(self, now: float, wrote: float = 0.0, *, shown: bool = False) -> None:
        """wrote: how long the turn took to write results. shown: a redraw will follow."""
        self.writing += wrote
        self.turn_ended = now
        self.total = now - self._begin
        if shown:
            self.shown += 1
            self._shown_at, self._cost = now, wrote

    @property
    def pause(self) -> float:
        """From one showing to the next."""
        return min(max(_SHORTEST, self._cost / self.share), _LONGEST)

    @property
    def spent(self) -> float:
        """The share of the time that showing has taken so far."""
        return (self.redrawing + self.writing) / self.total if self.total > 0.0 else 0.0
