# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""References from cameras and files, and the ways back to both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np
import pytest

from sge_addon.core.colour import linear_to_srgb, premultiplied
from sge_addon.core.errors import FitError
from sge_addon.core.orbit import orbit_views
from sge_addon.core.reference import Reference
from sge_addon.core.view import orthographic
from sge_addon.formats import transforms_json
from sge_addon.scene.cameras import fills_frame, keep_projection, view_from_camera
from sge_addon.scene.images import array_to_image
from sge_addon.scene.references import (
    add_reference_cameras,
    export_references,
    references_from_cameras,
    references_from_frames,
)

POINTS = np.random.default_rng(3).uniform(-0.6, 0.6, (50, 3))


def references(count: int = 3, *, normals: bool = False, alpha: bool = True) -> list[Reference]:
    rng = np.random.default_rng(5)
    result = []
    for view in orbit_views((0, 0, 0), 1.0, count, 24, 16):
        straight = rng.random((16, 24, 4), dtype=np.float32)
        straight[..., 3] = rng.integers(0, 2, (16, 24)) if alpha else 1.0
        colour = premultiplied(straight)
        normal = rng.random((16, 24, 3), dtype=np.float32) * colour[..., 3:] if normals else None
        result.append(Reference(view, colour, has_alpha=alpha, normal=normal))
    return result


def assert_same(before: list[Reference], after: list[Reference], steps_of: float = 255) -> None:
    """Equal views and names, colours within half a step of 8-bit sRGB."""
    assert [reference.view.name for reference in after] == [reference.view.name for reference in before]
    for a, b in zip(before, after, strict=True):
        assert (a.view.width, a.view.height) == (b.view.width, b.view.height)
        assert np.abs(a.view.to_pixels(POINTS) - b.view.to_pixels(POINTS)).max() < 1e-5
        assert a.has_alpha == b.has_alpha
        assert np.array_equal(a.colour[..., 3], b.colour[..., 3])
        encoded = linear_to_srgb(a.colour[..., :3]) - linear_to_srgb(b.colour[..., :3])
        assert np.abs(encoded).max() < 0.51 / steps_of
        assert (a.normal is None) == (b.normal is None)
        if a.normal is not None and b.normal is not None:
            assert np.array_equal(a.normal, b.normal)


@pytest.mark.parametrize("normals", [False, True])
@pytest.mark.parametrize("alpha", [False, True])
def test_exported_references_read_back(normals: bool, alpha: bool, tmp_path: Path) -> None:
    before = references(normals=normals, alpha=alpha)
    path = export_references(tmp_path / "out", before, transforms_json.write)
    assert path == tmp_path / "out" / "transforms.json"
    after = references_from_frames(transforms_json.read(path), "srgb", 512)
    assert_same(before, after)
    assert not bpy.data.images


def test_weights_are_exported_as_masks(tmp_path: Path) -> None:
    weight = np.linspace(0.0, 1.0, 24 * 16, dtype=np.float32).reshape(16, 24)
    before = [replace(references(1, alpha=False)[0], weight=weight), references(2, alpha=False)[1]]
    path = export_references(tmp_path / "out", before, transforms_json.write)
    after = references_from_frames(transforms_json.read(path), "srgb", 512)
    assert after[0].weight is not None
    assert np.abs(after[0].weight - weight).max() < 0.51 / 255
    assert after[1].weight is None
    seen = weight > 0.01
    assert np.abs(linear_to_srgb(after[0].colour) - linear_to_srgb(before[0].colour))[seen].max() < 0.51 / 255


def test_exr_keeps_every_bit(tmp_path: Path) -> None:
    before = references()
    before[0] = replace(before[0], colour=before[0].colour * 5.0)
    before[0].colour[..., 3] /= 5.0
    path = export_references(tmp_path, before, transforms_json.write, file_format="OPEN_EXR")
    after = references_from_frames(transforms_json.read(path), "srgb", 512)
    assert all(np.array_equal(a.colour, b.colour) for a, b in zip(before, after, strict=True))


