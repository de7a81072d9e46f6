# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reference: a view and what should be seen through it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .errors import FitError
from .view import View, fitted_size

Image = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Reference:
    """What one camera should see.

    colour: (H, W, 4) float32, linear, premultiplied by alpha, row 0 at the bottom.
    has_alpha: the silhouette is known; otherwise alpha is 1 everywhere and pixels that the mesh
    does not cover say nothing.
    normal: (H, W, 3) float32 or None, world normal as 0.5 + 0.5 n, premultiplied by alpha.
    held_out: evaluated, never trained on.
    weight: (H, W) float32 in [0, 1], how much each pixel counts; None where all count alike.
    camera: session id of Blender's camera that the view was read from, 0 where there is none.
    engine: what rendered it, 'eevee' or 'cycles'; "" where it is a photo, our own or unknown.
    """

    view: View
    colour: Image
    has_alpha: bool
    normal: Image | None = None
    held_out: bool = False
    weight: Image | None = None
    camera: int = 0
    engine: str = ""

    def __post_init__(self) -> None:
        size = (self.view.height, self.view.width)
        if self.colour.shape != (*size, 4):
            raise FitError(
                f"Reference '{self.view.name}': its image has shape {self.colour.shape}, its camera "
                f"{size[1]} x {size[0]} pixels."
            )
        if self.normal is not None and self.normal.shape != (*size, 3):
            raise FitError(f"Reference '{self.view.name}': normals and colour differ in size.")
        for label, image in (("image contains", self.colour), ("normals contain", self.normal)):
            if image is not None and not np.isfinite(image).all():
                raise FitError(
                    f"Reference '{self.view.name}': its {label} NaN or infinite pixels; save it again."
                )
        if self.weight is not None:
            check_mask(self.weight, size, f"Reference '{self.view.name}'")

    def resized(self, long_side: int) -> Reference:
        """This reference with at most ``long_side`` pixels on its longer side, averaged by area."""
        width, height = fitted_size(self.view.width, self.view.height, long_side)
        if (width, height) == (self.view.width, self.view.height):
            return self
        weight = None if self.weight is None else resize_area(self.weight[..., None], width, height)

        def resized(image: Image) -> Image:
            if self.weight is None or weight is None:
                return resize_area(image, width, height)
            # What does not count shall not bleed into what does.
            counted = resize_area(image * self.weight[..., None], width, height)
            return np.divide(counted, weight, out=np.zeros_like(counted), where=weight > 0.0)

        return replace(
            self,
            view=self.view.resized(width, height),
            colour=resized(self.colour),
            normal=None if self.normal is None else resized(self.normal),
            weight=None if weight is None else np.minimum(weight[..., 0], 1.0),
        )


def check_mask(mask: Image, size: tuple[int, int], owner: str) -> None:
    """Refuse what cannot be a mask of an image of ``size`` (H, W), or leaves nothing of it.

    owner: begins the message, as "Camera 'Left'".
    """
    if mask.shape != size:
        found = " x ".join(str(length) for length in mask.shape[::-1])
        raise FitError(
            f"{owner}: its mask has {found} pixels, its image {size[1]} x {size[0]}; give a mask of the "
            "image's size."
        )
    if not np.isfinite(mask).all() or mask.min() < 0.0 or mask.max() > 1.0 + 1e-5:
        raise FitError(
            f"{owner}: its mask contains NaN, infinite or other values beyond 0 and 1; save it again in "
            "black and white."
        )
    if not mask.any():
        raise FitError(
            f"{owner}: its mask is black everywhere, so that no pixel counts; invert it, or leave it out."
        )


def resize_area(image: Image, width: int, height: int) -> Image:
    """Mean over the area of each new pixel: (H, W, C) to (height, width, C), exact for any ratio."""
    rows = _area_mean(image, height)
    columns = np.ascontiguousarray(rows.transpose(1, 0, 2))  # half the time of a view
    return np.ascontiguousarray(_area_mean(columns, width).transpose(1, 0, 2))


def _area_mean(image: Image, size: int) -> Image:
    """Resample axis 0: the mean of the rows that a new row covers, those at its ends in part."""
    length = image.shape[0]
    if length == size:
        return image
    edges = np.minimum(np.arange(size + 1) * (length / size), length)
    result = np.empty((size, *image.shape[1:]), np.float32)
    for index, (start, end) in enumerate(pairwise(edges.tolist())):
        low, high = int(start), math.ceil(end)
        total = image[low:high].sum(axis=0)
        total -= (start - low) * image[low]
        total -= (high - end) * image[high - 1]
        result[index] = total / (end - start)
    return result
