# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fitted light in Blender: what is written is what is read again, and what cannot be changed stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np
import pytest

from sge_addon.core.light_parameters import CONSTANT, turned
from sge_addon.core.scene_lights import SceneLights, World
from sge_addon.core.spherical_harmonics import project
from sge_addon.scene.light_write_back import LightWriter, fixed_light_notices
from sge_addon.scene.scene_lights import scene_lights
from sge_addon.scene.world import uses_nodes

WANTED = {"Area": (3.0, 6.0, 4.5), "Point": (100.0, 50.0, 25.0), "Sun": (1.0, 2.0, 0.5)}


@pytest.fixture
def scene() -> Iterator[bpy.types.Scene]:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.world = bpy.data.worlds.new("Sky")
    yield scene
    bpy.ops.wm.read_factory_settings(use_empty=True)


def add_light(scene: bpy.types.Scene, kind: str, **values: object) -> bpy.types.Object:
    data = bpy.data.lights.new(f"{kind.title()} data", kind)
    data.energy = 10.0
    for name, value in values.items():
        setattr(data, name, value)
    obj = bpy.data.objects.new(kind.title(), data)
    scene.collection.objects.link(obj)
    return obj


def image_world(scene: bpy.types.Scene) -> bpy.types.Node:
    """The world lit by an image; its Environment Texture."""
    world = scene.world
    if not uses_nodes(world):
        world.use_nodes = True
    tree = world.node_tree
    node = tree.nodes.new("ShaderNodeTexEnvironment")
    node.image = bpy.data.images.new("Sky image", 16, 8, float_buffer=True)
    pixels = np.random.default_rng(0).random((8, 16, 4)).astype(np.float32)
    pixels[..., 3] = 1.0
    node.image.pixels.foreach_set(pixels.ravel())
    background = next(each for each in tree.nodes if each.bl_idname == "ShaderNodeBackground")
    tree.links.new(node.outputs["Color"], background.inputs["Color"])
    return node


def fitted(given: SceneLights, **world: object) -> SceneLights:
    """The given light with the powers in WANTED."""
    lights = tuple(replace(light, power=np.float32(WANTED[light.name])) for light in given.lights)
    return SceneLights(lights, replace(given.world, **world))


def write(
    scene: bpy.types.Scene, given: SceneLights, lights: SceneLights, unknown: bool = False
) -> list[str]:
    notices: list[str] = []
    LightWriter(scene, given, unknown, notices).write(lights)
    return notices


def test_powers_and_the_world_are_read_again_as_they_were_fitted(scene: bpy.types.Scene) -> None:
    point = add_light(scene, "POINT", exposure=1.5, use_temperature=True, temperature=4000.0)
    add_light(scene, "SUN", color=(1.0, 0.5, 0.2))
    add_light(scene, "AREA", normalize=False, size=2.0)
    given = scene_lights(scene)
    lights = fitted(given, gain=np.float32([0.3, 0.2, 1.4]))
    assert write(scene, given, lights) == []
    again = scene_lights(scene)
    for found, wanted in zip(again.lights, lights.lights, strict=True):
        assert np.allclose(found.power, wanted.power, rtol=1e-5)
    assert np.allclose(again.world.gain, lights.world.gain, rtol=1e-5)
    assert max(point.data.color) == 1.0
    assert (point.data.exposure, point.data.temperature) == (1.5, 4000.0)


def test_a_world_without_nodes_takes_its_color(scene: bpy.types.Scene) -> None:
    if uses_nodes(scene.world):
        pytest.skip("since Blender 5 every world has nodes")
    given = scene_lights(scene)
    write(scene, given, fitted(given, gain=np.float32([0.3, 2.0, 0.1])))
    assert np.allclose(scene.world.color, (0.3, 2.0, 0.1))


@pytest.mark.parametrize("mappings", [(), ("POINT",), ("TEXTURE",), ("POINT", "TEXTURE")])
def test_an_image_is_turned_and_tinted_as_it_was_fitted(
    scene: bpy.types.Scene, mappings: tuple[str, ...]
) -> None:
    node = image_world(scene)
    tree, socket = scene.world.node_tree, node.inputs["Vector"]
    for number, kind in enumerate(mappings):
        mapping = tree.nodes.new("ShaderNodeMapping")
        mapping.vector_type = kind
        mapping.inputs["Rotation"].default_value = (0.3, -0.2 * number, 1.0)
        tree.links.new(mapping.outputs["Vector"], socket)
        socket = mapping.inputs["Vector"]
    if mappings:
        coordinates = tree.nodes.new("ShaderNodeTexCoord")
        tree.links.new(coordinates.outputs["Generated"], socket)
    given = scene_lights(scene)
    world = turned(replace(given.world, gain=np.float32([0.5, 0.8, 0.6])), 0.7)
    write(scene, given, SceneLights((), world))
    again = scene_lights(scene).world
    assert np.allclose(again.rotation, world.rotation, atol=1e-5)
    assert np.allclose(again.gain, world.gain, rtol=1e-5)
    count = len(tree.nodes)
    write(scene, scene_lights(scene), SceneLights((), turned(replace(again, gain=2.0 * again.gain), 0.2)))
    assert len(tree.nodes) == count


def test_an_image_whose_strength_alone_changes_gets_no_new_nodes(scene: bpy.types.Scene) -> None:
    image_world(scene)
    given = scene_lights(scene)
    count = len(scene.world.node_tree.nodes)
    write(scene, given, SceneLights((), replace(given.world, gain=np.full(3, 1.7, np.float32))))
    assert len(scene.world.node_tree.nodes) == count
    assert np.allclose(scene_lights(scene).world.gain, 1.7)


