# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's lights and worlds are read as they shine, or refused by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest

from sge_addon.core.environment import radiance
from sge_addon.core.errors import FitError
from sge_addon.core.scene_lights import SceneLights
from sge_addon.job.check_lit import lit_findings
from sge_addon.scene.images import array_to_image, save_exr
from sge_addon.scene.lights import sun_lights
from sge_addon.scene.scene_lights import engine_notices, scene_lights
from tests.blender.worlds import add_light, environment_world, new_world
from tests.skies import sky


def read() -> SceneLights:
    bpy.context.view_layer.update()
    return scene_lights(bpy.context.scene)


def only_light() -> object:
    (light,) = read().lights
    return light


def refusal(read_it: Callable[[], object] = read) -> str:
    with pytest.raises(FitError) as raised:
        read_it()
    return str(raised.value)


# --- Lights


def test_a_sun_by_its_angle_and_power() -> None:
    sun = add_light("SUN", energy=3.0, color=(1.0, 0.5, 0.25), rotation=(0.0, np.pi / 2, 0.0))
    sun.data.angle = 0.2
    light = only_light()
    assert (light.kind, light.name) == ("sun", sun.name)
    np.testing.assert_allclose(light.power, [3.0, 1.5, 0.75])
    np.testing.assert_allclose(light.axes[2], [1, 0, 0], atol=1e-6)  # shines along -X
    assert light.radius == pytest.approx(0.1)


def test_point_and_spot() -> None:
    add_light("POINT", name="A", energy=10.0, location=(1.0, 2.0, 3.0)).data.shadow_soft_size = 0.4
    spot = add_light("SPOT", name="B", energy=20.0).data
    spot.spot_size, spot.spot_blend = 1.0, 0.3
    spot.diffuse_factor, spot.specular_factor = 0.5, 0.25
    first, second = read().lights
    np.testing.assert_allclose(first.position, [1, 2, 3])
    assert first.radius == pytest.approx(0.4)
    assert (second.kind, second.diffuse, second.specular) == ("spot", 0.5, 0.25)
    assert second.spot_angle == pytest.approx(1.0)
    assert second.spot_blend == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("shape", "size", "is_ellipse"),
    [
        ("SQUARE", (1.0, 1.5), False),
        ("RECTANGLE", (1.0, 0.6), False),
        ("DISK", (1.0, 1.5), True),
        ("ELLIPSE", (1.0, 0.6), True),
    ],
)
def test_an_area_light_has_its_objects_scale(shape: str, size: tuple, is_ellipse: bool) -> None:
    obj = add_light("AREA", energy=8.0, scale=(2.0, 3.0, 1.0))
    obj.data.shape, obj.data.size, obj.data.size_y = shape, 0.5, 0.2
    light = only_light()
    assert light.size == pytest.approx(size)
    assert light.is_ellipse == is_ellipse
    np.testing.assert_allclose(light.axes, np.eye(3), atol=1e-6)
    np.testing.assert_allclose(light.power, [8, 8, 8])
    obj.data.normalize = False
    area = size[0] * size[1] * (np.pi / 4 if is_ellipse else 1.0)
    np.testing.assert_allclose(only_light().power, np.full(3, 8.0 * area), rtol=1e-5)


def test_a_mirrored_light_keeps_its_direction_and_stays_right_handed() -> None:
    add_light("AREA", scale=(1.0, 1.0, -1.0))
    axes = only_light().axes
    np.testing.assert_allclose(axes[2], [0, 0, -1])
    np.testing.assert_allclose(np.cross(axes[0], axes[1]), axes[2])


