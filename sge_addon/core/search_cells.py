# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pixels by the cell of a texture that they show: what a search for the start of maps looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .lit_pixels import LitPixels, joined
from .map_shader import MapShader
from .material_pixels import choose_pixels, opaque_pixels, read_pixels, samples_of_view
from .material_source import MaterialSource
from .material_view import Reading
from .texture_pyramid import PyramidLayout

Array = NDArray[np.float32]

# Cells along the longer side of a texture, at the most, and at which a texture that cannot be halved down to
# as many is not searched.
MOST_CELLS, TOO_MANY = 128, 256
# Cosine to the camera below which a pixel says little of what its cell shows.
GRAZING = 0.15
# Brightness below which differences count as they are, not relative to it.
FLOOR = 0.1


@dataclass(frozen=True, eq=False)
class CellPixels:
    """P pixels of one material, sorted by the cell that they show.

    prepared: by the shader. values: (P, 12) as the maps stand. target: (3, P) linear. trust: (P,), what
    squared differences weigh, so that they are relative to the brightness. cell_of_pixel: (P,).
    cells: (K,) that have pixels, starts: (K,) the first pixel of each.
    """

    prepared: Any
    material: int
    values: Array
    target: Array
    trust: Array
    cell_of_pixel: NDArray[np.intp]
    cells: NDArray[np.intp]
    starts: NDArray[np.intp]

    def add_to(self, sums: Array, columns: Array) -> None:
        """Add up columns (R, P) by cell: sums (R, N)."""
        sums[:, self.cells] += np.add.reduceat(columns, self.starts, axis=1)


def cell_grid(layout: PyramidLayout) -> tuple[int, int] | None:
    """(rows, columns) of cells of a texture: its first level that is small enough; None of a constant or
    where there is none."""
    sizes = [size for size in layout.sizes if max(size) <= MOST_CELLS] or layout.sizes[-1:]
    too_many = max(sizes[0]) > TOO_MANY
    return None if too_many or (layout.height, layout.width) == (1, 1) else sizes[0]


def view_pixels(
    source: MaterialSource, view: int, readings: Mapping[int, Reading], grid: tuple[int, int]
) -> list[tuple[LitPixels, NDArray[np.intp]]]:
    """Of each cell that a view shows the pixel nearest to its middle; by material, with the cells (P,).

    readings: by material, of the maps that are searched.
    """
    buffers = samples_of_view(source, view)
    usable = opaque_pixels(source, view, buffers)
    shown = source.texture_of_triangle[buffers[0].ids.ravel()[usable].astype(np.intp) - 1]
    rows, columns = grid
    cells = np.full(len(usable), -1, np.intp)
    distance = np.empty(len(usable), np.float32)
    uv = buffers[0].uv.reshape(-1, 2)[usable]
    for number, (material, reading) in enumerate(readings.items()):
        mine = shown == material
        place = uv[mine] @ reading.uv_transform[:, :2].T + reading.uv_transform[:, 2]
        place = (place - np.floor(place)) * np.array([columns, rows], np.float32)
        corner = np.minimum(np.floor(place).astype(np.intp), [columns - 1, rows - 1])
        cells[mine] = (number * rows + corner[:, 1]) * columns + corner[:, 0]
        distance[mine] = np.abs(place - corner - 0.5).max(axis=1)
    order = np.lexsort((distance, cells))
    ordered = cells[order]
    is_first = np.r_[True, ordered[1:] != ordered[:-1]][: len(order)] & (ordered >= 0)
    picked = np.sort(order[is_first])
    found = choose_pixels(source, view, buffers, usable[picked])
    result = []
    for part, pixels in zip(found.mapped.parts, read_pixels(source, view, found), strict=True):
        result.append((pixels, cells[picked][part.place] % (rows * columns)))
    return result


def sorted_pixels(found: Sequence[tuple[LitPixels, NDArray[np.intp]]], shader: MapShader) -> list[CellPixels]:
    """The pixels of all views, by material."""
    by_material: dict[int, list[tuple[LitPixels, NDArray[np.intp]]]] = {}
    for pixels, cells in found:
        by_material.setdefault(pixels.points.material, []).append((pixels, cells))
    result = []
    for material, parts in sorted(by_material.items()):
        pixels = joined([each for each, _ in parts])
        cells = np.concatenate([each for _, each in parts])
        facing = np.einsum("pc,pc->p", pixels.points.normal, pixels.points.to_eye)
        usable = np.flatnonzero((pixels.weight > 0.0) & (facing > GRAZING))
        order = usable[np.argsort(cells[usable], kind="stable")]
        if not len(order):
            continue
        pixels, ordered = pixels.taken(order), cells[order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        result.append(
            CellPixels(
                shader.prepare(pixels.points),
                material,
                pixels.values,
                np.ascontiguousarray(pixels.target.T),
                pixels.weight / (np.float32(FLOOR) + pixels.target.max(axis=1)) ** 2,
                ordered,
                ordered[starts],
                starts,
            )
        )
    return result
