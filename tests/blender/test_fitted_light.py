# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The light of a Blender scene found again on the GPU, alone and beside the maps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import bpy
import numpy as np
import pytest

from sge_addon.core.light_block import GREY
from sge_addon.core.reference import Reference
from sge_addon.core.scene_lights import SceneLights
from sge_addon.core.settings import FitSettings
from sge_addon.core.stopwatch import Stopwatch
from sge_addon.job import FitJob, make_references, orbit_around
from sge_addon.job.fitted_light import light_report
from sge_addon.job.problem import check_problem
from sge_addon.job.solver import Solver
from sge_addon.scene.images import array_to_image
from sge_addon.scene.scene_lights import scene_lights
from sge_addon.scene.world import uses_nodes
from tests.blender.small_world import add_sphere
from tests.meshes import waves

SIZE = 64
LIT = FitSettings(
    shape=False, shading="lit", match=("colour",), resolution=SIZE, texture_size=64, light="fit", steps=80
)


class LitFit:
    """A fit without a job."""

    def __init__(self, objects: list[bpy.types.Object], references: list[Reference], settings: FitSettings):
        problem = check_problem(bpy.context.scene, objects, references, settings)
        self.solver = Solver(problem, Stopwatch())
        assert self.solver.light is not None
        self.light = self.solver.light
        self.references = problem.training

    def run(self) -> None:
        for _ in self.solver.steps():
            pass

    def psnr(self) -> float:
        """Over the object, mean over the views."""
        errors = [self.solver.errors(each)[0] for each in self.references]
        return float(-10.0 * np.log10(np.mean(errors)))


