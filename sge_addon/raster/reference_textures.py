# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""References on the GPU: uploaded on first use, the most recent kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gpu

from ..core.reference import Reference
from .tables import upload_image, with_alpha

_BUDGET_BYTES = 1 << 30  # half floats: 8 bytes a pixel; 500 views of 512 x 512


@dataclass(frozen=True, eq=False)
class ReferenceTextures:
    """A reference on the GPU, in half floats. normal is None where it has none."""

    colour: gpu.types.GPUTexture
    normal: gpu.types.GPUTexture | None
    has_alpha: bool


class ReferenceTextureCache:
    """Textures of the references, least recently used first out when the budget is full."""

    def __init__(self, references: Sequence[Reference], budget: int = _BUDGET_BYTES) -> None:
        self._references = references
        self._budget = budget
        self._textures: dict[int, ReferenceTextures] = {}
        self._bytes = 0

    def get(self, index: int) -> ReferenceTextures:
        """The textures of one reference."""
        textures = self._textures.pop(index, None)
        if textures is None:
            textures = self._upload(self._references[index])
            self._bytes += self._size(index)
            while self._bytes > self._budget and self._textures:
                oldest = next(iter(self._textures))
                del self._textures[oldest]
                self._bytes -= self._size(oldest)
        self._textures[index] = textures
        return textures

    def _size(self, index: int) -> int:
        reference = self._references[index]
        return reference.view.width * reference.view.height * (8 if reference.normal is None else 16)

    @staticmethod
    def _upload(reference: Reference) -> ReferenceTextures:
        normal = None
        if reference.normal is not None:
            normal = upload_image(with_alpha(reference.normal), "RGBA16F")
        return ReferenceTextures(upload_image(reference.colour, "RGBA16F"), normal, reference.has_alpha)
