# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base colours of materials on the GPU: a pyramid each, or a constant."""

from __future__ import annotations

from collections.abc import Sequence

import gpu
import numpy as np
from numpy.typing import NDArray

from ..core.surface import Material
from ..core.texture_pyramid import level_count, pyramid_atlas
from .tables import upload_image


class BaseColours:
    """Of the materials of an assembly, for shadings that read nothing else of them."""

    def __init__(self, materials: Sequence[Material]) -> None:
        self._materials = materials
        self._none = upload_image(np.zeros((1, 1, 4), np.float32))
        self._atlases: list[gpu.types.GPUTexture | None] = [None] * len(materials)
        self._sizes = [(1, 1)] * len(materials)
        for index, material in enumerate(materials):
            if material.texture is not None:
                self.set_texture(index, material.texture)

    @property
    def is_textured(self) -> bool:
        """Whether any material has a texture."""
        return any(atlas is not None for atlas in self._atlases)

    def set_texture(self, material: int, texture: NDArray[np.float32]) -> None:
        """texture: (H, W, 3) float32 linear."""
        self._atlases[material] = None  # the old one goes before the new one comes
        self._atlases[material] = upload_image(pyramid_atlas(texture))
        self._sizes[material] = (texture.shape[1], texture.shape[0])

    def values(self, material: int) -> dict[str, object]:
        """What programs read of a material."""
        atlas, size = self._atlases[material], self._sizes[material]
        return {
            "base_colour": self._materials[material].colour,
            "atlas": atlas or self._none,  # never read where texture_levels is 0
            "texture_levels": 0 if atlas is None else level_count(size[1], size[0]),
            "atlas_size": size,
        }
