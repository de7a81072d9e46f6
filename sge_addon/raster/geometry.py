# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The assembly on the GPU: what is uploaded once, and the passes from parameters to normals."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import gpu
import numpy as np
from numpy.typing import NDArray

from ..core.assembly import Assembly
from ..core.closed_surfaces import closed_and_outward
from ..core.group_normals import GroupAreas, GroupNormals
from ..core.perturbation import Axes, Perturbation, PerturbedShape
from ..core.tangents import CornerTangents
from .program import Program
from .shaders import downsample_program, normals_program, perturb_program
from .tables import table_size, upload_table
from .targets import Target, TargetPool, drawing

_FEW = 4096  # vertices, whose normals are worked out sooner than a pass begins


@dataclass(frozen=True, eq=False)
class Pose:
    """Tables of the positions of a geometry's vertices and, where they are needed, its groups' normals."""

    geometry: Geometry
    positions: gpu.types.GPUTexture
    normals: gpu.types.GPUTexture | None


class Geometry:
    """Index and corner buffers and the triangles of each normal group: one per topology."""

    def __init__(self, assembly: Assembly, targets: TargetPool) -> None:
        self.assembly = assembly
        self._targets = targets
        layout = gpu.types.GPUVertFormat()
        layout.attr_add(id="corner", comp_type="F32", len=4, fetch_mode="FLOAT")
        vertices = gpu.types.GPUVertBuf(layout, len(assembly.corners))
        vertices.attr_fill("corner", assembly.corners)
        indices = gpu.types.GPUIndexBuf(type="TRIS", seq=assembly.corner_indices)
        self.batch = gpu.types.GPUBatch(type="TRIS", buf=vertices, elem=indices)
        self._screen = screen_batch()
        self._rows = np.zeros((np.prod(table_size(len(assembly.positions))), 4), np.float32)
        self._rows[: len(assembly.positions), 3] = assembly.movable
        self.positions: gpu.types.GPUTexture | None = None
        self.draw_ranges = assembly.draw_ranges
        self._axes: tuple[Axes, gpu.types.GPUTexture] | None = None
        self._has_few = len(assembly.positions) <= _FEW

    def upload(self, positions: NDArray[np.float32]) -> None:
        """positions: (V, 3) float32, world. One upload serves every pass until the next."""
        self.positions = self._table_of(positions)
        self._uploaded = positions
        self.group_areas: GroupAreas | None = None
        self._normals: gpu.types.GPUTexture | None = None
        self._tangents: gpu.types.GPUTexture | None = None

    def perturbed(self, perturbation: Perturbation, normals: bool) -> dict[str, gpu.types.GPUTexture]:
        """Tables plus and minus: both perturbed positions of every vertex; with ``normals`` also normal and
        normal_minus: the normals of every group for each."""
        assembly = self.assembly
        count = len(assembly.positions)
        names = ("plus", "minus")
        values: dict[str, object] = {
            "positions": self.positions,
            "depth_row": tuple(perturbation.depth_row),
            "pixel_scale": perturbation.pixel_scale,
            "nearest": perturbation.nearest,
            "key": perturbation.key,
        }
        if normals:
            count = max(count, len(assembly.group_offsets) - 1)
            names += ("normal", "normal_minus")
            values |= self._groups
        if perturbation.axes is not None:
            values["axes"] = self._axes_table(perturbation.axes)
        target = self._targets.get("perturb", *table_size(count), dict.fromkeys(names, "RGBA32F"), False)
        self._draw_screen(target, perturb_program(normals, perturbation.axes is not None), values)
        return target.textures

    def sides(self, shape: PerturbedShape, normals: bool) -> list[Pose]:
        """The uploaded surfaces, which are those of the shape at rest, moved both ways; with normals as at
        rest."""
        resting = self.normals() if normals else None
        if not self._has_few:
            tables = self.perturbed(shape.perturbation, normals=False)
            return [Pose(self, tables[name], resting) for name in ("plus", "minus")]
        moved = (shape.positions + shape.offsets, shape.positions - shape.offsets)
        return [Pose(self, self._table_of(positions), resting) for positions in moved]

    def _axes_table(self, axes: Axes) -> gpu.types.GPUTexture:
        """Kept for as long as the same are asked for, which serve several steps."""
        if self._axes is None or self._axes[0] is not axes:
            self._axes = axes, upload_table(np.pad(axes.lines, ((0, 0), (0, 1))))
        return self._axes[1]

    def pose(self, positions: NDArray[np.float32], normals: bool, use: str) -> Pose:
        """The surfaces at other positions than what was uploaded. use: as of TargetPool."""
        table = self._table_of(positions)
        return Pose(self, table, self._normals_at(table, use) if normals else None)

    def _table_of(self, positions: NDArray[np.float32]) -> gpu.types.GPUTexture:
        self._rows[: len(positions), :3] = positions
        return upload_table(self._rows)

    def normals(self) -> gpu.types.GPUTexture:
        """Normals of every group at the uploaded positions, as a table; unit length. Of few vertices from
        ``group_areas``, which are then known."""
        if not self._has_few:
            return self._normals_at(self.positions, "normals")
        if self._normals is None:
            normals = self._worked_out_normals().T
            rows = np.zeros((len(normals), 4), np.float32)
            rows[:, :3] = normals
            self._normals = upload_table(rows)
        return self._normals

    def _worked_out_normals(self) -> NDArray[np.float32]:
        """(3, G), from ``group_areas``, which are then known."""
        if self.group_areas is None:
            self.group_areas = self._group_normals.at(self._uploaded)
        return self.group_areas.normals

    @cached_property
    def _group_normals(self) -> GroupNormals:
        return GroupNormals(self.assembly)

    def _normals_at(self, positions: gpu.types.GPUTexture, use: str) -> gpu.types.GPUTexture:
        size = table_size(len(self.assembly.group_offsets) - 1)
        target = self._targets.get(use, *size, {"normal": "RGBA32F"}, False)
        self._draw_screen(target, normals_program(), {"positions": positions} | self._groups)
        return target.textures["normal"]

    def tangents(self) -> gpu.types.GPUTexture:
        """Tangents of every corner at the uploaded positions, as a table; w = sign of the bitangent."""
        if self._tangents is None:
            of_corner = self._worked_out_normals().T[self.assembly.corners[:, 1].astype(np.int64)]
            self._tangents = upload_table(self._corner_tangents.at(self._uploaded, of_corner))
        return self._tangents

    @cached_property
    def marks(self) -> gpu.types.GPUTexture:
        """The marks of the vertices (core.corner_marks), as a table."""
        return upload_table(np.pad(self.assembly.marks, ((0, 0), (0, 2))))

    @cached_property
    def closed_materials(self) -> frozenset[int]:
        """The materials whose triangles all belong to closed parts: half of the fragments need no drawing."""
        closed = closed_and_outward(self.assembly.positions, self.assembly.triangles)
        return frozenset(m for m, first, count in self.draw_ranges if closed[first : first + count].all())

    @cached_property
    def _corner_tangents(self) -> CornerTangents:
        each = self.assembly
        return CornerTangents(each.triangles, each.uvs, each.corner_indices, each.corner_signs, each.polygons)

    @cached_property
    def _groups(self) -> dict[str, object]:
        """The tables that say which edges make a group's normal."""
        ranges, edges = _edges_of_groups(self.assembly)
        return {"group_ranges": upload_table(ranges), "group_edges": upload_table(edges)}

    def downsample(self, source: gpu.types.GPUTexture, target: Target, samples: int) -> None:
        """Mean over samples x samples sub-pixels of ``source`` into ``target``."""
        self._draw_screen(target, downsample_program(), {"source": source, "samples": samples})

    def _draw_screen(self, target: Target, program: Program, values: dict[str, object]) -> None:
        with drawing(target, "NONE"):
            program.bind(values)
            self._screen.draw(program.shader)


