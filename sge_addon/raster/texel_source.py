# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stochastic gradients of texels: the pair of pictures and the estimator (the paper's mode)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.assembly import Assembly
from ..core.background import TRANSPARENT, Background
from ..core.lookups import UVBuffer
from ..core.pixel_loss import background_loss, weighted
from ..core.pixels import Image
from ..core.protocols import Estimate
from ..core.reference import Reference
from ..core.signs import sub_pixel_jitter
from ..core.stopwatch import Stopwatch
from ..core.texel_signs import TexelPerturbation, texel_sign_gradient
from ..core.texture_block import TexelAdam, Texture
from .fitted_surfaces import FittedSurfaces
from .reference_textures import ReferenceTextureCache

# Perturbation in linear colour, start and end. From 1/128 to 1/8 the texture task ends within 0.1 dB:
# a pixel's loss is nearly linear in its texels, so epsilon cancels.
EPSILON = (1.0 / 32.0, 1.0 / 128.0)


class TexelSource:
    """A core.protocols.GradientSource over the rasteriser; the shape stays as it is in both pictures.

    textures: by material of the assembly; TexelAdam blocks are fitted, others only read.
    """

    def __init__(
        self,
        surfaces: FittedSurfaces,
        assembly: Assembly,
        references: Sequence[Reference],
        textures: Sequence[Texture | None],
        loss: str,
        stopwatch: Stopwatch,
        background: Background = TRANSPARENT,
    ) -> None:
        self._surfaces = surfaces
        self._assembly = assembly
        self._references = references
        self._on_gpu = ReferenceTextureCache(references, ("colour",), loss, fold=False)
        self._fitted = {
            material: texture for material, texture in enumerate(textures) if isinstance(texture, TexelAdam)
        }
        self._loss = loss
        self._stopwatch = stopwatch
        self._background = background

    def estimate(self, view: int, seed: int, progress: float) -> Estimate:
        """Loss and texel gradients of one view, from one pair."""
        rasteriser = self._surfaces.updated()
        epsilon = EPSILON[0] * (EPSILON[1] / EPSILON[0]) ** progress
        perturbation = TexelPerturbation(seed, epsilon, tuple(self._fitted))
        reference = self._references[view]
        behind = self._background.behind(reference, seed)
        pair = rasteriser.texel_pair(
            reference.view,
            sub_pixel_jitter(seed),
            perturbation,
            self._on_gpu.get(view),
            self._loss,
            self._stopwatch,
            behind,
        )
        with self._stopwatch.stage("estimate"):
            plus, minus = (weighted(reference, losses) for losses in (pair.loss_plus, pair.loss_minus))
            seen = self._surfaces.as_at_start(pair.seen, rasteriser.assembly)
            gradients = self._gradients(plus - minus, seen, perturbation)
            total = plus.sum(dtype=np.float64) + minus.sum(dtype=np.float64)
            loss = 0.5 * float(total) / plus.size
            loss += background_loss(reference, ("colour",), self._loss, behind)
        return Estimate(loss, gradients)

    def _gradients(
        self, difference: Image, seen: UVBuffer, perturbation: TexelPerturbation
    ) -> dict[str, np.ndarray]:
        """Of the loss averaged over pixels and channels, (H, W, 3) by texture."""
        difference /= difference.size
        return {
            texture.name: texel_sign_gradient(
                difference,
                [seen],
                self._assembly.texture_of_triangle,
                material,
                texture.layout,
                perturbation.signs(material, texture.layout),
                perturbation.epsilon,
            )
            for material, texture in self._fitted.items()
        }
