# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""References from an object: where cameras stand, who renders, and that the scene stays as it was."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from sge_addon.core.errors import FitError
from sge_addon.core.metrics import psnr
from sge_addon.core.reference_options import ReferenceOptions
from sge_addon.core.settings import FitSettings
from sge_addon.job import make_references, orbit_around, place_views, references_one_by_one
from sge_addon.job.check import check_scene
from sge_addon.job.problem import check_problem
from sge_addon.scene.images import array_to_image
from sge_addon.scene.reference_rows import references_of_scene, store_made_references
from sge_addon.scene.stored_settings import registered
from tests.blender.small_world import SmallWorld, add_sphere, run
from tests.blender.worlds import environment_world
from tests.meshes import waves
from tests.skies import sky

SIZE = 40
SETTINGS = FitSettings(resolution=SIZE)
ENGINES = {"eevee": 4, "cycles": 64}  # samples: software GL may take a second for each of EEVEE's


def glowing_sphere(name: str = "Source") -> bpy.types.Object:
    """Its emission is its base colour: what it looks like is known without any light."""
    obj = add_sphere(name, (0.8, 0.8, 1.1), colour=waves(64, 64))
    tree = obj.data.materials[0].node_tree
    emission = tree.nodes.new("ShaderNodeEmission")
    image = next(node for node in tree.nodes if node.bl_idname == "ShaderNodeTexImage")
    tree.links.new(image.outputs["Color"], emission.inputs["Color"])
    tree.links.new(emission.outputs["Emission"], tree.get_output_node("ALL").inputs["Surface"])
    return obj


def rendered(objects: list[bpy.types.Object], engine: str, views, hidden=(), **options: Any):
    options = ReferenceOptions(render_engine=engine, render_samples=ENGINES[engine], **options)
    made = references_one_by_one(objects, views, SETTINGS, bpy.context.scene, options, hidden)
    return list(made)


def everything_about(scene: bpy.types.Scene) -> dict[str, Any]:
    """Settings of a scene that rendering could change, and what lies in the file."""
    found: dict[str, Any] = {"camera": scene.camera, "frame": scene.frame_current}
    groups = {"render": scene.render, "image": scene.render.image_settings, "view": scene.view_settings}
    groups |= {"eevee": scene.eevee, "cycles": scene.cycles}
    for label, group in groups.items():
        for item in group.bl_rna.properties:
            value = getattr(group, item.identifier)
            if isinstance(value, str | int | float | bool):
                found[f"{label}.{item.identifier}"] = value
    found["hidden"] = [(obj.name, obj.hide_render) for obj in bpy.data.objects]
    for kind in ("scenes", "objects", "cameras", "images", "meshes", "materials"):
        found[kind] = sorted(set(getattr(bpy.data, kind).keys()) - {"Render Result"})
    return found


# --- Where cameras stand


def elevations(views) -> np.ndarray:
    return np.degrees(np.arcsin([view.camera_to_world[2, 2] for view in views]))


@pytest.mark.parametrize(
    ("options", "low", "high"),
    [
        ({}, -80.0, 80.0),
        ({"placement": "dome"}, 0.0, 80.0),
        ({"lowest_elevation": 10.0, "highest_elevation": 30.0}, 10.0, 30.0),
        ({"placement": "dome", "lowest_elevation": 20.0}, 20.0, 80.0),
        ({"lowest_elevation": 15.0, "highest_elevation": 15.0}, 15.0, 15.0),
    ],
)
def test_cameras_stand_between_the_elevations(options: dict, low: float, high: float) -> None:
    obj = add_sphere("Source", (1, 1, 1))
    views = place_views([obj], ReferenceOptions(view_count=24, **options), bpy.context.scene, 64)
    found = elevations(views)
    assert len(views) == 24
    assert found.min() >= low - 1e-6
    assert found.max() <= high + 1e-6
    assert np.ptp(found) >= 0.8 * (high - low)
    azimuths = np.sort(np.arctan2(*np.asarray([view.camera_to_world[1::-1, 2] for view in views]).T))
    assert np.diff(azimuths).max() < np.radians(45.0), "no side is left out"


