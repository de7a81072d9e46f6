# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images between files, Blender and arrays.

Arrays are (H, W, 4) float32, linear, premultiplied by alpha, row 0 at the bottom. Blender keeps pixels
of 8-bit images as stored (encoded, straight alpha) and pixels of float images as scene-linear and
premultiplied, unless they are data (Non-Color), which it leaves as stored.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.colour import SRGB_TABLE, linear_to_srgb, premultiplied, straight
from ..core.errors import FitError

if TYPE_CHECKING:
    import bpy

Array = NDArray[np.float32]

LINEAR_SPACES = ("Non-Color", "Raw", "Linear", "Linear Rec.709")
ROWS = 8  # decoded at once: what stays in the processor's cache
FLOAT_FORMATS = ("OPEN_EXR", "OPEN_EXR_MULTILAYER", "HDR")


def load_image(path: str | os.PathLike[str], colorspace: str = "srgb") -> tuple[Array, bool]:
    """Pixels (H, W, 4) of a file, and whether any of them is transparent.

    colorspace: 'srgb' or 'linear', of files that hold integers; EXR and HDR files are linear.
    Raises FitError where the file is missing or cannot be read.
    """
    import bpy

    path = os.path.abspath(path)
    if not os.path.isfile(path):
        raise FitError(f"Image '{path}' does not exist.")
    try:
        image = bpy.data.images.load(path, check_existing=False)
    except RuntimeError as error:
        raise FitError(f"Image '{path}' cannot be read: {error}") from error
    try:
        if image.file_format not in FLOAT_FORMATS:
            wanted = "sRGB" if colorspace == "srgb" else "Non-Color"
            if image.colorspace_settings.name != wanted:
                image.colorspace_settings.name = wanted  # before the first pixel: it would load them again
        array = image_to_array(image)
    finally:
        bpy.data.images.remove(image)
    return array, has_transparency(array)


def has_transparency(array: Array) -> bool:
    """Whether any pixel of (H, W, 4) has an alpha below 1."""
    return bool((array[..., 3] < 1.0).any())


def image_to_array(image: bpy.types.Image, camera: str = "", *, ignore_alpha: bool = False) -> Array:
    """Pixels (H, W, 4) of an image of the file; its own colour space and alpha mode decide.

    camera: whose image it is, for messages. ignore_alpha: as if there were none, where Blender has not
    multiplied by it already. Raises FitError where it has no pixels or a colour space that cannot be
    decoded here.
    """
    with freed_again(image):
        check_image(image, camera)
        pixels = stored_pixels(image)
        is_float = image.is_float
    height = len(pixels)
    name = image.colorspace_settings.name
    stored_straight = image.colorspace_settings.is_data and image.alpha_mode == "STRAIGHT"
    if ignore_alpha and (stored_straight or not is_float):
        pixels[..., 3] = 1.0
    if is_float:
        return premultiplied(pixels) if stored_straight else pixels
    for start in range(0, height, ROWS):
        _decode(pixels[start : start + ROWS], is_srgb=name == "sRGB")
    return pixels


@contextmanager
def freed_again(image: bpy.types.Image) -> Iterator[None]:
    """Afterwards, an image that was not in memory is not so again: hundreds of photos would fill it."""
    was_loaded = is_loaded(image)
    yield
    if not was_loaded:
        image.buffers_free()


def is_loaded(image: bpy.types.Image) -> bool:
    """In memory, or nowhere else."""
    return image.has_data or image.source != "FILE"


def stored_pixels(image: bpy.types.Image, *, keep_packed: bool = False) -> Array:
    """Pixels (H, W, 4) of a checked image as Blender keeps them; alpha is 1 where it is no coverage, but a
    fourth packed channel with ``keep_packed``."""
    width, height = image.size
    flat = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(flat)
    pixels = _four_channels(flat.reshape(height, width, -1))
    if image.alpha_mode == "NONE" or (image.alpha_mode == "CHANNEL_PACKED" and not keep_packed):
        pixels[..., 3] = 1.0
    return pixels


def check_image(image: bpy.types.Image, camera: str = "", kind: str = "image") -> None:
    """Raise FitError where ``image_to_array`` cannot read an image. Loads its file, decodes nothing.

    kind: "image", or "mask image", whose color space does not matter.
    """
    owner = f"Camera '{camera}': {kind} '{image.name}'" if camera else f"{kind.capitalize()} '{image.name}'"
    subject = camera or image.name
    if image.source not in ("FILE", "GENERATED"):
        raise FitError(
            f"{owner} is of source {image.source.title()}; only single images are supported.", subject=subject
        )
    width, height = image.size
    count = len(image.pixels)
    if count == 0 or count % max(1, width * height):
        where = f" ({image.filepath})" if image.filepath else ""
        raise FitError(
            f"{owner} has no pixels{where}: the file is missing or unreadable; find it and reload.",
            subject=subject,
        )
    name = image.colorspace_settings.name
    if kind == "image" and not image.is_float and name != "sRGB" and name not in LINEAR_SPACES:
        raise FitError(
            f"{owner} has the color space '{name}'; choose sRGB, or for linear values Linear Rec.709 "
            "or Non-Color.",
            subject=subject,
        )