def test_what_did_not_change_is_not_touched(scene: bpy.types.Scene) -> None:
    light = add_light(scene, "SUN", color=(0.5, 0.5, 0.25), energy=8.0)
    given = scene_lights(scene)
    assert write(scene, given, given) == []
    assert (tuple(light.data.color), light.data.energy) == ((0.5, 0.5, 0.25), 8.0)


def test_data_that_lights_share_is_copied_for_each_and_named(scene: bpy.types.Scene) -> None:
    first = add_light(scene, "POINT")
    second = first.copy()
    second.name = "Sun"
    scene.collection.objects.link(second)
    given = scene_lights(scene)
    notices = write(scene, given, fitted(given))
    assert len(notices) == 1
    assert "Light 'Point': its data 'Point data' is copied" in notices[0]
    for found, name in ((first, "Point"), (second, "Sun")):
        power = np.asarray(found.data.color[:]) * found.data.energy
        assert np.allclose(power, WANTED[name], rtol=1e-5)


def test_a_world_that_others_use_is_copied(scene: bpy.types.Scene) -> None:
    world = scene.world
    bpy.data.scenes.new("Other").world = world
    before = tuple(world.color)
    given = scene_lights(scene)
    notices = write(scene, given, SceneLights((), replace(given.world, gain=np.float32([1.0, 2.0, 3.0]))))
    assert scene.world != world
    assert tuple(world.color) == before
    assert f"World 'Sky': others use it, too, so scene '{scene.name}' gets the copy" in notices[0]
    assert np.allclose(scene_lights(scene).world.gain, (1.0, 2.0, 3.0), rtol=1e-5)


def test_linked_and_animated_lights_stay_as_they_are_and_are_named(
    scene: bpy.types.Scene, tmp_path: Path
) -> None:
    add_light(scene, "POINT")
    path = tmp_path / "library.blend"
    bpy.data.libraries.write(str(path), {bpy.data.objects["Point"]})
    bpy.data.objects.remove(bpy.data.objects["Point"])
    with bpy.data.libraries.load(str(path), link=True) as (_, wanted):
        wanted.objects = ["Point"]
    scene.collection.objects.link(wanted.objects[0])
    sun = add_light(scene, "SUN")
    sun.data.keyframe_insert("energy", frame=1)
    given = scene_lights(scene)
    first, second = fixed_light_notices(scene, given)
    assert first.startswith("Light 'Point' is fitted, but stays as it is in the scene: it is linked")
    assert second.startswith(
        "Light 'Sun' is fitted, but stays as it is in the scene: its data 'Sun data' is animated"
    )
    write(scene, given, fitted(given))
    assert [light.power[0] for light in scene_lights(scene).lights] == [10.0, 10.0]


def test_an_unknown_light_becomes_a_world_of_its_own(scene: bpy.types.Scene) -> None:
    add_light(scene, "POINT")
    world = scene.world
    before = tuple(world.color)
    harmonics = np.zeros((9, 3), np.float32)
    harmonics[0] = 2.0 * CONSTANT
    harmonics[1:4] = np.float32([[1.0, 0.5, 0.2], [2.0, 2.0, 2.5], [-1.0, 0.3, 0.0]])
    harmonics[6] = 0.4
    light = SceneLights((), World(np.ones(3, np.float32), harmonics=harmonics))
    notices: list[str] = []
    writer = LightWriter(scene, scene_lights(scene), True, notices)
    writer.write(light)
    assert scene.world.name == "Sky.sge"
    assert (world.use_fake_user, tuple(world.color)) == (True, before)
    assert len(notices) == 1
    for part in ("'Sky.sge' alone", "'Point'", "World 'Sky' is kept"):
        assert part in notices[0]
    image = scene_lights(scene).world.image
    assert image is not None
    assert image.shape == (32, 64, 3)
    assert np.abs(project(image) - harmonics).max() < 0.01
    made = scene.world
    writer.write(SceneLights((), replace(light.world, harmonics=2.0 * harmonics)))
    assert scene.world == made
    assert len(notices) == 1
    brighter = scene_lights(scene).world.image
    assert brighter is not None
    assert np.allclose(brighter, 2.0 * image, rtol=1e-4)


def test_the_unknown_world_is_in_a_file_that_is_saved(scene: bpy.types.Scene, tmp_path: Path) -> None:
    harmonics = np.zeros((9, 3), np.float32)
    harmonics[0] = CONSTANT
    harmonics[2] = 1.0
    light = SceneLights((), World(np.ones(3, np.float32), harmonics=harmonics))
    write(scene, SceneLights(), light, unknown=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "lit.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "lit.blend"))
    assert "Sky" in bpy.data.worlds
    image = scene_lights(bpy.context.scene).world.image
    assert image is not None
    assert np.abs(project(image) - harmonics).max() < 0.01


def test_undo_brings_lights_and_world_back(scene: bpy.types.Scene) -> None:
    bpy.context.preferences.edit.use_global_undo = True
    add_light(scene, "POINT", color=(1.0, 0.5, 0.25))
    bpy.ops.ed.undo_push(message="before")
    given = scene_lights(scene)
    write(scene, given, fitted(given))
    harmonics = np.zeros((9, 3), np.float32)
    write(scene, given, SceneLights((), World(np.ones(3, np.float32), harmonics=harmonics)), unknown=True)
    bpy.ops.ed.undo_push(message="fit")
    assert bpy.context.scene.world.name == "Sky.sge"
    bpy.ops.ed.undo()
    data = bpy.data.lights["Point data"]
    assert (tuple(data.color), data.energy) == ((1.0, 0.5, 0.25), 10.0)
    assert bpy.context.scene.world.name == "Sky"
