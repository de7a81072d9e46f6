# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a fit of maps begins: the normals, roughnesses and metals that explain each part of a surface best.

Steps along gradients find what a highlight says of a surface only if the highlight is about where it should
be. A smooth dent that begins flat shows no highlight in the views that should see one, and stays as it is, in
the wrong mix of colour and metal. So before the first step many candidates are tried, the same for all cells
of a grid over the texture: each cell's pixels are shaded, one a view. Under a candidate the colour is linear
in the base colour, which is solved for, both for a metal and for what is none. A cell takes the candidate
that leaves the smallest squared difference, relative to the pixels' brightness, over itself and the cells
about it. Then neighbours' choices and smaller changes of its own are tried.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .lit_pixels import views_to_look_through
from .map_group import MapGroup
from .material_maps import MAP_KINDS, SHADED_COLUMNS
from .material_source import MaterialSource
from .material_view import Reading
from .search_candidates import Candidate, moves
from .search_cells import CellPixels, cell_grid, sorted_pixels, view_pixels
from .texture_fill import fill_unseen, interpolated

Array = NDArray[np.float32]

# Base colour at which a candidate is shaded, and that it takes at the start at the least and at the most.
MIDDLE, DARKEST, BRIGHTEST = 0.5, 0.03, 0.95
# Where a metal and what is none begin: within their bounds, so that neither is final.
METALLICS = (0.05, 0.95)
# A candidate must explain a cell as much better than the maps do as they stand.
BETTER = 0.5
# Share of the time that is spent on looking at the views, for the progress.
LOOKING = 0.2
SEARCHED = ("normal", "roughness", "metallic")
# What is known no better than candidates are apart is the mean over cells about, so many times.
COARSE, PASSES = ("normal", "roughness"), 2


def search_maps(source: MaterialSource, groups: Sequence[MapGroup]) -> Generator[float]:
    """Set the maps of groups to the best of many candidates, where these explain the views far better than
    the maps as they stand; yields the fraction done. Closed before the end it changes nothing.

    groups: of the source's blocks. Those without normal, roughness or metallic have nothing to search.
    """
    searches = [search for group in groups if (search := _search_of(source, group)) is not None]
    for number, search in enumerate(searches):
        for fraction in search.run():
            yield (number + fraction) / len(searches)
    for search in searches:
        search.assign()


def _search_of(source: MaterialSource, group: MapGroup) -> _Search | None:
    names = {block.name for block in group.blocks}
    readings = {
        material: reading
        for material, of_material in enumerate(source.readings)
        for reading in of_material
        if names & {texture.name for _, texture in reading.textures}
    }
    grid = cell_grid(group.blocks[0].layout)
    if grid is None or not readings or not any(block.kind in SEARCHED for block in group.blocks):
        return None
    return _Search(source, group, readings, grid)