def _decode(pixels: Array, *, is_srgb: bool) -> None:
    """8-bit values (rows, W, 4) with straight alpha to linear premultiplied ones, in place."""
    alpha = pixels[..., 3].copy()
    if is_srgb:
        # 8-bit values: a table is exact and much faster than the curve. Alpha goes through it too, because
        # arrays without gaps are fast.
        codes = (pixels * np.float32(255.0) + np.float32(0.5)).astype(np.uint8)
        np.take(SRGB_TABLE, codes, out=pixels, mode="clip")
        pixels[..., 3] = alpha
    if (alpha < 1.0).any():
        for channel in range(3):
            pixels[..., channel] *= alpha


def _four_channels(pixels: Array) -> Array:
    channels = pixels.shape[2]
    if channels == 4:
        return pixels
    result = np.ones((*pixels.shape[:2], 4), np.float32)
    result[..., :3] = pixels[..., :3] if channels == 3 else pixels[..., :1]
    if channels == 2:
        result[..., 3] = pixels[..., 1]
    return result


def array_to_image(
    name: str, array: Array, *, as_bytes: bool = False, is_data: bool = False
) -> bpy.types.Image:
    """A new packed image with the pixels (H, W, 4): 32-bit linear, or 8-bit with straight alpha, in sRGB
    unless they are data."""
    import bpy

    height, width = array.shape[:2]
    image = bpy.data.images.new(name, width, height, alpha=True, float_buffer=not as_bytes, is_data=is_data)
    if as_bytes:
        array = _encoded(array, encode_srgb=not is_data)
    else:
        # Linear is a role of every configuration, and its name differs between them.
        image.use_half_precision = False
        image.alpha_mode = "PREMUL"
    image.pixels.foreach_set(np.ascontiguousarray(array, dtype=np.float32).ravel())
    image.update()
    image.pack()
    return image


def save_png(
    path: str | os.PathLike[str],
    array: Array,
    *,
    encode_srgb: bool = True,
    is_straight: bool = False,
    depth: int = 8,
) -> None:
    """Write (H, W, 3) or (H, W, 4) as PNG with straight alpha; values beyond [0, 1] are clipped.

    encode_srgb: with the sRGB curve, else as they are. is_straight: the array is not multiplied by alpha.
    depth: bits of a channel, 8 or, without alpha, 16. Raises FitError where it cannot be written.
    """
    encoded = _encoded(array, encode_srgb=encode_srgb, is_straight=is_straight)
    _save(path, encoded, "PNG", alpha=array.shape[2] == 4, is_float=depth == 16)


def save_exr(path: str | os.PathLike[str], array: Array) -> None:
    """Write (H, W, 3) or (H, W, 4) as OpenEXR, linear and premultiplied, without loss."""
    _save(path, array, "OPEN_EXR", alpha=array.shape[2] == 4, is_float=True)


def _encoded(array: Array, *, encode_srgb: bool, is_straight: bool = False) -> Array:
    has_factor = array.shape[2] == 4 and not is_straight
    pixels = straight(array) if has_factor else np.array(array, dtype=np.float32)
    if encode_srgb:
        pixels[..., :3] = linear_to_srgb(pixels[..., :3])
    return np.clip(pixels, 0.0, 1.0, out=pixels)


def _save(
    path: str | os.PathLike[str], pixels: Array, file_format: str, *, alpha: bool, is_float: bool
) -> None:
    """Through an image that is data, whose values Blender writes as they are."""
    import bpy

    path = os.path.abspath(path)
    height, width = pixels.shape[:2]
    image = bpy.data.images.new("sge_save", width, height, alpha=alpha, float_buffer=is_float, is_data=True)
    try:
        image.use_half_precision = False
        image.pixels.foreach_set(np.ascontiguousarray(_four_channels(pixels), dtype=np.float32).ravel())
        image.filepath_raw = path
        image.file_format = file_format
        image.save()
    except RuntimeError as error:
        raise FitError(f"Image '{path}' cannot be written: {error}") from error
    finally:
        bpy.data.images.remove(image)
