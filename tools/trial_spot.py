# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A trial on somebody else's model: Keenan Crane's cow Spot, fitted from its convex hull.

    .venv/bin/python tools/trial_spot.py

Twice through the headless fit: to references made from the object, and to photos, which Cycles takes
through cameras that show them as background images. Writes out/spot_object.* and out/spot_photos.*
(glb, json, and png: held-out views of start, reopened glb, reference, difference). Finds the model in
the folder of test data (SGE_DATA, else ../shared/data beside the repository).
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from contact_sheet import contact_sheet  # noqa: E402
from fit import leave  # noqa: E402

from sge_addon import headless  # noqa: E402
from sge_addon.core.metrics import mean_psnr, squared_errors  # noqa: E402
from sge_addon.core.orbit import look_at, sphere_directions  # noqa: E402
from sge_addon.core.reference import Reference  # noqa: E402
from sge_addon.core.settings import FitSettings  # noqa: E402
from sge_addon.job import make_references, orbit_around  # noqa: E402
from sge_addon.scene.files import import_mesh  # noqa: E402
from sge_addon.scene.images import save_png  # noqa: E402
from sge_addon.scene.references import references_from_cameras  # noqa: E402

DATA = Path(os.environ.get("SGE_DATA", REPOSITORY.parent / "shared" / "data")) / "spot"
OUT = REPOSITORY / "out"
VIEWS, HELD_OUT_INTERVAL = 20, 5
SIDE = 256  # of references made from the object
PHOTO = (320, 240)
FLAGS = ["--object", "Hull", "--hold-out", str(HELD_OUT_INTERVAL), "--texture-size", "512", "--steps", "1500"]


def main() -> int:
    OUT.mkdir(exist_ok=True)
    settings = FitSettings(resolution=SIDE)
    blend = OUT / "spot.blend"
    spot, _ = make_scene()
    bpy.ops.wm.save_as_mainfile(filepath=str(blend), check_existing=False)
    views = orbit_around([spot], VIEWS, SIDE)[::HELD_OUT_INTERVAL]
    made = make_references([spot], views, settings, bpy.context.scene)
    flags = ["--reference-object", "Spot", "--views", str(VIEWS), "--match", "colour,alpha,normal"]
    code = fit_and_show("spot_object", blend, [*flags, "--resolution", str(SIDE)], made)
    if code:
        return code

    blend = OUT / "spot_photos.blend"
    spot, hull = make_scene()
    take_photos(spot, hull, OUT / "spot_photos")
    bpy.data.objects.remove(spot)
    bpy.ops.wm.save_as_mainfile(filepath=str(blend), check_existing=False)
    photos = references_from_cameras(bpy.context.scene, max(PHOTO))[::HELD_OUT_INTERVAL]
    return fit_and_show("spot_photos", blend, [], photos)


def fit_and_show(name: str, blend: Path, flags: list[str], held_out: Sequence[Reference]) -> int:
    """Fit, read the exported file again, and compare it with the held-out views."""
    exported, report = OUT / f"{name}.glb", OUT / f"{name}.json"
    code = headless.main([str(blend), *FLAGS, *flags, "--export", str(exported), "--report", str(report)])
    if code:
        return code
    bpy.ops.wm.open_mainfile(filepath=str(blend))
    scene, settings = bpy.context.scene, FitSettings()
    views = [reference.view for reference in held_out]
    before = make_references([bpy.data.objects["Hull"]], views, settings, scene)
    after = make_references(import_mesh(exported), views, settings, scene)
    save_png(OUT / f"{name}.png", contact_sheet(before, after, held_out))
    errors = [squared_errors(ref, made.colour)[0] for ref, made in zip(held_out, after, strict=True)]
    figures = json.loads(report.read_text(encoding="utf-8"))["psnr"]["object"]
    print(
        f"{name}: {figures['held_out_before']:.1f} dB -> {figures['held_out_after']:.1f} dB over the object, "
        f"held out; {mean_psnr(errors):.1f} dB by the reopened {exported.name}"
    )
    return 0