def _edges_of_groups(assembly: Assembly) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Rows (first, count, pivot, 0) of each normal group, and rows of two edges (tail, head) that they name:
    the edges of its triangles but those at the pivot, a vertex of the group. Odd ones are filled up with
    the pivot itself."""
    offsets = assembly.group_offsets
    pivots = np.empty(len(offsets) - 1, np.int32)
    pivots[assembly.normal_groups.ravel()] = assembly.triangles.ravel()
    group = np.repeat(np.arange(len(pivots)), np.diff(offsets))
    tails = assembly.triangles[assembly.group_triangles]  # (M, 3)
    touches = tails == pivots[group, None]
    kept = ~(touches | np.roll(touches, -1, axis=1))
    count = np.bincount(group, kept.sum(axis=1), len(pivots)).astype(np.int64)
    rows = (count + 1) // 2
    first = np.cumsum(rows) - rows
    edges = np.repeat(pivots, 4 * rows).reshape(-1, 2).astype(np.float32)
    group = np.repeat(group, kept.sum(axis=1))
    place = 2 * first[group] + np.arange(len(group)) - np.repeat(np.cumsum(count) - count, count)
    edges[place] = np.stack([tails[kept], np.roll(tails, -1, axis=1)[kept]], axis=1)
    ranges = np.stack([first, rows, pivots, np.zeros_like(pivots)], axis=1).astype(np.float32)
    return ranges, edges.reshape(-1, 4)


def screen_batch() -> gpu.types.GPUBatch:
    layout = gpu.types.GPUVertFormat()
    layout.attr_add(id="corner", comp_type="F32", len=2, fetch_mode="FLOAT")
    vertices = gpu.types.GPUVertBuf(layout, 3)
    vertices.attr_fill("corner", np.asarray([[-1, -1], [3, -1], [-1, 3]], np.float32))
    return gpu.types.GPUBatch(type="TRIS", buf=vertices)
