# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole fits of shape and look together, through modifiers that join the surface anew whenever it moves."""

from __future__ import annotations

import bpy
import pytest

from sge_addon.core.settings import FitSettings
from sge_addon.job import FitJob, make_references, orbit_around
from tests.blender.small_world import add_sphere
from tests.meshes import waves

pytestmark = pytest.mark.usefixtures("gpu_ready")


@pytest.mark.parametrize(
    "look",
    [
        {"texture": True, "shading": "unlit"},
        {"texture": True, "shading": "unlit", "texture_estimator": "texel"},
        {"shading": "lit", "maps": ("base_color", "roughness")},
    ],
    ids=["texture", "texel", "lit"],
)
def test_shape_and_look_are_fitted_together(look: dict[str, object]) -> None:
    scene = bpy.context.scene
    source = add_sphere("Source", (0.8, 0.8, 1.0), colour=waves(16, 16))
    start = add_sphere("Start", (0.9, 0.9, 0.9))
    start.modifiers.new("Decimate", "DECIMATE").ratio = 0.5
    start.data.materials.append(bpy.data.materials.new("Start"))
    lamp = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
    lamp.data.energy, lamp.rotation_euler = 3.0, (0.6, 0.2, 0.0)
    scene.collection.objects.link(lamp)
    settings = FitSettings(shape=True, steps=60, resolution=48, texture_size=32, stages=2, **look)
    references = make_references([source], orbit_around([source], 6, 48), settings, scene)
    source.hide_render = source.hide_viewport = True
    job = FitJob(scene, [start], references, settings)
    for _ in job.run():
        pass
    figures = job.report["psnr"]["object"]
    assert figures["after"] > figures["before"] + 1.0
    assert [each.name for each in start.modifiers] == ["Decimate"]
    assert len(start.data.vertices) == 162