class _Search:
    """The best found so far of a grid of N cells. What is not fitted stays as the pixels read it.

    readings: how the materials read the group's maps, by material.
    """

    def __init__(
        self,
        source: MaterialSource,
        group: MapGroup,
        readings: Mapping[int, Reading],
        grid: tuple[int, int],
    ) -> None:
        self._source = source
        self._group = group
        self._readings = readings
        self._grid = grid
        self._parts: list[CellPixels] = []
        count = grid[0] * grid[1]
        self._seen = np.zeros((1, count), np.float32)  # pixels by cell
        self._cost = np.zeros(count, np.float32)
        self._has_won = np.zeros(count, bool)
        # By kind (C, N).
        kinds = {block.kind for block in group.blocks}
        self._best = {
            kind: np.zeros((MAP_KINDS[kind].channels, count), np.float32)
            for kind in ("base_color", *SEARCHED)
            if kind in kinds
        }

    def run(self) -> Generator[float]:
        """Look at the views, try all candidates; yields the fraction done."""
        source, views = self._source, views_to_look_through(len(self._source.references))
        found = []
        for number, view in enumerate(views):
            found += view_pixels(source, view, self._readings, self._grid)
            yield LOOKING * (number + 1) / len(views)
        self._parts = sorted_pixels(found, source.shader)
        for part in self._parts:
            part.add_to(self._seen, np.ones((1, len(part.trust)), np.float32))
        if not self._parts:
            yield 1.0
            return
        self._begin()
        tried = moves(self._best.keys(), self._grid)
        for number, move in enumerate(tried):
            self._try(move(self._best))
            yield LOOKING + (1.0 - LOOKING) * (number + 1) / len(tried)

    def _begin(self) -> None:
        """What a candidate has to beat: the maps as they stand."""
        total = np.zeros((1, len(self._cost)), np.float32)
        means = {kind: np.zeros_like(best) for kind, best in self._best.items()}
        for part in self._parts:
            colour = self._source.shader.colour(part.prepared, part.values).T
            part.add_to(total, (part.trust * (part.target - colour) ** 2).sum(axis=0)[None])
            for kind, mean in means.items():
                part.add_to(mean, np.ascontiguousarray(part.values[:, SHADED_COLUMNS[kind]].T))
        self._cost = np.float32(BETTER) * self._about(total[0])
        for kind, mean in means.items():
            usual = np.array(MAP_KINDS[kind].initial, np.float32)[:, None]
            self._best[kind] = np.where(self._seen > 0.0, mean / np.maximum(self._seen, 1.0), usual)

    def _try(self, candidate: Candidate) -> None:
        """Let each cell take it, as a metal or not, if it is the best so far."""
        count = len(self._cost)
        metallics = METALLICS if "metallic" in self._best else (None,)
        fits_colour = "base_color" in self._best
        # Of each channel, by metallic: curvature, slope and what is left, of the squared difference.
        sums = np.zeros((len(metallics), 9, count), np.float32)
        for part in self._parts:
            for total, (slope, rest) in zip(sums, self._models(part, candidate), strict=True):
                weighed = part.trust * rest
                columns = [part.trust * slope * slope, weighed * slope, weighed * rest]
                part.add_to(total, np.concatenate(columns))
        for metallic, (curvature, slope, left) in zip(metallics, sums.reshape(-1, 3, 3, count), strict=True):
            # Where the base colour is not fitted, the slope was taken into the rest.
            colour = np.clip(slope / np.maximum(curvature, np.float32(1e-9)), 0.0, 1.0)
            cost = self._about((left - colour * (2 * slope - colour * curvature)).sum(axis=0))
            better = cost < self._cost
            self._cost[better] = cost[better]
            self._has_won |= better
            taken = dict(candidate)
            if fits_colour:
                taken["base_color"] = colour
            if metallic is not None:
                taken["metallic"] = np.full((1, 1), metallic, np.float32)
            for kind, value in taken.items():
                self._best[kind][:, better] = np.broadcast_to(value, (len(value), count))[:, better]

    def _models(self, part: CellPixels, candidate: Candidate) -> list[tuple[Array, Array]]:
        """As what is no metal and as a metal, or as the metallic that is read: (3, P) the slope of the colour
        to the base colour, and the target less what does not depend on it."""
        values, cell = part.values.copy(), part.cell_of_pixel
        for kind, value in candidate.items():
            values[:, SHADED_COLUMNS[kind]] = (value.take(cell, axis=1) if value.shape[1] > 1 else value).T
        fits_colour, fits_metallic = "base_color" in self._best, "metallic" in self._best
        if fits_colour:
            values[:, SHADED_COLUMNS["base_color"]] = MIDDLE
        if fits_metallic:
            values[:, SHADED_COLUMNS["metallic"]] = 0.0
        maps = {"base_color"} | ({"metallic"} if fits_metallic else set())
        shaded = self._source.shader.shade(part.prepared, values, maps=maps)
        colour = np.ascontiguousarray(shaded.colour.T)
        slopes, constants = [np.ascontiguousarray(shaded.base_color.T)], [colour]
        if fits_metallic:
            material = self._source.materials[part.material]
            emitted = values[:, SHADED_COLUMNS["emission"]].T * np.float32(material.emission_strength)
            metal = colour + shaded.metallic.T
            # A metal reflects in proportion to its colour, to within its edges.
            slopes.append((metal - emitted) / np.maximum(values[:, SHADED_COLUMNS["base_color"]].T, 1e-3))
            constants.append(metal)
        if not fits_colour:
            return [(np.zeros_like(each), part.target - each) for each in constants]
        middle = np.float32(MIDDLE)
        return [
            (slope, part.target - (constant - middle * slope))
            for slope, constant in zip(slopes, constants, strict=True)
        ]

    def _about(self, cost: Array) -> Array:
        """(N,): of each cell with those about it."""
        grid = self._on_grid(cost[None])[0]
        for axis in (0, 1):
            grid = 0.25 * np.roll(grid, 1, axis) + 0.5 * grid + 0.25 * np.roll(grid, -1, axis)
        return np.asarray(grid, np.float32).ravel()

    def _smoothed(self, rows: Array, weight: Array) -> Array:
        """(C, N), where anything has weight (N,)."""
        for _ in range(PASSES):
            total = np.maximum(self._about(weight), np.float32(1e-6))
            rows = np.stack([self._about(row * weight) for row in rows]) / total
        return rows

    def _on_grid(self, rows: Array) -> Array:
        return rows.reshape(len(rows), *self._grid)

    def assign(self) -> None:
        """Give the blocks what was found, where it has won; cells that no view shows follow those about."""
        if not self._parts:
            return
        self._group.begin_near()
        seen = self._on_grid(self._seen)[0]
        won = (self._on_grid(self._has_won[None])[0] & (seen > 0)).astype(np.float32)
        if not won.any():
            return
        share = fill_unseen(won[..., None], seen)
        for block in self._group.blocks:
            if block.kind not in self._best:
                continue
            best = self._best[block.kind]
            if block.kind in COARSE:
                best = self._smoothed(best, won.ravel())
            found = fill_unseen(np.ascontiguousarray(np.moveaxis(self._on_grid(best), 0, -1)), won)
            if block.kind == "base_color":
                found = np.clip(found, np.float32(DARKEST), np.float32(BRIGHTEST))
            taken = share
            while found.shape[0] < block.value.shape[0]:
                found, taken = interpolated(found), interpolated(taken)
            block.assign((block.value * (1 - taken) + found * taken).astype(np.float32))
