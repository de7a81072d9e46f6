# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An object whose material is known in every texel, another with the same mesh and a plain material, and
lights: what the trial of materials fits, and to what."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path

import bpy
import numpy as np
from mathutils import Euler

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from sge_addon.scene.files import import_mesh  # noqa: E402
from sge_addon.scene.images import array_to_image  # noqa: E402

DATA = Path(os.environ.get("SGE_DATA", REPOSITORY.parent / "shared" / "data"))
ASSETS = ("monkey", "spot", "suzanne")
TRUTH, START = "Truth", "Start"


def make_scene(asset: str, texture_size: int) -> dict[str, np.ndarray]:
    """A new scene with Truth, Start, three lights and a world; the true maps, (H, W, C), data as they are."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    truth = _make_object(asset)
    truth.name = TRUTH
    start = truth.copy()
    start.name, start.data = START, truth.data.copy()
    bpy.context.collection.objects.link(start)
    maps = true_maps(asset, texture_size)
    for obj, material in ((truth, textured(maps)), (start, bpy.data.materials.new("Plain"))):
        use_nodes(material)
        obj.data.materials.clear()
        obj.data.materials.append(material)
    add_lights()
    bpy.context.view_layer.update()
    return maps


def true_maps(asset: str, size: int) -> dict[str, np.ndarray]:
    """Colours in dots and bands (or the asset's own texture), smooth roughness, patches of metal, dents."""
    texture = {"spot": DATA / "spot" / "spot_texture.png", "suzanne": DATA / "texture_512.png"}.get(asset)
    base = _dots(size) if texture is None else _file(texture, size)
    hills = waves(size, 12, 5, seed=1)
    roughness = 0.5 + 0.22 * np.clip(waves(size, 10, 8, seed=2), -1.3, 1.3)
    metallic = 1.0 / (1.0 + np.exp(-12.0 * (waves(size, 8, 6, seed=3) - 0.4)))
    slope = np.stack([np.gradient(hills, axis=axis) * size for axis in (1, 0)], axis=-1) * 0.012
    normal = np.concatenate([-slope, np.ones((size, size, 1))], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    for _ in range(2):  # no edge sharper than a texel or two: what lies between texels is nobody's to know
        base = 0.5 * base + 0.125 * sum(np.roll(base, step, axis) for axis in (0, 1) for step in (-1, 1))
    maps = {
        "base_color": np.clip(base, 0.05, 0.9),
        "metallic": metallic[..., None],
        "roughness": roughness[..., None],
        "normal": normal,
    }
    return {name: each.astype(np.float32) for name, each in maps.items()}


def add_lights() -> None:
    """A sun, a lamp and a panel, large and without shadows, and a sky of several colours."""
    _light("SUN", "Sun", 1.4, (0.5, 0.2, 0.3), (1.0, 0.95, 0.85)).data.angle = 0.35
    _light("POINT", "Lamp", 200.0, (-2.4, -2.4, 1.6), (0.8, 0.9, 1.0)).data.shadow_soft_size = 0.6
    area = _light("AREA", "Panel", 90.0, (2.2, -2.2, -1.8), (1.0, 0.85, 0.8))
    area.data.size = 2.0
    area.rotation_euler = (-area.location).to_track_quat("-Z", "Y").to_euler()
    world = bpy.data.worlds.new("Sky")
    use_nodes(world)
    if hasattr(world, "sun_threshold"):
        world.sun_threshold = 0.0
    bpy.context.scene.world = world
    tree = world.node_tree
    sky = tree.nodes.new("ShaderNodeTexEnvironment")
    sky.image = array_to_image("Sky", _sky(256))
    background = next(node for node in tree.nodes if node.bl_idname == "ShaderNodeBackground")
    tree.links.new(sky.outputs["Color"], background.inputs["Color"])
    background.inputs["Strength"].default_value = 0.6


def relight() -> None:
    """Another light that the fit has never seen: one lamp and a dim grey world instead of all others."""
    for obj in [each for each in bpy.context.scene.objects if each.type == "LIGHT"]:
        bpy.data.objects.remove(obj)
    _light("SUN", "Unseen", 1.8, (-0.9, 0.4, -0.5), (1.0, 1.0, 1.0)).data.angle = 0.35
    world = bpy.data.worlds.new("Dim")
    use_nodes(world)
    background = next(node for node in world.node_tree.nodes if node.bl_idname == "ShaderNodeBackground")
    background.inputs["Color"].default_value = (0.25, 0.25, 0.25, 1.0)
    bpy.context.scene.world = world


def set_true_base_colour(colour: np.ndarray) -> None:
    """Let Truth show another base colour, (H, W, 3) linear."""
    replaced = _image("base_color", colour)
    for node in bpy.data.objects[TRUTH].active_material.node_tree.nodes:
        if node.bl_idname == "ShaderNodeTexImage" and node.image.name.startswith("true base_color"):
            node.image = replaced


def use_nodes(owner: bpy.types.Material | bpy.types.World) -> None:
    """Give a material or world its nodes, which it has from the start from Blender 5 on."""
    if owner.node_tree is None:
        owner.use_nodes = True


def _light(kind: str, name: str, energy: float, place: tuple, colour: tuple) -> bpy.types.Object:
    """place: where it stands, of a sun its rotation."""
    light = bpy.data.lights.new(name, kind)
    light.energy, light.color = energy, colour
    light.use_shadow = False
    obj = bpy.data.objects.new(name, light)
    if kind == "SUN":
        obj.rotation_euler = Euler(place)
    else:
        obj.location = place
    bpy.context.collection.objects.link(obj)
    return obj


def _make_object(asset: str) -> bpy.types.Object:
    if asset == "spot":
        (obj,) = import_mesh(DATA / "spot" / "spot_triangulated.obj")
        return obj
    if asset == "suzanne":
        (obj,) = import_mesh(DATA / "suzanne.obj", "Y", "Z")
        return obj
    bpy.ops.mesh.primitive_monkey_add()
    obj = bpy.context.object
    obj.modifiers.new("Subdivision", "SUBSURF").levels = 2
    bpy.ops.object.modifier_apply(modifier="Subdivision")
    obj.data.shade_smooth()
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.uv.smart_project(angle_limit=math.radians(66.0), island_margin=0.01)
    bpy.ops.object.mode_set(mode="OBJECT")
    return obj


def textured(maps: dict[str, np.ndarray]) -> bpy.types.Material:
    """A material that shows maps, (H, W, C) by name."""
    material = bpy.data.materials.new("Known")
    use_nodes(material)
    tree = material.node_tree
    shader = next(node for node in tree.nodes if node.bl_idname == "ShaderNodeBsdfPrincipled")
    for name, socket in (
        ("base_color", "Base Color"),
        ("metallic", "Metallic"),
        ("roughness", "Roughness"),
        ("normal", "Normal"),
    ):
        if name not in maps:
            continue
        node = tree.nodes.new("ShaderNodeTexImage")
        node.image = _image(name, maps[name])
        output = node.outputs["Color"]
        if name == "normal":
            decode = tree.nodes.new("ShaderNodeNormalMap")
            tree.links.new(output, decode.inputs["Color"])
            output = decode.outputs["Normal"]
        tree.links.new(output, shader.inputs[socket])
    return material


def _image(name: str, values: np.ndarray) -> bpy.types.Image:
    pixels = np.ones((*values.shape[:2], 4), np.float32)
    pixels[..., :3] = 0.5 + 0.5 * values if name == "normal" else values
    image = array_to_image(f"true {name}", pixels)
    if name != "base_color":
        image.colorspace_settings.name = "Non-Color"
        image.pixels.foreach_set(pixels.ravel())  # the change of space has discarded them
        image.pack()
    return image


def _file(path: Path, size: int) -> np.ndarray:
    from sge_addon.core.reference import resize_area
    from sge_addon.scene.images import load_image

    return resize_area(load_image(path)[0], size, size)[..., :3]


def _dots(size: int) -> np.ndarray:
    from demo_scene import demo_texture

    return demo_texture(size)[..., :3]


def waves(size: int, count: int, highest: int, seed: int) -> np.ndarray:
    """(size, size) with a mean of 0 and a spread of about 1, periodic: sines of random waves."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size] * (2.0 * np.pi / size)
    total = np.zeros((size, size))
    for _ in range(count):
        u, v = rng.integers(-highest, highest + 1, 2)
        total += np.sin(u * x + v * y + rng.uniform(0.0, 2.0 * np.pi))
    return total / math.sqrt(count / 2.0)


def _sky(height: int) -> np.ndarray:
    """An equirectangular picture: blue above, brown below, a soft bright window."""
    elevation, azimuth = np.mgrid[0:height, 0 : 2 * height]
    elevation = (elevation + 0.5) / height * np.pi - 0.5 * np.pi
    azimuth = (azimuth + 0.5) / height * np.pi - np.pi
    up = 0.5 + 0.5 * np.sin(elevation)[..., None]
    sky = (1.0 - up) * np.float32([0.30, 0.22, 0.15]) + up * np.float32([0.35, 0.5, 0.8])
    window = np.exp(-(((azimuth - 1.0) / 0.5) ** 2 + ((elevation - 0.4) / 0.35) ** 2))
    pixels = np.ones((height, 2 * height, 4), np.float32)
    pixels[..., :3] = sky + window[..., None] * np.float32([3.0, 2.8, 2.4])
    return pixels