def test_exposure_temperature_and_nodes_count() -> None:
    data = add_light("POINT", energy=10.0, color=(1.0, 0.5, 1.0)).data
    data.exposure = 1.0
    np.testing.assert_allclose(only_light().power, [20, 10, 20])
    data.use_temperature, data.temperature = True, 3000.0
    red, green, blue = only_light().power / (20.0, 10.0, 20.0)
    assert red > 1.0 > green > blue > 0.0
    data.use_temperature = False
    if bpy.app.version < (5, 0):
        data.use_nodes = True
    emission = next(node for node in data.node_tree.nodes if node.bl_idname == "ShaderNodeEmission")
    emission.inputs["Strength"].default_value = 2.0
    emission.inputs["Color"].default_value = (1.0, 0.0, 0.5, 1.0)
    np.testing.assert_allclose(only_light().power, [40, 0, 20])
    noise = data.node_tree.nodes.new("ShaderNodeTexNoise")
    data.node_tree.links.new(noise.outputs[0], emission.inputs["Strength"])
    assert "'Light'" in refusal()
    assert "Strength is linked" in refusal()


def test_what_renders_do_not_see_does_not_shine() -> None:
    add_light("SUN", name="Seen")
    add_light("SUN", name="Hidden").hide_render = True
    for name in ("Excluded", "Disabled"):
        collection = bpy.data.collections.new(name)
        bpy.context.scene.collection.children.link(collection)
        light = add_light("SUN", name=name)
        bpy.context.scene.collection.objects.unlink(light)
        collection.objects.link(light)
    bpy.context.view_layer.layer_collection.children["Excluded"].exclude = True
    bpy.data.collections["Disabled"].hide_render = True
    unseen = add_light("SUN", name="Seen by no surface")
    unseen.visible_diffuse = unseen.visible_glossy = False
    lights = read().lights
    assert [light.name for light in lights] == ["Seen", "Seen by no surface"]
    assert (lights[1].diffuse, lights[1].specular) == (0.0, 0.0)
    assert len(sun_lights(bpy.context.scene).directions) == 2
    hidden = scene_lights(bpy.context.scene, hidden=[unseen])
    assert [light.name for light in hidden.lights] == ["Seen"]


def test_lights_that_the_shading_does_not_know_are_refused_by_name() -> None:
    obj = add_light("SPOT", name="Stretched", scale=(1.0, 2.0, 1.0))
    assert "'Stretched'" in refusal()
    assert "same scale" in refusal()
    obj.scale = (2.0, 2.0, 2.0)
    read()
    obj.light_linking.receiver_collection = bpy.data.collections.new("Some")
    assert "'Some'" in refusal()
    obj.light_linking.receiver_collection = None
    empty = bpy.data.objects.new("Instance", None)
    lamps = bpy.data.collections.new("Lamps")
    lamps.objects.link(add_light("POINT", name="Lamp"))
    empty.instance_type, empty.instance_collection = "COLLECTION", lamps
    bpy.context.scene.collection.objects.link(empty)
    assert "'Lamp'" in refusal()
    assert "'Instance'" in refusal()


def test_darkness_is_refused() -> None:
    assert "black" in refusal()
    add_light("POINT", energy=0.0)
    assert "black" in refusal()
    new_world((0.1, 0.1, 0.1), strength=0.0)
    assert "black" in refusal()


# --- The world


def test_a_constant_world() -> None:
    new_world((0.2, 0.4, 0.6), strength=0.5)
    world = read().world
    np.testing.assert_allclose(world.gain, [0.1, 0.2, 0.3], rtol=1e-6)
    assert world.image is None
    np.testing.assert_allclose(sun_lights(bpy.context.scene).world, world.gain)


def test_a_world_without_nodes() -> None:
    if bpy.app.version >= (5, 0):
        pytest.skip("from Blender 5 on, worlds always have nodes")
    world = new_world((0.9, 0.9, 0.9))
    world.use_nodes = False
    world.color = (0.1, 0.2, 0.3)
    np.testing.assert_allclose(read().world.gain, [0.1, 0.2, 0.3], rtol=1e-6)