def make_scene() -> tuple[bpy.types.Object, bpy.types.Object]:
    """Spot with its texture, and its hull in even triangles with new UVs and no texture."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    (spot,) = import_mesh(DATA / "spot_triangulated.obj")
    spot.name = "Spot"
    material = bpy.data.materials.new("Spot")
    if material.node_tree is None:  # before Blender 5
        material.use_nodes = True
    tree = material.node_tree
    texture, emission = tree.nodes.new("ShaderNodeTexImage"), tree.nodes.new("ShaderNodeEmission")
    texture.image = bpy.data.images.load(str(DATA / "spot_texture.png"))
    tree.links.new(texture.outputs["Color"], emission.inputs["Color"])
    tree.links.new(emission.outputs["Emission"], tree.get_output_node("ALL").inputs["Surface"])
    spot.data.materials.clear()
    spot.data.materials.append(material)
    hull = make_hull(spot)
    bpy.context.view_layer.update()
    return spot, hull


def make_hull(obj: bpy.types.Object) -> bpy.types.Object:
    import bmesh  # of the bpy module, which has to be imported before

    shape = bmesh.new()
    for vertex in obj.data.vertices:
        shape.verts.new(obj.matrix_world @ vertex.co)
    made = bmesh.ops.convex_hull(shape, input=shape.verts)
    inside = {each for each in made["geom_interior"] if isinstance(each, bmesh.types.BMVert)}
    bmesh.ops.delete(shape, geom=list(inside), context="VERTS")
    mesh = bpy.data.meshes.new("Hull")
    shape.to_mesh(mesh)
    shape.free()
    hull = bpy.data.objects.new("Hull", mesh)
    bpy.context.collection.objects.link(hull)
    obj.select_set(False)  # Edit Mode takes every selected mesh
    hull.select_set(True)
    bpy.context.view_layer.objects.active = hull
    remesh = hull.modifiers.new("Remesh", "REMESH")
    remesh.mode, remesh.voxel_size = "VOXEL", 0.045
    hull.modifiers.new("Smooth", "SMOOTH").iterations = 5
    for modifier in ("Remesh", "Smooth"):
        bpy.ops.object.modifier_apply(modifier=modifier)
    mesh.shade_smooth()
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.uv.smart_project(angle_limit=math.radians(66.0), island_margin=0.02)
    bpy.ops.object.mode_set(mode="OBJECT")
    return hull


def take_photos(spot: bpy.types.Object, hull: bpy.types.Object, folder: Path) -> None:
    """Renders of Cycles through cameras with several lenses and shifts, as their background images."""
    scene = bpy.context.scene
    hull.hide_render = True
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = 24, False
    scene.render.film_transparent = True
    scene.render.resolution_x, scene.render.resolution_y = PHOTO
    scene.render.image_settings.file_format, scene.render.image_settings.color_mode = "PNG", "RGBA"
    scene.view_settings.view_transform = "Standard"
    middle = np.array(sum((spot.matrix_world @ Vector(corner) for corner in spot.bound_box), Vector()) / 8.0)
    for index, direction in enumerate(sphere_directions(VIEWS)):
        name = f"photo_{index:02}"
        camera = bpy.data.objects.new(name, bpy.data.cameras.new(name))
        camera.matrix_world = Matrix(look_at(middle + 5.2 * direction, middle).tolist())
        camera.data.lens = 50.0 + 5.0 * (index % 3)
        camera.data.shift_x, camera.data.shift_y = 0.02 * (index % 2), -0.01 * (index % 3)
        scene.collection.objects.link(camera)
        scene.camera = camera
        scene.render.filepath = str(folder / f"{name}.png")
        bpy.ops.render.render(write_still=True)
        camera.data.show_background_images = True
        camera.data.background_images.new().image = bpy.data.images.load(scene.render.filepath)


if __name__ == "__main__":
    leave(main())
