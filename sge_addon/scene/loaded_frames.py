# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""References from frames on disk, one full-size image in memory at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from ..core.distortion import undistort
from ..core.errors import FitError
from ..core.frame import Frame
from ..core.masks import fitted_mask, mask_of, masked
from ..core.pixels import Image
from ..core.reference import Reference, resize_area
from ..core.view import fitted_size
from .images import load_image

OVERSAMPLING = 2  # pixels a side that are undistorted for each pixel of the reference
WHOLE = 1.0 - 1e-4  # a weight that is 1 but for rounding


def load_frames(
    frames: Iterable[Frame], colorspace: str, resolution: int, mask_mode: str = "auto"
) -> Iterator[Reference]:
    """The reference of each frame in turn: loaded, undistorted, scaled. Count them to show progress.

    colorspace: 'srgb' or 'linear', of files that hold integers. resolution: long side to which larger
    images are scaled. mask_mode: one of ``core.masks.MASK_MODES``. A pixel weighs as much as the photo
    shows of its area and the mask leaves of that; what weighs nothing is black. Raises FitError naming the
    frame whose image cannot be read, has another size, or leaves nothing to look at.
    """
    for frame in frames:
        yield load_frame(frame, colorspace, resolution, mask_mode)


def load_frame(frame: Frame, colorspace: str, resolution: int, mask_mode: str = "auto") -> Reference:
    """The reference of one frame; see ``load_frames``."""
    view = frame.view
    final = fitted_size(view.width, view.height, resolution)
    size = final
    if frame.distortion is not None:  # more pixels, because this looks up points, not areas
        size = fitted_size(view.width, view.height, OVERSAMPLING * max(final))
    mask = None if frame.mask is None else _load_mask(frame, frame.mask)
    colour = _load(frame, frame.image, colorspace)[0]
    normal = None if frame.normal_image is None else _load_normals(frame, frame.normal_image, colour)
    shown = masked(colour, mask, mask_mode, f"Reference '{view.name}'")
    del colour
    if shown.weight is None and frame.distortion is None:
        return Reference(
            view=view.resized(*final),
            colour=resize_area(shown.colour, *final),
            has_alpha=shown.has_alpha,
            normal=None if normal is None else resize_area(normal, *final),
        )
    # Multiplied by the weight before it is averaged, so that what does not count bleeds into nothing.
    weight = np.ones((1, 1, 1), np.float32) if shown.weight is None else shown.weight[..., None]
    layers = [shown.colour, *([] if normal is None else [normal])]
    layers = [resize_area(layer if weight.size == 1 else layer * weight, *size) for layer in layers]
    layers.append(resize_area(weight, *size))
    image = np.concatenate(layers, axis=2)  # (H, W, 5 or 8), the last the weight
    if frame.distortion is not None:
        image = resize_area(undistort(image, view, frame.distortion)[0], *final)
    weight = image[..., -1:].copy()
    is_partial = bool(weight.min() < WHOLE)
    if is_partial:
        np.divide(image, weight, out=image, where=weight > 0.0)
        np.minimum(image[..., 3], 1.0, out=image[..., 3])  # but for rounding, it is no more
    return Reference(
        view=view.resized(*final),
        colour=np.ascontiguousarray(image[..., :4]),
        has_alpha=shown.has_alpha,
        normal=None if normal is None else np.ascontiguousarray(image[..., 4:7]),
        weight=np.minimum(weight[..., 0], 1.0) if is_partial else None,
    )


def _load(frame: Frame, path: Path, colorspace: str) -> tuple[Image, bool]:
    """Pixels (H, W, 4) of one of the frame's images, and whether any of them is transparent."""
    pixels, has_alpha = load_image(path, colorspace)
    height, width = pixels.shape[:2]
    view = frame.view
    if (width, height) != (view.width, view.height):
        raise FitError(
            f"Reference '{view.name}': its image '{path.name}' has {width} x {height} pixels, its camera "
            f"{view.width} x {view.height}."
        )
    return pixels, has_alpha


def _load_normals(frame: Frame, path: Path, colour: Image) -> Image:
    """(H, W, 3) premultiplied: integer files carry their own alpha or are straight under the colour's."""
    pixels, has_alpha = _load(frame, path, "linear")
    if has_alpha or path.suffix.lower() == ".exr":
        return pixels[..., :3]
    return pixels[..., :3] * colour[..., 3:]


def _load_mask(frame: Frame, path: Path) -> Image:
    """(H, W) in [0, 1], scaled to the size of the frame's image."""
    mask = mask_of(load_image(path, "linear")[0])
    return fitted_mask(mask, frame.view.width, frame.view.height)
