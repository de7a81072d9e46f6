# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loss of a pixel: the mean over the channels of each thing matched, weighed and summed.

Losses of colours: 'l1' absolute, 'l2' squared, 'log_l1' absolute between log-encoded colours
(``colour.log_encoded``), in which a lamp weighs no more than what it lights. Alpha and normals are never
encoded. Picture and reference lie over the same background: (3,) linear, None for black of which
references without alpha know nothing (``Background.behind``).

What a pixel counts, ``Reference.weight``, comes on top: the rasteriser's losses are without it, so that
references without weights cost nothing more.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .colour import log_encoded
from .pixels import Image
from .reference import Reference

# Alpha differs by 1 where colours differ by a fraction: at full weight silhouettes drown the rest.
ALPHA_WEIGHT = 0.25


def distance(difference: Image, loss: str) -> NDArray[np.float32]:
    """(..., C) to (...): mean over channels of |x|, or of x squared ('l2')."""
    channels = np.float32(difference.shape[-1])
    return distances(difference, loss).sum(axis=-1) / channels  # half the time of mean, for few pixels


def distances(difference: Image, loss: str) -> Image:
    """Of each channel: |x|, or x squared ('l2'); any shape."""
    return np.square(difference) if loss == "l2" else np.abs(difference)


def encoded(colour: Image, loss: str) -> Image:
    """Linear colours, any shape, as the loss compares them."""
    return log_encoded(colour) if loss == "log_l1" else colour


def over(colour: Image, background: NDArray[np.float32] | None) -> Image:
    """(H, W, 4) premultiplied to the (H, W, 3) seen before a background."""
    if background is None:
        return colour[..., :3]
    return colour[..., :3] + (1.0 - colour[..., 3:]) * background


def is_outlined(reference: Reference, background: NDArray[np.float32] | None) -> bool:
    """Whether the reference says what an empty pixel costs."""
    return reference.has_alpha or background is not None


def pixel_loss(
    reference: Reference,
    colour: Image,
    normal: Image | None,
    match: tuple[str, ...],
    loss: str,
    background: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """(H, W) float32 of a rendered picture: colour (H, W, 4) and normal (H, W, 3), premultiplied.

    Matches what the reference has, without its weight; as the loss pass of the rasteriser.
    """
    total = np.zeros(colour.shape[:2], np.float32)
    if "colour" in match:
        seen, target = (encoded(over(image, background), loss) for image in (colour, reference.colour))
        total += distance(seen - target, loss)
    if "alpha" in match and reference.has_alpha:
        total += ALPHA_WEIGHT * distance(colour[..., 3:] - reference.colour[..., 3:], loss)
    if "normal" in match and reference.normal is not None and normal is not None:
        total += distance(normal - reference.normal, loss)
    return total


def empty_loss(
    reference: Reference, match: tuple[str, ...], loss: str, background: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """(H, W) float32: what leaving a pixel empty costs; 0 where the silhouette is not known."""
    empty = np.zeros_like(reference.colour)
    if not is_outlined(reference, background):
        return empty[..., 0]
    return pixel_loss(reference, empty, empty[..., :3], match, loss, background)


def covering_loss(
    reference: Reference, match: tuple[str, ...], loss: str, background: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """(H, W) float32: what covering a pixel costs besides the distances of colour and normal, less what
    leaving it empty costs; 0 where the silhouette is not known."""
    cost = -empty_loss(reference, match, loss, background)
    if "alpha" in match and reference.has_alpha:
        cost += ALPHA_WEIGHT * distance(1.0 - reference.colour[..., 3:], loss)
    return cost


def background_loss(
    reference: Reference, match: tuple[str, ...], loss: str, background: NDArray[np.float32] | None = None
) -> float:
    """Mean over pixels of the weighted loss of an empty picture; 0 where the silhouette is not known."""
    if not is_outlined(reference, background):
        return 0.0
    losses = weighted(reference, empty_loss(reference, match, loss, background))
    return float(losses.mean(dtype=np.float64))


def empty_colour_loss(reference: Reference, loss: str, background: NDArray[np.float32]) -> float:
    """The part of colour in ``background_loss``, where colour is matched: channel by channel, which is ten
    times faster, for backgrounds that change from step to step."""
    alpha = np.ascontiguousarray(reference.colour[..., 3])
    total = 0.0
    for channel, behind in enumerate(background):
        seen = reference.colour[..., channel] + (1.0 - alpha) * behind
        losses = distances(encoded(seen, loss) - encoded(behind, loss), loss)
        total += float(weighted(reference, losses).mean(dtype=np.float64))
    return total / 3.0


def weighted(reference: Reference, losses: Image) -> Image:
    """Losses (H, W) or (H, W, C) times what their pixels count; themselves where all count alike."""
    if reference.weight is None:
        return losses
    return losses * reference.weight.reshape(reference.weight.shape + (1,) * (losses.ndim - 2))
