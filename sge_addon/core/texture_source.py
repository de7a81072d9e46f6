# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Residuals of the rendered colour, scattered to the texels that each pixel reads.

The base colour that a pixel reads enters its colour as a factor, so the derivative is the shade and
needs no perturbation: what is left is the transpose of the filter (``footprint``).

Which four samples stand for a pixel matters more than how many sets of them there are: a 2 x 2 grid
moved as a whole moves the pixel's centre of mass, and a true texture then differs from its own
references by 30 to 40 dB. Four samples on a circle about the pixel's centre, turned by 90 degrees,
keep centre and spread: 43 dB, at any angle. So a few angles a view are kept.

What the four samples miss goes to the texels that the pixel's centre reads: a quarter of the work, and
nearer to the inverse of the filter than its transpose, which blurs once more. Where all residuals are
nought nothing moves, as with the transpose. The centre's mip level is that of one sample a pixel, so that
it tells nothing to texels that are too fine for the filter.

Where a view is seen for the first time, or the shape moves, maps serve once: then the centres alone are
drawn, and the samples lie where the slopes of their UVs lead (``lookups``).

The l1 loss weighs pixels down by their residuals, which tells outliers only from what is known already: so
the first views weigh nearly all alike, the next ones sharply.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import exp

import numpy as np
from numpy.typing import NDArray

from .footprint import Footprint, Place
from .gathered_sums import PixelSums
from .lookups import (
    Lookups,
    UVBuffer,
    broken_pixels,
    drawn_lookups,
    extrapolated_lookups,
)
from .pixel_residual import KNEE, residual_of
from .protocols import Estimate
from .reference import Reference
from .stopwatch import Stopwatch
from .texture_block import Texture, TextureBlock
from .view import View
from .view_map_cache import ViewMapCache

Array = NDArray[np.float32]
Rasterise = Callable[[int, tuple[float, float]], Callable[[], UVBuffer]]
Footprints = tuple[tuple[int, Footprint], ...]

# Sets of samples kept per view; as good as four, which take longer to make. Two lose 0.2 to 0.6 dB.
PATTERNS = 3
# Distance of the four samples from the pixel's centre, in pixels; a uniform pixel's spread is 0.408.
RADIUS = 0.4


# What pixels count whose samples may be of two pieces of surface, where only their centres were drawn:
# after 16 steps of the texture task 37.7 dB, with 0 36.8 dB, with 1 35.6 dB.
BROKEN_TRUST = 0.1
# The knee of the l1 loss (KNEE of ``pixel_residual``) at a view's first visit: the first number for the very
# first view, by a factor of e less for every KNOWING_VIEWS that were seen before, and the second beneath.
FIRST_KNEE = (2.0, 0.02)
KNOWING_VIEWS = 2.0
SECOND_KNEE = 0.015  # at a view's second visit; later KNEE
CENTRE = (0.0, 0.0)


def sample_pattern(number: int) -> list[tuple[float, float]]:
    """Four offsets from the pixel's centre, in pixels; ``number`` turns them by the golden ratio."""
    turn = np.radians(5.0 + 90.0 * (number * 0.6180339887 % 1.0))
    angles = turn + 0.5 * np.pi * np.arange(4)
    return [(RADIUS * float(np.cos(angle)), RADIUS * float(np.sin(angle))) for angle in angles]


@dataclass(frozen=True, eq=False)
class CentreMap:
    """What the pixels' centres read of the textures that are fitted, through one view.

    places: (P,) intp, flat indices, in the area that was drawn, of the pixels whose centre is covered; others
    are left out. pixels: (P,) the same in the picture. footprints: by texture number.
    """

    places: NDArray[np.intp]
    pixels: NDArray[np.intp]
    footprints: Footprints

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        places = 0 if self.places is self.pixels else self.places.nbytes
        return self.pixels.nbytes + places + bytes_of(self.footprints)


@dataclass(frozen=True, eq=False)
class ViewMap:
    """How one view, at one set of samples, reads all textures.

    centre: where residuals go. covered: (P,) uint8, how many of ``samples`` show something in its pixels.
    fixed: (P, 3) what materials that are not textures add, or None. footprints: by texture number.
    trust: (P,) what pixels count, or None for 1.
    """

    centre: CentreMap
    covered: NDArray[np.uint8]
    samples: int
    fixed: Array | None
    footprints: Footprints
    trust: Array | None = None

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes, without the centre's."""
        own = self.covered.nbytes + (0 if self.fixed is None else self.fixed.nbytes)
        return own + bytes_of(self.footprints)

    @property
    def coverage(self) -> Array:
        """(P,) in (0, 1], of the centre's pixels."""
        coverage: Array = self.covered * np.float32(1.0 / self.samples)
        return coverage


