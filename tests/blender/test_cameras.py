# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras against Blender's own projection, and round trips Blender <-> view <-> transforms.json."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np
import pytest
from mathutils import Euler, Matrix

from sge_addon.core.errors import FitError
from sge_addon.core.orbit import orbit_views
from sge_addon.core.view import View, orthographic, perspective
from sge_addon.formats import transforms_json
from sge_addon.scene.cameras import camera_from_view, view_from_camera
from sge_addon.scene.images import save_png

POINTS = np.random.default_rng(3).uniform(-0.6, 0.6, (50, 3))
SIZES = [(512, 512), (640, 360), (300, 500), (7, 3)]


def add_camera(name: str = "Camera") -> bpy.types.Object:
    camera = bpy.data.objects.new(name, bpy.data.cameras.new(name))
    bpy.context.scene.collection.objects.link(camera)
    camera.location = (2.0, -3.0, 1.5)
    camera.rotation_euler = Euler((1.2, 0.1, 0.6))
    return camera


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["PERSP", "ORTHO"])
def test_projection_is_blenders_own(size: tuple[int, int], kind: str) -> None:
    camera = add_camera()
    data = camera.data
    data.type = kind
    data.clip_start, data.clip_end = 0.3, 80.0
    data.ortho_scale, data.sensor_width, data.sensor_height = 4.3, 33.0, 21.0
    for fit, lens, shift in itertools.product(
        ("AUTO", "HORIZONTAL", "VERTICAL"), (28.0, 85.0), ((0.0, 0.0), (0.2, -0.35))
    ):
        data.sensor_fit, data.lens = fit, lens
        data.shift_x, data.shift_y = shift
        view = view_from_camera(camera, *size)
        bpy.context.view_layer.update()
        blender = np.array(
            camera.calc_matrix_camera(bpy.context.evaluated_depsgraph_get(), x=size[0], y=size[1])
        )
        assert np.allclose(view.projection, blender, rtol=1e-6, atol=1e-6), (fit, lens, shift)


def test_render_settings_play_no_part() -> None:
    camera = add_camera()
    before = view_from_camera(camera, 640, 360)
    render = bpy.context.scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = 100, 900, 30
    render.pixel_aspect_x = 2.0
    after = view_from_camera(camera, 640, 360)
    assert np.array_equal(before.world_to_clip, after.world_to_clip)


def test_scale_of_camera_and_parents_is_removed() -> None:
    camera = add_camera()
    plain = view_from_camera(camera, 64, 64)
    camera.scale = (2.0, 0.5, 3.0)
    assert np.allclose(view_from_camera(camera, 64, 64).camera_to_world, plain.camera_to_world, atol=1e-6)
    parent = bpy.data.objects.new("Rig", None)
    bpy.context.scene.collection.objects.link(parent)
    parent.location, parent.scale = (1.0, 0.0, 0.0), (2.0, 2.0, 2.0)
    camera.parent = parent
    moved = view_from_camera(camera, 64, 64).camera_to_world
    assert np.allclose(moved[:3, 3], [5.0, -6.0, 3.0], atol=1e-6)
    assert np.allclose(moved[:3, :3], plain.camera_to_world[:3, :3], atol=1e-6)


def test_evaluated_constraints_count() -> None:
    camera, target = add_camera(), bpy.data.objects.new("Target", None)
    bpy.context.scene.collection.objects.link(target)
    constraint = camera.constraints.new("TRACK_TO")
    constraint.target = target
    assert np.allclose(view_from_camera(camera, 64, 64).to_pixels(np.zeros((1, 3))), [[32, 32]], atol=1e-3)


def test_cameras_that_no_view_can_be_are_refused_by_name() -> None:
    camera = add_camera("Eye")
    camera.data.type = "PANO"
    with pytest.raises(FitError, match=r"'Eye'.*Type"):
        view_from_camera(camera, 64, 64)
    camera.data.type = "PERSP"
    camera.scale = (-1.0, 1.0, 1.0)
    with pytest.raises(FitError, match=r"'Eye' is mirrored"):
        view_from_camera(camera, 64, 64)
    camera.scale = (1.0, 1.0, 0.0)
    with pytest.raises(FitError, match=r"'Eye' has a scale of zero"):
        view_from_camera(camera, 64, 64)
    camera.scale = (1.0, 1.0, 1.0)
    parent = bpy.data.objects.new("Rig", None)
    bpy.context.scene.collection.objects.link(parent)
    parent.scale = (2.0, 1.0, 1.0)
    camera.parent = parent
    with pytest.raises(FitError, match=r"'Eye' is sheared"):
        view_from_camera(camera, 64, 64)
    with pytest.raises(FitError, match=r"'Rig' is not a camera"):
        view_from_camera(parent, 64, 64)


