# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pixels of an image as an Image Texture node puts them out, and as the maps of a material take them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.colour import SRGB_TABLE, premultiplied, straight
from ..core.errors import FitError
from ..core.material_maps import MAP_KINDS
from ..core.reference import resize_area
from .images import freed_again, stored_pixels
from .materials import check_texture
from .texture_chain import ImageSource

if TYPE_CHECKING:
    import bpy

Array = NDArray[np.float32]

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # Blender's, from a colour into a value
_SHORT = 1e-6


def node_outputs(node: bpy.types.ShaderNodeTexImage) -> Array:
    """(H, W, 4) float32, row 0 at the bottom: Color and Alpha as the node puts them out.

    As in EEVEE (Cycles differs in places): where Alpha is not linked, colour is multiplied by it, unless the
    image is data, packed by channels, or without alpha.
    Raises FitError where the image cannot be read, or is not finite.
    """
    image = node.image
    check_texture(image)
    with freed_again(image):
        pixels = stored_pixels(image, keep_packed=True)
        is_float = image.is_float
    if not np.isfinite(pixels).all():
        raise FitError(
            f"Image '{image.name}' contains NaN or infinite pixels; save it again.", subject=image.name
        )
    keeps_colour = image.colorspace_settings.is_data or image.alpha_mode in ("NONE", "CHANNEL_PACKED")
    is_premultiplied = is_float or image.alpha_mode == "PREMUL"
    if not is_float and is_premultiplied and not keeps_colour:
        pixels[..., :3] *= pixels[..., 3:]  # EEVEE takes 8 bits for straight, and multiplies them encoded
    if not is_float and image.colorspace_settings.name == "sRGB":
        codes = (pixels[..., :3] * np.float32(255.0) + np.float32(0.5)).astype(np.uint8)
        pixels[..., :3] = SRGB_TABLE[codes]
    if keeps_colour:
        return pixels
    if node.outputs["Alpha"].is_linked:
        return straight(pixels) if is_premultiplied else pixels
    return pixels if is_premultiplied else premultiplied(pixels)


def map_values(outputs: Array, source: ImageSource, name: str, *, flips_green: bool = False) -> Array:
    """(H, W, C) values of a map from what the source's node puts out, (H, W, 4).

    A single channel for a colour counts for all three, a colour for a single value as its luminance. Normals
    are decoded, with y turned about where ``flips_green``.
    """
    wanted = MAP_KINDS[name].channels
    values = outputs[..., list(source.channels)] * np.array(source.factor, np.float32)
    if wanted == 1 and values.shape[-1] == 3:
        values = (values @ _LUMINANCE)[..., None]
    elif wanted == 3 and values.shape[-1] == 1:
        values = np.repeat(values, 3, axis=-1)
    if name == "normal":
        values = 2.0 * values - 1.0
        if flips_green:
            values[..., 1] *= -1.0
    return np.ascontiguousarray(values, np.float32)


def resampled(values: Array, width: int, height: int, name: str) -> Array:
    """(H, W, C) of a map to another size, by area; normals unit length again."""
    values = resize_area(values, width, height)
    return unit(values) if name == "normal" else values


def unit(normals: Array) -> Array:
    """(..., 3) made unit length; what has none points straight out."""
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    flat = np.array([0.0, 0.0, 1.0], np.float32)
    return np.where(length > _SHORT, normals / np.maximum(length, _SHORT), flat).astype(np.float32)


def within_bounds(values: Array, name: str) -> Array:
    """Values of a map as a fit may hold them."""
    kind = MAP_KINDS[name]
    return np.clip(values, kind.low, kind.high).astype(np.float32)