def test_any_name_makes_a_file_and_comes_back(tmp_path: Path) -> None:
    names = ["Camera/1", "camera 1", "CAMERA_1", "../up", "ümlaut", "..."]
    before = [replace(r, view=replace(r.view, name=n)) for r, n in zip(references(6), names, strict=True)]
    path = export_references(tmp_path / "out", before, transforms_json.write)
    assert len(list((tmp_path / "out" / "images").iterdir())) == 6
    assert not list(tmp_path.glob("*.png"))
    assert_same(before, references_from_frames(transforms_json.read(path), "srgb", 512))


def test_cameras_that_the_file_cannot_hold_leave_no_images(tmp_path: Path) -> None:
    before = references()
    flat = replace(before[1].view, name="plan", projection=orthographic(0.01, 12, 8, 24, 16))
    before[1] = replace(before[1], view=flat)
    with pytest.raises(FitError, match="'plan' is orthographic"):
        export_references(tmp_path, before, transforms_json.write)
    assert not list(tmp_path.rglob("*.png"))


def test_export_into_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FitError, match="cannot be made"):
        export_references(tmp_path / "file", references(), transforms_json.write)
    with pytest.raises(FitError, match="no references"):
        export_references(tmp_path / "out", [], transforms_json.write)


def test_larger_images_are_scaled_with_their_cameras(tmp_path: Path) -> None:
    before = references()
    path = export_references(tmp_path, before, transforms_json.write)
    small = references_from_frames(transforms_json.read(path), "srgb", 12)[0]
    assert small.colour.shape == (8, 12, 4)
    assert np.allclose(small.view.to_pixels(POINTS) * 2, before[0].view.to_pixels(POINTS), atol=1e-5)
    mean = before[0].colour.reshape(8, 2, 12, 2, 4).mean(axis=(1, 3))
    assert np.abs(small.colour - mean).max() < 0.01


@pytest.mark.parametrize("normals", [False, True])
def test_reference_cameras_survive_the_file(normals: bool, tmp_path: Path) -> None:
    before = references(normals=normals)
    collection = add_reference_cameras(bpy.context.scene, before)
    assert collection.name == "References"
    assert len(collection.objects) == 3
    assert_same(before, references_from_cameras(bpy.context.scene, 512))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    assert_same(before, references_from_cameras(bpy.context.scene, 512))


def test_cameras_are_added_to_the_collection_that_is_there() -> None:
    first = add_reference_cameras(bpy.context.scene, references(2))
    second = add_reference_cameras(bpy.context.scene, references(2))
    assert first == second
    assert len(first.objects) == 4


def add_camera(name: str = "Eye") -> bpy.types.CameraBackgroundImage:
    camera = bpy.data.objects.new(name, bpy.data.cameras.new(name))
    bpy.context.scene.collection.objects.link(camera)
    camera.data.show_background_images = True
    background = camera.data.background_images.new()
    background.image = array_to_image("photo", np.ones((4, 6, 4), np.float32), as_bytes=True)
    return background


def camera_of(background: bpy.types.CameraBackgroundImage) -> bpy.types.Object:
    return next(obj for obj in bpy.context.scene.objects if obj.data == background.id_data)


def test_only_cameras_that_show_an_image_are_references() -> None:
    for name, hide in (
        ("b", lambda background: None),
        ("a", lambda background: None),
        ("off", lambda background: setattr(background.id_data, "show_background_images", False)),
        ("hidden", lambda background: setattr(background, "show_background_image", False)),
        ("clip", lambda background: setattr(background, "source", "MOVIE_CLIP")),
        ("empty", lambda background: setattr(background, "image", None)),
    ):
        hide(add_camera(name))
    bpy.context.scene.render.resolution_x, bpy.context.scene.render.resolution_y = 600, 400
    found = references_from_cameras(bpy.context.scene, 512)
    assert [reference.view.name for reference in found] == ["a", "b"]
    assert found[0].colour.shape == (4, 6, 4)
    assert not found[0].has_alpha


