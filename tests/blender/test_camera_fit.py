# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fits that refine cameras and gains, to pictures whose true ones are known; and what reaches the scene.

"Off" means: each camera is turned by a degree about its eye and by a degree about the object, and its focal
length is off by a percent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from sge_addon.core.camera_parameters import rotation_matrix
from sge_addon.core.errors import FitError
from sge_addon.core.reference import Reference
from sge_addon.core.settings import FitSettings
from sge_addon.core.view import View
from sge_addon.headless import main
from sge_addon.job import FitJob, make_references, orbit_around
from sge_addon.scene.camera_write_back import fixed_camera_notices, write_camera
from sge_addon.scene.cameras import camera_from_view, view_from_camera
from sge_addon.scene.references import add_reference_cameras, references_from_cameras
from tests.blender.small_world import add_sphere, positions_of, read_json

pytestmark = pytest.mark.usefixtures("gpu_ready")

SIZE, VIEWS = 256, 8
GAINS = np.exp([0.2, -0.1, 0.05, -0.25, 0.15, -0.05, 0.1, -0.1])  # their mean logarithm is 0


def patches() -> np.ndarray:
    """(128, 128, 3): a texture with details of every size, different in every channel."""
    rng = np.random.default_rng(0)
    fine, coarse = (np.kron(rng.random((n, n, 3)), np.ones((128 // n, 128 // n, 1))) for n in (32, 8))
    texture = 0.1 + 0.5 * fine + 0.3 * coarse
    for axis in (0, 1):
        texture = (np.roll(texture, 1, axis) + 2.0 * texture + np.roll(texture, -1, axis)) / 4.0
    return texture.astype(np.float32)


def add_stone(name: str, textured: bool = True) -> bpy.types.Object:
    """A sphere with dents that no turn brings to coincide."""
    obj = add_sphere(name, (0.8, 0.9, 1.0), colour=patches() if textured else None)
    points = positions_of(name)
    bumps = sum(
        0.12 * np.sin(points @ k + p) for k, p in (((3, 1, 2), 0.0), ((-1, 4, 2), 1.0), ((2, -2, 5), 2.0))
    )
    points *= 1.0 + bumps[:, None].astype(np.float32)
    obj.data.attributes["position"].data.foreach_set("vector", points.ravel())
    obj.data.update()
    bpy.context.view_layer.update()
    return obj


@pytest.fixture(scope="module")
def truth(gpu_ready: None) -> list[Reference]:
    """Pictures of the stone through its true cameras."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    stone = add_stone("Source")
    views = orbit_around([stone], VIEWS, SIZE)
    return make_references([stone], views, FitSettings(resolution=SIZE), bpy.context.scene)


def off(view: View, seed: int) -> View:
    rng = np.random.default_rng(seed)
    about_eye, about_object = (np.radians(1.0) * v / np.linalg.norm(v) for v in rng.normal(size=(2, 3)))
    pose, projection = view.camera_to_world.copy(), view.projection.copy()
    pose[:3, :3] = rotation_matrix(about_eye) @ pose[:3, :3]
    turn = np.eye(4)
    turn[:3, :3] = rotation_matrix(about_object)
    projection[:2, :2] *= 1.0 + 0.01 * rng.choice((-1.0, 1.0))
    return replace(view, camera_to_world=turn @ pose, projection=projection)


def with_cameras_off(truth: Sequence[Reference]) -> list[Reference]:
    return [replace(each, view=off(each.view, index)) for index, each in enumerate(truth)]


def darkened(references: Sequence[Reference]) -> list[Reference]:
    return [
        replace(each, colour=each.colour * np.float32([gain, gain, gain, 1.0]))
        for each, gain in zip(references, GAINS, strict=True)
    ]


def reprojection(views: Sequence[View], truth: Sequence[Reference]) -> list[float]:
    """Of each view, in pixels: how far from their place the stone's vertices are seen, on average."""
    points = positions_of("Stone").astype(np.float64)
    return [
        float(np.linalg.norm(view.to_pixels(points) - each.view.to_pixels(points), axis=1).mean())
        for view, each in zip(views, truth, strict=True)
    ]


def run(references: Sequence[Reference], *, textured: bool = True, **settings: Any) -> FitJob:
    settings = {"shape": False, "texture": False, "refine_cameras": True, "refine_focal": True} | settings
    stone = add_stone("Stone", textured)
    job = FitJob(bpy.context.scene, [stone], references, FitSettings(resolution=SIZE, **settings), live=False)
    for _ in job.run():
        pass
    return job


def gains_of(job: FitJob) -> np.ndarray:
    return np.array([view["camera"]["gain"] for view in job.report["views"]])


def test_cameras_are_found_where_shape_and_texture_are_known(truth: list[Reference]) -> None:
    job = run(with_cameras_off(truth), steps=2 * VIEWS)
    assert np.mean(reprojection([each.view for each in with_cameras_off(truth)], truth)) > 4.0
    assert max(reprojection(job.views(), truth)) < 0.1
    assert job.report["psnr"]["object"]["after"] > job.report["psnr"]["object"]["before"] + 20.0


def test_cameras_and_gains_are_found_while_a_grey_texture_is_fitted(truth: list[Reference]) -> None:
    """Twice as bright a texture under half the gains looks the same: their mean is held."""
    job = run(
        darkened(with_cameras_off(truth)),
        textured=False,
        texture=True,
        texture_size=128,
        steps=14 * VIEWS,
        refine_gain="exposure",
    )
    assert np.mean(reprojection(job.views(), truth)) < 0.1
    assert np.abs(gains_of(job) / GAINS[:, None] - 1.0).max() < 0.01


def test_gains_alone(truth: list[Reference]) -> None:
    job = run(darkened(truth), steps=VIEWS, refine_cameras=False, refine_focal=False, refine_gain="channels")
    assert np.abs(gains_of(job) / GAINS[:, None] - 1.0).max() < 0.01
    assert reprojection(job.views(), truth) == [0.0] * VIEWS


def test_while_the_shape_moves_cameras_as_a_whole_stay(truth: list[Reference]) -> None:
    """Shape and cameras could otherwise wander off together."""
    given = with_cameras_off([each.resized(64) for each in truth])
    # The texture is a given one: cameras are refined in steps 25 to 89, some whole rounds and a part of one.
    job = run(given, shape=True, steps=100)
    eyes = [
        np.array([view.camera_to_world[:3, 3] for view in views])
        for views in ([each.view for each in given], job.views())
    ]
    moved = np.linalg.norm(eyes[1] - eyes[0], axis=1)
    assert moved.min() > 1e-3
    assert np.linalg.norm((eyes[1] - eyes[0]).mean(axis=0)) < 0.3 * moved.mean()


def test_sliced_fit_is_the_whole_fit_bit_for_bit(truth: list[Reference]) -> None:
    """Stopped and gone on with, as well."""
    settings = {
        "textured": False,
        "texture": True,
        "texture_size": 32,
        "steps": 3 * VIEWS,
        "refine_gain": "channels",
    }
    small = [each.resized(64) for each in darkened(with_cameras_off(truth))]
    whole = run(small, **settings).views()
    stone = bpy.data.objects["Stone"]
    stone.data.materials.clear()
    job = FitJob(
        bpy.context.scene,
        [stone],
        small,
        FitSettings(
            shape=False,
            texture=True,
            texture_size=32,
            steps=3 * VIEWS,
            resolution=SIZE,
            refine_cameras=True,
            refine_focal=True,
            refine_gain="channels",
        ),
    )
    for progress in job.run():
        if progress.step == 2 * VIEWS + 1:
            job.stop()
    for _ in job.run():
        pass
    for one, other in zip(whole, job.views(), strict=True):
        assert np.array_equal(one.camera_to_world, other.camera_to_world)
        assert np.array_equal(one.projection, other.projection)


def test_held_out_cameras_stay(truth: list[Reference]) -> None:
    references = with_cameras_off([each.resized(64) for each in truth[:3]])
    references[1] = replace(references[1], held_out=True)
    job = run(references, steps=4)
    moved = [
        not np.array_equal(a.camera_to_world, b.view.camera_to_world)
        for a, b in zip(job.views(), references, strict=True)
    ]
    assert moved == [True, False, True]
    assert [("camera" in view) for view in job.report["views"]] == moved


def test_cameras_go_on_from_stage_to_stage(truth: list[Reference]) -> None:
    """Errors are in pixels of 256; the fit sees half as many, in its first stage a quarter."""
    given = with_cameras_off([each.resized(128) for each in truth])
    job = run(given, textured=False, texture=True, texture_size=64, steps=12 * VIEWS, stages=2)
    found = [view.resized(SIZE, SIZE) for view in job.views()]
    assert np.mean(reprojection(found, truth)) < 0.5


def test_report_says_how_far_cameras_have_come(truth: list[Reference]) -> None:
    """The second is given with a focal length that is a percent too large, and nothing else wrong."""
    projection = truth[1].view.projection.copy()
    projection[:2, :2] *= 1.01
    given = [truth[0], replace(truth[1], view=replace(truth[1].view, projection=projection))]
    job = run(given, steps=4, refine_cameras=False)
    near, far = (view["camera"] for view in job.report["views"])
    assert near["focal_ratio"] == pytest.approx(1.0, abs=2e-4)
    assert far["focal_ratio"] == pytest.approx(1.0 / 1.01, abs=2e-4)
    assert far["rotation_degrees"] == pytest.approx(0.0, abs=1e-9)
    assert far["gain"] == (1.0, 1.0, 1.0)
    assert set(far) == {"rotation_degrees", "distance", "focal_ratio", "gain"}


# --- Into the scene


def test_cameras_of_the_scene_get_what_was_found(truth: list[Reference]) -> None:
    add_reference_cameras(bpy.context.scene, with_cameras_off([each.resized(128) for each in truth[:3]]))
    bpy.context.view_layer.update()
    references = references_from_cameras(bpy.context.scene, SIZE)
    lenses = [bpy.data.objects[each.view.name].data.lens for each in references]
    job = run(references, steps=6)
    bpy.context.view_layer.update()
    again = references_from_cameras(bpy.context.scene, SIZE)
    for index, (reference, view) in enumerate(zip(again, job.views(), strict=True)):
        assert np.array_equal(reference.view.camera_to_world, view.camera_to_world)
        assert np.allclose(reference.view.projection[:2], view.projection[:2], rtol=1e-12)
        data = bpy.data.objects[view.name].data
        assert data.lens / lenses[index] == pytest.approx(job.report["views"][index]["camera"]["focal_ratio"])
    assert max(reprojection([each.view.resized(SIZE, SIZE) for each in again], truth[:3])) < 0.2


def plain_camera(name: str = "Plain") -> bpy.types.Object:
    camera = bpy.data.objects.new(name, bpy.data.cameras.new(name))
    bpy.context.scene.collection.objects.link(camera)
    camera.location = (1.0, -2.0, 3.0)
    camera.rotation_euler = (0.5, 0.1, 0.3)
    camera.scale = (2.0, 2.0, 2.0)
    bpy.context.view_layer.update()
    return camera


def changed_view(camera: bpy.types.Object) -> View:
    view = view_from_camera(camera, 64, 48)
    pose, projection = view.camera_to_world.copy(), view.projection.copy()
    pose[:3, :3] = rotation_matrix(np.array([0.01, 0.02, -0.01])) @ pose[:3, :3]
    pose[:3, 3] += (0.1, 0.2, 0.3)
    projection[:2, :2] *= 1.05
    return replace(view, camera_to_world=pose, projection=projection)


@pytest.mark.parametrize("kind", ["PERSP", "ORTHO"])
@pytest.mark.parametrize("parented", [False, True])
def test_any_camera_sees_what_the_view_sees(kind: str, parented: bool) -> None:
    camera = plain_camera()
    camera.data.type = kind
    camera.data.shift_x = 0.1
    if parented:
        camera.parent = bpy.data.objects.new("Rig", None)
        bpy.context.scene.collection.objects.link(camera.parent)
        camera.parent.location = (0.0, 0.0, 1.0)
        bpy.context.view_layer.update()
    view = changed_view(camera)
    assert write_camera(camera, view)
    bpy.context.view_layer.update()
    found = view_from_camera(camera, 64, 48)
    assert np.allclose(found.world_to_clip, view.world_to_clip, rtol=1e-5, atol=1e-5)
    assert tuple(camera.scale) == pytest.approx((2.0, 2.0, 2.0), rel=1e-5)


def test_camera_that_was_not_refined_keeps_its_bits() -> None:
    camera = plain_camera()
    before = [*camera.location, *camera.rotation_euler, camera.data.lens]
    write_camera(camera, view_from_camera(camera, 64, 48))
    assert [*camera.location, *camera.rotation_euler, camera.data.lens] == before


def constrained(camera: bpy.types.Object) -> None:
    camera.constraints.new("LIMIT_LOCATION")


def animated(camera: bpy.types.Object) -> None:
    camera.keyframe_insert("location", frame=1)


def shared(camera: bpy.types.Object) -> None:
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("Twin", camera.data))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (constrained, "constraints hold it"),
        (animated, "animated or driven"),
        (shared, "is shared with others"),
    ],
)
def test_camera_that_cannot_be_changed_is_named_and_kept(make: Any, said: str) -> None:
    camera = plain_camera()
    make(camera)
    bpy.context.view_layer.update()
    (notice,) = fixed_camera_notices([camera.session_uid, 0, 12345678])
    assert notice.startswith("Camera 'Plain' ")
    assert said in notice
    before = [*camera.location, camera.data.lens]
    assert not write_camera(camera, changed_view(camera))
    assert [*camera.location, camera.data.lens] == before


def test_undo_brings_cameras_back(truth: list[Reference]) -> None:
    bpy.context.preferences.edit.use_global_undo = True
    camera = camera_from_view(truth[0].view, bpy.context.scene.collection, "Undone")
    bpy.context.view_layer.update()
    before = view_from_camera(camera, SIZE, SIZE)
    bpy.ops.ed.undo_push(message="before")
    assert write_camera(camera, off(before, 3))
    bpy.ops.ed.undo_push(message="fit")
    bpy.context.view_layer.update()
    assert not np.array_equal(view_from_camera(camera, SIZE, SIZE).projection, before.projection)
    bpy.ops.ed.undo()
    after = view_from_camera(bpy.data.objects["Undone"], SIZE, SIZE)
    assert np.array_equal(after.camera_to_world, before.camera_to_world)
    assert np.array_equal(after.projection, before.projection)


def test_headless_saves_and_exports_what_was_found(truth: list[Reference], tmp_path: Path) -> None:
    """References from a file become refined cameras in --save, and a refined file in --export-references."""
    from sge_addon.formats import transforms_json
    from sge_addon.scene.references import export_references

    path = export_references(
        tmp_path / "off", with_cameras_off([each.resized(64) for each in truth[:3]]), transforms_json.write
    )
    add_stone("Stone").select_set(True)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "stone.blend"), check_existing=False)
    flags = ["--no-shape", "--no-texture", "--refine-cameras", "--refine-focal", "--steps", "6", "--quiet"]
    outputs = ["--save", "saved.blend", "--export-references", "found", "--report", "report.json"]
    outputs = [flag if flag.startswith("--") else str(tmp_path / flag) for flag in outputs]
    assert main([str(tmp_path / "stone.blend"), "--references", str(path), *flags, *outputs]) == 0
    report = read_json(tmp_path / "report.json")
    assert all(0.2 < view["camera"]["rotation_degrees"] < 2.1 for view in report["views"])
    saved = {each.view.name: each.view for each in references_from_cameras(bpy.context.scene, SIZE)}
    exported = {
        frame.view.name: frame.view for frame in transforms_json.read(tmp_path / "found" / "transforms.json")
    }
    given = {frame.view.name: frame.view for frame in transforms_json.read(path)}
    assert set(saved) == set(exported) == set(given)
    for name, view in saved.items():
        assert np.allclose(view.camera_to_world, exported[name].camera_to_world, atol=1e-9)
        assert np.allclose(view.intrinsics(), exported[name].intrinsics(), rtol=1e-9)
        assert not np.allclose(view.camera_to_world, given[name].camera_to_world, atol=1e-3)


def test_gain_without_colour_is_refused() -> None:
    with pytest.raises(FitError, match="Per-View Gain needs colour"):
        FitSettings(texture=False, match=("alpha",), refine_gain="exposure")
    with pytest.raises(FitError, match="shading 'normal' does not show"):
        FitSettings(texture=False, shading="normal", refine_gain="channels")
