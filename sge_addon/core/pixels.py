# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a reference shows, wherever that lies: arrays, or what gives arrays when they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Indices = NDArray[np.intp]


class Pixels(Protocol):
    """What a Reference shows, as it describes it."""

    @property
    def colour(self) -> Image:
        """(H, W, 4)"""
        ...

    @property
    def normal(self) -> Image | None:
        """(H, W, 3)"""
        ...

    @property
    def weight(self) -> Image | None:
        """(H, W)"""
        ...

    def colour_at(self, at: Indices) -> Image:
        """(N, 4) at flat indices (N,), for little where they are few."""
        ...

    def normal_at(self, at: Indices) -> Image | None:
        """(N, 3), likewise"""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """(H, W); reads nothing."""
        ...

    @property
    def has_normal(self) -> bool:
        """Whether there are normals; reads none."""
        ...

    def kept(self, pixels: PlainPixels) -> Pixels:
        """Others that were made of these, kept where these are."""
        ...

    def divided(self, factors: Image) -> Pixels:
        """With colours divided by (4,)."""
        ...


@dataclass(frozen=True, eq=False)
class PlainPixels:
    """Pixels that are arrays."""

    colour: Image
    normal: Image | None = None
    weight: Image | None = None

    def colour_at(self, at: Indices) -> Image:
        """As of Pixels."""
        return taken(self.colour, at)

    def normal_at(self, at: Indices) -> Image | None:
        """As of Pixels."""
        return None if self.normal is None else taken(self.normal, at)

    @property
    def size(self) -> tuple[int, int]:
        """As of Pixels."""
        return self.colour.shape[0], self.colour.shape[1]

    @property
    def has_normal(self) -> bool:
        """As of Pixels."""
        return self.normal is not None

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return sum(each.nbytes for each in (self.colour, self.normal, self.weight) if each is not None)

    def kept(self, pixels: PlainPixels) -> PlainPixels:
        """As of Pixels."""
        return pixels

    def divided(self, factors: Image) -> PlainPixels:
        """As of Pixels."""
        return PlainPixels(self.colour / factors, self.normal, self.weight)


def taken(image: Image, at: Indices) -> Image:
    """(N, C) of (H, W, C), at flat indices (N,)."""
    return image.reshape(-1, image.shape[2]).take(at, axis=0)
