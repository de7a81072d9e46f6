# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Some pixels of a view with what they read of their material's maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .geometry_buffer import GeometryBuffer, at_pixels
from .lit_pixels import LitPixels, chosen
from .map_shader import ShadingPoints
from .material_maps import SHADED_COLUMNS
from .material_source import MaterialSource
from .material_view import MaterialView, view_map
from .texture_source import sample_pattern
from .view_map_cache import ViewMapCache

Array = NDArray[np.float32]

CACHE_BYTES = 1 << 26
OPAQUE = 0.999  # from this alpha on a reference's pixel shows the object alone
_FAINT = 0.1  # alpha of maps, below which a pixel says nothing of what the surface shows


class MaterialPixels:
    """A core.lit_pixels.LitPixelReader of the views and maps of a MaterialSource.

    Pixels are those whose samples all show one material, and of whose reference nothing but the object is
    seen. While the shape moves, one sample a pixel has to do, since nothing can be kept.
    """

    def __init__(self, source: MaterialSource) -> None:
        self._source = source
        self._kept: ViewMapCache[ChosenPixels] = ViewMapCache(CACHE_BYTES, 1)

    def lit_pixels(self, view: int, count: int, seed: int) -> list[LitPixels]:
        """As of LitPixelReader."""
        source = self._source
        camera = source.references[view].view
        self._kept.keeps = source.maps.keeps
        if not source.maps.keeps:
            self._kept.clear()
        found = self._kept.next(view, camera, lambda _: self._choose(view, count, seed))
        return [pixels for pixels in read_pixels(source, view, found) if pixels.weight.any()]

    def _choose(self, view: int, count: int, seed: int) -> ChosenPixels:
        buffers = samples_of_view(self._source, view)
        return choose_pixels(
            self._source, view, buffers, chosen(opaque_pixels(self._source, view, buffers), count, seed)
        )


class ChosenPixels:
    """Chosen pixels of a view, (P,) flat indices, and how they, as an image of one row, read the maps."""

    def __init__(self, pixels: NDArray[np.int32], mapped: MaterialView) -> None:
        self.pixels = pixels
        self.mapped = mapped

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return self.pixels.nbytes + self.mapped.nbytes


def samples_of_view(source: MaterialSource, view: int) -> list[GeometryBuffer]:
    """What a training view sees: the samples of its pixels, one each while the shape moves."""
    pattern = sample_pattern(0) if source.maps.keeps else [(0.0, 0.0)]
    return [source.geometry(view, offset) for offset in pattern]


def opaque_pixels(source: MaterialSource, view: int, buffers: Sequence[GeometryBuffer]) -> NDArray[np.int32]:
    """Flat indices of pixels whose samples all show one material, and whose reference nothing else."""
    reference = source.references[view]
    material_of_id = np.concatenate(([-1], source.texture_of_triangle))
    shown = np.stack([material_of_id[buffer.ids].ravel() for buffer in buffers])  # (S, H W)
    usable = (shown[0] >= 0) & (shown == shown[0]).all(axis=0)
    usable &= reference.colour[..., 3].ravel() > OPAQUE
    if reference.weight is not None:
        usable &= reference.weight.ravel() > 0.0
    return np.flatnonzero(usable).astype(np.int32)


def choose_pixels(
    source: MaterialSource, view: int, buffers: Sequence[GeometryBuffer], pixels: NDArray[np.int32]
) -> ChosenPixels:
    """How some pixels of a view read the maps, in parts by material. pixels: (P,) flat indices."""
    row = [_row(buffer, pixels) for buffer in buffers]
    camera = source.references[view].view
    mapped = view_map(camera, row, source.texture_of_triangle, source.readings, _Keeper())
    return ChosenPixels(pixels, mapped)


def read_pixels(source: MaterialSource, view: int, found: ChosenPixels) -> list[LitPixels]:
    """What the pixels of each part read of the maps, and what their reference shows of the surface."""
    reference = source.references[view]
    target = reference.colour.reshape(-1, 4)
    result = []
    for part, values in zip(found.mapped.parts, source.read(found.mapped), strict=True):
        pixels = found.pixels[part.place]
        alpha = values[:, SHADED_COLUMNS["alpha"]]  # (P, 1)
        behind = (1.0 - alpha) * source.background
        surface = (target[pixels, :3] - behind) / np.maximum(alpha, np.float32(_FAINT))
        weight = np.where(alpha > _FAINT, alpha * alpha, np.float32(0.0))[:, 0] * part.likeness
        if reference.weight is not None:
            weight = weight * reference.weight.ravel()[pixels]
        result.append(LitPixels(part.prepared, values, surface.astype(np.float32), weight))
    return result


class _Keeper:
    """In place of a shader: keeps points as they are, to be shaded together with those of other views."""

    def prepare(self, points: ShadingPoints) -> ShadingPoints:
        return points


def _row(buffer: GeometryBuffer, pixels: NDArray[np.int32]) -> GeometryBuffer:
    """The chosen pixels side by side: (1, P)."""

    def picked(plane: NDArray[Any]) -> NDArray[Any]:
        return at_pixels(plane, pixels)[None]

    return replace(
        buffer,
        ids=picked(buffer.ids),
        uv=picked(buffer.uv),
        uv_slopes=picked(buffer.uv_slopes),
        position=picked(buffer.position),
        normal=picked(buffer.normal),
        tangent=picked(buffer.tangent),
    )