def test_default_placement_is_all_around() -> None:
    obj = add_sphere("Source", (1, 1, 1))
    own = place_views([obj], ReferenceOptions(view_count=9), bpy.context.scene, 64)
    plain = orbit_around([obj], 9, 64)
    assert all(np.array_equal(a.camera_to_world, b.camera_to_world) for a, b in zip(own, plain, strict=True))


def test_size_is_the_fits_resolution_unless_given() -> None:
    obj = add_sphere("Source", (1, 1, 1))
    for given, expected in ((0, 64), (32, 32)):
        options = ReferenceOptions(view_count=1, reference_size=given)
        assert place_views([obj], options, bpy.context.scene, 64)[0].width == expected


def animated_camera() -> bpy.types.Object:
    """Moves from x = -3 in frame 1 to x = 3 in frame 61, looking along -Y from y = 6."""
    scene = bpy.context.scene
    camera = bpy.data.objects.new("Tracking", bpy.data.cameras.new("Tracking"))
    scene.collection.objects.link(camera)
    camera.rotation_euler = (np.pi / 2, 0.0, np.pi)
    for frame, x in ((1, -3.0), (61, 3.0)):
        camera.location = (x, 6.0, 0.0)
        camera.keyframe_insert("location", frame=frame)
    scene.frame_start, scene.frame_end = 1, 61
    return camera


def test_views_along_a_path_are_where_the_camera_is_in_those_frames() -> None:
    scene, camera = bpy.context.scene, animated_camera()
    scene.render.resolution_x, scene.render.resolution_y = 200, 100
    scene.frame_set(17)
    options = ReferenceOptions(placement="path", view_count=4)
    views = place_views([add_sphere("Source", (1, 1, 1))], options, scene, 64, camera)
    assert [view.name for view in views] == ["frame_0001", "frame_0021", "frame_0041", "frame_0061"]
    assert scene.frame_current == 17
    assert all((view.width, view.height) == (64, 32) for view in views)
    for view, frame in zip(views, (1, 21, 41, 61), strict=True):
        scene.frame_set(frame)
        assert view.camera_to_world[:3, 3] == pytest.approx(camera.matrix_world.translation[:], abs=1e-6)


def test_paths_that_lead_nowhere_are_refused() -> None:
    scene = bpy.context.scene
    source = add_sphere("Source", (1, 1, 1))
    path = ReferenceOptions(placement="path", view_count=4)
    with pytest.raises(FitError, match="no camera whose path"):
        place_views([source], path, scene, 64)
    camera = animated_camera()
    with pytest.raises(FitError, match=r"61 frames .* too few for 62 views"):
        place_views([source], ReferenceOptions(placement="path", view_count=62), scene, 64, camera)
    camera.animation_data_clear()
    with pytest.raises(FitError, match="'Tracking' stands still"):
        place_views([source], path, scene, 64, camera)


def test_elevations_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(FitError, match="between 30 and 10 degrees"):
        ReferenceOptions(lowest_elevation=30.0, highest_elevation=10.0)
    with pytest.raises(FitError, match="between 0 and -10 degrees"):
        ReferenceOptions(placement="dome", highest_elevation=-10.0)


# --- Who renders


