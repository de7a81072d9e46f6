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
from ..core.reference import Image, Reference, resize_area
from ..core.view import fitted_size
from .images import load_image

OVERSAMPLING = 2  # pixels a side that are undistorted for each pixel of the reference
WHOLE = 1.0 - 1e-4  # of a pixel's area that must be shown and unmasked for it to count


def load_frames(frames: Iterable[Frame], colorspace: str, resolution: int) -> Iterator[Reference]:
    """The reference of each frame in turn: loaded, undistorted, scaled. Count them to show progress.

    colorspace: 'srgb' or 'linear', of files that hold integers. resolution: long side to which larger
    images are scaled. Raises FitError naming the frame whose image cannot be read or has another size.
    """
    for frame in frames:
        yield load_frame(frame, colorspace, resolution)[0]


def load_frame(frame: Frame, colorspace: str, resolution: int) -> tuple[Reference, Image | None]:
    """The reference of one frame, and (H, W) how much each of its pixels counts, None where all do.

    A pixel counts, with 1, where a distorted photo shows all of it and the mask leaves all of it; else with
    0. What the photo does not show is black.
    """
    view = frame.view
    final = fitted_size(view.width, view.height, resolution)
    size = final
    if frame.distortion is not None:  # more pixels, because this looks up points, not areas
        size = fitted_size(view.width, view.height, OVERSAMPLING * max(final))
    colour, has_alpha = _load(frame, frame.image, colorspace)
    normal = None if frame.normal_image is None else _load_normals(frame, frame.normal_image, colour)
    layers = [resize_area(colour, *size)]
    del colour
    if normal is not None:
        layers.append(resize_area(normal, *size))
    counts = np.ones((size[1], size[0], 1), np.float32)
    if frame.mask is not None:
        mask, _ = load_image(frame.mask, "linear")
        # Like COLMAP and nerfstudio: whatever is not black counts.
        brightest = np.maximum(np.maximum(mask[..., 0], mask[..., 1]), mask[..., 2])
        counts = resize_area((brightest > 0.0).astype(np.float32)[..., None], *size)
    layers.append(counts)
    image = np.concatenate(layers, axis=2)  # (H, W, 5 or 8)
    if frame.distortion is not None:
        image, shown = undistort(image, view, frame.distortion)
        image[~shown] = 0.0
        image = resize_area(image, *final)
    reference = Reference(
        view=view.resized(*final),
        colour=np.ascontiguousarray(image[..., :4]),
        has_alpha=has_alpha,
        normal=None if normal is None else np.ascontiguousarray(image[..., 4:7]),
    )
    if frame.mask is None and frame.distortion is None:
        return reference, None
    return reference, (image[..., -1] >= WHOLE).astype(np.float32)


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