class FilteredTextureSource:
    """The gradient source of a texture-only fit; its estimates serve joint fits too.

    references: the training views; members of the list may be replaced. rasterise: draws one sample a pixel,
    moved by an offset in pixels (of either sign: the patterns are symmetric), with slopes if that is CENTRE,
    and returns what reads it, before the next but one is drawn, which overwrites it. textures: TextureBlocks
    are fitted, mere Textures are only read. texture_of_triangle: (F,) int32 into ``textures``, -1 for a
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
        self._centres: ViewMapCache[CentreMap] = ViewMapCache(cache_bytes // 9, 1)
        self._maps: ViewMapCache[ViewMap] = ViewMapCache(cache_bytes - self._centres.limit, PATTERNS)
        self._visits: Counter[int] = Counter()  # by view
        self._expected: int | None = None
        self._waiting: tuple[View, Callable[[], UVBuffer]] | None = None  # a view's centres, being drawn
        self._fixed_of_id = None
        if fixed_colour is not None and (texture_of_triangle < 0).any():
            constant = np.where(texture_of_triangle[:, None] < 0, fixed_colour, 0.0)
            self._fixed_of_id = np.vstack((np.zeros((1, 3)), constant)).astype(np.float32)

    def keep_maps(self, keep: bool) -> None:
        """Whether the shape rests, so that maps made from now on serve again."""
        self._centres.keeps = self._maps.keeps = keep

    def clear_maps(self) -> None:
        """Free the memory; maps that are needed again are made again."""
        self._waiting = None
        self._centres.clear()
        self._maps.clear()

    def expect(self, view: int, seed: int, progress: float) -> None:
        """The next ``estimate`` but one is of this view: if it is new, its centres are drawn while the next
        estimates."""
        self._expected = view

    def estimate(self, view: int, seed: int, progress: float) -> Estimate:
        """Loss and texel sums of one view, through the next of its sets of samples."""
        camera = self.references[view].view
        serves_once = view not in self._visits or not self._maps.keeps
        knee = self._knee(view)
        self._visits[view] += 1
        drawn: list[UVBuffer] = []

        def make_centre(_: int) -> CentreMap:
            drawn.append(self._read_centres(view))
            self._draw_ahead()
            with self._stopwatch.stage("estimate"):
                return self.centre_map(drawn[0])

        centre = self._centres.next(view, camera, make_centre)

        def make(number: int) -> ViewMap:
            return self.drawn_map(view, centre, number)

        if serves_once and drawn and drawn[0].slopes is not None:
            with self._stopwatch.stage("estimate"):
                view_map = self.extrapolated_map(drawn[0], centre, view)
        else:
            view_map = self._maps.next(view, camera, make)
        with self._stopwatch.stage("estimate"):
            return self.estimate_through(view, view_map, knee)

    def _knee(self, view: int) -> float:
        """Of the next visit."""
        if view not in self._visits:
            start, end = FIRST_KNEE
            return end + start * exp(-len(self._visits) / KNOWING_VIEWS)
        return SECOND_KNEE if self._visits[view] == 1 else KNEE

    def _read_centres(self, view: int) -> UVBuffer:
        camera, read = self._waiting or (None, None)
        self._waiting = None
        if read is None or camera is not self.references[view].view:
            read = self.rasterise(view, CENTRE)
        return read()

    def _draw_ahead(self) -> None:
        if self._expected is not None and self._expected not in self._visits:
            camera = self.references[self._expected].view
            self._waiting = camera, self.rasterise(self._expected, CENTRE)
        self._expected = None

    def centre_map(self, centres: UVBuffer) -> CentreMap:
        """Where the residuals of a view go. centres: one sample a pixel, at its centre."""
        places = pixels = centres.covered.pixels
        if centres.area is not None:
            pixels = centres.area.in_picture(places)
        fitted = [isinstance(texture, TextureBlock) for texture in self.textures]
        footprints = tuple(each for each in self._footprints(centres.covered) if fitted[each[0]])
        return CentreMap(places, pixels, footprints)

    def drawn_map(self, view: int, centre: CentreMap, number: int) -> ViewMap:
        """The map of a view with four samples of a pattern, all drawn."""
        draws = (self.rasterise(view, offset) for offset in sample_pattern(number))
        lookups = drawn_lookups(_one_ahead(draws), centre.places)
        with self._stopwatch.stage("estimate"):
            return self._map(centre, lookups)

    def extrapolated_map(self, centres: UVBuffer, centre: CentreMap, number: int) -> ViewMap:
        """The map of a view with the four samples of a pattern where slopes lead. centres: with slopes."""
        lookups = extrapolated_lookups(centres, sample_pattern(number))
        broken = broken_pixels(centres, centre.places)
        return self._map(centre, lookups, np.where(broken, np.float32(BROKEN_TRUST), np.float32(1.0)))

    def _map(self, centre: CentreMap, lookups: Lookups, trust: Array | None = None) -> ViewMap:
        covered = np.count_nonzero(lookups.ids, axis=0).astype(np.uint8)
        samples = len(lookups.ids)
        return ViewMap(centre, covered, samples, self._fixed(lookups), self._footprints(lookups), trust)

    def _footprints(self, lookups: Lookups) -> Footprints:
        made = (
            (number, Footprint(lookups, self.texture_of_triangle, number, texture.layout))
            for number, texture in enumerate(self.textures)
        )
        return tuple((number, footprint) for number, footprint in made if len(footprint.pixels))

    def _fixed(self, lookups: Lookups) -> Array | None:
        if self._fixed_of_id is None:
            return None
        colours = np.moveaxis(self._fixed_of_id[lookups.ids], -1, 0)  # (3, S, P)
        if lookups.shade is not None:
            colours = colours * lookups.shade
        return np.ascontiguousarray(colours.mean(axis=1).T)

    def read(self, view_map: ViewMap) -> Array:
        """The rendered colour of the covered pixels, premultiplied: (P, 3)."""
        if view_map.fixed is None and len(view_map.footprints) == 1:
            ((number, footprint),) = view_map.footprints
            if isinstance(footprint.place, slice):
                return footprint.read(self.textures[number].pyramid)
        planes = np.zeros((3, len(view_map.covered)), np.float32)
        if view_map.fixed is not None:
            planes += view_map.fixed.T
        for number, footprint in view_map.footprints:
            planes[:, footprint.place] += footprint.read(self.textures[number].pyramid).T
        return planes.T

    def estimate_through(self, view: int, view_map: ViewMap, knee: float = KNEE) -> Estimate:
        """Loss and texel sums of one view through a given map."""
        reference = self.references[view]
        rendered = self.read(view_map).T  # (3, P)
        pixels = view_map.centre.pixels
        compared = residual_of(reference, pixels, view_map.coverage, rendered, self.loss, knee=knee)
        residual, trust = compared.residual, compared.trust
        if view_map.trust is not None:
            trust = trust * view_map.trust
        residual *= trust
        return Estimate(compared.loss, self._scatter(view_map, residual, trust))

    def _scatter(self, view_map: ViewMap, residual: Array, trust: Array) -> dict[str, PixelSums]:
        # Curvature counts all fitted texels that a pixel reads, whichever texture they are in.
        weight = self._reach(view_map) * trust  # (1 or 3, P)
        return {
            self.textures[number].name: PixelSums(
                footprint, residual[:, footprint.place].T, weight[:, footprint.place].T
            )
            for number, footprint in view_map.centre.footprints
        }

    def _reach(self, view_map: ViewMap) -> Array:
        """What pixels read of fitted textures of ones: (1, P), or (3, P) with shade."""
        rows = [
            (footprint.row_sums().T, footprint.place)
            for number, footprint in view_map.footprints
            if isinstance(self.textures[number], TextureBlock)
        ]
        if len(rows) == 1 and isinstance(rows[0][1], slice):
            return rows[0][0]
        channels = max((len(row) for row, _ in rows), default=1)
        total = np.zeros((channels, len(view_map.covered)), np.float32)
        for row, place in rows:
            total[:, place] += row
        return total


def _one_ahead(draws: Iterable[Callable[[], UVBuffer]]) -> Iterator[UVBuffer]:
    """What is drawn, each read when the next is being drawn."""
    draws = iter(draws)
    reads = deque(islice(draws, 1))
    while reads:
        reads += islice(draws, 1)
        yield reads.popleft()()


def bytes_of(footprints: Footprints) -> int:
    """Memory held, in bytes."""
    places: list[Place] = [footprint.place for _, footprint in footprints]
    held = sum(0 if isinstance(place, slice) else place.nbytes for place in places)
    return held + sum(footprint.nbytes for _, footprint in footprints)
