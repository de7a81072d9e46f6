# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loss of a pixel: the mean over the channels of each thing matched, weighed and summed.

What a pixel counts, ``Reference.weight``, comes on top: the rasteriser's losses are without it, so that
references without weights cost nothing more.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .reference import Image, Reference

# Alpha differs by 1 where colours differ by a fraction: at full weight silhouettes drown the rest.
ALPHA_WEIGHT = 0.25


def distance(difference: Image, loss: str) -> NDArray[np.float32]:
    """(..., C) to (...): mean over channels of |x| ('l1') or x squared ('l2')."""
    return (np.abs(difference) if loss == "l1" else np.square(difference)).mean(axis=-1)


def pixel_loss(
    reference: Reference, colour: Image, normal: Image | None, match: tuple[str, ...], loss: str
) -> NDArray[np.float32]:
    """(H, W) float32 of a rendered picture: colour (H, W, 4) and normal (H, W, 3), premultiplied.

    Matches what the reference has, without its weight; as the loss pass of the rasteriser.
    """
    total = np.zeros(colour.shape[:2], np.float32)
    if "colour" in match:
        total += distance(colour[..., :3] - reference.colour[..., :3], loss)
    if "alpha" in match and reference.has_alpha:
        total += ALPHA_WEIGHT * distance(colour[..., 3:] - reference.colour[..., 3:], loss)
    if "normal" in match and reference.normal is not None and normal is not None:
        total += distance(normal - reference.normal, loss)
    return total


def covering_loss(reference: Reference, match: tuple[str, ...], loss: str) -> NDArray[np.float32]:
    """(H, W) float32: what covering a pixel costs besides the distances of colour and normal, less what
    leaving it empty costs; 0 where the silhouette is not known."""
    if not reference.has_alpha:
        return np.zeros(reference.colour.shape[:2], np.float32)
    empty = np.zeros_like(reference.colour)
    cost = -pixel_loss(reference, empty, empty[..., :3], match, loss)
    if "alpha" in match:
        cost += ALPHA_WEIGHT * distance(1.0 - reference.colour[..., 3:], loss)
    return cost


def background_loss(reference: Reference, match: tuple[str, ...], loss: str) -> float:
    """Mean over pixels of the weighted loss of an empty picture; 0 where the silhouette is not known."""
    if not reference.has_alpha:
        return 0.0
    empty = np.zeros_like(reference.colour)
    losses = pixel_loss(reference, empty, empty[..., :3], match, loss)
    return float(weighted(reference, losses).mean(dtype=np.float64))


def weighted(reference: Reference, losses: Image) -> Image:
    """Losses (H, W) or (H, W, C) times what their pixels count; themselves where all count alike."""
    if reference.weight is None:
        return losses
    return losses * reference.weight.reshape(reference.weight.shape + (1,) * (losses.ndim - 2))
