# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mask images of references: where they are kept, and their pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..core.errors import FitError
from ..core.masks import fitted_mask, has_shape, mask_of
from ..core.pixels import Image
from .images import check_image, stored_pixels

if TYPE_CHECKING:
    import bpy

MASK_IMAGE = "sge_mask_image"  # on the camera's data: the mask of its background image


def mask_image(camera: bpy.types.Object) -> bpy.types.Image | None:
    """The mask image that came with a camera, None where there is none."""
    return camera.data.get(MASK_IMAGE)


def read_mask(image: bpy.types.Image, camera: str, size: tuple[int, int]) -> Image:
    """(H, W) in [0, 1]: a mask image's values as stored, scaled to the (width, height) of what it masks.

    camera: whose it is, for messages. Raises FitError as ``check_mask_image`` does.
    """
    check_mask_image(image, camera, size)
    return fitted_mask(mask_of(stored_pixels(image)), *size)


def check_mask_image(image: bpy.types.Image, camera: str, size: tuple[int, int]) -> None:
    """Raise FitError where a mask cannot be read, or has another shape than the (width, height) of the image
    that it masks. Decodes nothing."""
    check_image(image, camera, kind="mask image")
    if not has_shape(tuple(image.size), size):
        raise FitError(
            f"Camera '{camera}': its mask image '{image.name}' has {image.size[0]} x {image.size[1]} pixels, "
            f"its background image {size[0]} x {size[1]}; choose the mask that belongs to the image.",
            subject=camera,
        )


def mask_pixels(weight: Image) -> Image:
    """(H, W) as the opaque grey (H, W, 4) of a mask image."""
    return np.stack([weight, weight, weight, np.ones_like(weight)], axis=-1)
