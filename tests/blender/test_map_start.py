# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fit of maps begins with a search for where to start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import bpy
import numpy as np
import pytest

from sge_addon.core.settings import FitSettings
from sge_addon.job import FitJob, make_references, orbit_around
from tests.blender.material_nodes import add_material, principled
from tests.blender.small_world import add_sphere

MAPS = ("base_color", "metallic", "roughness")
LIT = FitSettings(
    shape=False, shading="lit", maps=MAPS, match=("colour",), resolution=48, texture_size=32, steps=6
)


@pytest.fixture
def job(gpu_ready: None) -> Callable[..., FitJob]:
    """Makes fits of a plain ball to one of shiny brass under two lamps."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    brass = add_sphere("Brass", (1.0, 1.0, 1.0), colour=np.full((4, 4, 3), (0.7, 0.5, 0.2), np.float32))
    shader = principled(brass.data.materials[0])
    shader.inputs["Metallic"].default_value, shader.inputs["Roughness"].default_value = 1.0, 0.25
    ball = add_sphere("Ball", (1.0, 1.0, 1.0))
    ball.data.materials.append(add_material("Plain"))
    for number, place in enumerate(((2.5, -1.0, 2.0), (-2.0, -2.0, -1.0))):
        data = bpy.data.lights.new(f"Lamp {number}", "POINT")
        data.energy, data.shadow_soft_size = 150.0, 0.6
        lamp = bpy.data.objects.new(data.name, data)
        lamp.location = place
        bpy.context.collection.objects.link(lamp)
    bpy.context.view_layer.update()
    scene = bpy.context.scene
    references = make_references([brass], orbit_around([brass], 8, 48), LIT, scene)

    def make(**changes: object) -> FitJob:
        return FitJob(scene, [ball], references, replace(LIT, **changes), live=False)

    return make


def metallic_found() -> float:
    node = principled(bpy.data.objects["Ball"].data.materials[0]).inputs["Metallic"].links[0].from_node
    while node.bl_idname != "ShaderNodeTexImage":
        node = next(each for each in node.inputs if each.is_linked).links[0].from_node
    pixels = np.empty(len(node.image.pixels), np.float32)
    node.image.pixels.foreach_get(pixels)
    return float(np.median(pixels.reshape(-1, 4)[:, 2]))  # packed as glTF's, or grey


def test_it_finds_the_metal_before_the_first_step(job: Callable[..., FitJob]) -> None:
    stages = {}
    for search in (True, False):
        one = job(search=search, steps=1)
        stages[search] = [progress.stage for progress in one.run()]
        assert ("search" in one.report["stages"]) == search
        if search:
            assert metallic_found() > 0.8
    assert stages[True].index("Searching") < stages[True].index("Fitting")
    assert "Searching" not in stages[False]


def test_stopped_while_it_searches_the_fit_ends_with_what_there_is(job: Callable[..., FitJob]) -> None:
    one = job()
    stages = []
    for progress in one.run():
        stages.append(progress.stage)
        if progress.stage == "Searching":
            one.stop()
    assert stages.count("Searching") == 1
    assert one.report["steps"] <= 1
    assert stages[-1] == "Measuring"


def test_under_a_light_that_is_fitted_nothing_is_searched(job: Callable[..., FitJob]) -> None:
    one = job(light="fit", steps=2)
    assert "Searching" not in [progress.stage for progress in one.run()]