@pytest.mark.parametrize("kind", ["packed", "file", "generated"])
def test_an_image_world(kind: str, tmp_path: Path) -> None:
    pixels = sky(contrast=100.0, rows=16)
    rgba = np.concatenate([pixels, np.ones((16, 32, 1), np.float32)], 2)
    if kind == "packed":
        image = array_to_image("Sky", rgba)
    elif kind == "file":
        save_exr(tmp_path / "sky.exr", rgba)
        image = bpy.data.images.load(str(tmp_path / "sky.exr"))
    else:
        image = bpy.data.images.new("Sky", 32, 16, float_buffer=True)
        image.pixels.foreach_set(rgba.ravel())
    environment_world(image, strength=2.0)
    bpy.context.scene.render.engine = "CYCLES"
    world = read().world
    assert not world.as_eevee
    np.testing.assert_allclose(world.image, pixels, rtol=1e-6)
    np.testing.assert_allclose(world.gain, [2, 2, 2])
    np.testing.assert_allclose(world.rotation, np.eye(3))
    assert "image" in refusal(lambda: sun_lights(bpy.context.scene))


def test_eevee_draws_a_sun_out_of_an_image() -> None:
    pixels = np.ones((32, 64, 4), np.float32)
    pixels[..., :3] = sky(contrast=200.0, rows=32)
    environment_world(array_to_image("Sky", pixels), strength=2.0, rotation=(0.0, 0.0, 0.5))
    scene = bpy.context.scene
    scene.world.sun_threshold, scene.world.sun_angle = 10.0, 0.3
    scene.eevee.clamp_surface_indirect = 4.0
    lights = read()
    (sun,) = lights.lights
    assert (sun.kind, sun.name) == ("sun", "Sky World")
    assert sun.radius == pytest.approx(0.15)
    assert lights.world.as_eevee
    assert lights.world.brightest == pytest.approx(2.0)
    assert lights.world.image.max() == pytest.approx(5.0)
    values = {"shading": "lit", "texture": False, "light": "fit"}
    assert list(lit_findings(scene, [], values)) == [], "a fit of the light takes the world as a whole"
    whole = scene_lights(scene, whole_world=True)
    assert whole.lights == ()
    np.testing.assert_allclose(whole.world.image, pixels[..., :3], rtol=1e-6)
    scene.world.sun_threshold = 0.0
    assert read().lights == ()


def test_the_image_lights_as_in_what_rendered_the_references() -> None:
    image = array_to_image("Sky", np.concatenate([sky(rows=32), np.ones((32, 64, 1), np.float32)], 2))
    environment_world(image)
    scene = bpy.context.scene
    others = {"CYCLES": "eevee", scene.render.engine: "cycles"}
    for own, theirs in others.items():
        scene.render.engine = own
        of_scene = "cycles" if own == "CYCLES" else "eevee"
        for engines, expected in (
            ((), of_scene),
            (("",), of_scene),
            ((theirs, ""), theirs),
            ((of_scene,), of_scene),
            (("eevee", "cycles"), of_scene),
        ):
            lights = scene_lights(scene, engines=engines)
            assert lights.world.as_eevee == (expected == "eevee"), (own, engines)
            notices = engine_notices(scene, lights, engines)
            assert len(notices) == (theirs in engines), (own, engines)
            assert all("'Sky World'" in notice for notice in notices)
    new_world((1.0, 1.0, 1.0))
    assert engine_notices(scene, scene_lights(scene, engines=("cycles",)), ("cycles",)) == []


def test_a_mapping_node_turns_the_image() -> None:
    """About Z by a quarter: what comes from +X is read where +Y was."""
    image = array_to_image("Sky", np.concatenate([sky(rows=32), np.ones((32, 64, 1), np.float32)], 2))
    mapping = environment_world(image, rotation=(0.0, 0.0, np.pi / 2))
    turned = read().world
    np.testing.assert_allclose(turned.rotation @ [1, 0, 0], [0, 1, 0], atol=1e-6)
    plain = type(turned)(gain=turned.gain, image=turned.image)
    np.testing.assert_allclose(
        radiance(turned, np.float32([[1, 0, 0]])), radiance(plain, np.float32([[0, 1, 0]])), rtol=1e-4
    )
    mapping.vector_type = "TEXTURE"
    np.testing.assert_allclose(read().world.rotation @ [0, 1, 0], [1, 0, 0], atol=1e-6)


