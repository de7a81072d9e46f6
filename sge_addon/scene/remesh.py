# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finer meshes in place of coarse ones, within the same mesh data: names, materials and groups stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.errors import FitError
from ..core.pixel_scale import edge_pixels, finest_pixels
from ..core.view import View
from .objects import base_positions, to_world, world_matrix
from .unwrap import scratch_scene

if TYPE_CHECKING:
    import bmesh
    import bpy

TOO_LONG = 4.0 / 3.0  # of the wanted length: halving such an edge comes nearer to it (Botsch, Kobbelt 2004)
_STRAIGHT = 3.1  # radians
LONGEST_ROUNDS = 8  # each halves; 256 times is more than any start mesh needs


def subdivide_long_edges(
    obj: bpy.types.Object, views: Sequence[View], pixels: float, vertex_group: str = ""
) -> int:
    """Halve edges until none is longer than about ``pixels`` in any of the views; the vertices added.

    UV maps, materials, vertex groups and marks go along. vertex_group: edges that lie wholly outside stay.
    """
    import bmesh

    mesh, matrix = obj.data, world_matrix(obj)
    group = obj.vertex_groups.get(vertex_group) if vertex_group else None
    before = len(mesh.vertices)
    shape = bmesh.new()
    try:
        shape.from_mesh(mesh)
        for _ in range(LONGEST_ROUNDS):
            lengths = _edge_pixels(shape, matrix, views)
            if group is not None:
                lengths *= _touches_group(shape, group.index)
            long = [
                edge for edge, length in zip(shape.edges, lengths, strict=True) if length > TOO_LONG * pixels
            ]
            if not long:
                break
            bmesh.ops.subdivide_edges(shape, edges=long, cuts=1, use_grid_fill=True)
            pieces = [face for face in shape.faces if len(face.verts) > 4 or _has_straight_corner(face)]
            bmesh.ops.triangulate(shape, faces=pieces)
        if len(shape.verts) > before:
            shape.to_mesh(mesh)
            mesh.update()
    finally:
        shape.free()
    return len(mesh.vertices) - before


def _edge_pixels(
    shape: bmesh.types.BMesh, matrix: NDArray[np.float64], views: Sequence[View]
) -> NDArray[np.float64]:
    shape.verts.index_update()
    positions = np.asarray([vertex.co[:] for vertex in shape.verts], np.float32)
    edges = np.asarray([(edge.verts[0].index, edge.verts[1].index) for edge in shape.edges])
    return edge_pixels(to_world(positions, matrix), edges, views)


def _has_straight_corner(face: bmesh.types.BMFace) -> bool:
    """Of a quad: a triangle with one edge halved. Drawn across that corner it would be a triangle without
    area; two such beside each other are a fin."""
    return len(face.verts) == 4 and any(loop.calc_angle() > _STRAIGHT for loop in face.loops)


def _touches_group(shape: bmesh.types.BMesh, group: int) -> NDArray[np.bool_]:
    """(E,) whether one end of an edge has a weight in the group."""
    layer = shape.verts.layers.deform.active
    inside = {vertex for vertex in shape.verts if (vertex[layer].get(group) or 0.0) > 0.0}
    return np.asarray([not inside.isdisjoint(edge.verts) for edge in shape.edges])


def voxel_size(objects: Sequence[bpy.types.Object], views: Sequence[View], pixels: float) -> float:
    """World side of a voxel that the views show ``pixels`` wide: the median over all vertices that any shows.

    Raises FitError where no vertex is in any view.
    """
    points = np.concatenate([to_world(base_positions(obj), world_matrix(obj)) for obj in objects])
    finest = finest_pixels(points, views)
    seen = np.isfinite(finest)
    if not seen.any():
        names = ", ".join(f"'{obj.name}'" for obj in objects)
        raise FitError(
            f"No reference shows a vertex of {names}, so that the size of voxels is not known: move the "
            "cameras away, or set Remesh to off."
        )
    return pixels * float(np.median(finest[seen]))


def voxel_mesh(obj: bpy.types.Object, size: float) -> bpy.types.Mesh:
    """A new mesh in world space: Blender's voxel remesher on the object's mesh. size: of a voxel.

    Raises FitError where nothing is left.
    """
    import bpy

    with scratch_scene() as scene:
        mesh = obj.data.copy()
        copy = bpy.data.objects.new("sge_voxels", mesh)
        try:
            mesh.transform(obj.matrix_world)
            scene.collection.objects.link(copy)
            remesh = copy.modifiers.new("Remesh", "REMESH")
            remesh.mode, remesh.voxel_size, remesh.adaptivity = "VOXEL", size, 0.0
            layers = scene.view_layers[0]
            layers.update()
            evaluated = copy.evaluated_get(layers.depsgraph)
            made = bpy.data.meshes.new_from_object(evaluated, depsgraph=layers.depsgraph)
        finally:
            bpy.data.meshes.remove(mesh)  # and with it the object
    if not made.polygons:
        bpy.data.meshes.remove(made)
        raise FitError(
            f"Object '{obj.name}': nothing is left of it with voxels of {size:.3g}: choose a shorter Edge "
            "Length, or set Remesh to subdivide."
        )
    return made


def replace_geometry(obj: bpy.types.Object, made: bpy.types.Mesh) -> None:
    """Put a world-space mesh into the object's own mesh data, which keeps its name and materials; the
    mesh that was made goes."""
    import bmesh
    import bpy

    shape = bmesh.new()
    try:
        shape.from_mesh(made)
        shape.transform(obj.matrix_world.inverted())
        shape.to_mesh(obj.data)
    finally:
        shape.free()
        bpy.data.meshes.remove(made)
    obj.data.update()
