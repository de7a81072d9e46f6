# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sums over the pixels that read a texel: of one view, made when they are asked for, and of several views.

Bringing the sums of a pyramid's levels together takes time by the texture's size, adding a view's pixels to
them by what the view shows. So where views are gathered before a step, levels are brought together once.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .bin_sums import no_pairs
from .footprint import Footprint, TexelSums

Array = NDArray[np.float32]


class PixelSums:
    """What ``Footprint.scatter`` makes of residual (P, 3) and weight (P, 1 or 3), when it is asked for."""

    def __init__(self, footprint: Footprint, residual: Array, weight: Array) -> None:
        self.footprint = footprint
        self.columns = footprint.columns(residual, weight)

    @cached_property
    def _sums(self) -> TexelSums:
        sums = no_pairs(len(self.columns), self.footprint.layout.length)
        self.footprint.add_to(sums, self.columns)
        return self.footprint.unpacked(sums, keep=False)

    @property
    def residual(self) -> Array:
        """As of TexelSums."""
        return self._sums.residual

    @property
    def weight(self) -> Array:
        """As of TexelSums."""
        return self._sums.weight


class GatheredSums:
    """The sums of several views, which all have as many columns."""

    def __init__(self) -> None:
        self._packed: NDArray[np.complex64] | None = None
        self._footprint: Footprint | None = None
        self._images: Array | None = None

    def add(self, sums: PixelSums | TexelSums) -> None:
        """Add those of one more view."""
        if isinstance(sums, TexelSums):
            images = sums.images()
            self._images = images if self._images is None else self._images + images
            return
        if self._packed is None:
            self._packed = no_pairs(len(sums.columns), sums.footprint.layout.length)
        sums.footprint.add_to(self._packed, sums.columns)
        if self._footprint is None or sums.footprint.level_count > self._footprint.level_count:
            self._footprint = sums.footprint

    def total(self, keep: bool = True) -> TexelSums:
        """Of all views up to now. keep: more may follow, or the total be asked for again."""
        total = self._images
        if self._packed is not None and self._footprint is not None:
            of_pixels = self._footprint.unpacked(self._packed, keep)
            if total is None:
                return of_pixels
            total = total + of_pixels.images()
        assert total is not None
        return TexelSums.of_images(total)
