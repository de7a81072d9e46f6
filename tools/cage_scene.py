# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control cages under modifiers, known and spoilt: what the trial of cages fits, and to what."""

from __future__ import annotations

import sys
from pathlib import Path

import bpy
import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from materials_scene import DATA, START, TRUTH, add_lights, textured, true_maps, use_nodes, waves  # noqa: E402

from sge_addon.scene.files import import_mesh  # noqa: E402
from sge_addon.scene.images import array_to_image  # noqa: E402

CASES = ("suzanne", "spot")
TRIANGLES = 2000  # of the cage made of Suzanne
LEVELS = 2
DISPLACEMENT = 0.06  # of heights from 0 to 1, about their middle
_ROUNDS = {"suzanne": 12, "spot": 2}  # of smoothing that spoil a cage
_NOISE = 0.01


def make_scene(case: str, texture_size: int) -> None:
    """A new scene with Truth and Start, whose cage lies under Subdivision Surface, and for 'suzanne' with
    lights, heights and maps that Start is without."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    if case == "spot":
        (truth,) = import_mesh(DATA / "spot" / "spot_triangulated.obj")
        (start,) = import_mesh(DATA / "spot" / "spot_control_mesh.obj")
        _give(truth, _painted(DATA / "spot" / "spot_texture.png"))
    else:
        truth = _decimated_suzanne()
        start = truth.copy()
        start.data = truth.data.copy()
        bpy.context.collection.objects.link(start)
        _subdivide(truth)
        _displace(truth, texture_size)
        maps = true_maps(case, texture_size)
        _give(truth, textured({name: maps[name] for name in ("base_color", "roughness", "normal")}))
        add_lights()
    truth.name, start.name = TRUTH, START
    truth.data.shade_smooth()
    start.data.shade_smooth()
    spoil(start.data, _ROUNDS[case])
    _subdivide(start)
    _give(start, bpy.data.materials.new("Plain"))
    bpy.context.view_layer.update()


def spoil(mesh: bpy.types.Mesh, rounds: int) -> None:
    """Smooth a cage until much of what makes it the one it is is gone, and shake it."""
    positions = np.empty((len(mesh.vertices), 3), np.float32)
    mesh.vertices.foreach_get("co", positions.ravel())
    edges = np.empty((len(mesh.edges), 2), np.int32)
    mesh.edges.foreach_get("vertices", edges.ravel())
    ends = np.concatenate([edges, edges[:, ::-1]])
    count = np.maximum(np.bincount(ends[:, 0], minlength=len(positions)), 1)[:, None]
    for _ in range(rounds):
        sums = np.stack(
            [np.bincount(ends[:, 0], positions[ends[:, 1], axis], len(positions)) for axis in range(3)], 1
        )
        positions = (0.5 * positions + 0.5 * sums / count).astype(np.float32)
    size = np.ptp(positions, axis=0).max()
    positions += np.float32(_NOISE * size) * np.random.default_rng(0).standard_normal(positions.shape)
    mesh.vertices.foreach_set("co", positions.astype(np.float32).ravel())
    mesh.update()


def _decimated_suzanne() -> bpy.types.Object:
    (obj,) = import_mesh(DATA / "suzanne.obj", "Y", "Z")
    modifier = obj.modifiers.new("Decimate", "DECIMATE")
    modifier.ratio = TRIANGLES / len(obj.data.polygons)
    bpy.context.view_layer.objects.active = obj
    bpy.ops.object.modifier_apply(modifier=modifier.name)
    return obj


def _subdivide(obj: bpy.types.Object) -> None:
    modifier = obj.modifiers.new("Subdivision", "SUBSURF")
    modifier.levels = modifier.render_levels = LEVELS


def _displace(obj: bpy.types.Object, size: int) -> None:
    modifier = obj.modifiers.new("Displace", "DISPLACE")
    modifier.texture = bpy.data.textures.new("Heights", "IMAGE")
    heights = np.clip(0.5 + 0.2 * waves(size, 16, 12, seed=5), 0.0, 1.0)
    pixels = np.repeat(heights[..., None], 4, axis=2).astype(np.float32)
    pixels[..., 3] = 1.0
    modifier.texture.image = array_to_image("Heights", pixels)
    modifier.texture_coords, modifier.strength, modifier.mid_level = "UV", DISPLACEMENT, 0.5


def _give(obj: bpy.types.Object, material: bpy.types.Material) -> None:
    use_nodes(material)
    obj.data.materials.clear()
    obj.data.materials.append(material)


def _painted(image: Path) -> bpy.types.Material:
    material = bpy.data.materials.new("Painted")
    use_nodes(material)
    tree = material.node_tree
    shader = next(node for node in tree.nodes if node.bl_idname == "ShaderNodeBsdfPrincipled")
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image = bpy.data.images.load(str(image))
    tree.links.new(node.outputs["Color"], shader.inputs["Base Color"])
    return material
