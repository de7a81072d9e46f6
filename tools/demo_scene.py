# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo itself, inside Blender as a module; ``demo.py`` sets up and starts it."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from contact_sheet import contact_sheet  # noqa: E402
from fit import leave  # noqa: E402

from sge_addon.core.reference import Reference  # noqa: E402
from sge_addon.core.settings import FitSettings  # noqa: E402
from sge_addon.headless import show_progress  # noqa: E402
from sge_addon.job import FitJob, make_references, orbit_around  # noqa: E402
from sge_addon.scene.images import array_to_image, save_png  # noqa: E402
from sge_addon.scene.references import add_reference_cameras  # noqa: E402

OUT = REPOSITORY / "out"
VIEWS, HELD_OUT = 16, 4
SETTINGS = FitSettings(match=("colour", "alpha", "normal"), steps=2000, resolution=256, texture_size=512)


def main() -> int:
    OUT.mkdir(exist_ok=True)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    source, sphere = make_source(), make_sphere()
    bpy.context.view_layer.update()
    references = [
        *make_references([source], orbit_around([source], VIEWS, SETTINGS.resolution), SETTINGS, scene),
        *held_out_references(source, scene),
    ]
    held_out = [reference.view for reference in references if reference.held_out]
    job = FitJob(scene, [sphere], references, SETTINGS, live=False)
    before = make_references([sphere], held_out, SETTINGS, scene)
    show_progress(job.run())
    after = make_references([sphere], held_out, SETTINGS, scene)

    sheet = contact_sheet(before, after, [reference for reference in references if reference.held_out])
    save_png(OUT / "demo.png", sheet)
    (OUT / "demo.json").write_text(json.dumps(job.report, indent=1), encoding="utf-8")
    add_reference_cameras(scene, references)
    source.location.x = 2.5  # beside the result, for whoever opens the file
    bpy.ops.wm.save_as_mainfile(filepath=str(OUT / "demo.blend"), check_existing=False)
    figures = job.report["psnr"]["object"]
    print(
        f"held-out views: {figures['held_out_before']:.1f} dB -> {figures['held_out_after']:.1f} dB over the "
        f"object, {job.report['seconds']['total']:.0f} s; see {OUT / 'demo.png'}"
    )
    return 0


def held_out_references(source: bpy.types.Object, scene: bpy.types.Scene) -> list[Reference]:
    """Views from all sides that lie between those that are trained on."""
    views = orbit_around([source], HELD_OUT, SETTINGS.resolution)
    views = [replace(view, name=f"held out {i}") for i, view in enumerate(views)]
    return [replace(made, held_out=True) for made in make_references([source], views, SETTINGS, scene)]


def make_source() -> bpy.types.Object:
    """Suzanne, smooth, two levels of subdivision, with a texture."""
    bpy.ops.mesh.primitive_monkey_add()
    suzanne = bpy.context.object
    suzanne.data.shade_smooth()
    suzanne.modifiers.new("Subdivision", "SUBSURF").levels = 2
    material = bpy.data.materials.new("Demo")
    material.use_nodes = True
    nodes = material.node_tree.nodes
    image = nodes.new("ShaderNodeTexImage")
    image.image = array_to_image("Demo Texture", demo_texture(512))
    material.node_tree.links.new(image.outputs["Color"], nodes["Principled BSDF"].inputs["Base Color"])
    suzanne.data.materials.append(material)
    return suzanne


def make_sphere() -> bpy.types.Object:
    """An ico-sphere around which nothing is known yet."""
    bpy.ops.mesh.primitive_ico_sphere_add(subdivisions=5, radius=0.9)
    sphere = bpy.context.object
    sphere.name = sphere.data.name = "Fitted Sphere"
    sphere.data.shade_smooth()
    grey = bpy.data.materials.new("Fitted")
    grey.use_nodes = True
    grey.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (0.5, 0.5, 0.5, 1.0)
    sphere.data.materials.append(grey)
    return sphere


def demo_texture(size: int) -> np.ndarray:
    """Dots and bands in several colours, (size, size, 4) linear: detail that a blur would lose."""
    y, x = np.mgrid[0:size, 0:size] / size
    bands = 0.5 + 0.5 * np.sin(40.0 * (x + 0.3 * np.sin(9.0 * y)))
    hue = np.stack([np.sin(6.0 * x + phase) for phase in (0.0, 2.1, 4.2)], axis=-1) * 0.25 + 0.45
    dots = (np.hypot((x * 14) % 1.0 - 0.5, (y * 14) % 1.0 - 0.5) < 0.3)[..., None]
    striped = hue * (0.55 + 0.45 * bands[..., None])
    rgba = np.ones((size, size, 4), np.float32)
    rgba[..., :3] = np.where(dots, 0.85 - 0.6 * hue, striped)
    return rgba


if __name__ == "__main__":
    leave(main())
