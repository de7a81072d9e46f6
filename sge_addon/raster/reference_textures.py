# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""References on the GPU: uploaded on first use, the most recent kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gpu
import numpy as np

from ..core.background import TRANSPARENT, Background
from ..core.memory_budget import REFERENCE_TEXTURES
from ..core.pixel_loss import covering_loss, encoded, over
from ..core.pixels import Pixels
from ..core.reference import Reference
from .tables import upload_image, with_alpha

_BRIGHTEST = 65504.0  # that a half float holds: beyond, losses would be infinite


@dataclass(frozen=True, eq=False)
class ReferenceTextures:
    """A reference on the GPU, in half floats.

    colour: folded, rgb over the background and as the loss compares it, and in place of alpha the
    ``covering_loss`` of the pixel, so that the loss pass fetches one texel; else rgb linear and
    premultiplied, and alpha. normal: rgb, or None where it has none or none are matched.
    """

    colour: gpu.types.GPUTexture
    normal: gpu.types.GPUTexture | None
    is_folded: bool
    has_alpha: bool


class ReferenceTextureCache:
    """Textures of the references, least recently used first out when the budget is full.

    match, loss: as in FitSettings. background: before which they are seen; they are folded where it
    stays the same or does not matter, unless ``fold`` is off. references: a list whose members may be
    replaced; textures follow where the pixels are others.
    """

    def __init__(
        self,
        references: Sequence[Reference],
        match: tuple[str, ...],
        loss: str,
        background: Background = TRANSPARENT,
        fold: bool = True,
        budget: int = REFERENCE_TEXTURES,
    ) -> None:
        self._references = references
        self._match = match
        self._loss = loss
        self._background = background
        self._fold = fold
        self._budget = budget
        self._textures: dict[int, ReferenceTextures] = {}
        self._uploaded: dict[int, Pixels] = {}
        self._bytes = 0

    def get(self, index: int) -> ReferenceTextures:
        """The textures of one reference."""
        textures = self._textures.pop(index, None)
        if textures is not None and self._uploaded[index] is not self._references[index].pixels:
            self._bytes -= self._size(index)
            textures = None
        if textures is None:
            self._uploaded[index] = self._references[index].pixels
            textures = self._upload(self._references[index])
            self._bytes += self._size(index)
            while self._bytes > self._budget and self._textures:
                oldest = next(iter(self._textures))
                del self._textures[oldest], self._uploaded[oldest]
                self._bytes -= self._size(oldest)
        self._textures[index] = textures
        return textures

    def _size(self, index: int) -> int:
        reference = self._references[index]
        has_normal = reference.has_normal and "normal" in self._match
        return reference.view.width * reference.view.height * (16 if has_normal else 8)

    def _upload(self, reference: Reference) -> ReferenceTextures:
        shown = reference.normal if "normal" in self._match else None
        normal = None if shown is None else upload_image(with_alpha(shown), "RGBA16F")
        del shown
        colour = reference.colour.copy()
        behind = self._background.behind(reference)
        changes = self._background.is_random and behind is not None and "colour" in self._match
        folds = self._fold and not changes
        if folds:
            colour[..., :3] = encoded(over(reference.colour, behind), self._loss)
            colour[..., 3] = covering_loss(reference, self._match, self._loss, behind)
        np.clip(colour, -_BRIGHTEST, _BRIGHTEST, out=colour)
        return ReferenceTextures(upload_image(colour, "RGBA16F"), normal, folds, reference.has_alpha)
