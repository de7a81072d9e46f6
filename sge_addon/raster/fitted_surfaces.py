# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rasteriser kept at the current parameters: uploads what has changed since the last pass."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..core.assembly import Assembly, assemble, ids_of_like
from ..core.cage_block import CageBlock
from ..core.coarse_mesh import CoarseMesh, coarsened, unchanged
from ..core.geometry_buffer import GeometryBuffer
from ..core.lookups import UVBuffer
from ..core.protocols import SurfaceBlock
from ..core.reference import Reference
from ..core.stacked_surfaces import StackedSurfaces
from ..core.stopwatch import Stopwatch
from ..core.surface import Surface, smooth_groups
from ..core.texture_block import Texture
from .coarse_surfaces import CoarseSurfaces
from .rasteriser import Rasteriser

Buffer = TypeVar("Buffer", UVBuffer, GeometryBuffer)


class FittedSurfaces:
    """Position blocks by surface (or none), textures by material: base colour (None where it is a constant)
    or, where shading is lit, the maps that change, by name.

    stacked: what evaluates the blocks' values where modifiers that only Blender knows show something else of
    them. The triangles may then be others after each step; buffers for steps of textures nevertheless name
    triangles of the assembly that the fit began with, of the same material.
    """

    def __init__(
        self,
        rasteriser: Rasteriser,
        positions: Sequence[SurfaceBlock],
        textures: Sequence[Texture | Mapping[str, Texture] | None],
        stopwatch: Stopwatch,
        stacked: StackedSurfaces | None = None,
    ) -> None:
        self._rasteriser = rasteriser
        self._start = rasteriser.assembly
        self._stacked = stacked
        self._position_blocks = positions
        self._textures = textures
        self._stopwatch = stopwatch
        # What is shown does not keep an array that its block has replaced.
        self._shown: dict[tuple[int, str], weakref.ref[NDArray[np.float32]]] = {}
        self._uploaded: list[NDArray[np.float32]] = []
        self.positions = rasteriser.assembly.positions

    def updated(self, textures: bool = True) -> Rasteriser:
        """The rasteriser, showing the blocks' current values. Blocks replace arrays when they step."""
        with self._stopwatch.stage("upload"):
            values = self._values()
            if any(a is not b for a, b in zip(values, self._uploaded, strict=False)) or not self._uploaded:
                self._uploaded = values
                if values:
                    self._show(values)
            for material, texture in enumerate(self._textures if textures else ()):
                if isinstance(texture, Mapping):
                    for name, each in texture.items():
                        if self._is_new(material, name, each.value):
                            self._rasteriser.set_map(material, name, each.value)
                elif texture is not None and self._is_new(material, "", texture.value):
                    self._rasteriser.set_texture(material, texture.value)
        return self._rasteriser

    @property
    def assembly(self) -> Assembly:
        """Of what was shown last."""
        return self._rasteriser.assembly

    def shows_normals(self, match: tuple[str, ...]) -> bool:
        """Whether what is matched of pictures depends on normals. match: of FitSettings."""
        return self._rasteriser.shows_normals(match)

    def coarse(
        self, finer: CoarseSurfaces | None, shortest: float, least: int, step: bool
    ) -> CoarseSurfaces | None:
        """The surfaces with edges contracted that are shorter (core.coarse_mesh), and what draws them;
        ``finer``, of which they are made, where that is no gain or would show something else: textures,
        creases, light. finer: None for the surfaces themselves. step: as of CoarseSurfaces."""
        assembly = self.updated(textures=False).assembly
        if self._rasteriser.shows_textures or not assembly.is_smooth:
            return finer
        owned = assembly.triangles_of_surfaces()
        before: list[CoarseMesh] = list(finer.meshes) if finer is not None else []
        meshes, surfaces = [], []
        materials = tuple(replace(each, texture=None) for each in assembly.materials)  # which do not show
        for index, (vertices, own) in enumerate(zip(assembly.vertex_ranges, owned, strict=True)):
            positions = self.positions[vertices]
            if finer is None:
                triangles = assembly.triangles.take(own, axis=0) - np.int32(vertices.start)
                before.append(unchanged(positions, triangles))
            mesh = coarsened(before[index], positions, shortest, least)
            meshes.append(mesh)
            surfaces.append(
                Surface(
                    f"coarse {index}",
                    mesh.positions(positions),
                    mesh.triangles,
                    smooth_groups(mesh.triangles),
                    material_indices=assembly.texture_of_triangle.take(own.take(mesh.origins)),
                    materials=materials,
                )
            )
        if all(mesh is finer_mesh for mesh, finer_mesh in zip(meshes, before, strict=True)):
            return finer
        return CoarseSurfaces(self._position_blocks, meshes, self._rasteriser.of(assemble(surfaces)), step)

    def as_at_start(self, buffer: Buffer, assembly: Assembly) -> Buffer:
        """A buffer of an assembly with the IDs of triangles of the one at the start, of the same material."""
        if assembly is self._start:
            return buffer
        return replace(buffer, ids=ids_of_like(assembly, self._start)[buffer.ids])

    def forget(self) -> None:
        """The same values show something else from now on: modifiers or objects have changed."""
        self._uploaded = []

    def _values(self) -> list[NDArray[np.float32]]:
        if self._stacked is not None:
            return self._stacked.parameters(self._position_blocks)
        return [block.shown for block in self._position_blocks]

    def _show(self, values: list[NDArray[np.float32]]) -> None:
        if self._stacked is None:
            self.positions = np.concatenate(values)
        else:
            (shape,) = self._stacked.at([values])
            self.positions = shape.positions
            for block, made in zip(self._position_blocks, shape.evaluated, strict=True):
                if isinstance(block, CageBlock) and made is not None:
                    block.show(made)
            if shape.assembly is not self._rasteriser.assembly:
                self._rasteriser.set_assembly(shape.assembly)
        self._rasteriser.set_positions(self.positions)

    def _is_new(self, material: int, name: str, value: NDArray[np.float32]) -> bool:
        """Whether another array was shown last, which from now on is this one."""
        shown = self._shown.get((material, name))
        self._shown[material, name] = weakref.ref(value)
        return shown is None or shown() is not value

    def geometry(self, reference: Reference, offset: tuple[float, float]) -> GeometryBuffer:
        """What one sample a pixel, moved by ``offset`` pixels, sees, for a step of maps."""
        rasteriser = self.updated(textures=False)
        seen = rasteriser.geometry_buffer(reference.view, offset, self._stopwatch)
        return self.as_at_start(seen, rasteriser.assembly)

    def sample(self, reference: Reference, offset: tuple[float, float]) -> Callable[[], UVBuffer]:
        """Draw one sample a pixel, moved by ``offset`` pixels, for a texture step; that of the centre with
        slopes. It is read by what this returns; see ``Rasteriser.draw_uv``."""
        rasteriser = self.updated(textures=False)
        is_centre = offset == (0.0, 0.0)
        read = rasteriser.draw_uv(reference.view, offset, self._stopwatch, slopes=is_centre)
        return lambda: self.as_at_start(read(), rasteriser.assembly)
