# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rasteriser kept at the current parameters: uploads what has changed since the last pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..core.footprint import UVBuffer
from ..core.geometry_buffer import GeometryBuffer
from ..core.protocols import SurfaceBlock
from ..core.reference import Reference
from ..core.stopwatch import Stopwatch
from ..core.texture_block import Texture
from .rasteriser import Rasteriser


class FittedSurfaces:
    """Position blocks by surface (or none), textures by material: base colour (None where it is a constant)
    or, where shading is lit, the maps that change, by name."""

    def __init__(
        self,
        rasteriser: Rasteriser,
        positions: Sequence[SurfaceBlock],
        textures: Sequence[Texture | Mapping[str, Texture] | None],
        stopwatch: Stopwatch,
    ) -> None:
        self._rasteriser = rasteriser
        self._position_blocks = positions
        self._textures = textures
        self._stopwatch = stopwatch
        self._shown: dict[tuple[int, str], NDArray[np.float32]] = {}
        self._uploaded: list[NDArray[np.float32]] = []
        self.positions = rasteriser.assembly.positions

    def updated(self, textures: bool = True) -> Rasteriser:
        """The rasteriser, showing the blocks' current values. Blocks replace arrays when they step."""
        with self._stopwatch.stage("upload"):
            values = [block.shown for block in self._position_blocks]
            if any(a is not b for a, b in zip(values, self._uploaded, strict=False)) or not self._uploaded:
                self._uploaded = values
                if values:
                    self.positions = np.concatenate(values)
                    self._rasteriser.set_positions(self.positions)
            for material, texture in enumerate(self._textures if textures else ()):
                if isinstance(texture, Mapping):
                    for name, each in texture.items():
                        if self._is_new(material, name, each.value):
                            self._rasteriser.set_map(material, name, each.value)
                elif texture is not None and self._is_new(material, "", texture.value):
                    self._rasteriser.set_texture(material, texture.value)
        return self._rasteriser

    def _is_new(self, material: int, name: str, value: NDArray[np.float32]) -> bool:
        """Whether another array was shown last, which from now on is this one."""
        known = self._shown.get((material, name)) is value
        self._shown[material, name] = value
        return not known

    def geometry(self, reference: Reference, offset: tuple[float, float]) -> GeometryBuffer:
        """What one sample a pixel, moved by ``offset`` pixels, sees, for a step of maps."""
        rasteriser = self.updated(textures=False)
        return rasteriser.geometry_buffer(reference.view, offset, self._stopwatch)

    def sample(self, reference: Reference, offset: tuple[float, float]) -> UVBuffer:
        """One sample a pixel, moved by ``offset`` pixels, for a texture step."""
        rasteriser = self.updated(textures=False)
        return rasteriser.uv_buffer(reference.view, offset, 1, self._stopwatch)
