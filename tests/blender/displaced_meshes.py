# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects to be displaced, made from arrays, and what Blender makes of them."""

from __future__ import annotations

import bpy
import numpy as np


def add_sheet(
    name: str = "Sheet", side: int = 9, uv_range: tuple[float, float] = (0.1, 0.9), levels: int = 2
) -> bpy.types.Object:
    """A curved square of side x side vertices, one unit wide, under a Subdivision Surface modifier; turned,
    moved and scaled, since displacements are made in object space."""
    y, x = np.mgrid[0:side, 0:side] / (side - 1.0)
    points = np.stack([x - 0.5, y - 0.5, 0.2 * np.sin(4.0 * x) * y], axis=-1).reshape(-1, 3)
    obj = _add(name, points, _quads(side, side), _ranged(x, y, uv_range))
    obj.location, obj.rotation_euler, obj.scale = (0.2, 0.1, -0.1), (0.3, 0.2, 0.1), (1.0, 0.6, 1.4)
    _subdivide(obj, levels)
    return obj


def add_barrel(name: str = "Barrel", around: int = 16, up: int = 9, levels: int = 2) -> bpy.types.Object:
    """A round wall, open above and below, its UV map the whole square: at the seam u is 0 and 1."""
    v, u = np.mgrid[0:up, 0 : around + 1] / (np.array([up - 1.0, around])[:, None, None])
    angle = 2.0 * np.pi * u[:, :-1]
    radius = 0.6 + 0.2 * np.sin(np.pi * v[:, :-1])
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle), 1.4 * v[:, :-1] - 0.7], axis=-1)
    quads = _quads(up, around + 1)
    corner_uvs = np.stack([u.ravel(), v.ravel()], axis=-1)[quads]
    row, column = np.divmod(quads, around + 1)
    obj = _add(name, points.reshape(-1, 3), row * around + column % around, corner_uvs)
    _subdivide(obj, levels)
    return obj


def add_height_image(
    heights: np.ndarray, as_bytes: bool = False, colorspace: str = "Non-Color"
) -> bpy.types.Image:
    """(H, W) heights as a grey image, stored as they are."""
    height, width = heights.shape
    image = bpy.data.images.new("bricks.png", width, height, float_buffer=not as_bytes)
    image.colorspace_settings.name = colorspace  # before the pixels, which it would discard
    pixels = np.ones((height, width, 4), np.float32)
    pixels[..., :3] = heights[..., None]
    image.pixels.foreach_set(pixels.ravel())
    image.update()
    return image


def add_displace(
    obj: bpy.types.Object, heights: np.ndarray | None, strength: float = 0.1, midlevel: float = 0.5
) -> bpy.types.DisplaceModifier:
    """A Displace modifier with an image of (H, W) heights, or without a texture."""
    modifier = obj.modifiers.new("Displace", "DISPLACE")
    modifier.strength, modifier.mid_level, modifier.texture_coords = strength, midlevel, "UV"
    if heights is not None:
        modifier.texture = bpy.data.textures.new("Bricks", "IMAGE")
        modifier.texture.image = add_height_image(heights)
    return modifier


def add_displacing_material(
    obj: bpy.types.Object, heights: np.ndarray | None, method: str = "DISPLACEMENT", scale: float = 0.1
) -> bpy.types.Material:
    """A material with a Displacement node, and an Image Texture of (H, W) heights where there are any."""
    material = bpy.data.materials.new("Bricks")
    if material.node_tree is None:  # before Blender 5
        material.use_nodes = True
    material.displacement_method = method
    tree = material.node_tree
    node = tree.nodes.new("ShaderNodeDisplacement")
    node.inputs["Scale"].default_value = scale
    tree.links.new(node.outputs["Displacement"], tree.nodes["Material Output"].inputs["Displacement"])
    if heights is not None:
        reader = tree.nodes.new("ShaderNodeTexImage")
        reader.image = add_height_image(heights)
        tree.links.new(reader.outputs["Color"], node.inputs["Height"])
    obj.data.materials.append(material)
    return material


def add_suns() -> None:
    """Three, from different sides."""
    for turn in ((1.1, 0.0, 0.3), (1.3, 0.0, 2.4), (1.6, 0.0, 4.5)):
        lamp = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
        lamp.data.energy, lamp.rotation_euler = 2.5, turn
        bpy.context.scene.collection.objects.link(lamp)


def evaluated_positions(obj: bpy.types.Object) -> np.ndarray:
    """(V, 3) world, as viewports show the object."""
    bpy.context.view_layer.update()
    evaluated = obj.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    positions = np.empty((len(mesh.vertices), 3), np.float32)
    mesh.vertices.foreach_get("co", positions.ravel())
    evaluated.to_mesh_clear()
    matrix = np.array(obj.matrix_world)
    return positions @ matrix[:3, :3].T + matrix[:3, 3]


def bumps(size: int, seed: int = 0) -> np.ndarray:
    """(size, size) in [0, 1], smooth over about an eighth of the side, the same at opposite sides."""
    y, x = np.mgrid[0:size, 0:size] * (2.0 * np.pi / size)
    rng = np.random.default_rng(seed)
    total = np.zeros((size, size))
    for _ in range(6):
        a, b = rng.integers(1, 5, 2)
        total += np.sin(a * x + rng.uniform(0, 6.0)) * np.sin(b * y + rng.uniform(0, 6.0))
    return ((total - total.min()) / np.ptp(total)).astype(np.float32)


def _quads(rows: int, columns: int) -> np.ndarray:
    index = np.arange(rows * columns).reshape(rows, columns)
    corners = (index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1])
    return np.stack(corners, axis=-1).reshape(-1, 4)


def _ranged(x: np.ndarray, y: np.ndarray, uv_range: tuple[float, float]) -> np.ndarray:
    low, high = uv_range
    uvs = low + (high - low) * np.stack([x.ravel(), y.ravel()], axis=-1)
    return uvs[_quads(*x.shape)]


def _add(name: str, points: np.ndarray, quads: np.ndarray, corner_uvs: np.ndarray) -> bpy.types.Object:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(points.tolist(), [], quads.tolist())
    mesh.uv_layers.new(name="UVMap").uv.foreach_set("vector", corner_uvs.astype(np.float32).ravel())
    mesh.shade_smooth()
    obj = bpy.data.objects.new(name, mesh)
    bpy.context.collection.objects.link(obj)
    return obj


def _subdivide(obj: bpy.types.Object, levels: int) -> None:
    if levels:
        obj.modifiers.new("Subdivision", "SUBSURF").levels = levels
    bpy.context.view_layer.update()
