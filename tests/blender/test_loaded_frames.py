# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos on disk become references: undistorted, masked, scaled, one at a time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np
import pytest

from sge_addon.core.errors import FitError
from sge_addon.core.frame import Frame
from sge_addon.core.reference import resize_area
from sge_addon.scene.images import save_exr, save_png
from sge_addon.scene.loaded_frames import load_frame, load_frames
from tests.core.test_distortion import HEIGHT, LENSES, WIDTH, photo, plane, psnr, texture, view


def frame(folder: Path, lens: str | None = None, **changes: object) -> Frame:
    """A photo of the texture through a lens, as 8-bit sRGB, upright."""
    path = folder / f"{lens}.png"
    save_png(path, texture(*plane()) if lens is None else photo(LENSES[lens]))
    return replace(Frame(view(), path, distortion=None if lens is None else LENSES[lens]), **changes)


@pytest.mark.parametrize("resolution", [64, 200, 1000])
@pytest.mark.parametrize("lens", LENSES)
def test_a_distorted_photo_becomes_what_a_pinhole_sees(tmp_path: Path, lens: str, resolution: int) -> None:
    reference = load_frame(frame(tmp_path, lens), "srgb", resolution)
    width, height = reference.view.width, reference.view.height
    assert (width, height) == (min(WIDTH, resolution), min(HEIGHT, round(resolution * HEIGHT / WIDTH)))
    truth = resize_area(texture(*plane(4 * WIDTH, 4 * HEIGHT)), width, height)
    whole = np.ones((height, width), bool) if reference.weight is None else reference.weight > 0.999
    assert whole.mean() > 0.7
    assert psnr(reference.colour[whole][:, :3], truth[whole]) >= 40.0
    assert np.allclose(reference.view.intrinsics(), view().resized(width, height).intrinsics())
    if reference.weight is not None:
        assert not reference.colour[reference.weight == 0.0].any()
        # Nor does what is not shown darken the pixels at the border.
        part = (reference.weight > 0.2) & ~whole
        assert not part.any() or psnr(reference.colour[part][:, :3], truth[part]) >= 30.0


def test_what_a_pincushion_lens_does_not_show_weighs_nothing(tmp_path: Path) -> None:
    reference = load_frame(frame(tmp_path, "pincushion"), "srgb", 1000)
    assert reference.weight is not None
    assert reference.weight[0, 0] == reference.weight[-1, -1] == 0.0
    assert reference.weight[HEIGHT // 2, WIDTH // 2] == 1.0
    assert load_frame(frame(tmp_path, "barrel"), "srgb", 1000).weight is None


@pytest.mark.parametrize("lens", [None, "photo"])
@pytest.mark.parametrize("shrunk", [1, 2])
def test_masks_are_undistorted_with_their_photos(tmp_path: Path, lens: str | None, shrunk: int) -> None:
    """The mask is the left of the photo, and beside it everything is red in the photo."""
    given = frame(tmp_path, lens)
    mask = np.zeros((HEIGHT // shrunk, WIDTH // shrunk, 3), np.float32)
    mask[:, : WIDTH // shrunk // 2] = 1.0 / 255.0  # as tools write that number classes
    save_png(tmp_path / "mask.png", mask, encode_srgb=False)
    pixels = texture(*plane()) if lens is None else photo(LENSES[lens])
    pixels[:, WIDTH // 2 :] = (1.0, 0.0, 0.0)
    save_png(given.image, pixels)
    reference = load_frame(replace(given, mask=tmp_path / "mask.png"), "srgb", 100)
    assert reference.weight is not None
    width, height = reference.view.width, reference.view.height
    truth = resize_area(texture(*plane(4 * WIDTH, 4 * HEIGHT)), width, height)
    counts = reference.weight > 0.25
    assert counts[:, 3 : width // 2 - 3].all()
    assert not counts[:, width // 2 + 3 :].any()
    assert psnr(reference.colour[counts][:, :3], truth[counts]) >= 38.0
    matched = load_frame(replace(given, mask=tmp_path / "mask.png"), "srgb", 100, "silhouette")
    assert matched.has_alpha
    shown = 1.0 if matched.weight is None else matched.weight
    assert np.abs(matched.colour[..., 3] * shown - reference.weight).max() < 0.02
    assert matched.colour[..., 3].max() == 1.0
    ignored = load_frame(replace(given, mask=tmp_path / "mask.png"), "srgb", 100, "none")
    assert (ignored.weight is None) == (lens is None)


def test_a_black_mask_is_refused_by_name(tmp_path: Path) -> None:
    save_png(tmp_path / "mask.png", np.zeros((HEIGHT, WIDTH, 3), np.float32))
    with pytest.raises(FitError, match=r"'photo'.*mask is black everywhere"):
        load_frame(frame(tmp_path, mask=tmp_path / "mask.png"), "srgb", 100)


def test_normals_lose_the_same_distortion(tmp_path: Path) -> None:
    save_exr(tmp_path / "normal.exr", photo(LENSES["barrel"]))
    reference = load_frame(frame(tmp_path, "barrel", normal_image=tmp_path / "normal.exr"), "srgb", 1000)
    assert reference.normal is not None
    assert psnr(reference.normal, texture(*plane())) >= 45.0
    assert psnr(reference.normal, reference.colour[..., :3]) >= 45.0


def test_photos_are_loaded_when_they_are_asked_for(tmp_path: Path) -> None:
    frames = [frame(tmp_path, "photo"), replace(frame(tmp_path), image=tmp_path / "not yet there.png")]
    references = load_frames(frames, "srgb", 64)
    assert next(references).view.name == "photo"
    assert not bpy.data.images
    save_png(frames[1].image, texture(*plane()))
    assert next(references).colour.shape == (48, 64, 4)
    assert next(references, None) is None


def test_photos_that_changed_since_the_cameras_were_read_are_refused(tmp_path: Path) -> None:
    given = frame(tmp_path, "photo")
    save_png(given.image, np.ones((8, 8, 3), np.float32))
    with pytest.raises(FitError, match=r"'photo'.*'photo.png' has 8 x 8 pixels, its camera 320 x 240"):
        list(load_frames([given], "srgb", 64))


def test_a_real_set_of_photos(data: Path) -> None:
    from sge_addon.formats.references import read_references

    reference = load_frame(read_references(data / "fox")[0], "srgb", 256)
    assert reference.colour.shape == (256, 144, 4)
    assert not reference.has_alpha
    assert reference.weight is not None
    assert 0.95 < reference.weight.mean() < 1.0
