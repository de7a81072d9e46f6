# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The texels of one map of a material, within the bounds of its kind; ``map_group`` steps them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .material_maps import MAP_KINDS
from .texture_block import SEEN_EVIDENCE, Texture

Array = NDArray[np.float32]

# Normals lean over by at most 72 degrees: beyond, the z of a texel is too small to divide by.
LEAN = 0.95


class MapBlock(Texture):
    """One fitted map.

    kind: a name in MAP_KINDS. steered: channels that are stepped; of a normal x and y, whose z follows.
    """

    def __init__(self, key: str, kind: str, texture: Array):
        """key: of the MaterialMap. texture: (H, W, C) float32 at the start, one texel for a constant."""
        super().__init__(key, texture)
        self.kind = kind
        self.steered = 2 if kind == "normal" else MAP_KINDS[kind].channels
        self._weight = np.zeros((self.layout.height, self.layout.width), np.float32)
        self.assign(self._value)

    @property
    def weight(self) -> Array:
        """(H, W) float32: evidence per texel so far, in pixels."""
        return self._weight

    @weight.setter
    def weight(self, weight: Array) -> None:
        self._weight = weight

    @property
    def seen(self) -> NDArray[np.bool_]:
        """(H, W): texels that some view has shown."""
        return self._weight > SEEN_EVIDENCE

    @property
    def planes(self) -> Array:
        """(C, H, W): the value by channel."""
        return np.moveaxis(self._value, -1, 0)

    def assign(self, value: Array) -> None:
        """Take a new value (H, W, C), brought within the bounds of the kind; normals are made unit length."""
        planes = np.moveaxis(value, -1, 0)
        if self.kind == "normal":
            planes = unit_normals(planes[:2], planes[2])
        else:
            kind = MAP_KINDS[self.kind]
            planes = np.clip(planes, np.float32(kind.low), np.float32(kind.high))
        self._value = np.moveaxis(np.ascontiguousarray(planes, np.float32), 0, -1)
        self._pyramid = None

    def move(self, change: Array) -> None:
        """Add (steered, H, W) to the steered channels."""
        moved = self.planes[: self.steered] + change
        if self.kind == "normal":
            square = moved[0] ** 2 + moved[1] ** 2
            moved = np.concatenate([moved, np.sqrt(np.maximum(1 - square, np.float32(1 - LEAN**2)))[None]])
        self.assign(np.moveaxis(moved, 0, -1))


def unit_normals(xy: Array, z: Array) -> Array:
    """(3, ...): tangent-space normals (2, ...) and (...) made unit length, leaning by at most ``LEAN``."""
    upper = np.maximum(z, np.float32(0.0))
    length = np.sqrt(xy[0] ** 2 + xy[1] ** 2 + upper**2)
    safe = np.maximum(length, np.float32(1e-12))
    x, y = xy[0] / safe, xy[1] / safe
    excess = np.maximum(np.sqrt(x**2 + y**2) / np.float32(LEAN), np.float32(1.0))
    x, y = x / excess, y / excess
    return np.stack([x, y, np.sqrt(1 - x**2 - y**2)])
