# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A ring with all maps, read from its nodes, looks as EEVEE shows it: mirrored UVs, Mapping nodes, bumps.

EEVEE, ours and ten times their difference are kept in SGE_TEST_OUTPUT, where that is set.
"""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from sge_addon.core.assembly import assemble
from sge_addon.core.lights import SunLights
from sge_addon.core.view import View, perspective
from sge_addon.raster.rasteriser import Rasteriser
from sge_addon.scene.lit_materials import lit_materials_of_objects
from sge_addon.scene.objects import surface_from_object
from sge_addon.scene.rendered_images import render_view
from sge_addon.scene.scene_lights import scene_lights
from tests.blender.eevee_scene import INSIDE, SAMPLES, Pair, _eroded, _keep, add_light, set_world
from tests.blender.material_nodes import add_material, image_node, link, node_of, principled
from tests.meshes import waves

pytestmark = pytest.mark.usefixtures("gpu_ready")

SIZE = 192
AROUND, ACROSS = 96, 48  # vertices of the ring


def ring() -> bpy.types.Object:
    """A torus of quads, seen from obliquely above. On one half of it the UVs are mirrored."""
    u, v = np.meshgrid(np.arange(AROUND) / AROUND, np.arange(ACROSS) / ACROSS, indexing="ij")
    a, b = 2.0 * np.pi * u, 2.0 * np.pi * v
    radius = 0.75 + 0.32 * np.cos(b)
    points = np.stack([radius * np.cos(a), radius * np.sin(a), 0.32 * np.sin(b)], axis=-1).reshape(-1, 3)
    i, j = (each.ravel() for each in np.meshgrid(np.arange(AROUND), np.arange(ACROSS), indexing="ij"))
    corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)]
    faces = np.stack([(x % AROUND) * ACROSS + y % ACROSS for x, y in corners], axis=1)
    uvs = np.stack([np.stack([x / AROUND, y / ACROSS], axis=-1) for x, y in corners], axis=1)  # (F, 4, 2)
    mirrored = i >= AROUND // 2
    uvs[mirrored, :, 0] = 1.0 - uvs[mirrored, :, 0]
    uvs *= (3.0, 1.0)

    mesh = bpy.data.meshes.new("Ring")
    mesh.from_pydata(points.tolist(), [], faces.tolist())
    layer = mesh.uv_layers.new(name="UVMap")
    layer.uv.foreach_set("vector", uvs.astype(np.float32).ravel())
    mesh.shade_smooth()
    obj = bpy.data.objects.new("Ring", mesh)
    obj.rotation_euler = (-0.7, 0.3, 0.2)
    bpy.context.scene.collection.objects.link(obj)
    bpy.context.view_layer.update()
    return obj


def picture(name: str, values: np.ndarray, is_data: bool = True) -> bpy.types.Image:
    """A float image of (H, W, 1 or 3) values."""
    height, width, channels = values.shape
    image = bpy.data.images.new(name, width, height, float_buffer=True, is_data=is_data)
    pixels = np.ones((height, width, 4), np.float32)
    pixels[..., :3] = values if channels == 3 else np.repeat(values, 3, axis=2)
    image.pixels.foreach_set(pixels.ravel())
    image.pack()
    return image


def show(
    material: bpy.types.Material, image: bpy.types.Image, target: bpy.types.Node, socket: str, **mapping
):
    """An Image Texture into a socket, through a Mapping node with these inputs where there are any."""
    node = image_node(material, image)
    if mapping:
        placing, coordinates = node_of(material, "ShaderNodeMapping"), node_of(material, "ShaderNodeTexCoord")
        for name, value in mapping.items():
            placing.inputs[name].default_value = value
        link(material, coordinates, placing, "Vector", output="UV")
        link(material, placing, node, "Vector")
    link(material, node, target, socket)


def bumpy(material: bpy.types.Material, strength: float) -> None:
    """A normal map of gentle waves, turned and scaled by a Mapping node."""
    normal = np.concatenate([0.45 * (2 * waves(128, 128)[..., :2] - 1), np.ones((128, 128, 1))], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    node = node_of(material, "ShaderNodeNormalMap")
    node.inputs["Strength"].default_value = strength
    show(
        material,
        picture("normal", 0.5 + 0.5 * normal),
        node,
        "Color",
        Rotation=(0.0, 0.0, 0.5),
        Scale=(1.0, 0.7, 1.0),
        Location=(0.1, 0.2, 0.0),
    )
    link(material, node, principled(material), "Normal")


def view() -> View:
    matrix = np.eye(4)
    matrix[2, 3] = 4.0
    focal = 1.55 * SIZE
    projection = perspective(focal, focal, SIZE / 2, SIZE / 2, SIZE, SIZE, 0.1, 100.0)
    return View("View", matrix, projection, SIZE, SIZE)


def compare(name: str, obj: bpy.types.Object, folder: Path) -> Pair:
    scene = bpy.context.scene
    scene.eevee.use_raytracing = False
    ((material,),), _ = lit_materials_of_objects([obj])
    rasteriser = Rasteriser(assemble([surface_from_object(obj, (material,))]), "lit", scene_lights(scene))
    ours = rasteriser.render(view(), samples=4).colour
    eevee = render_view(scene, view(), [obj], engine="eevee", samples=SAMPLES)
    inside = _eroded((eevee[..., 3] > 0.999) & (ours[..., 3] > 0.999), INSIDE)
    assert inside.mean() > 0.15
    pair = Pair(eevee[..., :3], ours[..., :3], inside)
    _keep(name, pair, folder)
    return pair


def ring_with_lights() -> tuple[bpy.types.Object, bpy.types.Material, bpy.types.Node]:
    obj = ring()
    material = add_material("Maps")
    obj.data.materials.append(material)
    add_light("SUN", (1.0, 1.5, 2.0), 2.0, angle=0.1)
    add_light("POINT", (-2.0, -0.5, 2.0), 60.0, shadow_soft_size=0.2)
    set_world((0.15, 0.2, 0.25))
    return obj, material, principled(material)


def test_diffuse_with_colour_and_normal_map(tmp_path: Path) -> None:
    obj, material, shader = ring_with_lights()
    shader.inputs["Specular IOR Level"].default_value = 0.0
    shader.inputs["Roughness"].default_value = 1.0
    show(material, picture("colour", waves(64, 128), is_data=False), shader, "Base Color")
    bumpy(material, 0.8)
    pair = compare("maps_diffuse", obj, tmp_path)
    assert pair.eevee[pair.inside].std() > 0.1
    assert pair.psnr() > 35.0, pair.psnr()


def test_glossy_with_all_maps(tmp_path: Path) -> None:
    obj, material, shader = ring_with_lights()
    show(material, picture("colour", 0.2 + 0.7 * waves(64, 128), is_data=False), shader, "Base Color")
    show(material, picture("metallic", waves(32, 64)[..., :1]), shader, "Metallic", Scale=(2.0, 1.0, 1.0))
    show(material, picture("roughness", 0.3 + 0.4 * waves(48, 64)[..., 2:]), shader, "Roughness")
    bumpy(material, 1.0)
    pair = compare("maps_glossy", obj, tmp_path)
    assert pair.eevee[pair.inside].std() > 0.1
    assert pair.psnr() > 30.0, pair.psnr()


def test_a_normal_map_on_back_faces(tmp_path: Path) -> None:
    """The inside of a ring that is cut open is lit as EEVEE lights it."""
    obj, material, shader = ring_with_lights()
    material.use_backface_culling = False
    mesh = obj.data
    cut = bpy.data.meshes.new("Cut")
    kept = [polygon for polygon in mesh.polygons if polygon.center.z < 0.05]
    cut.from_pydata([v.co[:] for v in mesh.vertices], [], [tuple(p.vertices) for p in kept])
    layer = cut.uv_layers.new(name="UVMap")
    old = mesh.uv_layers.active.uv
    uvs = np.float32([old[loop].vector for polygon in kept for loop in polygon.loop_indices])
    layer.uv.foreach_set("vector", uvs.ravel())
    cut.shade_smooth()
    cut.materials.append(material)
    obj.data = cut
    bpy.context.view_layer.update()
    seen = surface_from_object(obj)
    a, b, c = seen.positions[seen.triangles].transpose(1, 0, 2)
    assert (np.cross(b - a, c - a)[:, 2] < 0.0).mean() > 0.8  # away from the camera
    shader.inputs["Specular IOR Level"].default_value = 0.0
    bumpy(material, 1.0)
    pair = compare("maps_back_faces", obj, tmp_path)
    assert pair.psnr() > 35.0, pair.psnr()


def ours_and_eevees(obj: bpy.types.Object) -> tuple[np.ndarray, np.ndarray]:
    """(H, W, 4) each."""
    scene = bpy.context.scene
    ((material,),), _ = lit_materials_of_objects([obj])
    rasteriser = Rasteriser(assemble([surface_from_object(obj, (material,))]), "lit", scene_lights(scene))
    eevee = render_view(scene, view(), [obj], engine="eevee", samples=2 * SAMPLES)
    return rasteriser.render(view(), samples=4).colour, eevee


def test_alpha_clipped_by_a_node_leaves_the_same_holes() -> None:
    obj, material, shader = ring_with_lights()
    node = image_node(material, picture("alpha", waves(64, 64)[..., :1]))
    clip = node_of(material, "ShaderNodeMath")
    clip.operation = "GREATER_THAN"
    clip.inputs[1].default_value = 0.4
    link(material, node, clip, 0)
    link(material, clip, shader, "Alpha")
    ours, eevee = ours_and_eevees(obj)
    whole = ring_mask(obj)
    assert 0.1 < (eevee[..., 3][whole] < 0.5).mean() < 0.6
    assert ((ours[..., 3] > 0.5) == (eevee[..., 3] > 0.5)).mean() > 0.995
    both = _eroded((ours[..., 3] > 0.999) & (eevee[..., 3] > 0.999), 1)
    assert np.abs(ours - eevee)[both].mean() < 0.01


def test_alpha_that_blends_covers_as_much() -> None:
    """Both draw lots; the means agree, layers behind one another included."""
    obj, _, shader = ring_with_lights()
    shader.inputs["Alpha"].default_value = 0.4
    ours, eevee = ours_and_eevees(obj)
    inside = _eroded(ring_mask(obj), 3)
    assert 1.0 - 0.6**2 - 0.02 < eevee[..., 3][inside].mean() < 0.75
    np.testing.assert_allclose(ours[inside].mean(axis=0), eevee[inside].mean(axis=0), atol=0.012)


def ring_mask(obj: bpy.types.Object) -> np.ndarray:
    """(H, W): where the ring is, opaque."""
    opaque = Rasteriser(assemble([surface_from_object(obj)]), "unlit", SunLights())
    return opaque.render(view(), samples=2).colour[..., 3] > 0.999
