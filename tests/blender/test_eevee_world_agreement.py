# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Under an image from everywhere, our shading shows what EEVEE shows. $SGE_TEST_OUTPUT keeps pictures."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from sge_addon.scene.images import array_to_image
from tests.blender.eevee_scene import Ball, compare
from tests.blender.worlds import environment_world
from tests.skies import sky

ROWS = 256
WHITE, BROWN = (0.9, 0.9, 0.9), (0.8, 0.4, 0.2)
DIFFUSE = Ball(WHITE, roughness=1.0, specular_level=0.0)
ROUGHNESSES = (0.1, 0.2, 0.4, 0.6, 0.8)
METALS = tuple(Ball(WHITE, metallic=1.0, roughness=roughness) for roughness in ROUGHNESSES)
DIELECTRICS = Ball(BROWN, roughness=0.3), Ball(BROWN, roughness=0.7)


def lit_by_sky(contrast: float, width: float, *, strength: float, threshold: float) -> None:
    pixels = np.ones((ROWS, 2 * ROWS, 4), np.float32)
    pixels[..., :3] = sky(contrast, ROWS, width)
    environment_world(array_to_image("Sky", pixels), strength, rotation=(0.4, 0.2, 1.0))
    world = bpy.context.scene.world
    world.sun_threshold, world.sun_angle, world.use_sun_shadow = threshold, 0.3, False


def test_a_soft_sky(gpu_ready: None, tmp_path: Path) -> None:
    """20 to 1."""
    lit_by_sky(20.0, 0.25, strength=0.5, threshold=0.0)
    pair = compare("world_soft", (DIFFUSE, *METALS, *DIELECTRICS), tmp_path)
    assert pair.psnr(0) >= 35.0
    assert min(pair.by_ball()) >= 30.0, pair.by_ball()


@pytest.mark.parametrize(("name", "threshold"), [("in the image", 0.0), ("drawn out of it", 0.5)])
def test_a_strong_sun(gpu_ready: None, tmp_path: Path, name: str, threshold: float) -> None:
    """200 to 1, where the image has it, and where EEVEE makes it a light of its own."""
    lit_by_sky(200.0, 0.1, strength=0.1, threshold=threshold)
    pair = compare(f"world_sun_{name.replace(' ', '_')}", (DIFFUSE, *METALS[1:], *DIELECTRICS), tmp_path)
    assert pair.psnr(0) >= 35.0
    assert min(pair.by_ball()) >= 30.0, pair.by_ball()