def link_sky_texture(world: bpy.types.World, image: bpy.types.Node, background: bpy.types.Node) -> None:
    noise = world.node_tree.nodes.new("ShaderNodeTexNoise")
    world.node_tree.links.new(noise.outputs["Color"], background.inputs["Color"])


def link_strength(world: bpy.types.World, image: bpy.types.Node, background: bpy.types.Node) -> None:
    noise = world.node_tree.nodes.new("ShaderNodeTexNoise")
    world.node_tree.links.new(noise.outputs[0], background.inputs["Strength"])


def mix_backgrounds(world: bpy.types.World, image: bpy.types.Node, background: bpy.types.Node) -> None:
    mix = world.node_tree.nodes.new("ShaderNodeMixShader")
    world.node_tree.links.new(background.outputs[0], mix.inputs[1])
    world.node_tree.links.new(mix.outputs[0], world.node_tree.get_output_node("ALL").inputs["Surface"])


def lay_by_camera(world: bpy.types.World, image: bpy.types.Node, background: bpy.types.Node) -> None:
    coordinates = world.node_tree.nodes.new("ShaderNodeTexCoord")
    world.node_tree.links.new(coordinates.outputs["Camera"], image.inputs["Vector"])


def stretch(world: bpy.types.World, image: bpy.types.Node, background: bpy.types.Node) -> None:
    next(n for n in world.node_tree.nodes if n.bl_idname == "ShaderNodeMapping").inputs[
        "Scale"
    ].default_value = (1, 2, 1)


def lose_image(world: bpy.types.World, image: bpy.types.Node, background: bpy.types.Node) -> None:
    image.image = None


def mirror_ball(world: bpy.types.World, image: bpy.types.Node, background: bpy.types.Node) -> None:
    image.projection = "MIRROR_BALL"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (link_sky_texture, ["Noise Texture", "Environment Texture"]),
        (link_strength, ["Strength", "linked"]),
        (mix_backgrounds, ["Mix Shader", "Background"]),
        (lay_by_camera, ["Camera", "Generated"]),
        (stretch, ["Scale"]),
        (lose_image, ["no image"]),
        (mirror_ball, ["mirror ball", "equirectangular"]),
    ],
)
def test_worlds_that_the_shading_does_not_know_are_refused_by_name(change: Callable, words: list) -> None:
    image = array_to_image("Sky", np.ones((8, 16, 4), np.float32))
    environment_world(image, rotation=(0.0, 0.0, 0.1))
    read()
    world = bpy.context.scene.world
    nodes = {node.bl_idname: node for node in world.node_tree.nodes}
    change(world, nodes["ShaderNodeTexEnvironment"], nodes["ShaderNodeBackground"])
    message = refusal()
    for word in ["'Sky World'", *words]:
        assert word in message


def test_an_image_missing_on_disk_is_named_with_its_world(tmp_path: Path) -> None:
    save_exr(tmp_path / "sky.exr", np.ones((8, 16, 4), np.float32))
    image = bpy.data.images.load(str(tmp_path / "sky.exr"))
    (tmp_path / "sky.exr").unlink()
    environment_world(image)
    message = refusal()
    assert "'Sky World'" in message
    assert "sky.exr" in message
    assert "reload" in message


def test_pixels_without_a_number_are_refused_and_infinite_ones_shine() -> None:
    pixels = np.ones((8, 16, 4), np.float32)
    pixels[3, 4, 0] = np.inf
    image = array_to_image("Sky", pixels)
    environment_world(image)
    assert np.isfinite(read().world.image).all()
    pixels[3, 4, 0] = np.nan
    image.pixels.foreach_set(pixels.ravel())
    assert "NaN" in refusal()
