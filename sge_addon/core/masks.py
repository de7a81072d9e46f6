# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a mask, or an image's alpha, means: a known silhouette, or that what is outside does not count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .colour import straight
from .errors import FitError
from .pixels import Image
from .reference import check_mask, resize_area

# What each mode is called, and what it does, in the panel.
MASK_MODES = {
    "auto": (
        "Automatic",
        "Ignore Outside where there is a mask image, Match Silhouette where the image has transparent "
        "pixels, else None",
    ),
    "silhouette": (
        "Match Silhouette",
        "The mask image, or else the image's alpha, is the outline of the object: nothing of it lies outside",
    ),
    "ignore": (
        "Ignore Outside",
        "What the mask image, or else the image's alpha, leaves out is not looked at, such as something that "
        "stands before the object. With a mask image, the image's own alpha still says where the object is",
    ),
    "none": (
        "None",
        "Mask and alpha are ignored: the whole image is a picture of what the mesh covers, and its outline "
        "is not known",
    ),
}


@dataclass(frozen=True, eq=False)
class Masked:
    """What a Reference takes: colour (H, W, 4) premultiplied, has_alpha, weight (H, W) or None."""

    colour: Image
    has_alpha: bool
    weight: Image | None = None


def mask_of(pixels: Image) -> Image:
    """(H, W) in [0, 1] of the pixels (H, W, 4) of a mask image: its alpha where any of it is transparent,
    else the brightest channel, so scaled that the brightest pixel is 1 (some tools write 0 and 1 of 255)."""
    alpha = pixels[..., 3]
    mask = alpha if (alpha < 1.0).any() else pixels[..., :3].max(axis=2)
    brightest = mask.max(initial=0.0)
    return mask / brightest if 0.0 < brightest < np.inf and brightest != 1.0 else mask.copy()


def has_shape(size: tuple[int, int], of: tuple[int, int]) -> bool:
    """Whether (width, height) is the shape of another size, to within a pixel, whatever the resolution."""
    return abs(size[0] * of[1] - size[1] * of[0]) < max(of)


def fitted_mask(mask: Image, width: int, height: int) -> Image:
    """A mask (H, W) at an image's size; where its shape is another, unchanged for ``masked`` to refuse."""
    if mask.shape == (height, width) or not has_shape((mask.shape[1], mask.shape[0]), (width, height)):
        return mask
    return resize_area(mask[..., None], width, height)[..., 0]


def masked(colour: Image, mask: Image | None, mode: str, owner: str) -> Masked:
    """An image under one of MASK_MODES.

    colour: (H, W, 4) premultiplied by the image's own alpha. mask: (H, W) in [0, 1], None where there is
    none. owner: begins messages, as "Camera 'Left'". Raises FitError where the mask is of another size,
    broken or empty, or where there is no silhouette to match.
    """
    is_transparent = bool((colour[..., 3] < 1.0).any())
    if mode == "auto":
        mode = "ignore" if mask is not None else "silhouette" if is_transparent else "none"
    if mask is not None and mode != "none":
        check_mask(mask, (colour.shape[0], colour.shape[1]), owner)
    if mode == "silhouette":
        if mask is not None:
            return Masked(_opaque(colour) * mask[..., None], True)
        if not is_transparent:
            raise FitError(
                f"{owner}: there is no silhouette to match, because its image has neither transparent pixels "
                "nor a mask; give it a mask image, or choose Automatic or None (--mask auto or none)."
            )
        return Masked(colour, True)
    if mode == "none" or (mask is None and not is_transparent):
        return Masked(_opaque(colour), False)
    if mask is None:
        alpha = np.ascontiguousarray(colour[..., 3])
        check_mask(alpha, (colour.shape[0], colour.shape[1]), owner)
        return Masked(_opaque(colour), False, alpha)
    return Masked(colour, is_transparent, None if (mask >= 1.0).all() else mask)


def _opaque(colour: Image) -> Image:
    """Straight colour with an alpha of 1; black where nothing is left of it."""
    if (colour[..., 3] >= 1.0).all():
        return colour
    pixels = straight(colour)
    pixels[..., 3] = 1.0
    return pixels
