# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The texels of one map of a material as parameters, and the rule by which they step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .material_maps import MAP_KINDS
from .texture_block import SEEN_EVIDENCE, Texture

Array = NDArray[np.float32]

# Normals lean over by at most 72 degrees: beyond, the z of a texel is too small to divide by.
LEAN = 0.95


@dataclass(frozen=True, eq=False)
class MapSums:
    """Sums over the pixels that read a texel, by channel.

    slope: (C, H, W) float32, A^T (J w r): half the negative gradient of the squared loss; of a normal
    (2, H, W), to its x and y with z following. weight: (H, W), A^T w: evidence in pixels.
    """

    slope: Array
    weight: Array

    def __add__(self, other: MapSums) -> MapSums:
        return MapSums(self.slope + other.slope, self.weight + other.weight)


class MapBlock(Texture):
    """The texels of one map; each steps by Adam in the views that reach it.

    Steps are ``MapKind.step`` long at the start and a tenth of it at the end. Texels that no view has reached
    hold the value of the coarser levels once ``finish`` was called.
    """

    def __init__(self, key: str, kind: str, texture: Array, view_count: int):
        """key: of the MaterialMap. kind: a name in MAP_KINDS. texture: (H, W, C) float32 at the start; one
        texel stands for a constant."""
        super().__init__(key, texture)
        self.kind = kind
        self.view_count = view_count
        self._limits = MAP_KINDS[kind]
        self.assign(self._value)
        steered = 2 if kind == "normal" else self._limits.channels
        size = self.layout.height * self.layout.width
        self._first = np.zeros((steered, size), np.float32)
        self._second = np.zeros((steered, size), np.float32)
        self._count = np.zeros(size, np.int32)
        self._weight = np.zeros((self.layout.height, self.layout.width), np.float32)

    @property
    def weight(self) -> Array:
        """(H, W) float32: evidence per texel so far, in pixels."""
        return self._weight

    @property
    def seen(self) -> NDArray[np.bool_]:
        """(H, W): texels that some view has shown."""
        return self._weight > SEEN_EVIDENCE

    def assign(self, value: Array) -> None:
        """Take a new value (H, W, C), brought within the bounds of the kind; normals are made unit length."""
        planes = np.moveaxis(value, -1, 0)
        if self.kind == "normal":
            planes = unit_normals(planes[:2], planes[2])
        else:
            planes = np.clip(planes, np.float32(self._limits.low), np.float32(self._limits.high))
        self._value = np.moveaxis(np.ascontiguousarray(planes, np.float32), 0, -1)
        self._pyramid = None

    def step(self, gradient: MapSums, progress: float) -> None:
        """Take the sums of one view; texels that it does not reach stay."""
        weight = gradient.weight.reshape(-1)
        self._weight = self._weight + gradient.weight
        reached = np.flatnonzero(weight > 0.0)
        slope = gradient.slope.reshape(len(gradient.slope), -1).take(reached, axis=1)  # (C, N)
        self._count[reached] += 1
        count = self._count[reached].astype(np.float32)
        first = 0.9 * self._first.take(reached, axis=1) + np.float32(0.1) * slope
        second = 0.99 * self._second.take(reached, axis=1) + np.float32(0.01) * slope**2
        self._first[:, reached] = first
        self._second[:, reached] = second
        first /= 1 - np.float32(0.9) ** count
        second /= 1 - np.float32(0.99) ** count
        rate = np.float32(self._limits.step * 0.1**progress)
        change = rate * first / (np.sqrt(second) + np.float32(1e-12))
        planes = np.moveaxis(self._value, -1, 0).copy().reshape(self._value.shape[-1], -1)
        planes[: len(change), reached] += change
        if self.kind == "normal":
            planes[2] = np.sqrt(np.maximum(1 - planes[0] ** 2 - planes[1] ** 2, np.float32(1 - LEAN**2)))
        self.assign(np.moveaxis(planes.reshape(-1, *self._value.shape[:2]), 0, -1))

    def finish(self) -> None:
        """Nothing is gathered."""


def unit_normals(xy: Array, z: Array) -> Array:
    """(3, ...): tangent-space normals (2, ...) and (...) made unit length, leaning by at most ``LEAN``."""
    upper = np.maximum(z, np.float32(0.0))
    length = np.sqrt(xy[0] ** 2 + xy[1] ** 2 + upper**2)
    safe = np.maximum(length, np.float32(1e-12))
    x, y = xy[0] / safe, xy[1] / safe
    excess = np.maximum(np.sqrt(x**2 + y**2) / np.float32(LEAN), np.float32(1.0))
    x, y = x / excess, y / excess
    return np.stack([x, y, np.sqrt(1 - x**2 - y**2)])
