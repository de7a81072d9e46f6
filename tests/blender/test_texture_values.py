# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Textures are read as EEVEE sees them: colour spaces, alpha, channels, Mapping nodes."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

from sge_addon.scene.images import load_image
from sge_addon.scene.lit_materials import lit_materials_of_objects
from tests.blender.material_nodes import add_material, add_quad, image_node, link, node_of, principled

WIDTH, HEIGHT = 8, 4  # of images
PIXELS = 16  # along the side of a square
CODES = np.random.default_rng(3).integers(1, 255, (HEIGHT, WIDTH, 4)).astype(np.float32) / np.float32(255.0)
# Color space ("float" for a float image), alpha mode, whether Alpha is linked.
CASES = (
    ("sRGB", "STRAIGHT", False),
    ("sRGB", "STRAIGHT", True),
    ("sRGB", "PREMUL", False),
    ("sRGB", "CHANNEL_PACKED", True),
    ("Non-Color", "STRAIGHT", False),
    ("float", "STRAIGHT", False),
    ("float", "PREMUL", True),
)
MAPPINGS = ("POINT", "TEXTURE", "VECTOR")


def glowing(kind: str, alpha_mode: str, alpha_is_linked: bool, mapping: str = "") -> bpy.types.Object:
    """A square that shows an image's Color as emission and nothing else."""
    material = add_material("Shown")
    is_data, is_float = kind == "Non-Color", kind == "float"
    image = bpy.data.images.new("i", WIDTH, HEIGHT, alpha=True, float_buffer=is_float, is_data=is_data)
    image.pixels.foreach_set(CODES.ravel())
    image.alpha_mode = alpha_mode
    image.pack()  # as if it came from a file
    node, shader = image_node(material, image), principled(material)
    node.interpolation = "Closest"
    if mapping:
        lay(material, node, mapping)
    shader.inputs["Base Color"].default_value = (0.0, 0.0, 0.0, 1.0)
    shader.inputs["Specular IOR Level"].default_value = 0.0
    shader.inputs["Emission Strength"].default_value = 1.0
    link(material, node, shader, "Emission Color")
    if alpha_is_linked:
        link(material, node, shader, "Metallic", output="Alpha")
    return add_quad("Quad", material)


def lay(material: bpy.types.Material, image: bpy.types.Node, vector_type: str) -> None:
    """Two Mapping nodes before an image, turned about all axes."""
    previous = node_of(material, "ShaderNodeTexCoord")
    for turn in (0.3, -0.7):
        mapping = node_of(material, "ShaderNodeMapping")
        mapping.vector_type = vector_type
        if vector_type != "VECTOR":
            mapping.inputs["Location"].default_value = (0.13, turn, 0.2)
        mapping.inputs["Rotation"].default_value = (0.2, -0.4, turn)
        mapping.inputs["Scale"].default_value = (1.5, 0.7, 1.2)
        link(material, previous, mapping, "Vector", output="UV" if turn > 0.0 else 0)
        previous = mapping
    link(material, previous, image, "Vector")


def rendered(objects: list[bpy.types.Object], path: Path) -> np.ndarray:
    """(N, PIXELS, PIXELS, 3): unit squares from above, one sample at each pixel's centre, by EEVEE."""
    for index, obj in enumerate(objects):
        obj.location.x = index
    scene, count = bpy.context.scene, len(objects)
    data = bpy.data.cameras.new("Camera")
    data.type, data.ortho_scale, data.sensor_fit = "ORTHO", count, "HORIZONTAL"
    scene.camera = bpy.data.objects.new("Camera", data)
    scene.camera.location = (0.5 * count, 0.5, 2.0)
    scene.collection.objects.link(scene.camera)
    render = scene.render
    render.engine = "BLENDER_EEVEE_NEXT" if bpy.app.version < (5, 0) else "BLENDER_EEVEE"
    render.resolution_x, render.resolution_y, render.resolution_percentage = count * PIXELS, PIXELS, 100
    render.filter_size, scene.eevee.taa_render_samples = 0.0, 1
    render.image_settings.file_format, render.image_settings.color_depth = "OPEN_EXR", "32"
    render.filepath = str(path / "out.exr")
    bpy.ops.render.render(write_still=True)
    pixels = load_image(render.filepath)[0][..., :3]
    return pixels.reshape(PIXELS, count, PIXELS, 3).swapaxes(0, 1)


def test_colours_are_what_eevee_shows(tmp_path: Path):
    cases = [*CASES, *(("float", "CHANNEL_PACKED", False, mapping) for mapping in MAPPINGS)]
    quads = [glowing(*case) for case in cases]
    materials, _ = lit_materials_of_objects(quads)
    u, v = np.meshgrid(*[(np.arange(PIXELS) + 0.5) / PIXELS] * 2)
    for case, shown, (material,) in zip(cases, rendered(quads, tmp_path), materials, strict=True):
        emission = material.lit.maps["emission"]
        uv = np.stack([u, v, np.ones_like(u)], axis=-1) @ emission.uv_transform.T
        column, row = np.moveaxis(np.floor(uv * (WIDTH, HEIGHT)).astype(int), -1, 0)
        differs = np.abs(emission.texture[row % HEIGHT, column % WIDTH] - shown).max(axis=-1)
        differs = differs * CODES[row % HEIGHT, column % WIDTH, 3]  # by which half floats were divided
        # Where a pixel's centre lies between two texels, either will do.
        assert np.sort(differs.ravel())[: -PIXELS * PIXELS // 50].max() < 0.013, case