@pytest.mark.parametrize(
    ("setting", "value", "label"),
    [
        ("offset", (0.1, 0.0), "Offset"),
        ("rotation", 0.2, "Rotation"),
        ("scale", 1.5, "Scale"),
        ("use_flip_x", True, "Flip"),
        ("use_flip_y", True, "Flip"),
    ],
)
def test_moved_background_images_are_refused_by_name(setting: str, value: object, label: str) -> None:
    setattr(add_camera(), setting, value)
    with pytest.raises(FitError, match=f"'Eye'.*'photo' has {label}"):
        references_from_cameras(bpy.context.scene, 512)


def test_an_image_of_another_shape_than_the_render_is_refused_by_name() -> None:
    scene = bpy.context.scene
    add_camera()
    scene.render.resolution_x, scene.render.resolution_y = 300, 100
    with pytest.raises(FitError, match=r"'Eye'.*'photo' \(6 x 4\).*300 x 100.*resolution to 6 x 4"):
        references_from_cameras(scene, 512)
    scene.render.resolution_x = 150
    assert len(references_from_cameras(scene, 512)) == 1


def test_a_camera_of_the_users_own_can_take_its_images_frame() -> None:
    scene = bpy.context.scene
    scene.render.resolution_x = scene.render.resolution_y = 100
    camera = camera_of(add_camera("wide"))
    before = view_from_camera(camera, 6, 4)
    assert not fills_frame(scene, camera, 6, 4)
    keep_projection(camera.data, before)
    assert fills_frame(scene, camera, 6, 4)
    assert not fills_frame(scene, camera, 6, 6)
    assert np.array_equal(view_from_camera(camera, 6, 4).projection, before.projection)
    camera.data.lens = 70.0  # the lens is the user's again, the frame stays
    assert fills_frame(scene, camera, 6, 4)


def test_several_images_and_lost_files_are_refused_by_name(tmp_path: Path) -> None:
    data = add_camera().id_data
    second = data.background_images.new()
    second.image = array_to_image("other", np.ones((4, 6, 4), np.float32))
    with pytest.raises(FitError, match=r"'Eye' shows several.*'photo', 'other'"):
        references_from_cameras(bpy.context.scene, 512)
    data.background_images.remove(data.background_images[0])
    image = bpy.data.images.new("lost", 4, 4)
    image.source, image.filepath = "FILE", str(tmp_path / "lost.png")
    second.image = image
    with pytest.raises(FitError, match=r"Camera 'Eye': image 'lost'.*missing"):
        references_from_cameras(bpy.context.scene, 512)


def test_images_that_changed_since_the_cameras_were_read_are_refused(tmp_path: Path) -> None:
    path = export_references(tmp_path, references(), transforms_json.write)
    frames = transforms_json.read(path)
    wrong = replace(frames[0], view=frames[0].view.resized(48, 16))
    with pytest.raises(FitError, match=r"'view_000'.*24 x 16.*48 x 16"):
        references_from_frames([wrong], "srgb", 512)


def test_data_of_another_renderer(data: Path) -> None:
    frames = transforms_json.read(data / "t2_256" / "transforms_test.json")
    reference = references_from_frames(frames[:1], "linear", 128)[0]
    assert reference.has_alpha
    assert reference.colour.shape == (128, 128, 4)
    covered = reference.colour[..., 3] > 0.999
    # Colours are normals, 0.5 + 0.5 n: of unit length where they are not averaged over an edge.
    lengths = np.linalg.norm(2.0 * reference.colour[covered][:, :3] - 1.0, axis=1)
    assert np.median(lengths) == pytest.approx(1.0, abs=0.02)
