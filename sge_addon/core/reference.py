# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reference: a view and what should be seen through it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .errors import FitError
from .view import View, fitted_size

Image = NDArray[np.float32]
STRIP_VALUES = 1 << 20  # resampled at a time


@dataclass(frozen=True, eq=False)
class Reference:
    """What one camera should see.

    colour: (H, W, 4) float32, linear, premultiplied by alpha, row 0 at the bottom.
    has_alpha: the silhouette is known; otherwise alpha is 1 everywhere and pixels that the mesh
    does not cover say nothing.
    normal: (H, W, 3) float32 or None, world normal as 0.5 + 0.5 n, premultiplied by alpha.
    held_out: evaluated, never trained on.
    """

    view: View
    colour: Image
    has_alpha: bool
    normal: Image | None = None
    held_out: bool = False

    def __post_init__(self) -> None:
        size = (self.view.height, self.view.width)
        if self.colour.shape != (*size, 4):
            raise FitError(
                f"Reference '{self.view.name}': its image has shape {self.colour.shape}, its camera "
                f"{size[1]} x {size[0]} pixels."
            )
        if self.normal is not None and self.normal.shape != (*size, 3):
            raise FitError(f"Reference '{self.view.name}': normals and colour differ in size.")
        for label, image in (("image", self.colour), ("normals", self.normal)):
            if image is not None and not np.isfinite(image).all():
                raise FitError(
                    f"Reference '{self.view.name}': its {label} contain NaN or infinite pixels; save it again."
                )

    def resized(self, long_side: int) -> Reference:
        """This reference with at most ``long_side`` pixels on its longer side, averaged by area."""
        width, height = fitted_size(self.view.width, self.view.height, long_side)
        if (width, height) == (self.view.width, self.view.height):
            return self
        return replace(
            self,
            view=self.view.resized(width, height),
            colour=resize_area(self.colour, width, height),
            normal=None if self.normal is None else resize_area(self.normal, width, height),
        )


def resize_area(image: Image, width: int, height: int) -> Image:
    """Mean over the area of each new pixel: (H, W, C) to (height, width, C), exact for any ratio."""
    rows = _area_mean(image, height)
    return np.ascontiguousarray(_area_mean(rows.transpose(1, 0, 2), width).transpose(1, 0, 2))


def _area_mean(image: Image, size: int) -> Image:
    """Resample axis 0 through its running integral; fractional borders are weighted."""
    length, columns, channels = image.shape
    if length == size:
        return image
    edges = np.arange(size + 1) * (length / size)
    low = np.minimum(edges.astype(np.int64), length - 1)
    fraction = (edges - low)[:, None, None]
    result = np.empty((size, columns, channels), np.float32)
    # In strips, because the integral needs 64 bits and photos are large.
    strip = max(1, STRIP_VALUES // (length * channels))
    integral = np.zeros((length + 1, min(strip, columns), channels))
    for start in range(0, columns, strip):
        values = image[:, start : start + strip]
        part = integral[:, : values.shape[1]]
        np.cumsum(values, axis=0, dtype=np.float64, out=part[1:])
        at_edges = part[low] + fraction * (part[low + 1] - part[low])
        result[:, start : start + strip] = np.diff(at_edges, axis=0) * (size / length)
    return result
