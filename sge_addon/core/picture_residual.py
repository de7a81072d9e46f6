# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rendered picture less its reference, as least squares take it.

Both are blurred by five pixels: without it, what aliases from one pixel to the next makes derivatives
of the picture so noisy that steps become much too short. Squares stand for the loss: with 'l2' as they
are, with other losses weighted down where a pixel's residual is large (Huber 1964), so that what the
model cannot show does not pull the camera along.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .background import TRANSPARENT, Background
from .colour import log_encoded_slope
from .pixel_loss import ALPHA_WEIGHT, encoded, is_outlined, over
from .pixels import Image
from .reference import Reference

Array = NDArray[np.float32]

KNEE = 0.05  # residual of a pixel, from which it counts by its size, not its square
BLUR = 2  # times three pixels with weights 1, 2, 1
EROSION = 3  # pixels from the surface's edge that say nothing where the silhouette is not known

_THIRD = np.float32(3.0**-0.5)  # the loss is a mean over channels


class PictureResidual:
    """Compares pictures with one reference. match, loss: as in FitSettings.

    A random background is not used: black and alpha say as much.
    """

    def __init__(
        self,
        reference: Reference,
        match: tuple[str, ...],
        loss: str,
        background: Background = TRANSPARENT,
    ) -> None:
        self._loss = loss
        self._behind = None if background.is_random else background.behind(reference)
        self._is_outlined = is_outlined(reference, self._behind)
        self._weight = reference.weight
        self._colour = over(reference.colour, self._behind) if "colour" in match else None
        self._alpha = reference.colour[..., 3:] if "alpha" in match and reference.has_alpha else None
        self._normal = reference.normal if "normal" in match else None

    @property
    def needs_normal(self) -> bool:
        """Whether pictures must come with normals."""
        return self._normal is not None

    def trust(self, colour: Image) -> Array | None:
        """(H, W): what each pixel of a picture counts; None where all count alike. Where nothing is known
        of what lies beside the object, only pixels well within it do."""
        if self._is_outlined:
            return self._weight
        inside = eroded(colour[..., 3] > 0.999).astype(np.float32)
        return inside if self._weight is None else inside * self._weight

    def residual(self, colour: Image, normal: Image | None, gain: Array, trust: Array | None) -> Array:
        """(C, P): scaled such that the squares of a pixel add up to its squared loss. P: all pixels."""
        planes = []
        if self._colour is not None:
            seen = over(self._gained(colour, gain), self._behind)
            if self._loss == "log_l1":  # encoded after the blur: in the dark it would magnify what aliases
                seen, target = (encoded(_smooth(image, trust), self._loss) for image in (seen, self._colour))
                planes.append((seen - target) * _THIRD)
            else:
                planes.append(_smooth((seen - self._colour) * _THIRD, trust))
        if self._alpha is not None:
            planes.append(_smooth((colour[..., 3:] - self._alpha) * np.float32(ALPHA_WEIGHT**0.5), trust))
        if self._normal is not None and normal is not None:
            planes.append(_smooth((normal - self._normal) * _THIRD, trust))
        return _flat(np.concatenate(planes, axis=-1))

    def by_log_gain(self, colour: Image, gain: Array, channels: int, trust: Array | None) -> list[Array]:
        """1 or 3 times (C, P): derivative of ``residual`` by the logarithm of the gain, one for all
        channels or one for each."""
        gained = self._gained(colour, gain)
        slope = _smooth(gained[..., :3] * _THIRD, trust)
        if self._loss == "log_l1":
            slope *= log_encoded_slope(_smooth(over(gained, self._behind), trust))
        count = (3 if self._colour is not None else 0) + (self._alpha is not None) + 3 * self.needs_normal
        columns = []
        for chosen in ([0, 1, 2],) if channels == 1 else ([0], [1], [2]):
            planes = np.zeros((*colour.shape[:2], count), np.float32)
            if self._colour is not None:
                planes[..., chosen] = slope[..., chosen]
            columns.append(_flat(planes))
        return columns

    def cost(self, residual: Array, trust: Array | None) -> float:
        """Mean of Huber's function of the pixels' residuals."""
        square = np.einsum("cp,cp->p", residual, residual)
        if self._loss != "l2":
            size = np.sqrt(square)
            square = np.where(size > KNEE, np.float32(2.0 * KNEE) * size - np.float32(KNEE**2), square)
        return float(square.sum(dtype=np.float64)) / _total(residual, trust)

    def weights(self, residual: Array, trust: Array | None) -> Array:
        """(P,): of squares whose sum touches ``cost`` at this residual, less a constant."""
        if self._loss == "l2":
            weights = np.ones(residual.shape[1], np.float32)
        else:
            size = np.sqrt(np.einsum("cp,cp->p", residual, residual))
            weights = np.float32(KNEE) / np.maximum(size, np.float32(KNEE))
        return weights / np.float32(_total(residual, trust))

    @staticmethod
    def _gained(colour: Image, gain: Array) -> Image:
        """(H, W, 4) with the colour times the gain; the background behind it is not multiplied."""
        return colour * np.append(gain, np.float32(1.0))


def eroded(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(H, W): pixels whose neighbours, EROSION pixels to every side, are all in the mask. The image's
    border takes nothing away."""
    for axis in (0, 1):
        for _ in range(EROSION):
            kept = mask.copy()
            low, high = [slice(None)] * 2, [slice(None)] * 2
            low[axis], high[axis] = slice(0, -1), slice(1, None)
            kept[tuple(low)] &= mask[tuple(high)]
            kept[tuple(high)] &= mask[tuple(low)]
            mask = kept
    return mask


def blurred(image: Image) -> Image:
    """(H, W, C): the mean with binomial weights over 5 x 5 pixels; borders are repeated."""
    for axis in (0, 1):
        for _ in range(BLUR):
            head, tail = [slice(None)] * 3, [slice(None)] * 3
            head[axis], tail[axis] = slice(0, 1), slice(-1, None)
            padded = np.concatenate([image[tuple(head)], image, image[tuple(tail)]], axis)
            head[axis], tail[axis] = slice(0, -1), slice(1, None)
            pairs = padded[tuple(head)] + padded[tuple(tail)]
            image = (pairs[tuple(head)] + pairs[tuple(tail)]) * np.float32(0.25)
    return image


def _smooth(image: Image, trust: Array | None) -> Image:
    """(H, W, C): weighed, then blurred, so that what does not count bleeds into nothing."""
    return blurred(image if trust is None else image * trust[..., None])


def _flat(image: Image) -> Array:
    """(H, W, C) to (C, P)."""
    return np.ascontiguousarray(image.reshape(-1, image.shape[-1]).T)


def _total(residual: Array, trust: Array | None) -> float:
    """What all pixels count together; never 0."""
    return residual.shape[1] if trust is None else max(float(trust.sum(dtype=np.float64)), 1e-30)
