# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks of the scene's references: modes and images by row, kept with cameras, refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np
import pytest

from sge_addon.core.colour import premultiplied, srgb_to_linear
from sge_addon.core.errors import FitError
from sge_addon.core.orbit import orbit_views
from sge_addon.core.reference import Reference
from sge_addon.formats import transforms_json
from sge_addon.scene.images import save_png
from sge_addon.scene.masks import MASK_IMAGE, mask_pixels
from sge_addon.scene.reference_rows import add_rows_from_cameras, references_of_scene
from sge_addon.scene.references import add_reference_cameras, export_references, references_from_frames
from sge_addon.scene.stored_settings import registered

WIDTH, HEIGHT = 12, 8


@pytest.fixture(autouse=True)
def stored() -> Iterator[None]:
    with registered():
        yield


def mask() -> np.ndarray:
    """(H, W): left black, a grey column, right white."""
    values = np.ones((HEIGHT, WIDTH), np.float32)
    values[:, :5] = 0.0
    values[:, 5] = 128.0 / 255.0
    return values


def picture(*, alpha: bool) -> np.ndarray:
    """(H, W, 4) straight, of 8-bit sRGB values; with alpha the upper half is empty."""
    codes = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 4)).astype(np.float32)
    pixels = srgb_to_linear(codes / 255.0)
    pixels[..., 3] = 1.0
    if alpha:
        pixels[HEIGHT // 2 :, :, 3] = 0.0
    return pixels


def image(name: str, pixels: np.ndarray, folder: Path) -> bpy.types.Image:
    """A file's image, as a user opens it: sRGB, straight alpha. pixels: (H, W, 3 or 4) as they are stored."""
    made = bpy.data.images.new(name, pixels.shape[1], pixels.shape[0], alpha=pixels.shape[2] == 4)
    full = np.ones((*pixels.shape[:2], 4), np.float32)
    full[..., : pixels.shape[2]] = pixels
    made.pixels.foreach_set(full.ravel())
    made.filepath_raw, made.file_format = str(folder / f"{name}.png"), "PNG"
    made.save()
    bpy.data.images.remove(made)
    return bpy.data.images.load(str(folder / f"{name}.png"))


def add_row(folder: Path, *, alpha: bool) -> bpy.types.PropertyGroup:
    """The row of one camera, named Left, with the picture behind it."""
    (view,) = orbit_views((0, 0, 0), 1.0, 1, WIDTH, HEIGHT)
    add_reference_cameras(
        bpy.context.scene,
        [Reference(replace(view, name="Left"), premultiplied(picture(alpha=alpha)), has_alpha=alpha)],
    )
    add_rows_from_cameras(bpy.context.scene)
    (row,) = bpy.context.scene.sge.references
    return row


def read(resolution: int = 512) -> Reference:
    (reference,) = references_of_scene(bpy.context.scene, resolution)
    return reference


def test_modes_of_a_row(tmp_path: Path) -> None:
    row = add_row(tmp_path, alpha=True)
    assert row.mask_mode == "auto"
    assert row.mask_image is None
    upper = np.s_[HEIGHT // 2 :]
    for mode in ("auto", "silhouette"):
        row.mask_mode = mode
        assert read().has_alpha
        assert read().weight is None
    row.mask_mode = "ignore"
    assert not read().has_alpha
    assert not read().weight[upper].any()
    assert (read().colour[..., 3] == 1.0).all()
    row.mask_mode = "none"
    assert not read().has_alpha
    assert read().weight is None

    row.mask_image = image("mask", mask()[..., None].repeat(3, axis=2), tmp_path)
    assert read().weight is None, "without a mask in use"
    for mode in ("auto", "ignore"):
        row.mask_mode = mode
        np.testing.assert_array_equal(read().weight, mask())
        assert read().has_alpha, "the image's own alpha still is the silhouette"
        assert not read().colour[upper].any()
    row.mask_mode = "silhouette"
    assert read().weight is None
    np.testing.assert_array_equal(read().colour[..., 3], mask())


def test_ignored_alpha_leaves_the_colour_under_it(tmp_path: Path) -> None:
    row = add_row(tmp_path, alpha=False)
    pixels = np.full((HEIGHT, WIDTH, 4), 200.0 / 255.0, np.float32)
    pixels[:, :3, 3] = 0.0
    row.camera.data.background_images[0].image = image("cut out", pixels, tmp_path)
    assert read().has_alpha
    row.mask_mode = "none"
    expected = [*srgb_to_linear(np.full(3, 200.0 / 255.0)), 1.0]
    np.testing.assert_allclose(read().colour, np.broadcast_to(expected, read().colour.shape), atol=1e-4)


@pytest.mark.parametrize("shrunk", [1, 2])
def test_masks_may_be_smaller_than_their_images(shrunk: int, tmp_path: Path) -> None:
    row = add_row(tmp_path, alpha=False)
    small = np.repeat(mask()[::shrunk, ::shrunk, None], 3, axis=2).round()
    row.mask_image = image("mask", small, tmp_path)
    weight = read().weight
    assert weight.shape == (HEIGHT, WIDTH)
    np.testing.assert_array_equal(weight[:, :4], 0.0)
    np.testing.assert_array_equal(weight[:, 6:], 1.0)


@pytest.mark.parametrize("alpha", [False, True])
def test_masks_stay_with_cameras_in_the_file_and_go_out_with_exports(alpha: bool, tmp_path: Path) -> None:
    scene = bpy.context.scene
    (view,) = orbit_views((0, 0, 0), 1.0, 1, WIDTH, HEIGHT)
    made = Reference(view, premultiplied(picture(alpha=alpha)), has_alpha=alpha, weight=mask())
    path = export_references(tmp_path / "out", [made], transforms_json.write)
    (loaded,) = references_from_frames(transforms_json.read(path), "srgb", 512)
    add_reference_cameras(scene, [loaded])
    (unlisted,) = references_of_scene(scene, 512)
    add_rows_from_cameras(scene)
    assert scene.sge.references[0].mask_image == scene.sge.references[0].camera.data[MASK_IMAGE]
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    for found in (loaded, unlisted, read()):
        assert found.has_alpha == alpha
        counted = mask() > 0.0
        np.testing.assert_allclose(found.weight, mask(), atol=1e-6)
        np.testing.assert_allclose(found.colour[counted], made.colour[counted], atol=2e-5)


def test_masks_that_cannot_be_used_are_refused_by_camera(tmp_path: Path) -> None:
    row = add_row(tmp_path, alpha=False)

    def refused(values: np.ndarray, name: str) -> str:
        row.mask_image = image(name, values, tmp_path)
        with pytest.raises(FitError, match=r"^Camera 'Left': ") as caught:
            read()
        return str(caught.value)

    square = refused(np.ones((6, 6, 3), np.float32), "square")
    assert "'square.png' has 6 x 6 pixels, its background image 12 x 8; choose" in square
    assert "black everywhere" in refused(np.zeros((HEIGHT, WIDTH, 3), np.float32), "black")

    broken = bpy.data.images.new("broken", WIDTH, HEIGHT, float_buffer=True, is_data=True)
    pixels = mask_pixels(mask())
    pixels[2, 3] = np.nan
    broken.pixels.foreach_set(pixels.ravel())
    row.mask_image = broken
    with pytest.raises(FitError, match=r"Camera 'Left': its mask contains NaN.*save it again"):
        read()

    row.mask_image = lost = image("lost", np.ones((HEIGHT, WIDTH, 3), np.float32), tmp_path)
    Path(lost.filepath).unlink()
    lost.reload()
    with pytest.raises(FitError, match=r"Camera 'Left': mask image 'lost.png' has no pixels.*missing"):
        read()
    row.mask_mode = "none"
    assert read().weight is None

    row.mask_mode, row.mask_image = "silhouette", None
    with pytest.raises(FitError, match=r"Camera 'Left': there is no silhouette to match.*mask image"):
        read()


def test_files_without_their_mask_are_refused(tmp_path: Path) -> None:
    (view,) = orbit_views((0, 0, 0), 1.0, 1, WIDTH, HEIGHT)
    made = Reference(view, picture(alpha=False), has_alpha=False, weight=mask())
    path = export_references(tmp_path, [made], transforms_json.write)
    frames = transforms_json.read(path)
    save_png(frames[0].mask, np.ones((4, 4, 3), np.float32))
    with pytest.raises(FitError, match=r"'view_000'.*mask has 4 x 4 pixels, its image 12 x 8"):
        references_from_frames(frames, "srgb", 512)
    frames[0].mask.unlink()
    with pytest.raises(FitError, match=r"mask.*view_000\.png"):
        transforms_json.read(path)
