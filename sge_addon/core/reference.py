# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reference: a view and what should be seen through it."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from enum import Enum
from itertools import pairwise

import numpy as np

from .errors import FitError
from .pixel_store import PixelStore
from .pixels import Image, Indices, Pixels, PlainPixels
from .view import View, fitted_size


class _Given(Enum):
    """In place of arrays: those that are there."""

    GIVEN = 0


_GIVEN = _Given.GIVEN


@dataclass(frozen=True, eq=False, init=False)
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
    pixels: where colour, normal and weight lie. From there they may be read anew whenever they are asked
    for: nobody should ask for one pixel, nor hold them for longer than a step. Others where pixels differ.
    """

    view: View
    pixels: Pixels
    has_alpha: bool
    held_out: bool
    camera: int
    engine: str

    def __init__(
        self,
        view: View,
        colour: Image | _Given = _GIVEN,
        has_alpha: bool = False,
        normal: Image | _Given | None = _GIVEN,
        held_out: bool = False,
        weight: Image | _Given | None = _GIVEN,
        camera: int = 0,
        engine: str = "",
        pixels: Pixels | None = None,
    ) -> None:
        """pixels: of another reference, in which the arrays that are given take the place of others, so
        that ``dataclasses.replace`` takes every one of these names."""
        if pixels is None:
            if colour is _GIVEN:
                raise TypeError("a reference needs colour, or pixels")
            pixels = PlainPixels(colour, *(None if each is _GIVEN else each for each in (normal, weight)))
            _check(pixels, view)
        elif colour is not _GIVEN or normal is not _GIVEN or weight is not _GIVEN:
            pixels = PlainPixels(
                pixels.colour if colour is _GIVEN else colour,
                pixels.normal if normal is _GIVEN else normal,
                pixels.weight if weight is _GIVEN else weight,
            )
            _check(pixels, view)
        elif pixels.size != (view.height, view.width):
            raise FitError(_other_size(view, (*pixels.size, 4)))
        values = (view, pixels, has_alpha, held_out, camera, engine)
        for field, value in zip(fields(self), values, strict=True):
            object.__setattr__(self, field.name, value)

    @property
    def colour(self) -> Image:
        """(H, W, 4)"""
        return self.pixels.colour

    @property
    def normal(self) -> Image | None:
        """(H, W, 3)"""
        return self.pixels.normal

    @property
    def weight(self) -> Image | None:
        """(H, W)"""
        return self.pixels.weight

    def colour_at(self, at: Indices) -> Image:
        """(N, 4): colours at flat indices (N,), for little where they are few."""
        return self.pixels.colour_at(at)

    def normal_at(self, at: Indices) -> Image | None:
        """(N, 3), likewise."""
        return self.pixels.normal_at(at)

    @property
    def has_normal(self) -> bool:
        """Whether there are normals; reads none."""
        return self.pixels.has_normal

    def stored(self, store: PixelStore) -> Reference:
        """The same with its pixels where the store keeps them."""
        if not isinstance(self.pixels, PlainPixels):
            return self
        return replace(self, pixels=store.kept(self.pixels, f"Reference '{self.view.name}'"))

    def divided(self, factors: Image) -> Reference:
        """The same with its colours divided by (4,)."""
        return replace(self, pixels=self.pixels.divided(factors))

    def resized(self, long_side: int) -> Reference:
        """This reference with at most ``long_side`` pixels on its longer side, averaged by area."""
        width, height = fitted_size(self.view.width, self.view.height, long_side)
        if (width, height) == (self.view.width, self.view.height):
            return self
        own = self.weight
        weight = None if own is None else resize_area(own[..., None], width, height)

        def resized(image: Image) -> Image:
            if own is None or weight is None:
                return resize_area(image, width, height)
            # What does not count shall not bleed into what does.
            counted = resize_area(image * own[..., None], width, height)
            return np.divide(counted, weight, out=np.zeros_like(counted), where=weight > 0.0)

        normal = self.normal
        pixels = PlainPixels(
            resized(self.colour),
            None if normal is None else resized(normal),
            None if weight is None else np.minimum(weight[..., 0], 1.0),
        )
        view = self.view.resized(width, height)
        _check(pixels, view)
        return replace(self, view=view, pixels=self.pixels.kept(pixels))


def _check(pixels: PlainPixels, view: View) -> None:
    """Raise FitError for pixels that cannot be what the view should see."""
    size = (view.height, view.width)
    if pixels.colour.shape != (*size, 4):
        raise FitError(_other_size(view, pixels.colour.shape))
    if pixels.normal is not None and pixels.normal.shape != (*size, 3):
        raise FitError(f"Reference '{view.name}': normals and colour differ in size.")
    for label, image in (("image contains", pixels.colour), ("normals contain", pixels.normal)):
        if image is not None and not np.isfinite(image).all():
            raise FitError(f"Reference '{view.name}': its {label} NaN or infinite pixels; save it again.")
    if pixels.weight is not None:
        check_mask(pixels.weight, size, f"Reference '{view.name}'")


def _other_size(view: View, shape: tuple[int, ...]) -> str:
    size = f"{view.width} x {view.height}"
    return f"Reference '{view.name}': its image has shape {shape}, its camera {size} pixels."


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
    """Mean over the area of each new pixel: (H, W, C) to (height, width, C), exact for any ratio; the image
    itself where it has that size."""
    if image.shape[:2] == (2 * height, 2 * width):  # a tenth of the time of the general case
        halved = image[::2, ::2] + image[1::2, ::2]
        halved += image[::2, 1::2]
        halved += image[1::2, 1::2]
        halved *= np.float32(0.25)
        return halved
    rows = _area_mean(image, height)
    if image.shape[1] == width:
        return np.ascontiguousarray(rows)
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
