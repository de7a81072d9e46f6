# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What shows beside the surfaces, in the picture and behind references with alpha."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .reference import Reference
from .settings import FitSettings
from .signs import step_seed, uniform

_BACKGROUND = 0x4241434B  # tells the background's hash from the signs' and the jitter's


@dataclass(frozen=True)
class Background:
    """kind: 'transparent', 'colour' or 'random', as in FitSettings. colour: linear, where that is the kind.

    Transparent counts as black. A photo without alpha shows the colour where it shows no object, so that
    its silhouettes count; of a random colour, and of nothing, it knows nothing.
    """

    kind: str = "transparent"
    colour: tuple[float, ...] = (0.0, 0.0, 0.0)

    @property
    def is_random(self) -> bool:
        """Whether every step has a colour of its own."""
        return self.kind == "random"

    @property
    def steady(self) -> NDArray[np.float32] | None:
        """(3,) linear where it is one colour throughout, else None."""
        return np.asarray(self.colour, np.float32) if self.kind == "colour" else None

    def behind(self, reference: Reference, seed: int = 0) -> NDArray[np.float32] | None:
        """(3,) linear: the colour behind a reference in the step of this seed; None where it is
        transparent, or where the reference cannot be put before a random one, having no alpha."""
        if self.kind == "transparent" or (self.is_random and not reference.has_alpha):
            return None
        if self.is_random:
            return uniform(step_seed(seed, _BACKGROUND), 3).astype(np.float32)
        return np.asarray(self.colour, np.float32)


TRANSPARENT = Background()


def background_of(settings: FitSettings) -> Background:
    """The background that settings ask for."""
    return Background(settings.background, settings.background_colour)