@pytest.mark.parametrize(
    ("engine", "transform", "decibels"),
    [("cycles", "AgX", 45), ("cycles", "Standard", 45), ("eevee", "AgX", 25)],
)
def test_blenders_renderers_see_what_our_rasteriser_sees(
    gpu_ready: None, engine: str, transform: str, decibels: float
) -> None:
    """Scene-linear colour and alpha of a glowing object, whatever the view transform and exposure."""
    scene = bpy.context.scene
    scene.view_settings.view_transform = transform
    scene.view_settings.exposure, scene.view_settings.gamma = 2.0, 1.5
    source = glowing_sphere()
    views = orbit_around([source], 1, SIZE)
    (own,) = make_references([source], views, SETTINGS, scene)
    (other,) = rendered([source], engine, views)
    assert other.has_alpha
    assert np.array_equal(other.normal, own.normal)
    inside = own.colour[..., 3] > 0.999
    assert np.abs((other.colour - own.colour)[inside].mean(axis=0)).max() < 0.015
    assert psnr(float(np.square(other.colour - own.colour)[inside].mean())) > decibels
    assert other.colour[..., 3].sum() == pytest.approx(own.colour[..., 3].sum(), rel=0.03)
    assert other.colour[own.colour[..., 3] == 0.0].mean() < 0.01, "little beside the object"


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_of_the_scene_changes(gpu_ready: None, engine: str) -> None:
    scene = bpy.context.scene
    source, other = glowing_sphere(), add_sphere("Other", (0.2, 0.2, 0.2))
    source.hide_render, other.hide_render = True, False
    scene.render.use_stamp = scene.render.use_border = True
    scene.render.resolution_percentage = 30
    before = everything_about(scene)
    made = references_one_by_one(
        [source],
        orbit_around([source], 2, SIZE),
        SETTINGS,
        scene,
        ReferenceOptions(render_engine=engine, render_samples=1),
    )
    next(made)
    assert everything_about(scene) == before, "between two references"
    made.close()
    assert everything_about(scene) == before


def test_nothing_of_the_scene_changes_where_rendering_fails(
    gpu_ready: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = glowing_sphere()
    views = orbit_around([source], 1, SIZE)
    before = everything_about(bpy.context.scene)
    monkeypatch.setattr("sge_addon.scene.rendered_images.load_image", fail)
    with pytest.raises(FitError, match="for the test"):
        rendered([source], "cycles", views)
    assert everything_about(bpy.context.scene) == before


def fail(_path: Path) -> None:
    raise FitError("for the test")


def test_other_objects_are_hidden_or_kept_and_fitted_ones_never_seen(gpu_ready: None) -> None:
    """A larger glowing sphere hides the source from everywhere."""
    source, shell, fitted = glowing_sphere(), glowing_sphere("Shell"), glowing_sphere("Fitted")
    shell.scale = fitted.scale = (1.2, 1.2, 1.2)
    bpy.context.view_layer.update()
    views = orbit_around([source], 1, SIZE)

    def covered(**options) -> float:
        (reference,) = rendered([source], "cycles", views, **options)
        assert (reference.normal is None) == options.get("keep_others", False)
        return float(reference.colour[..., 3].sum())

    alone = covered()
    assert covered(keep_others=True, hidden=[shell, fitted]) == pytest.approx(alone, rel=0.01)
    assert covered(keep_others=True, hidden=[fitted]) > 1.3 * alone


def test_lit_objects_are_shaded_by_the_scenes_lights(gpu_ready: None) -> None:
    """A sun from above: bright on top, black below."""
    source = add_sphere("Source", (1, 1, 1))
    views = orbit_around([source], 1, SIZE, elevations=(0.0, 0.0))
    bpy.context.scene.world = None
    with pytest.raises(FitError, match="Cycles shows 'Source' black from everywhere: add a light"):
        rendered([source], "cycles", views)
    sun = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
    bpy.context.scene.collection.objects.link(sun)
    (reference,) = rendered([source], "cycles", views)
    upper, lower = reference.colour[SIZE // 2 + 6 :, :, 0], reference.colour[: SIZE // 2 - 6, :, 0]
    assert upper.max() > 0.1
    assert lower.max() < 0.01


def test_source_in_an_excluded_collection_is_named(gpu_ready: None) -> None:
    source = glowing_sphere()
    hidden = bpy.data.collections.new("Hidden")
    bpy.context.scene.collection.children.link(hidden)
    bpy.context.collection.objects.unlink(source)
    hidden.objects.link(source)
    hidden.hide_render = True
    views = orbit_around([source], 1, SIZE)
    with pytest.raises(FitError, match="Cycles shows nothing of 'Source': show its collection"):
        rendered([source], "cycles", views)


def test_the_worlds_image_lights_a_fit_as_in_what_rendered(gpu_ready: None, tmp_path: Path) -> None:
    """Also when the file was saved and opened between; not where another picture has come in."""
    settings = FitSettings(shading="lit", shape=False, maps=("base_color",), resolution=SIZE, texture_size=8)
    source = add_sphere("Source", (1, 1, 1), colour=waves(8, 8))
    environment_world(array_to_image("Sky", np.concatenate([sky(rows=8), np.ones((8, 16, 1))], 2)))
    bpy.data.images["Sky"].pack()
    made = rendered([source], "cycles", orbit_around([source], 2, SIZE))
    assert [reference.engine for reference in made] == ["cycles", "cycles"]
    with registered():
        store_made_references(bpy.context.scene, source, made)
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "made.blend"), check_existing=False)
        bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "made.blend"))
        scene, objects = bpy.context.scene, [bpy.data.objects["Source"]]
        for is_known in (True, False):
            problem = check_problem(scene, objects, references_of_scene(scene, SIZE), settings)
            assert problem.lights.world.as_eevee != is_known
            told = [finding.text for finding in check_scene(scene, objects, asdict(settings))]
            assert set(problem.notices) <= set(told)
            assert any("its image lights as in Cycles" in text for text in told) == is_known
            for row in scene.sge.references:
                photo = array_to_image("Photo", made[0].colour, as_bytes=True)
                row.camera.data.background_images[0].image = photo


