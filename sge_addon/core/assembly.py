# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All surfaces of a fit laid end to end, as one set of vertices and triangles.

Triangles are sorted by texture, so that one draw serves one texture; a pixel's ID is the triangle's
index in this order plus one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .corner_marks import vertex_marks
from .errors import FitError
from .surface import Material, Surface
from .tangents import uv_orientations

NO_MATERIAL = Material(key="")


@dataclass(frozen=True, eq=False)
class Assembly:
    """The merged geometry; nothing in it changes.

    positions: (V, 3) float32, world, at the start. movable: (V,) bool.
    vertex_ranges: slice of the vertices of each surface.
    triangles: (F, 3) int32. normal_groups: (F, 3) int32. uvs: (F, 3, 2) float32 (zero where none).
    polygons: (F,) int32: triangles of one polygon have the same number.
    texture_of_triangle: (F,) int32 into ``materials``; triangles of one material are contiguous.
    corners: (N, 4) float32, one row per distinct (vertex, normal group, u, v, sign): what is drawn.
    corner_signs: (N,) float32, -1 where the UVs of a lit material are mirrored, so that tangents of opposite
    orientation stay apart; else 1. corner_indices: (F, 3) int32 into ``corners``.
    group_offsets: (G + 1,) int64, group_triangles: (M,) int32: the triangles of each normal group.
    order: (F,) int64: each triangle's index in the surfaces' triangles laid end to end.
    """

    positions: NDArray[np.float32]
    movable: NDArray[np.bool_]
    vertex_ranges: tuple[slice, ...]
    triangles: NDArray[np.int32]
    normal_groups: NDArray[np.int32]
    uvs: NDArray[np.float32]
    polygons: NDArray[np.int32]
    texture_of_triangle: NDArray[np.int32]
    materials: tuple[Material, ...]
    corners: NDArray[np.float32]
    corner_signs: NDArray[np.float32]
    corner_indices: NDArray[np.int32]
    group_offsets: NDArray[np.int64]
    group_triangles: NDArray[np.int32]
    order: NDArray[np.int64]

    @cached_property
    def marks(self) -> NDArray[np.float32]:
        """(V, 2): of each vertex, by which pixels tell their place in a triangle (corner_marks)."""
        return vertex_marks(self.triangles, len(self.positions))

    @cached_property
    def is_smooth(self) -> bool:
        """Whether each vertex has one normal, and each normal is of one vertex."""
        vertices, groups = self.triangles, self.normal_groups
        group_of_vertex = np.empty(len(self.positions), np.int32)
        vertex_of_group = np.empty(len(self.group_offsets) - 1, np.int32)
        group_of_vertex[vertices], vertex_of_group[groups] = groups, vertices
        return bool(
            (group_of_vertex[vertices] == groups).all() and (vertex_of_group[groups] == vertices).all()
        )

    def triangles_of_surfaces(self) -> list[NDArray[np.intp]]:
        """The triangles of each surface, ascending."""
        ends = [vertices.stop for vertices in self.vertex_ranges]
        owner = np.searchsorted(ends, self.triangles[:, 0], side="right")
        order = np.argsort(owner, kind="stable")
        return np.split(order, np.cumsum(np.bincount(owner, minlength=len(ends)))[:-1])

    @property
    def draw_ranges(self) -> list[tuple[int, int, int]]:
        """(material, first triangle, triangle count) of each draw."""
        counts = np.bincount(self.texture_of_triangle, minlength=len(self.materials))
        first = np.r_[0, np.cumsum(counts)[:-1]]
        return [(m, int(first[m]), int(n)) for m, n in enumerate(counts) if n]


def assemble(surfaces: Sequence[Surface]) -> Assembly:
    """Merge surfaces into one Assembly. Raises FitError where there is nothing to merge."""
    if not surfaces:
        raise FitError("No object to fit: select at least one mesh.")
    materials: dict[str, Material] = {}
    triangles, groups, uvs, polygons, textures, ranges = [], [], [], [], [], []
    vertex_count = group_count = polygon_count = 0
    for surface in surfaces:
        slots = surface.materials or (NO_MATERIAL,)
        for material in slots:
            materials.setdefault(material.key, material)
        keys = list(materials)
        index_of_slot = np.asarray([keys.index(material.key) for material in slots], dtype=np.int32)
        face_count = len(surface.triangles)
        slot = surface.material_indices
        slot = np.zeros(face_count, np.int32) if slot is None else np.minimum(slot, len(slots) - 1)
        triangles.append(surface.triangles + np.int32(vertex_count))
        _, dense = np.unique(surface.normal_groups, return_inverse=True)
        groups.append(dense.reshape(-1, 3).astype(np.int32) + np.int32(group_count))
        uvs.append(np.zeros((face_count, 3, 2), np.float32) if surface.uvs is None else surface.uvs)
        polygon = np.arange(face_count, dtype=np.int32) if surface.polygons is None else surface.polygons
        polygons.append(polygon + np.int32(polygon_count))
        textures.append(index_of_slot[slot])
        ranges.append(slice(vertex_count, vertex_count + len(surface.positions)))
        vertex_count += len(surface.positions)
        group_count = int(groups[-1].max()) + 1
        polygon_count = int(polygons[-1].max()) + 1

    texture_of_triangle = np.concatenate(textures)
    order = np.argsort(texture_of_triangle, kind="stable")
    merged = tuple(np.ascontiguousarray(np.concatenate(parts)[order]) for parts in (triangles, groups, uvs))
    texture_of_triangle = texture_of_triangle[order]
    is_lit = np.asarray([material.lit is not None for material in materials.values()])[texture_of_triangle]
    orientations = np.where(is_lit, uv_orientations(merged[2]), np.float32(1.0))
    corners, corner_signs, corner_indices = _distinct_corners(merged[0], merged[1], merged[2], orientations)
    group_offsets, group_triangles = _triangles_of_groups(merged[1], group_count)
    return Assembly(
        positions=np.concatenate([s.positions for s in surfaces]).astype(np.float32),
        movable=np.concatenate([_movable(s) for s in surfaces]),
        vertex_ranges=tuple(ranges),
        triangles=merged[0],
        normal_groups=merged[1],
        uvs=merged[2],
        polygons=np.concatenate(polygons)[order],
        texture_of_triangle=texture_of_triangle,
        materials=tuple(materials.values()),
        corners=corners,
        corner_signs=corner_signs,
        corner_indices=corner_indices,
        group_offsets=group_offsets,
        group_triangles=group_triangles,
        order=order,
    )


