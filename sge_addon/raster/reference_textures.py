# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""References on the GPU: uploaded on first use, the most recent kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gpu

from ..core.pixel_loss import covering_loss
from ..core.reference import Reference
from .tables import upload_image, with_alpha

_BUDGET_BYTES = 1 << 30  # half floats: 8 bytes a pixel; 500 views of 512 x 512


@dataclass(frozen=True, eq=False)
class ReferenceTextures:
    """A reference on the GPU, in half floats.

    colour: rgb, premultiplied; in place of alpha the ``covering_loss`` of the pixel, so that the loss
    pass fetches one texel. normal: rgb, or None where it has none.
    """

    colour: gpu.types.GPUTexture
    normal: gpu.types.GPUTexture | None
    has_alpha: bool


class ReferenceTextureCache:
    """Textures of the references, least recently used first out when the budget is full.

    match, loss: as in FitSettings.
    """

    def __init__(
        self,
        references: Sequence[Reference],
        match: tuple[str, ...],
        loss: str,
        budget: int = _BUDGET_BYTES,
    ) -> None:
        self._references = references
        self._match = match
        self._loss = loss
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

    def _upload(self, reference: Reference) -> ReferenceTextures:
        normal = None
        if reference.normal is not None:
            normal = upload_image(with_alpha(reference.normal), "RGBA16F")
        colour = reference.colour.copy()
        colour[..., 3] = covering_loss(reference, self._match, self._loss)
        return ReferenceTextures(upload_image(colour, "RGBA16F"), normal, reference.has_alpha)