# --- The two drivers


def test_flags_override_what_the_file_stores(world: SmallWorld, tmp_path: Path) -> None:
    path = tmp_path / "stored.blend"
    with registered():
        bpy.ops.wm.open_mainfile(filepath=str(world.scene))
        stored = bpy.context.scene.sge
        stored.view_count, stored.placement, stored.reference_size = 3, "dome", 24
        bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False)
    common = ("--object", "Start", "--reference-object", "Source", "--export-references", tmp_path / "made")
    for flags, count, lowest in (((), 3, 0.0), (("--views", "5", "--placement", "orbit"), 5, -0.5)):
        assert run(path, *common, *flags) == 0
        frames = json.loads((tmp_path / "made" / "transforms.json").read_text())["frames"]
        heights = [frame["transform_matrix"][2][2] for frame in frames]
        assert len(frames) == count
        assert min(heights) >= 0.0 if lowest == 0.0 else min(heights) < lowest


def test_headless_fit_to_cycles_renders(world: SmallWorld, tmp_path: Path) -> None:
    flags = ("--object", "Start", "--reference-object", "Source", "--views", "2", "--render-engine", "cycles")
    bpy.ops.wm.open_mainfile(filepath=str(world.scene))
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN")))
    path = tmp_path / "lit.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False)
    report = tmp_path / "report.json"
    assert run(path, *flags, "--render-samples", "2", "--report", report) == 0
    assert len(json.loads(report.read_text())["views"]) == 2


def test_bad_options_end_with_one_line(world: SmallWorld, capsys: pytest.CaptureFixture) -> None:
    flags = ("--object", "Start", "--reference-object", "Source", "--views", "2")
    for more, message in (
        (("--placement", "path", "--path-camera", "Nobody"), "--path-camera 'Nobody'"),
        (("--lowest-elevation", "95"), "lowest-elevation is 95"),
        (("--render-samples", "0"), "render-samples is 0"),
        (("--lowest-elevation", "20", "--highest-elevation", "10"), "between 20 and 10 degrees"),
    ):
        assert world.from_scene(*flags, *more) == 2
        error = capsys.readouterr().err.strip().splitlines()[-1]
        assert error.startswith("error: ")
        assert message in error