def ids_of_like(assembly: Assembly, start: Assembly) -> NDArray[np.uint32]:
    """(F + 1,) for each ID of an assembly one of another assembly of the same objects, whose triangle has the
    same material. Raises FitError where no triangle of ``start`` has it."""
    first = np.zeros(len(start.materials), np.uint32)
    for material, triangle, _ in start.draw_ranges:
        first[material] = triangle + 1
    ids = first[assembly.texture_of_triangle]
    missing = np.flatnonzero(ids == 0)
    if len(missing):
        name = assembly.materials[assembly.texture_of_triangle[missing[0]]].key
        raise FitError(
            f"Modifiers now show the material '{name}', which was nowhere when the fit began: give some "
            "faces of the base mesh this material, or remove the modifier that brings it in."
        )
    return np.concatenate([np.zeros(1, np.uint32), ids])


def _movable(surface: Surface) -> NDArray[np.bool_]:
    if surface.mobility is None:
        return np.ones(len(surface.positions), bool)
    return surface.mobility > 0.0


def _distinct_corners(
    triangles: NDArray[np.int32],
    groups: NDArray[np.int32],
    uvs: NDArray[np.float32],
    orientations: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """Rows (vertex, group, u, v) without repeats at equal sign, their signs, and for each triangle's corners
    their rows. orientations: (F,); where it is 0, corners take the sign of others with the same numbers."""
    rows = np.empty((triangles.size, 5), np.float32)
    rows[:, 0] = triangles.ravel()
    rows[:, 1] = groups.ravel()
    rows[:, 2:4] = uvs.reshape(-1, 2) + 0.0  # -0 becomes 0: equal numbers have equal bits
    rows[:, 4] = np.repeat(orientations, 3)
    undecided = rows[:, 4] == 0.0
    if undecided.any():
        _, inverse = _distinct_rows(rows[:, :4])
        known = np.ones(inverse.max() + 1, np.float32)
        known[inverse[~undecided]] = rows[~undecided, 4]
        rows[undecided, 4] = known[inverse[undecided]]
    distinct, inverse = _distinct_rows(rows)
    corners = np.ascontiguousarray(distinct[:, :4])
    return corners, np.ascontiguousarray(distinct[:, 4]), inverse.reshape(-1, 3)


def _distinct_rows(rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Rows without repeats, in the order of first use, and for each row the index of its like."""
    rows = np.ascontiguousarray(rows)
    bits = rows.view(np.uint32).astype(np.uint64)
    # Sorting one 64-bit key is ten times faster than sorting rows; a collision is checked for.
    key = np.zeros(len(rows), np.uint64)
    for column in range(rows.shape[1]):
        key = (key ^ bits[:, column]) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    if not (rows[first][inverse] == rows).all():
        _, first, inverse = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    # In order of first use, so that neighbouring vertices stay neighbours in memory.
    rank = np.empty(len(first), np.int32)
    by_use = np.argsort(first)
    rank[by_use] = np.arange(len(first), dtype=np.int32)
    return rows[first[by_use]], rank[inverse.ravel()]


def _triangles_of_groups(
    groups: NDArray[np.int32], group_count: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Offsets (G + 1,) and triangle indices: each triangle once in each group that it touches."""
    a, b, c = groups.T
    # A flat polygon's triangle has all three corners in one group and counts once in it.
    once = np.stack([np.ones(len(a), bool), b != a, (c != a) & (c != b)], axis=1)  # (F, 3)
    flat = groups[once]
    owner = np.repeat(np.arange(len(groups), dtype=np.int32), once.sum(axis=1))
    order = np.argsort(flat, kind="stable")
    offsets = np.zeros(group_count + 1, np.int64)
    np.cumsum(np.bincount(flat, minlength=group_count), out=offsets[1:])
    return offsets, owner[order]
