# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sixteen-bit PNG and EXR references: the same whether a file names them or a camera shows them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np
import pytest

from sge_addon.core.colour import premultiplied, srgb_to_linear
from sge_addon.core.frame import Frame
from sge_addon.core.orbit import orbit_views
from sge_addon.core.reference import Reference
from sge_addon.scene.images import save_exr
from sge_addon.scene.references import add_reference_cameras, references_from_cameras, references_from_frames
from tests.blender.test_images import write_png

WIDTH, HEIGHT = 20, 12
VIEW = replace(orbit_views((0, 0, 0), 1.0, 1, WIDTH, HEIGHT)[0], name="Left")


def from_frame(path: Path, colorspace: str) -> Reference:
    (reference,) = references_from_frames([Frame(VIEW, path)], colorspace, 512)
    return reference


def from_camera(path: Path, space: str | None = None) -> Reference:
    """As a user does it: an image opened, its color space chosen or left alone, shown by a camera."""
    stand_in = Reference(VIEW, np.ones((HEIGHT, WIDTH, 4), np.float32), has_alpha=False)
    collection = add_reference_cameras(bpy.context.scene, [stand_in])
    image = bpy.data.images.load(str(path))
    if space is not None:
        image.colorspace_settings.name = space
    collection.objects[0].data.background_images[0].image = image
    (reference,) = references_from_cameras(bpy.context.scene, 512)
    return reference


def sixteen_bits(alpha: bool) -> np.ndarray:
    """(H, W, 4) uint16, the first row on top: a ramp in steps of a seventh of what 8 bits tell apart."""
    codes = np.full((HEIGHT, WIDTH, 4), 65535, np.uint16)
    ramp = 20000 + 37 * np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)
    codes[..., :3] = np.stack([ramp, ramp[::-1], ramp // 2], axis=-1)
    if alpha:
        codes[:, :6, 3] = 40000
        codes[:, :2, 3] = 0
    return codes


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize(("colorspace", "space"), [("srgb", None), ("linear", "Non-Color")])
def test_sixteen_bit_png(alpha: bool, colorspace: str, space: str | None, tmp_path: Path) -> None:
    codes = sixteen_bits(alpha)
    path = write_png(tmp_path / "a.png", codes if alpha else codes[..., :3])
    stored = codes[::-1] / 65535.0
    rgb = srgb_to_linear(stored[..., :3]) if colorspace == "srgb" else stored[..., :3]
    expected = premultiplied(np.concatenate([rgb, stored[..., 3:]], axis=2))
    for reference in (from_frame(path, colorspace), from_camera(path, space)):
        assert reference.has_alpha == alpha
        np.testing.assert_allclose(reference.colour, expected, atol=2e-5)
        steps = np.diff(reference.colour[0, 6:, 0])  # 8 bits would show six equal values, then a leap
        assert (steps > 0.0).all()


@pytest.mark.parametrize("alpha", [False, True])
def test_exr_far_above_one(alpha: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    straight = np.ones((HEIGHT, WIDTH, 4), np.float32)
    straight[..., :3] = 10.0 ** rng.uniform(-4.0, 4.0, (HEIGHT, WIDTH, 3))
    if alpha:
        straight[..., 3] = rng.integers(0, 3, (HEIGHT, WIDTH)) / 2.0
    expected = premultiplied(straight)
    save_exr(tmp_path / "a.exr", expected if alpha else expected[..., :3])
    for reference in (
        from_frame(tmp_path / "a.exr", "srgb"),
        from_frame(tmp_path / "a.exr", "linear"),
        from_camera(tmp_path / "a.exr"),
    ):
        assert reference.has_alpha == alpha
        np.testing.assert_allclose(reference.colour, expected, rtol=1e-6)
