# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gradients of maps, against differences of what the rasteriser draws of lit surfaces."""

from __future__ import annotations

import bpy  # noqa: F401  (and with it gpu)
import numpy as np
import pytest

from sge_addon.core.map_block import MapBlock
from sge_addon.core.material_source import MaterialSource
from sge_addon.core.reference import Reference
from sge_addon.core.scene_lights import Light, SceneLights, World
from sge_addon.core.stopwatch import Stopwatch
from sge_addon.raster.fitted_surfaces import FittedSurfaces
from sge_addon.raster.material_pass import MaterialPass
from sge_addon.raster.rasteriser import Rasteriser
from tests.blender.test_raster_lit import axes_towards
from tests.core.test_material_source import SEEDS, assert_agree, mean_slope, nudged
from tests.lit_scene import camera, card_assembly, lit_material, truth

pytestmark = pytest.mark.usefixtures("gpu_ready")

KINDS = ("base_color", "metallic", "roughness", "normal", "emission")
AMOUNT = 0.01


def sun(x, y, z, colour) -> Light:
    axes = axes_towards((x, y, z))
    return Light("sun", "Sun", np.zeros(3, np.float32), axes, np.float32(colour), 0.2)


LIGHTS = SceneLights(
    (sun(0.8, 0.3, 0.7, (2.6, 0.5, 0.3)), sun(-0.5, -0.6, 0.8, (0.3, 1.5, 2.0))),
    World(np.float32([0.3, 0.25, 0.2])),
)


@pytest.mark.parametrize("kind", KINDS)
def test_each_map_agrees_with_differences_of_what_is_drawn(kind):
    maps = {name: each for name, each in truth(4, 6).items() if name != "alpha"}
    material = lit_material("one", 2.0, **maps)
    assembly = card_assembly(lit=(material,))
    view = camera(48, 20, 10, 1.6)
    rasteriser = Rasteriser(assembly, "lit", LIGHTS)
    blocks = {material.maps[name].key: MapBlock(material.maps[name].key, name, maps[name]) for name in KINDS}
    shown = {name: blocks[material.maps[name].key] for name in KINDS}
    surfaces = FittedSurfaces(rasteriser, [], [shown], Stopwatch())
    colour = np.ones((48, 48, 4), np.float32)
    colour[..., :3] = truth(48, 48, 5)["base_color"]
    target = Reference(view, colour, False)
    source = MaterialSource(
        [target],
        lambda _, offset: surfaces.geometry(target, offset),
        [material],
        blocks,
        assembly.texture_of_triangle,
        MaterialPass([material], LIGHTS),
        loss="l2",
        bright=np.inf,
    )
    block = shown[kind]
    start = block.value.copy()

    def half_square(texture):
        rasteriser.set_map(0, kind, np.ascontiguousarray(texture, np.float32))
        drawn = surfaces.updated(textures=False).render(view).colour
        return 0.5 * ((colour - drawn)[..., :3].astype(float) ** 2).sum()

    surfaces.updated()
    slope = np.zeros((block.steered, *start.shape[:2]))
    for channel, row, column in np.ndindex(slope.shape):
        above, below = (
            half_square(nudged(kind, start, (row, column, channel), amount)) for amount in (AMOUNT, -AMOUNT)
        )
        slope[channel, row, column] = (below - above) / (2 * AMOUNT)
    assert len(SEEDS) >= 8
    assert_agree(mean_slope(source, block.name), slope)
