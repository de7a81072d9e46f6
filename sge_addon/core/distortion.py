# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lens distortion, and images freed from it.

The model is OpenCV's. Points are on the plane at distance 1 before the camera, +x right, +y *down*, seen
from the principal point; pixels are focal lengths times such points. The model runs from the pinhole's
image to the photo, which is the direction that an undistorted pixel needs to find its source.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import FitError
from .view import View

Points = NDArray[np.floating[Any]]
Image = NDArray[np.float32]

SAMPLES = 2048  # of the radius, where a fold is looked for
BLOCK = 1 << 16  # pixels that are undistorted at once


@dataclass(frozen=True)
class Distortion:
    """What a lens does to the image of a pinhole.

    radial: k1, k2, k3, k4 of r², r⁴, r⁶, r⁸. tangential: p1, p2. divisor: OpenCV's k4, k5, k6 of r², r⁴, r⁶
    in the denominator of its rational model. fisheye: ``radial`` counts in the angle θ = atan r instead
    of r, and r becomes θ (1 + k1 θ² + ...); then there is neither ``tangential`` nor ``divisor``.
    """

    radial: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    tangential: tuple[float, float] = (0.0, 0.0)
    divisor: tuple[float, float, float] = (0.0, 0.0, 0.0)
    fisheye: bool = False

    def __post_init__(self) -> None:
        if not np.isfinite([*self.radial, *self.tangential, *self.divisor]).all():
            raise FitError(f"The lens distortion {astuple(self)} is not finite.")

    @property
    def is_none(self) -> bool:
        """Whether the photo is the pinhole's image already."""
        return not self.fisheye and not any((*self.radial, *self.tangential, *self.divisor))

    def distorted(self, x: Points, y: Points) -> tuple[Points, Points]:
        """Where the photo shows the points (x, y) of the pinhole's image: any shape, in their precision."""
        squared = x * x + y * y
        scale = self._scale(squared)
        p1, p2 = self.tangential
        if not (p1 or p2):
            return x * scale, y * scale
        product = 2.0 * x * y
        return (
            x * scale + p1 * product + p2 * (squared + 2.0 * x * x),
            y * scale + p1 * (squared + 2.0 * y * y) + p2 * product,
        )

    def check(self, view: View) -> None:
        """Raise FitError where the model folds the image of this camera onto itself."""
        reach = _reach(view)
        fold = self.fold(reach)
        if fold < reach and fold * float(self._scale(np.array(fold * fold))) < reach:
            raise FitError(
                f"Camera '{view.name}': its lens distortion folds the image onto itself, at "
                f"{fold / reach:.0%} of the way to the corner, and cannot be undone. Calibrate again with "
                "fewer coefficients, or undistort the images with the tool that gave them."
            )

    def fold(self, reach: float) -> float:
        """The smallest radius up to ``reach`` at which the model ceases to be one to one; else infinity.

        One to one means that its Jacobian stays positive definite. Its radial part has the eigenvalues
        d(r scale)/dr and scale; the tangential part takes away at most 6 |p| r.
        """
        radius = np.linspace(0.0, reach, SAMPLES + 1)
        with np.errstate(all="ignore"):
            scale = self._scale(radius * radius)
            slope = np.diff(radius * scale) * (SAMPLES / reach)
            least = np.minimum(slope, scale[1:]) - 6.0 * np.hypot(*self.tangential) * radius[1:]
        folded = ~(least > 0.0)  # NaN counts
        return float(radius[1:][folded.argmax()]) if folded.any() else np.inf

    def _scale(self, squared: Points) -> Points:
        """Distorted radius over radius, from the radius squared."""
        k1, k2, k3, k4 = self.radial
        if self.fisheye:
            radius = np.sqrt(squared)
            angle = np.arctan(radius)
            base = np.divide(angle, radius, out=np.ones_like(radius), where=radius > 1e-8)
            squared = angle * angle
            return base * (1.0 + squared * (k1 + squared * (k2 + squared * (k3 + squared * k4))))
        scale = 1.0 + squared * (k1 + squared * (k2 + squared * (k3 + squared * k4)))
        k4, k5, k6 = self.divisor
        if k4 or k5 or k6:
            scale = scale / (1.0 + squared * (k4 + squared * (k5 + squared * k6)))
        return scale


def undistort(image: Image, view: View, distortion: Distortion) -> tuple[Image, NDArray[np.bool_]]:
    """The pinhole's image of a distorted photo, and (H, W) which of its pixels the photo shows.

    image: (H, W, C) float32, row 0 at the bottom, of any resolution. view: the camera without the
    distortion; the result has the size of the image and this very camera. Bilinear, pixel centres at +0.5;
    pixels beyond the photo are 0. Works in blocks of rows. Raises FitError where the model folds.
    """
    distortion.check(view)
    height, width, channels = image.shape
    view = view.resized(width, height)
    focal_x, focal_y, center_x, center_y = view.intrinsics()
    fold = distortion.fold(_reach(view))
    source = np.ascontiguousarray(image, dtype=np.float32).reshape(-1, channels)
    result = np.empty((height, width, channels), np.float32)
    shown = np.empty((height, width), np.bool_)
    x = ((np.arange(width) + 0.5 - center_x) / focal_x).astype(np.float32)[None, :]  # (1, W)
    y = ((height - np.arange(height) - 0.5 - center_y) / focal_y).astype(np.float32)[:, None]  # (H, 1)
    step = max(1, BLOCK // width)
    for start in range(0, height, step):
        rows = slice(start, start + step)
        with np.errstate(all="ignore"):
            column, line = distortion.distorted(x, y[rows])  # (B, W)
            column = focal_x * column + (center_x - 0.5)
            line = (height - center_y - 0.5) - focal_y * line
        inside = (column >= -0.5) & (column <= width - 0.5) & (line >= -0.5) & (line <= height - 0.5)
        if fold < np.inf:
            inside &= x * x + y[rows] * y[rows] < fold * fold
        shown[rows] = inside
        result[rows] = _bilinear(
            source, width, height, np.where(inside, column, 0.0), np.where(inside, line, 0.0)
        )
        result[rows][~inside] = 0.0
    return result, shown


def _bilinear(source: Image, width: int, height: int, column: Points, row: Points) -> Image:
    """(B, W, C) of pixels (H W, C) at positions that are integers at pixel centres."""
    left, low = np.floor(column), np.floor(row)
    right_part, upper_part = (column - left)[..., None], (row - low)[..., None]
    columns = [np.clip(left + i, 0, width - 1).astype(np.intp) for i in (0, 1)]
    lines = [np.clip(low + i, 0, height - 1).astype(np.intp) * width for i in (0, 1)]
    lower, upper = (
        source[line + columns[0]] * (1.0 - right_part) + source[line + columns[1]] * right_part
        for line in lines
    )
    return np.asarray(lower * (1.0 - upper_part) + upper * upper_part, dtype=np.float32)


def _reach(view: View) -> float:
    """The distance of the farthest corner from the principal point, at distance 1 before the camera."""
    focal_x, focal_y, center_x, center_y = view.intrinsics()
    x = max(abs(center_x), abs(view.width - center_x)) / focal_x
    y = max(abs(center_y), abs(view.height - center_y)) / focal_y
    return float(np.hypot(x, y))
