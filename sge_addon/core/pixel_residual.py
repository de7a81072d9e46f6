# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pixels that surfaces cover should have shown, and how far each of them is to be believed.

Sources whose blocks step by residuals over curvatures share it: textures (``texture_source``) and the maps of
a material (``material_source``).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum

import numpy as np
from numpy.typing import NDArray

from .colour import log_encoded, log_encoded_slope
from .crew import share_pixels
from .pixel_loss import distances
from .reference import Reference
from .working_memory import WorkingMemory

Array = NDArray[np.float32]

# Residual, in linear colour, from which the l1 loss weighs a pixel down: an absolute difference is a
# squared one divided by its size (iteratively reweighted), and below this size a squared one.
KNEE = 0.05


@dataclass(frozen=True, eq=False)
class PixelResidual:
    """loss: mean over all pixels of the view. residual: (3, P), target less what is rendered.
    trust: (P,) or (3, P), what squared residuals weigh."""

    loss: float
    residual: Array
    trust: Array


def residual_of(
    reference: Reference,
    pixels: NDArray[np.int32],
    coverage: Array,
    rendered: Array,
    loss: str,
    is_opaque: bool = True,
    knee: float = KNEE,
) -> PixelResidual:
    """Compare a rendered view with its reference where surfaces are.

    pixels: (P,) flat indices of the covered ones. coverage: (P,) in (0, 1], how much of them is covered.
    rendered: (3, P) linear, premultiplied. loss: as in FitSettings; the background plays no part.
    is_opaque: the reference's alpha says how much of a pixel is covered, not how much shines through.
    knee: as KNEE.
    """
    colours, weights = reference.colour.reshape(-1, 4), reference.weight
    outlines = reference.has_alpha and is_opaque
    residual = np.empty_like(rendered)
    trust = np.empty(rendered.shape if loss == "log_l1" else len(pixels), np.float32)
    errors: list[float] = []

    def work(block: slice, _: WorkingMemory) -> None:
        target = np.ascontiguousarray(colours.take(pixels[block], axis=0).T)  # (4, B)
        error, found, trusted = _compared(target, rendered[:, block], coverage[block], outlines, loss, knee)
        if weights is not None:
            weight = weights.ravel().take(pixels[block])
            error *= weight
            trusted = trusted * weight
        errors.append(error.sum(dtype=np.float64))
        residual[:, block], trust[..., block] = found, trusted

    share_pixels(len(pixels), work)
    mean = fsum(errors) / (3.0 * reference.view.height * reference.view.width)
    return PixelResidual(mean, residual, trust)


def _compared(
    target: Array, rendered: Array, coverage: Array, outlines: bool, loss: str, knee: float
) -> tuple[Array, Array, Array]:
    """Error (3, P), residual (3, P) and trust (P,) or (3, P), before weights. target: (4, P). outlines: alpha
    tells where they are."""
    difference = target[:3] - rendered
    if loss == "log_l1":
        error = np.abs(log_encoded(target[:3]) - log_encoded(rendered))
    else:
        error = distances(difference, loss)
    if outlines:
        # The reference's own coverage was sampled otherwise: compare colours, not edges, and trust
        # them by how much of the pixel both sides fill.
        alpha = target[3]
        residual = target[:3] * (coverage / np.maximum(alpha, np.float32(0.25) * coverage))
        residual -= rendered
        trust = np.square(np.square(alpha * coverage))
    else:
        residual = difference
        trust = (coverage > 0.999).astype(np.float32)
    if loss == "l1":
        trust = trust / np.maximum(np.abs(residual).max(axis=0) / np.float32(knee), 1.0)
    elif loss == "log_l1":
        trust = trust * log_trust(rendered, residual, knee)
    return error, residual, trust


def log_trust(rendered: Array, residual: Array, knee: float = KNEE) -> Array:
    """What squared residuals t - v weigh to have the gradient of log-encoded absolute ones: (3, P).

    Relative to e'(v)^2, which all pixels that read a texel have in common; with s the slope of the chord from
    v to t, that is s / e'(v) / |e(t) - e(v)|.
    """
    difference = np.abs(log_encoded(rendered + residual) - log_encoded(rendered))
    size = np.abs(residual)
    slope = log_encoded_slope(rendered)
    chord = np.divide(difference, size, out=slope.copy(), where=size > 1e-6)
    return chord / slope / np.maximum(difference.max(axis=0) / np.float32(knee), 1.0)
