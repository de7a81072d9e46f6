# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the samples of a view's pixels look up: which triangle, where in its texture, at which mip level.

Either every sample was drawn, or only the pixels' centres were, with the slopes of their UVs: then samples
about a centre lie where its slopes lead. That is one draw instead of one for each sample, and right but
where a pixel's samples are of different pieces of surface.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .picture_area import Area

Array = NDArray[np.float32]
Offset = tuple[float, float]

# Neighbouring pixels are of one piece of surface where their UVs differ by what the slope foretells, within
# this share of the longest slope.
LIKE_SLOPE = 0.5


@dataclass(frozen=True, eq=False)
class UVBuffer:
    """What one unperturbed, jittered rasterisation of a view gives at s x s samples a pixel.

    ids: (sH, sW) uint32, 0 for background, triangle + 1 over all surfaces.
    uv: (sH, sW, 2) float32, as interpolated (not wrapped).
    level: (sH, sW) float32, log2 of the texels of that triangle's texture per sample spacing, along
    the larger of the two screen axes; may be negative.
    samples: s.
    shade: (sH, sW, 3) float32, factor from base colour to pixel colour; None where it is 1 (unlit).
    slopes: (sH, sW, 4) float32: du/dx, dv/dx, du/dy, dv/dy over the grid of samples; None where not drawn.
    area: of the picture, that these are of; None for the whole, and where s is not 1.
    """

    ids: NDArray[np.uint32]
    uv: Array
    level: Array
    samples: int
    shade: Array | None = None
    slopes: Array | None = None
    area: Area | None = None

    @property
    def image_size(self) -> tuple[int, int]:
        """(H, W) in pixels, of the area."""
        return self.ids.shape[0] // self.samples, self.ids.shape[1] // self.samples

    @cached_property
    def covered(self) -> Lookups:
        """Those of all pixels of which a sample shows something."""
        return drawn_lookups([self], covered_pixels(self))


@dataclass(frozen=True, eq=False)
class Lookups:
    """S samples of each of P pixels.

    pixels: (P,) intp, flat indices in the area that was drawn. ids: (S, P). u, v: (S, P). level: (S, P), log2
    of texels per spacing of all samples. shade: (3, S, P) or None. The last four are undefined where ids are
    0. Of ids, level and shade there may be one for all samples of a pixel.
    """

    pixels: NDArray[np.intp]
    ids: NDArray[np.uint32]
    u: Array
    v: Array
    level: Array
    shade: Array | None = None


def by_sample(plane: NDArray[Any], samples: int) -> NDArray[Any]:
    """Samples grouped by their place in the pixel: (sH, sW, ...) to (s s, H W, ...)."""
    height, width = plane.shape[0] // samples, plane.shape[1] // samples
    split = plane.reshape(height, samples, width, samples, *plane.shape[2:])
    return np.moveaxis(split, (1, 3), (0, 1)).reshape(samples * samples, height * width, *plane.shape[2:])


def covered_pixels(buffer: UVBuffer) -> NDArray[np.intp]:
    """(P,) flat indices, in the area, of the pixels of which a sample shows something."""
    seen = buffer.ids != 0  # which is searched four times as fast as the IDs
    return np.flatnonzero(seen if buffer.samples == 1 else by_sample(seen, buffer.samples).any(axis=0))


def drawn_lookups(buffers: Iterable[UVBuffer], pixels: NDArray[np.intp]) -> Lookups:
    """The samples of ``pixels``, all drawn, in one buffer or spread over several of the same size.

    A buffer is done with before the next is asked for.
    """
    ids, u, v, level = [], [], [], []
    shade: list[Array] = []
    parts = 0
    for buffer in buffers:
        where = pixels[None]
        if buffer.samples > 1:
            grid = np.arange(buffer.ids.size, dtype=np.intp).reshape(buffer.ids.shape)
            where = by_sample(grid, buffer.samples)[:, pixels]
        uv = buffer.uv.reshape(-1, 2)
        ids.append(buffer.ids.reshape(-1)[where])
        u.append(uv[:, 0][where])
        v.append(uv[:, 1][where])
        level.append(buffer.level.reshape(-1)[where])
        if buffer.shade is not None:
            channels = buffer.shade.reshape(-1, 3)
            shade.append(np.stack([channels[:, channel][where] for channel in range(3)]))
        parts += 1
    levels = np.concatenate(level)
    # Samples spread over several buffers lie closer together than within one.
    levels -= np.float32(0.5 * np.log2(parts))
    return Lookups(
        pixels,
        np.concatenate(ids),
        np.concatenate(u),
        np.concatenate(v),
        levels,
        np.concatenate(shade, axis=1) if shade else None,
    )


def extrapolated_lookups(centres: UVBuffer, offsets: list[Offset]) -> Lookups:
    """Samples at ``offsets`` from the centres of the covered pixels, in pixels, on the surface seen there.

    centres: one sample a pixel, with slopes."""
    assert centres.slopes is not None
    at_centre = centres.covered
    pixels = at_centre.pixels
    slopes = np.ascontiguousarray(centres.slopes.reshape(-1, 4).take(pixels, axis=0).T)  # (4, P)
    u, v = (np.empty((len(offsets), len(pixels)), np.float32) for _ in range(2))
    for number, (x, y) in enumerate(offsets):
        for out, centre, across, up in ((u, at_centre.u, *slopes[::2]), (v, at_centre.v, *slopes[1::2])):
            np.multiply(across, np.float32(x), out=out[number])
            out[number] += up * np.float32(y)
            out[number] += centre[0]
    level = at_centre.level - np.float32(0.5 * np.log2(len(offsets)))
    return Lookups(pixels, at_centre.ids, u, v, level, at_centre.shade)


def broken_pixels(centres: UVBuffer, pixels: NDArray[np.intp]) -> NDArray[np.bool_]:
    """(P,): pixels beside which the surface, or its UV map, breaks off, but not beside the background.

    UVs of the right and the upper neighbour are compared with what the slopes foretell.
    """
    assert centres.slopes is not None
    ids, width = centres.ids.reshape(-1), centres.ids.shape[1]
    place = centres.uv.reshape(-1, 2).view(np.complex64)[:, 0]  # u + i v
    slopes = centres.slopes.reshape(-1, 4).take(pixels, axis=0).view(np.complex64)  # (P, 2)
    allowed = _squared(slopes)
    allowed = np.float32(LIKE_SLOPE**2) * np.maximum(allowed[:, 0], allowed[:, 1])
    here = place[pixels]
    broken = np.zeros(len(ids), np.bool_)
    for step, slope, has_neighbour in (
        (1, slopes[:, 0], pixels % width != width - 1),
        (width, slopes[:, 1], pixels < len(ids) - width),
    ):
        beside = np.minimum(pixels + step, len(ids) - 1)
        away = _squared(place[beside] - here - slope)
        jumps = np.flatnonzero((away > allowed) & (ids[beside] != 0) & has_neighbour)
        broken[pixels[jumps]] = True
        broken[beside[jumps]] = True
    return broken[pixels]


def _squared(numbers: NDArray[np.complex64]) -> Array:
    """Of the absolute values."""
    result: Array = np.square(numbers.real)
    result += np.square(numbers.imag)
    return result
