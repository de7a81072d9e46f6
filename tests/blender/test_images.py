# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images through Blender: every kind of file and setting gives the same linear, premultiplied pixels."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import bpy
import numpy as np
import pytest

from sge_addon.core.colour import linear_to_srgb, premultiplied, srgb_to_linear
from sge_addon.core.errors import FitError
from sge_addon.formats.image_size import read_image_size
from sge_addon.scene.images import array_to_image, image_to_array, load_image, save_exr, save_png

# Straight values of a pixel and its alpha, as a file with 8 bits holds them.
STORED = np.array([200, 100, 50, 128]) / 255.0


def write_png(path: Path, pixels: np.ndarray) -> Path:
    """An independent writer: (H, W, C) uint8 or uint16, first row on top."""
    height, width, channels = pixels.shape
    depth = 8 * pixels.dtype.itemsize
    raw = b"".join(b"\0" + row.astype(f">u{depth // 8}").tobytes() for row in pixels)

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, depth, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(raw))
        + chunk(b"IEND", b"")
    )
    return path


def decoded(colorspace: str) -> np.ndarray:
    rgb = srgb_to_linear(STORED[:3]) if colorspace == "srgb" else STORED[:3]
    return np.append(rgb * STORED[3], STORED[3])


@pytest.mark.parametrize("colorspace", ["srgb", "linear"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_is_decoded_and_multiplied(dtype: type, colorspace: str, tmp_path: Path) -> None:
    scale = np.iinfo(dtype).max
    pixels = np.tile((STORED * scale).round().astype(dtype), (2, 3, 1))
    pixels[0, 0] = scale  # one opaque white pixel, top left
    array, has_alpha = load_image(write_png(tmp_path / "a.png", pixels), colorspace)
    assert array.shape == (2, 3, 4)
    assert array.dtype == np.float32
    assert has_alpha
    assert np.allclose(array[1, 0], 1.0, atol=5e-5), "row 0 is the bottom"
    assert np.allclose(array[0], decoded(colorspace), atol=2e-5)
    assert not bpy.data.images, "nothing stays behind"


@pytest.mark.parametrize("channels", [1, 3])
def test_images_without_alpha_are_opaque(channels: int, tmp_path: Path) -> None:
    path = write_png(tmp_path / "a.png", np.full((2, 2, channels), 100, np.uint8))
    array, has_alpha = load_image(path, "linear")
    assert not has_alpha
    assert np.allclose(array, [100 / 255] * 3 + [1.0])


@pytest.mark.parametrize("colorspace", ["srgb", "linear"])
def test_exr_is_kept_bit_for_bit_whatever_the_color_space_of_integers(
    colorspace: str, tmp_path: Path
) -> None:
    pixels = premultiplied(np.random.default_rng(0).random((3, 5, 4), dtype=np.float32) * [4, 4, 4, 1])
    save_exr(tmp_path / "a.exr", pixels)
    array, has_alpha = load_image(tmp_path / "a.exr", colorspace)
    assert has_alpha
    assert np.array_equal(array, pixels)
    assert read_image_size(tmp_path / "a.exr") == (5, 3)


@pytest.mark.parametrize("channels", [3, 4])
def test_png_goes_out_and_comes_back_within_eight_bits(channels: int, tmp_path: Path) -> None:
    straight = np.random.default_rng(0).random((4, 6, 4), dtype=np.float32)
    straight[..., 3] = 1.0 if channels == 3 else np.maximum(straight[..., 3].round(2), 0.1)
    save_png(tmp_path / "a.png", premultiplied(straight)[..., :channels])
    array, has_alpha = load_image(tmp_path / "a.png", "srgb")
    assert has_alpha == (channels == 4)
    encoded = linear_to_srgb(array[..., :3] / array[..., 3:])
    assert np.abs(encoded - linear_to_srgb(straight[..., :3])).max() < 0.51 / 255
    assert np.abs(array[..., 3] - straight[..., 3]).max() < 0.51 / 255
    assert read_image_size(tmp_path / "a.png") == (6, 4)


def test_jpeg_of_blender_has_a_readable_header(tmp_path: Path) -> None:
    image = bpy.data.images.new("a", 37, 21)
    image.filepath_raw, image.file_format = str(tmp_path / "a.jpg"), "JPEG"
    image.save()
    assert read_image_size(tmp_path / "a.jpg") == (37, 21)


@pytest.mark.parametrize(
    ("space", "expected"), [("sRGB", "srgb"), ("Non-Color", "linear"), ("Linear Rec.709", "linear")]
)
@pytest.mark.parametrize("packed", [False, True])
def test_byte_images_of_the_scene_follow_their_own_color_space(
    space: str, expected: str, packed: bool
) -> None:
    image = bpy.data.images.new("a", 2, 2, alpha=True)
    image.colorspace_settings.name = space
    image.pixels.foreach_set(np.tile(STORED, 4).astype(np.float32))
    if packed:
        image.pack()
    assert np.allclose(image_to_array(image), decoded(expected), atol=2e-5)


def test_unsaved_float_images_are_taken_as_they_are() -> None:
    pixels = premultiplied(np.random.default_rng(0).random((3, 2, 4), dtype=np.float32))
    image = bpy.data.images.new("a", 2, 3, alpha=True, float_buffer=True)
    image.pixels.foreach_set(pixels.ravel())
    assert np.array_equal(image_to_array(image), pixels)


@pytest.mark.parametrize("mode", ["NONE", "CHANNEL_PACKED"])
def test_alpha_that_is_no_coverage_is_ignored(mode: str, tmp_path: Path) -> None:
    path = write_png(tmp_path / "a.png", np.tile((STORED * 255).round().astype(np.uint8), (2, 2, 1)))
    image = bpy.data.images.load(str(path))
    image.alpha_mode = mode
    assert np.allclose(image_to_array(image), [*srgb_to_linear(STORED[:3]), 1.0], atol=2e-5)


def test_arrays_become_images_that_survive_the_file(tmp_path: Path) -> None:
    pixels = premultiplied(np.random.default_rng(0).random((3, 2, 4), dtype=np.float32))
    array_to_image("exact", pixels).use_fake_user = True
    array_to_image("bytes", pixels, as_bytes=True).use_fake_user = True
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    assert np.array_equal(image_to_array(bpy.data.images["exact"]), pixels)
    assert np.abs(image_to_array(bpy.data.images["bytes"]) - pixels).max() < 0.012


def test_images_that_cannot_be_used_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(FitError, match=r"lost\.png' does not exist"):
        load_image(tmp_path / "lost.png")
    (tmp_path / "broken.png").write_bytes(b"no image")
    with pytest.raises(FitError, match=r"'broken\.png' has no pixels"):
        load_image(tmp_path / "broken.png")
    assert not bpy.data.images

    path = write_png(tmp_path / "a.png", np.zeros((2, 2, 3), np.uint8))
    image = bpy.data.images.load(str(path))
    image.colorspace_settings.name = "Filmic Log"
    with pytest.raises(FitError, match=r"Camera 'Eye': image 'a\.png'.*'Filmic Log'"):
        image_to_array(image, "Eye")
    path.unlink()
    image.reload()
    with pytest.raises(FitError, match=r"Camera 'Eye': image 'a\.png' has no pixels"):
        image_to_array(image, "Eye")
    image.source = "MOVIE"
    with pytest.raises(FitError, match="only single images"):
        image_to_array(image)


def test_unwritable_paths_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FitError, match="cannot be written"):
        save_png(tmp_path / "file" / "a.png", np.zeros((2, 2, 3), np.float32))
    assert not bpy.data.images


def test_reading_an_image_leaves_no_pixels_in_memory_that_were_not_there(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    save_png(path, np.full((4, 6, 3), 0.5, np.float32))
    image = bpy.data.images.load(str(path))
    assert not image.has_data
    first = image_to_array(image)
    assert not image.has_data
    image.pixels[0] = 1.0  # an edit that no file has
    image_to_array(image)
    assert image.has_data
    assert image.pixels[0] == 1.0
    assert first.shape == (4, 6, 4)
