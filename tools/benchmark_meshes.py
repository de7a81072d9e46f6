# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Spheres of any number of triangles, with UVs; a fit starts from one and its references show another."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from sge_addon.scene.images import array_to_image

SOURCE_TRIANGLES = 30_000
TEXTURE_SIZE = 512
_CHART_MARGIN = 0.02  # of a chart's side, left free on each side
# Corners of the two triangles of a quad, which share its first and third: of the cube's sides that face to
# negative, and to positive, directions.
_HALVES = (([2, 3, 0], [1, 2, 0]), ([0, 1, 2], [0, 2, 3]))


@dataclass(frozen=True, eq=False)
class Sphere:
    """positions: (V, 3) float32. triangles: (F, 3) int32, counter-clockwise from outside; of a cage quads,
    (F, 4). uvs: (F, 3 or 4, 2) float32 in [0, 1], without overlap."""

    positions: NDArray[np.float32]
    triangles: NDArray[np.int32]
    uvs: NDArray[np.float32]


def cube_sphere(triangles: int, radius: float = 1.0) -> Sphere:
    """A sphere of about ``triangles`` triangles of nearly equal size: 12 n n, a grid on each side of a cube.

    Each side is a chart of its own, so there are seams where sides meet.
    """
    directions, quads, uvs = _quad_sphere(max(1, round((triangles / 12) ** 0.5)))
    corners = np.concatenate(
        [
            part[:, half]
            for side, part in enumerate(np.arange(quads.size).reshape(6, -1, 4))
            for half in _HALVES[side // 3]
        ]
    )
    return Sphere(
        positions=(radius * directions).astype(np.float32),
        triangles=np.ascontiguousarray(quads.ravel()[corners]),
        uvs=np.ascontiguousarray(uvs.reshape(-1, 2)[corners]),
    )


def _quad_sphere(cells: int) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.float32]]:
    """Directions (V, 3), quads (6 n n, 4), counter-clockwise from outside, and their UVs (6 n n, 4, 2)."""
    grid = np.arange(cells + 1)
    i, j = (axis.ravel() for axis in np.meshgrid(grid, grid, indexing="ij"))
    low = (i * (cells + 1) + j).reshape(cells + 1, cells + 1)
    around = (low[:-1, :-1], low[1:, :-1], low[1:, 1:], low[:-1, 1:])
    of_side = np.stack([part.ravel() for part in around], axis=1)  # (n n, 4)
    lattice, faces, uvs = [], [], []
    for side in range(6):
        axis, positive = side % 3, side // 3
        points = np.empty((len(i), 3), np.int64)
        points[:, axis] = cells * positive
        points[:, (axis + 1) % 3] = i
        points[:, (axis + 2) % 3] = j
        lattice.append(points)
        faces.append((of_side if positive else of_side[:, [0, 3, 2, 1]]) + side * len(i))
        chart = np.stack([i, j], axis=1) / cells * (1.0 - 2.0 * _CHART_MARGIN) + _CHART_MARGIN
        uvs.append((chart + (axis, positive)) / (3.0, 2.0))
    corners = np.concatenate(faces)
    points = np.concatenate(lattice)
    # Sides share the lattice points of a cube's edges.
    _, first, vertex = np.unique(
        points @ ((cells + 1) ** np.arange(3)), return_index=True, return_inverse=True
    )
    directions = np.tan((2.0 * points[first] / cells - 1.0) * (np.pi / 4.0))  # cells of nearly equal angles
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    quads = vertex.reshape(-1)[corners].astype(np.int32)
    return directions, quads, np.concatenate(uvs)[corners].astype(np.float32)


def cage_object(faces: int, levels: int) -> bpy.types.Object:
    """A sphere of about so many quads under Subdivision Surface, in the current scene."""
    directions, quads, uvs = _quad_sphere(max(1, round((faces / 6) ** 0.5)))
    obj = _object("Cage", Sphere((0.9 * directions).astype(np.float32), quads, uvs))
    obj.modifiers.new("Subdivision", "SUBSURF").levels = levels
    bpy.context.view_layer.update()
    return obj


def start_object(triangles: int) -> bpy.types.Object:
    """The sphere that is fitted, without a material, in the current scene."""
    return _object("Start", cube_sphere(triangles, 0.9))


def source_object() -> bpy.types.Object:
    """A textured, dented sphere of radius about 1 in the current scene: what the references show."""
    sphere = cube_sphere(SOURCE_TRIANGLES)
    x, y, z = sphere.positions.T
    dents = 0.06 * np.sin(5.0 * x + 1.0) + 0.06 * np.sin(6.0 * y) + 0.04 * np.sin(9.0 * z + x)
    obj = _object("Source", Sphere((1.0 + dents)[:, None] * sphere.positions, sphere.triangles, sphere.uvs))
    material = bpy.data.materials.new("Source")
    if material.node_tree is None:  # before Blender 5
        material.use_nodes = True
    nodes = material.node_tree.nodes
    image = nodes.new("ShaderNodeTexImage")
    image.image = array_to_image("Source", _texture(TEXTURE_SIZE))
    material.node_tree.links.new(image.outputs["Color"], nodes["Principled BSDF"].inputs["Base Color"])
    obj.data.materials.append(material)
    return obj


def _texture(size: int) -> NDArray[np.float32]:
    """(size, size, 4) linear: waves of several lengths, different in every channel."""
    y, x = np.mgrid[0:size, 0:size] * (2.0 * np.pi / size)
    rgba = np.ones((size, size, 4), np.float32)
    for channel, (along, across) in enumerate(((24, 3), (5, 31), (17, 18))):
        rgba[..., channel] = 0.5 + 0.25 * np.sin(along * x + across * y) + 0.2 * np.sin(3.0 * x - 2.0 * y)
    return rgba


def _object(name: str, sphere: Sphere) -> bpy.types.Object:
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(len(sphere.positions))
    mesh.vertices.foreach_set("co", sphere.positions.astype(np.float32).ravel())
    mesh.loops.add(sphere.triangles.size)
    mesh.loops.foreach_set("vertex_index", sphere.triangles.ravel())
    count, corners = sphere.triangles.shape
    mesh.polygons.add(count)
    mesh.polygons.foreach_set("loop_start", corners * np.arange(count, dtype=np.int32))
    mesh.uv_layers.new(name="UVMap").uv.foreach_set("vector", sphere.uvs.ravel())
    mesh.update(calc_edges=True)
    mesh.shade_smooth()
    obj = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(obj)
    bpy.context.view_layer.update()
    return obj
