# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Between two stages: the fit into the scene, a finer mesh from there, and its texture with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.surface import Material, Surface
from ..core.texture_bake import bilinear, texel_places
from ..core.texture_fill import extend_margin
from ..core.texture_pyramid import double
from ..scene.attribute_transfer import NearestOn, transfer_faces, transfer_groups
from ..scene.objects import surface_from_object
from ..scene.remesh import replace_geometry, subdivide_long_edges, voxel_mesh, voxel_size
from ..scene.unwrap import unwrap
from .live import LiveWriter, Reached
from .problem import Problem

if TYPE_CHECKING:
    import bpy

_BAKED_SIDE = 512  # texels: what is baked is only where the texture of the next stage starts from
_UV_MARGIN = 4  # texels between islands
_LARGEST_UV_MARGIN = 0.02  # of the map

Textures = dict[str, NDArray[np.float32]]


class Remeshing:
    """Gives the objects of a fit finer meshes, as ``settings.remesh`` says.

    notices: to which is added what the user should know.
    """

    def __init__(self, writer: LiveWriter, notices: list[str]) -> None:
        self._writer = writer
        self._notices = notices
        self._rounds = 0
        self._fine: dict[str, bool] = {}  # by object: no edge was ever too long

    def __call__(self, problem: Problem, known: Textures) -> tuple[Sequence[Surface], Textures]:
        """problem: of the stage to come, with the surfaces as they stand. known: evidence of texels.

        The new surfaces, and what is then known of their texels.
        """
        settings = problem.settings
        self._writer.write(Reached([surface.positions for surface in problem.surfaces], {}))
        objects = self._writer.objects()
        if settings.remesh == "subdivide":
            self._subdivide(objects, problem)
        else:
            views = [reference.view for reference in problem.training]
            size = voxel_size(objects, views, settings.edge_length)
            known = dict(known)
            for obj, surface in zip(objects, problem.surfaces, strict=True):
                _to_voxels(obj, surface, size, settings.texture_size)
        surfaces = [
            surface_from_object(
                obj,
                old.materials,
                vertex_group=settings.vertex_group,
                pin_boundary=settings.pin_boundary,
            )
            for obj, old in zip(objects, problem.surfaces, strict=True)
        ]
        if settings.remesh == "voxel":
            surfaces = [
                _with_baked_textures(new, old, known)
                for new, old in zip(surfaces, problem.surfaces, strict=True)
            ]
        self._writer.retarget(objects)
        return surfaces, known

    def _subdivide(self, objects: Sequence[bpy.types.Object], problem: Problem) -> None:
        settings = problem.settings
        views = [reference.view for reference in problem.training]
        for obj in objects:
            added = subdivide_long_edges(obj, views, settings.edge_length, settings.vertex_group)
            self._fine[obj.name] = self._fine.get(obj.name, True) and not added
        self._rounds += 1
        if self._rounds == settings.stages - 1:
            self._notices += [
                f"Object '{name}': no edge is longer than {settings.edge_length:g} pixels, so nothing was "
                "subdivided: choose a shorter Edge Length for a finer mesh."
                for name, is_fine in self._fine.items()
                if is_fine
            ]


def _to_voxels(obj: bpy.types.Object, surface: Surface, size: float, texture_size: int) -> None:
    """surface: of the object as it stands, its triangles in the order of the mesh's own."""
    mesh = obj.data
    mesh.calc_loop_triangles()
    made = voxel_mesh(obj, size)
    nearest = NearestOn(surface)
    transfer_faces(made, nearest, mesh)
    transfer_groups(made, nearest, surface, mesh)
    name = next((layer.name for layer in mesh.uv_layers if layer.active_render), "")
    if name:
        unwrap(made, name, min(_UV_MARGIN / texture_size, _LARGEST_UV_MARGIN))
    replace_geometry(obj, made)


def _with_baked_textures(new: Surface, old: Surface, known: Textures) -> Surface:
    """The new surface with its fitted textures baked from the old one's; ``known`` is set accordingly."""
    if new.uvs is None or old.uvs is None:
        return new
    nearest = NearestOn(old)
    materials = tuple(
        _baked(material, number, new, old, nearest, known)
        if material.fitted and material.texture is not None
        else material
        for number, material in enumerate(new.materials)
    )
    return replace(new, materials=materials)


def _baked(
    material: Material, number: int, new: Surface, old: Surface, nearest: NearestOn, known: Textures
) -> Material:
    texture, uvs, slots = material.texture, new.uvs, new.material_indices
    height, width = texture.shape[:2]
    halvings = 0
    while max(height, width) >> halvings > _BAKED_SIDE:
        halvings += 1
    size = (height >> halvings, width >> halvings)
    own = np.flatnonzero(np.minimum(slots, len(new.materials) - 1) == number)
    places = texel_places(uvs[own], size)
    points = places.points(new.positions[new.triangles[own]])
    found = nearest(points)
    colours = np.zeros((size[0] * size[1], 3), np.float32)
    colours[places.texels] = bilinear(texture, found.values(old.uvs))
    covered = np.zeros(size[0] * size[1], bool)
    covered[places.texels] = True
    baked = extend_margin(colours.reshape(*size, 3), covered.reshape(size), max(size))
    evidence = covered.reshape(*size, 1).astype(np.float32)
    for _ in range(halvings):
        baked, evidence = double(baked), double(evidence)
    known[material.key] = evidence[..., 0]
    return replace(material, texture=baked)
