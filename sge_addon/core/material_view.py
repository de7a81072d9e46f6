# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How one view, at one set of samples, reads the maps of all materials, and where it shades them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .cell_sums import CellSums, one_sample
from .footprint import CornerSums, Footprint
from .geometry_buffer import GeometryBuffer, at_pixels, to_eye
from .lookups import by_sample, drawn_lookups
from .map_block import MapBlock
from .map_group import curvature_grid
from .map_shader import ShadingPoints
from .material_maps import MAP_KINDS, SHADED_COLUMNS, SHADED_WIDTH, LitMaterial
from .texture_block import Texture
from .texture_pyramid import PyramidLayout
from .view import View

Array = NDArray[np.float32]
Place = slice | NDArray[np.intp]


class PointKeeper(Protocol):
    """Of a MapShader what making a view's map takes."""

    def prepare(self, points: ShadingPoints) -> Any:
        """The points as they are to be kept."""
        ...


# Cosines between the normals, and tangents, of a pixel's samples and their mean from which they count as of
# two surfaces, and up to which as of one; and how far from the plane of both they may lie, in pixels.
UNLIKE, ALIKE, APART = 0.9, 0.97, 2.0


@dataclass(frozen=True, eq=False)
class Reading:
    """Maps of one material that are read at the same places with the same weights.

    layout: of their textures; of 1 x 1 texels for all constants, which need no places. uv_transform: (2, 3).
    textures: (name of the map, texture).
    """

    layout: PyramidLayout
    uv_transform: Array
    textures: tuple[tuple[str, Texture], ...]

    @property
    def is_constant(self) -> bool:
        """Whether one texel is all there is."""
        return (self.layout.height, self.layout.width) == (1, 1)

    @property
    def is_fitted(self) -> bool:
        """Whether any of its textures is."""
        return any(isinstance(texture, MapBlock) for _, texture in self.textures)


def readings_of(material: LitMaterial, textures: dict[str, Texture]) -> tuple[Reading, ...]:
    """The maps of a material by where they are read.

    textures: by key of the map; those that are missing are added, so that materials share them.
    """
    groups: dict[tuple[bytes, PyramidLayout], list[tuple[str, Texture]]] = {}
    transforms = {}
    for name in SHADED_COLUMNS:
        entry = material.maps[name]
        if entry.key not in textures:
            value = np.asarray(entry.value, np.float32).reshape(1, 1, MAP_KINDS[name].channels)
            textures[entry.key] = Texture(entry.key, value if entry.texture is None else entry.texture)
        texture = textures[entry.key]
        layout = PyramidLayout(texture.layout.height, texture.layout.width)
        is_constant = (layout.height, layout.width) == (1, 1)
        group = (b"" if is_constant else entry.uv_transform.tobytes(), layout)
        transforms[group] = entry.uv_transform
        groups.setdefault(group, []).append((name, texture))
    return tuple(Reading(group[1], transforms[group], tuple(maps)) for group, maps in groups.items())


@dataclass(frozen=True, eq=False)
class MaterialPart:
    """The pixels of a view that show one material.

    place: of its P' pixels among the view's. coverage: (P',) in (0, 1], of this material. likeness: (P',), of
    its samples.
    footprints: by reading, None for constants. cells: by reading, where pixels lie for sums of curvature;
    None for constants and for what is not fitted. prepared: of the shader. points_bytes: what that may hold.
    """

    material: int
    place: Place
    coverage: Array
    likeness: Array
    footprints: tuple[Footprint | None, ...]
    cells: tuple[CellSums | None, ...]
    prepared: Any
    points_bytes: int

    def values(self, readings: Sequence[Reading]) -> Array:
        """(P', 12) what each pixel reads of all maps: means over the samples that show the material."""
        values = np.empty((SHADED_WIDTH, len(self.coverage)), np.float32)
        over = np.float32(1.0) / self.coverage
        for reading, footprint in zip(readings, self.footprints, strict=True):
            if footprint is None:
                for name, texture in reading.textures:
                    values[SHADED_COLUMNS[name]] = texture.value[0, 0, :, None]
                continue
            planes = [plane for _, texture in reading.textures for plane in texture.pyramid]
            read, start = footprint.read(planes).T, 0
            for name, texture in reading.textures:
                stop = start + len(texture.pyramid)
                np.multiply(read[start:stop], over, out=values[SHADED_COLUMNS[name]])
                start = stop
        return np.ascontiguousarray(values.T)

    def scatter(
        self, footprint: Footprint | None, layout: PyramidLayout, columns: Sequence[Array]
    ) -> CornerSums:
        """Sums over the pixels that read a texel, of N columns (P',)."""
        if footprint is not None:
            return footprint.corner_sums(columns)
        corners = np.zeros((4, 1, len(columns)), np.float32)
        corners[0, 0] = [(column * self.coverage).sum(dtype=np.float64) for column in columns]
        return CornerSums(np.zeros(1, np.intp), corners, layout.stride, 1)

    def sum_curvature(self, cells: CellSums | None, columns: Array) -> tuple[NDArray[np.intp], Array]:
        """columns: (T, P'). The cells (K,) that have pixels, and their sums (K, T)."""
        if cells is None:
            return np.zeros(1, np.intp), columns.sum(axis=1, dtype=np.float64).astype(np.float32)[None]
        return cells.cells, cells.of(columns)


