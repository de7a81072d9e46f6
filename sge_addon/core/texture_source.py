# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Residuals of the rendered colour, scattered to the texels that each pixel reads.

The base colour that a pixel reads enters its colour as a factor, so the derivative is the shade and
needs no perturbation: what is left is the transpose of the filter (``footprint``).

Which four samples stand for a pixel matters more than how many sets of them there are: a 2 x 2 grid
moved as a whole moves the pixel's centre of mass, and a true texture then differs from its own
references by 30 to 40 dB. Four samples on a circle about the pixel's centre, turned by 90 degrees,
keep centre and spread: 43 dB, at any angle. So a few angles a view are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .footprint import Footprint, TexelSums, UVBuffer, by_sample
from .pixel_residual import residual_of
from .protocols import Estimate
from .reference import Reference
from .stopwatch import Stopwatch
from .texture_block import Texture, TextureBlock
from .view_map_cache import ViewMapCache

Array = NDArray[np.float32]
Place = slice | NDArray[np.intp]
Rasterise = Callable[[int, tuple[float, float]], UVBuffer]

# Sets of samples kept per view; eight instead of four gain 0.1 dB.
PATTERNS = 4
# Distance of the four samples from the pixel's centre, in pixels; a uniform pixel's spread is 0.408.
RADIUS = 0.4


def sample_pattern(number: int) -> list[tuple[float, float]]:
    """Four offsets from the pixel's centre, in pixels; ``number`` turns them by the golden ratio."""
    turn = np.radians(5.0 + 90.0 * (number * 0.6180339887 % 1.0))
    angles = turn + 0.5 * np.pi * np.arange(4)
    return [(RADIUS * float(np.cos(angle)), RADIUS * float(np.sin(angle))) for angle in angles]


@dataclass(frozen=True, eq=False)
class ViewMap:
    """How one view, at one set of samples, reads all textures.

    pixels: (P,) covered pixels. coverage: (P,) in (0, 1]. fixed: (P, 3) what materials that are not
    textures add, or None. footprints: by texture number, with the places of its pixels in ``pixels``.
    """

    pixels: NDArray[np.int32]
    coverage: Array
    fixed: Array | None
    footprints: tuple[tuple[int, Footprint, Place], ...]

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        own = self.pixels.nbytes + self.coverage.nbytes + (0 if self.fixed is None else self.fixed.nbytes)
        places = sum(0 if isinstance(place, slice) else place.nbytes for _, _, place in self.footprints)
        return own + places + sum(footprint.nbytes for _, footprint, _ in self.footprints)