def views() -> list[View]:
    pinholes = orbit_views((0.1, 0.2, -0.1), 1.0, 4, 640, 360)
    pinholes[1] = replace(
        pinholes[1], projection=perspective(700.3, 700.3, 300.2, 190.7, 640, 360, 0.2, 90.0)
    )
    pinholes[2] = replace(pinholes[2], projection=perspective(700.3, 650.1, 300.2, 190.7, 640, 360))
    pinholes[3] = replace(pinholes[3], projection=orthographic(0.01, 300.2, 190.7, 640, 360, 0.2, 20.0))
    return pinholes


@pytest.mark.parametrize("index", range(4))
def test_a_view_becomes_a_camera_and_comes_back_exactly(index: int) -> None:
    view = views()[index]
    camera = camera_from_view(view, bpy.context.scene.collection)
    again = view_from_camera(camera, 640, 360)
    assert again.name == view.name == camera.name
    assert np.array_equal(again.camera_to_world, view.camera_to_world)
    assert np.abs(again.to_pixels(POINTS) - view.to_pixels(POINTS)).max() < 1e-9
    assert again.clip_range() == pytest.approx(view.clip_range(), rel=1e-6)
    half = view_from_camera(camera, 320, 180)
    assert np.abs(half.to_pixels(POINTS) * 2 - view.to_pixels(POINTS)).max() < 1e-9


@pytest.mark.parametrize("index", [0, 1, 3])
def test_blenders_own_numbers_of_such_a_camera_agree(index: int) -> None:
    view = views()[index]
    camera = camera_from_view(view, bpy.context.scene.collection)
    bpy.context.view_layer.update()
    blender = np.array(camera.calc_matrix_camera(bpy.context.evaluated_depsgraph_get(), x=640, y=360))
    assert np.allclose(view.projection[:2], blender[:2], atol=1e-6)
    assert np.allclose(np.array(camera.matrix_world), view.camera_to_world, atol=1e-6)


def test_an_edited_camera_forgets_the_stored_numbers() -> None:
    view = views()[2]
    camera = camera_from_view(view, bpy.context.scene.collection)
    camera.data.lens = 50.0
    focal_x, focal_y, _, _ = view_from_camera(camera, 640, 360).intrinsics()
    assert focal_x == pytest.approx(50 / 36 * 640)
    assert focal_y == pytest.approx(focal_x)

    camera = camera_from_view(view, bpy.context.scene.collection)
    square = view_from_camera(camera, 500, 500).intrinsics()
    assert square[0] == pytest.approx(square[1]), "another aspect is another camera"

    camera = camera_from_view(view, bpy.context.scene.collection)
    camera.location.x += 0.01
    moved = view_from_camera(camera, 640, 360)
    assert np.allclose(moved.camera_to_world[:3, 3] - view.camera_to_world[:3, 3], [0.01, 0, 0], atol=1e-6)
    assert np.array_equal(moved.projection[:2], view.projection[:2])

    camera = camera_from_view(view, bpy.context.scene.collection)
    camera.data.clip_start, camera.data.clip_end = 1.0, 20.0
    clipped = view_from_camera(camera, 640, 360)
    assert clipped.clip_range() == pytest.approx((1.0, 20.0))
    assert np.array_equal(clipped.projection[:2], view.projection[:2])


def test_stored_numbers_survive_a_saved_file(tmp_path: Path) -> None:
    view = views()[2]
    camera_from_view(view, bpy.context.scene.collection)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    again = view_from_camera(bpy.data.objects[view.name], 640, 360)
    assert np.array_equal(again.camera_to_world, view.camera_to_world)
    assert np.array_equal(again.projection[:2], view.projection[:2])


def test_sheared_projections_have_no_camera() -> None:
    view = views()[0]
    sheared = view.projection.copy()
    sheared[0, 1] = 0.1
    with pytest.raises(FitError, match=r"'view_000'.*sheared"):
        camera_from_view(replace(view, projection=sheared), bpy.context.scene.collection)
    assert not bpy.data.cameras


def test_blender_to_transforms_json_and_back(tmp_path: Path) -> None:
    for index, (size, fit) in enumerate(itertools.product(SIZES[:3], ("AUTO", "HORIZONTAL", "VERTICAL"))):
        camera = add_camera(f"Camera {index}")
        camera.data.sensor_fit = fit
        camera.data.shift_x, camera.data.shift_y = 0.1, -0.05
        camera.matrix_world = Matrix(orbit_views((0, 0, 0), 1.0, 9, 8, 8)[index].camera_to_world.tolist())
        view = view_from_camera(camera, *size)
        image = tmp_path / f"{index}.png"
        save_png(image, np.zeros((size[1], size[0], 3), np.float32))
        transforms_json.write(tmp_path / "t.json", [transforms_json.Frame(view, image)])
        read = transforms_json.read(tmp_path / "t.json")[0].view
        assert read.name == view.name
        assert np.abs(read.to_pixels(POINTS) - view.to_pixels(POINTS)).max() < 1e-5
        again = view_from_camera(camera_from_view(read, bpy.context.scene.collection), *size)
        assert np.abs(again.to_pixels(POINTS) - view.to_pixels(POINTS)).max() < 1e-5