@dataclass(frozen=True, eq=False)
class MaterialView:
    """pixels: (P,) flat indices of the covered ones. coverage: (P,) in (0, 1]. parts: by material seen."""

    pixels: NDArray[np.int32]
    coverage: Array
    parts: tuple[MaterialPart, ...]

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes; what the shader has prepared counts as much as the points it was given."""
        total = self.pixels.nbytes + self.coverage.nbytes
        for part in self.parts:
            total += part.coverage.nbytes + part.likeness.nbytes + part.points_bytes
            total += 0 if isinstance(part.place, slice) else part.place.nbytes
            total += sum(each.nbytes for each in (*part.footprints, *part.cells) if each is not None)
        return total


def view_map(
    camera: View,
    buffers: Sequence[GeometryBuffer],
    texture_of_triangle: NDArray[np.int32],
    readings: Sequence[Sequence[Reading]],
    shader: PointKeeper,
) -> MaterialView:
    """buffers: the samples of the view, one a pixel each. readings: by material."""
    count = sum((buffer.ids != 0).ravel().astype(np.float32) for buffer in buffers)  # (H W,)
    pixels = np.flatnonzero(count).astype(np.int32)
    material_of_id = np.concatenate(([-1], texture_of_triangle)).astype(np.int32)
    shown = np.stack([material_of_id[buffer.ids].ravel() for buffer in buffers])[:, pixels]  # (S, P)
    parts = []
    for material in np.unique(shown[shown >= 0]).tolist():
        mine = shown == material
        covered = np.flatnonzero(mine.any(axis=0))
        mine = mine[:, covered]
        same = len(covered) == len(pixels)
        points = mean_points(camera, buffers, pixels[covered], mine, material)
        footprints: list[Footprint | None] = []
        cells: list[CellSums | None] = []
        for reading in readings[material]:
            size = (reading.layout.height, reading.layout.width)
            if reading.is_constant:
                footprints.append(None)
                cells.append(None)
                continue
            lookups = [buffer.lookup(reading.uv_transform, size) for buffer in buffers]
            read = drawn_lookups(lookups, pixels[covered])
            footprints.append(Footprint(read, texture_of_triangle, material, reading.layout, by_cell=True))
            if not reading.is_fitted:
                cells.append(None)
                continue
            grid = curvature_grid(*size)
            uv, level = one_sample(lookups, mine, pixels[covered])
            cells.append(CellSums(uv, level - np.float32(np.log2(size[0] / grid.sizes[0][0])), grid))
        parts.append(
            MaterialPart(
                material=material,
                place=slice(None) if same else covered,
                coverage=mine.mean(axis=0, dtype=np.float32),
                likeness=likeness(camera, buffers, pixels[covered], mine, points),
                footprints=tuple(footprints),
                cells=tuple(cells),
                prepared=shader.prepare(points),
                points_bytes=sum(
                    each.nbytes for each in (points.position, points.normal, points.tangent, points.to_eye)
                ),
            )
        )
    return MaterialView(pixels, count[pixels] / np.float32(len(buffers)), tuple(parts))


def mean_points(
    camera: View,
    buffers: Sequence[GeometryBuffer],
    pixels: NDArray[np.int32],
    mine: NDArray[np.bool_],
    material: int,
) -> ShadingPoints:
    """Means over the samples of one material. pixels: (P,). mine: (S, P), which samples show it."""

    def total(name: str, chosen: NDArray[np.bool_]) -> Array:
        rows = [at_pixels(getattr(buffer, name), pixels) for buffer in buffers]
        summed: Array = sum(row * mask[:, None] for row, mask in zip(rows, chosen, strict=True))
        return summed

    position = total("position", mine) / mine.sum(axis=0, dtype=np.float32)[:, None]
    # Beside a seam of mirrored UVs samples differ in the bitangent's sign: the first sample's side counts.
    signs = np.stack([by_sample(buffer.tangent[..., 3], 1)[0].take(pixels) for buffer in buffers])  # (S, P)
    first = np.take_along_axis(signs, mine.argmax(axis=0)[None], axis=0)  # (1, P)
    tangent = total("tangent", mine & (signs == first))
    tangent = np.concatenate([_unit(tangent[:, :3]), first.T], axis=1)
    return ShadingPoints(
        position, _unit(total("normal", mine)), tangent, to_eye(camera, position).astype(np.float32), material
    )


def likeness(
    camera: View,
    buffers: Sequence[GeometryBuffer],
    pixels: NDArray[np.int32],
    mine: NDArray[np.bool_],
    points: ShadingPoints,
) -> Array:
    """(P,) in [0, 1]: how far a pixel's samples are of one piece of surface, whose mean may be shaded.

    At inner outlines they are of two surfaces, at seams of UV maps their tangents are. points: the means.
    """
    worst = np.ones(len(pixels), np.float32)
    depth = np.abs(camera.world_to_clip[3, :3] @ points.position.T + camera.world_to_clip[3, 3])
    size = np.float32(camera.world_per_pixel) * depth.astype(np.float32)
    for buffer, of_sample in zip(buffers, mine, strict=True):
        position, normal, tangent = (
            at_pixels(plane, pixels) for plane in (buffer.position, buffer.normal, buffer.tangent)
        )
        turned = np.einsum("pc,pc->p", normal, points.normal)
        turned = np.minimum(turned, np.einsum("pc,pc->p", _unit(tangent[:, :3]), points.tangent[:, :3]))
        turned = np.where(tangent[:, 3] == points.tangent[:, 3], turned, np.float32(-1.0))
        apart = np.abs(np.einsum("pc,pc->p", position - points.position, points.normal)) / size
        alike = np.minimum((turned - UNLIKE) / (ALIKE - UNLIKE), APART - apart)
        np.minimum(worst, alike, out=worst, where=of_sample)
    return np.clip(worst, 0.0, 1.0, out=worst)


def _unit(vectors: Array) -> Array:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(length, np.float32(1e-12))
