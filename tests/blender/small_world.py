# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A world small enough to fit in a second: files that the tests of the headless fit read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from sge_addon.core.settings import FitSettings
from sge_addon.formats import transforms_json
from sge_addon.headless import main
from sge_addon.job import make_references, orbit_around
from sge_addon.scene.images import array_to_image
from sge_addon.scene.references import add_reference_cameras, export_references
from tests.meshes import corner_uvs, icosphere, waves

VIEWS, PIXELS = 5, 48
AXES = ("--forward-axis=Y", "--up-axis=Z")  # of the mesh file
SHORT = ("--steps", "6", "--resolution", "32", "--texture-size", "16", "--quiet")


@dataclass(frozen=True)
class SmallWorld:
    """mesh: a grey sphere of 162 vertices, obj. references: transforms.json of VIEWS views of a longer
    coloured one. scene: both, and the views as cameras with background images; "Start" is selected,
    "Source" is what the references show."""

    folder: Path
    mesh: Path
    references: Path
    scene: Path

    def from_files(self, *more: str | Path) -> int:
        """The exit code of a short fit of the mesh to the references."""
        return run("--mesh", self.mesh, *AXES, "--references", self.references, *more)

    def from_scene(self, *more: str | Path) -> int:
        """The exit code of a short fit of the scene as it is stored."""
        return run(self.scene, *more)


def run(*arguments: str | Path) -> int:
    """The exit code of a short fit; arguments come after those that make it short."""
    return main([*SHORT, *(str(argument) for argument in arguments)])


def make_world(folder: Path) -> SmallWorld:
    """Write the files; leaves an empty scene behind."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    source = add_sphere("Source", (0.8, 0.8, 1.1), colour=waves(16, 16))
    start = add_sphere("Start", (0.9, 0.9, 0.9))
    settings = FitSettings(resolution=PIXELS)
    references = make_references([source], orbit_around([source], VIEWS, PIXELS), settings, scene)
    path = export_references(folder / "references", references, transforms_json.write)
    add_reference_cameras(scene, references)
    start.select_set(True)
    bpy.ops.wm.obj_export(
        filepath=str(folder / "start.obj"),
        export_selected_objects=True,
        export_materials=False,
        forward_axis="Y",
        up_axis="Z",
    )
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "scene.blend"), check_existing=False)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    return SmallWorld(folder, folder / "start.obj", path, folder / "scene.blend")


def add_sphere(
    name: str, size: tuple[float, float, float], colour: NDArray[np.float32] | None = None
) -> bpy.types.Object:
    """A smooth sphere with a UV map; colour: (H, W, 3) linear, of its texture."""
    points, triangles = icosphere(2)
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(points * size, [], triangles.tolist())
    mesh.uv_layers.new(name="UVMap").uv.foreach_set("vector", corner_uvs(points, triangles).ravel())
    mesh.shade_smooth()
    obj = bpy.data.objects.new(name, mesh)
    bpy.context.collection.objects.link(obj)
    if colour is not None:
        material = bpy.data.materials.new(name)
        if material.node_tree is None:  # before Blender 5
            material.use_nodes = True
        node = material.node_tree.nodes.new("ShaderNodeTexImage")
        alpha = np.ones((*colour.shape[:2], 1), np.float32)
        node.image = array_to_image(name, np.concatenate([colour, alpha], axis=2))
        base = material.node_tree.nodes["Principled BSDF"].inputs["Base Color"]
        material.node_tree.links.new(node.outputs["Color"], base)
        mesh.materials.append(material)
    bpy.context.view_layer.update()
    return obj


def positions_of(name: str) -> NDArray[np.float32]:
    """(V, 3) of an object's mesh, object space."""
    mesh = bpy.data.objects[name].data
    positions = np.empty((len(mesh.vertices), 3), np.float32)
    mesh.attributes["position"].data.foreach_get("vector", positions.ravel())
    return positions


def pixels_of(name: str) -> NDArray[np.float32]:
    """(N,) the pixels of an image, as Blender stores them."""
    image = bpy.data.images[name]
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    return pixels


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file; numbers that are not finite count as an error."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{path} holds {constant}, which is no JSON")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