class FilteredTextureSource:
    """The gradient source of a texture-only fit; its estimates serve joint fits too.

    references: the training views; members of the list may be replaced. rasterise: one sample a pixel,
    moved by an offset in pixels (of either sign: the patterns are symmetric). textures: TextureBlocks are
    fitted, mere Textures are only read. texture_of_triangle: (F,) int32 into ``textures``, -1 for a
    constant colour. fixed_colour: (F, 3) linear, used where texture_of_triangle is -1.
    loss: as in FitSettings; the background plays no part, since only what surfaces cover is compared.
    cache_bytes: maps are kept until they fill this.
    """

    def __init__(
        self,
        references: Sequence[Reference],
        rasterise: Rasterise,
        textures: Sequence[Texture],
        texture_of_triangle: NDArray[np.int32],
        fixed_colour: Array | None = None,
        loss: str = "l1",
        cache_bytes: int = 1 << 30,
        stopwatch: Stopwatch | None = None,
    ):
        self.references = references
        self.rasterise = rasterise
        self.textures = textures
        self.texture_of_triangle = texture_of_triangle
        self.loss = loss
        self._stopwatch = stopwatch or Stopwatch()
        self.maps: ViewMapCache[ViewMap] = ViewMapCache(cache_bytes, PATTERNS)
        self._fixed_of_id = None
        if fixed_colour is not None and (texture_of_triangle < 0).any():
            constant = np.where(texture_of_triangle[:, None] < 0, fixed_colour, 0.0)
            self._fixed_of_id = np.vstack((np.zeros((1, 3)), constant)).astype(np.float32)

    def estimate(self, view: int, seed: int, progress: float) -> Estimate:
        """Loss and texel sums of one view, through the next of its sets of samples."""

        def make(number: int) -> ViewMap:
            buffers = [self.rasterise(view, offset) for offset in sample_pattern(number)]
            with self._stopwatch.stage("estimate"):
                return self.map_view(buffers)

        view_map = self.maps.next(view, self.references[view].view, make)
        with self._stopwatch.stage("estimate"):
            return self.estimate_through(view, view_map)

    def map_view(self, buffers: Sequence[UVBuffer]) -> ViewMap:
        """The map of one view from its samples; a joint fit calls it with fresh buffers each step."""
        covered = [by_sample(buffer.ids, buffer.samples) != 0 for buffer in buffers]
        count = sum(mask.sum(axis=0, dtype=np.float32) for mask in covered)  # (H W,)
        pixels = np.flatnonzero(count).astype(np.int32)
        samples = sum(len(mask) for mask in covered)
        footprints = []
        for number, texture in enumerate(self.textures):
            footprint = Footprint(buffers, self.texture_of_triangle, number, texture.layout)
            if len(footprint.pixels):
                same = len(footprint.pixels) == len(pixels)
                place = slice(None) if same else np.searchsorted(pixels, footprint.pixels)
                footprints.append((number, footprint, place))
        return ViewMap(
            pixels, count[pixels] / samples, self._fixed(buffers, pixels, samples), tuple(footprints)
        )

    def _fixed(self, buffers: Sequence[UVBuffer], pixels: NDArray[np.int32], samples: int) -> Array | None:
        if self._fixed_of_id is None:
            return None
        total = np.zeros((len(pixels), 3), np.float32)
        for buffer in buffers:
            colour = self._fixed_of_id[buffer.ids]
            if buffer.shade is not None:
                colour *= buffer.shade
            total += by_sample(colour, buffer.samples)[:, pixels].sum(axis=0)
        return total / samples

    def read(self, view_map: ViewMap) -> Array:
        """The rendered colour of the covered pixels, premultiplied: (P, 3)."""
        planes = np.zeros((3, len(view_map.pixels)), np.float32)
        if view_map.fixed is not None:
            planes += view_map.fixed.T
        for number, footprint, place in view_map.footprints:
            planes[:, place] += footprint.read(self.textures[number].pyramid).T
        return planes.T

    def estimate_through(self, view: int, view_map: ViewMap) -> Estimate:
        """Loss and texel sums of one view through a given map."""
        reference = self.references[view]
        rendered = self.read(view_map).T  # (3, P)
        compared = residual_of(reference, view_map.pixels, view_map.coverage, rendered, self.loss)
        residual, trust = compared.residual, compared.trust
        residual *= trust
        return Estimate(compared.loss, self._scatter(view_map, residual.T, trust))

    def _scatter(self, view_map: ViewMap, residual: Array, trust: Array) -> dict[str, TexelSums]:
        fitted = [
            (self.textures[number], footprint, place)
            for number, footprint, place in view_map.footprints
            if isinstance(self.textures[number], TextureBlock)
        ]
        # Curvature counts all fitted texels that a pixel reads, whichever texture they are in.
        reach = sum_of_rows(fitted, trust.shape[-1])
        weight = reach * (trust[:, None] if trust.ndim == 1 else trust.T)
        return {
            texture.name: footprint.scatter(residual[place], weight[place])
            for texture, footprint, place in fitted
        }


def sum_of_rows(fitted: Sequence[tuple[Texture, Footprint, Place]], count: int) -> Array:
    """A 1 over several textures: (P, 1), or (P, 3) with shade."""
    if len(fitted) == 1 and isinstance(fitted[0][2], slice):
        return fitted[0][1].row_sums()
    rows = [(footprint.row_sums(), place) for _, footprint, place in fitted]
    total = np.zeros((count, max((row.shape[1] for row, _ in rows), default=1)), np.float32)
    for row, place in rows:
        total[place] += row
    return total