@pytest.fixture
def scene(gpu_ready: None) -> Iterator[bpy.types.Scene]:
    """A textured ball under three lights and the image of a sky."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    ball = add_sphere("Ball", (1.0, 1.0, 1.0), colour=0.15 + 0.6 * waves(32, 32))
    ball.data.materials[0].node_tree.nodes["Principled BSDF"].inputs["Roughness"].default_value = 0.4
    for name, kind, energy, place, colour in (
        ("Key", "AREA", 90.0, (2.5, -1.0, 2.0), (1.0, 0.9, 0.7)),
        ("Lamp", "POINT", 150.0, (-2.5, -2.0, 0.5), (0.5, 0.7, 1.0)),
        ("Sun", "SUN", 1.2, (0.5, 3.0, 1.0), (1.0, 1.0, 0.9)),
    ):
        data = bpy.data.lights.new(name, kind)
        data.energy, data.color = energy, colour
        light = bpy.data.objects.new(name, data)
        light.location = place
        light.rotation_euler = light.location.to_track_quat("Z", "Y").to_euler()
        scene.collection.objects.link(light)
    world = scene.world = bpy.data.worlds.new("Sky")
    if not uses_nodes(world):
        world.use_nodes = True
    sky = world.node_tree.nodes.new("ShaderNodeTexEnvironment")
    rows, columns = np.mgrid[0:32, 0:64] / 32.0
    bright = 2.5 * np.exp(-((columns - 0.6) ** 2 + (rows - 0.7) ** 2) / 0.05)
    pixels = np.stack(
        [0.2 + 0.1 * rows + bright, 0.2 + 0.2 * rows + 0.8 * bright, 0.5 * rows, 1 + 0 * rows], -1
    )
    sky.image = array_to_image("Sky", pixels.astype(np.float32))
    background = world.node_tree.nodes["Background"]
    background.inputs["Strength"].default_value = 0.8
    world.node_tree.links.new(sky.outputs["Color"], background.inputs["Color"])
    bpy.context.view_layer.update()
    yield scene
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


def references_of(scene: bpy.types.Scene) -> list[Reference]:
    ball = bpy.data.objects["Ball"]
    return make_references([ball], orbit_around([ball], 6, SIZE), LIT, scene)


def soften(scene: bpy.types.Scene) -> None:
    """A sky alone that is brighter and bluer above and brown from one side, as of a cloudy day."""
    for name in ("Key", "Lamp", "Sun"):
        bpy.data.objects.remove(bpy.data.objects[name])
    rows, columns = np.mgrid[0:32, 0:64] / 32.0
    side = 0.5 + 0.5 * np.cos(np.pi * columns)
    channels = (
        0.5 + 0.3 * rows + 0.5 * side,
        0.4 + 0.5 * rows + 0.3 * side,
        0.4 + 0.8 * rows,
        1.0 + 0.0 * rows,
    )
    sky = array_to_image("Cloudy", np.stack(channels, -1).astype(np.float32))
    scene.world.node_tree.nodes["Environment Texture"].image = sky


def disturb(scene: bpy.types.Scene) -> None:
    """Other energies and colours, and a sky that is dimmer and turned by 20 degrees."""
    for name, energy in (("Key", 20.0), ("Lamp", 60.0), ("Sun", 3.0)):
        data = bpy.data.lights[name]
        data.energy, data.color = energy, (1.0, 1.0, 1.0)
    tree = scene.world.node_tree
    tree.nodes["Background"].inputs["Strength"].default_value = 0.3
    mapping, coordinates = tree.nodes.new("ShaderNodeMapping"), tree.nodes.new("ShaderNodeTexCoord")
    mapping.inputs["Rotation"].default_value[2] = np.radians(20.0)
    tree.links.new(coordinates.outputs["Generated"], mapping.inputs["Vector"])
    tree.links.new(mapping.outputs["Vector"], tree.nodes["Environment Texture"].inputs["Vector"])


def off_by(found: SceneLights, true: SceneLights) -> float:
    pairs = [(a.power, b.power) for a, b in zip(found.lights, true.lights, strict=True)]
    return float(max(np.abs(a / b - 1.0).max() for a, b in [*pairs, (found.world.gain, true.world.gain)]))


def test_energies_colours_and_the_turn_of_the_sky_are_found(scene: bpy.types.Scene) -> None:
    true = scene_lights(scene)
    references = references_of(scene)
    disturb(scene)
    fitted = LitFit([bpy.data.objects["Ball"]], references, replace(LIT, texture=False, steps=1))
    given = scene_lights(scene)
    before = fitted.psnr()
    fitted.run()
    assert off_by(fitted.light.lights, true) < 0.03
    report = light_report(given, fitted.light.lights)
    assert abs(report["world"]["turned_degrees"] - 20.0) < 1.0
    assert [light["name"] for light in report["lights"]] == ["Key", "Lamp", "Sun"]
    # Also the rasteriser shows the scene under the new light.
    assert fitted.psnr() > max(before + 15.0, 40.0)


def test_maps_under_an_unknown_light_show_the_references_and_keep_to_their_level(
    scene: bpy.types.Scene,
) -> None:
    soften(scene)
    references = references_of(scene)
    plain = add_sphere("Plain", (1.0, 1.0, 1.0))
    settings = replace(LIT, light="unknown", maps=("base_color", "roughness"))
    fitted = LitFit([plain], references, settings)
    before = fitted.psnr()
    fitted.run()
    assert fitted.psnr() > before + 20.0
    (texels,) = (fitted.solver.textures()[name] for name in fitted.solver.textures() if "base_color" in name)
    seen = next(each for name, each in fitted.solver.evidence().items() if "base_color" in name) > 1.0
    assert np.abs(texels[seen].mean(axis=0) - GREY).max() < 0.06


def test_a_job_writes_the_fitted_light_into_the_scene_and_reports_it(scene: bpy.types.Scene) -> None:
    true = scene_lights(scene)
    references = references_of(scene)
    disturb(scene)
    ball = bpy.data.objects["Ball"]
    job = FitJob(scene, [ball], references, replace(LIT, maps=("roughness",), steps=12))
    for _ in job.run():
        pass
    found = scene_lights(scene)
    assert off_by(found, true) < 0.05
    assert job.report is not None
    light = job.report["light"]
    assert light["lights"][1]["name"] == "Lamp"
    assert np.allclose(light["lights"][1]["power_before"], 60.0)
    assert np.allclose(light["lights"][1]["power_after"], found.lights[1].power, rtol=1e-4)


def test_a_job_shows_an_unknown_light_as_a_world(scene: bpy.types.Scene) -> None:
    soften(scene)
    references = references_of(scene)
    plain = add_sphere("Plain", (1.0, 1.0, 1.0))
    settings = replace(LIT, light="unknown", maps=("base_color",), steps=24)
    job = FitJob(scene, [plain], references, settings)
    for _ in job.run():
        pass
    assert scene.world.name == "Sky.sge"
    assert any("'Sky.sge' alone" in notice for notice in job.notices)
    assert job.report is not None
    assert np.shape(job.report["light"]["world"]["harmonics"]) == (9, 3)
    # Under that world, read as any other, the fit looks much as it did; EEVEE blurs an image in its own way.
    again = FitJob(scene, [plain], references, replace(settings, light="scene", steps=1))
    for _ in again.run():
        pass
    assert again.report is not None
    reached = job.report["psnr"]["object"]
    assert reached["after"] > reached["before"] + 10.0
    assert again.report["psnr"]["object"]["before"] > reached["after"] - 7.0
