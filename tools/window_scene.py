# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the window test fits: a statue in two colours, and a cage around it."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np


def add_statue() -> Any:
    """A monkey in two colours."""
    bpy.ops.mesh.primitive_monkey_add(size=2.0)
    statue = bpy.context.object
    statue.name = "Statue"
    statue.modifiers.new("Subdivision", "SUBSURF").levels = 2
    statue.data.polygons.foreach_set("use_smooth", [True] * len(statue.data.polygons))
    material = bpy.data.materials.new("Stripes")
    if material.node_tree is None:  # before Blender 5
        material.use_nodes = True
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = striped_image(256)
    base = material.node_tree.nodes["Principled BSDF"].inputs["Base Color"]
    material.node_tree.links.new(node.outputs["Color"], base)
    statue.data.materials.append(material)
    return statue


def striped_image(size: int) -> Any:
    """Warm and cold waves."""
    y, x = np.mgrid[:size, :size] / size
    wave = 0.5 + 0.5 * np.sin(40.0 * x) * np.cos(34.0 * y)
    warm, cold = np.array([0.95, 0.55, 0.2]), np.array([0.1, 0.3, 0.6])
    pixels = np.ones((size, size, 4), np.float32)
    pixels[..., :3] = wave[..., None] * warm + (1.0 - wave[..., None]) * cold
    image = bpy.data.images.new("Stripes", size, size)
    image.pixels.foreach_set(pixels.ravel())
    image.pack()
    return image


def add_cage() -> Any:
    """A sphere with even triangles and a UV map."""
    bpy.ops.mesh.primitive_ico_sphere_add(subdivisions=5, radius=0.9)
    cage = bpy.context.object
    cage.name = cage.data.name = "Cage"
    cage.data.polygons.foreach_set("use_smooth", [True] * len(cage.data.polygons))
    return cage


def shown_image(name: str) -> Any:
    """The image that an object's first material shows."""
    nodes = bpy.data.objects[name].data.materials[0].node_tree.nodes
    return next(node.image for node in nodes if node.type == "TEX_IMAGE")
