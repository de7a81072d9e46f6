# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fitted maps go into new images and inputs of the artist's own nodes; what is read is what was written."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from sge_addon.core.colour import linear_to_srgb
from sge_addon.core.errors import TargetLost
from sge_addon.core.material_maps import MAP_KINDS
from sge_addon.scene.fitted_maps import map_image_of, pack_maps, write_map, write_maps
from sge_addon.scene.lit_materials import fitted_textures, lit_materials_of_objects
from sge_addon.scene.map_preparation import prepare_fitted_maps
from tests.blender.material_nodes import (
    add_material,
    add_quad,
    byte_image,
    image_node,
    link,
    node_of,
    outputs_of,
    principled,
)

ALL = ("base_color", "metallic", "roughness", "normal", "emission", "alpha")


def prepare(*objects: bpy.types.Object, maps=ALL, size: int = 8, constants=(), depth: str = "float"):
    materials, _ = lit_materials_of_objects(objects, maps=maps, size=size, constants=constants)
    return prepare_fitted_maps(objects, fitted_textures(materials), depth)


def read(*objects: bpy.types.Object):
    """The maps of the first slot of the first object, as they are read now."""
    materials, _ = lit_materials_of_objects(objects)
    return materials[0][0].lit


def random_maps(fitted, seed: int = 0, size: int = 8):
    rng = np.random.default_rng(seed)
    arrays = {}
    for key, each in fitted.items():
        shape = (size, size) if each.image is not None else (1, 1)
        array = rng.random((*shape, MAP_KINDS[each.name].channels), dtype=np.float32)
        if each.name == "normal":
            array = 2.0 * array - 1.0
            array /= np.linalg.norm(array, axis=-1, keepdims=True)
        arrays[key] = array
    return arrays


TOLERANCE = {"8": 0.51 / 255, "16": 1e-3, "float": 1e-6}


@pytest.mark.parametrize("depth", ["8", "16", "float"])
def test_every_map_of_a_bare_material_is_read_back_as_written(depth: str, tmp_path: Path):
    quad = add_quad("Quad", add_material("Bare"))
    fitted, notices = prepare(quad, depth=depth)
    assert notices == []
    assert sorted(each.name for each in fitted.values()) == sorted(ALL)
    arrays = random_maps(fitted)
    write_maps(fitted, arrays)
    pack_maps(fitted)
    path = str(tmp_path / "fit.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    maps = read(bpy.data.objects["Quad"]).maps
    for key, each in fitted.items():
        found, written = maps[each.name].texture, arrays[key]
        if depth == "8" and each.name in ("base_color", "emission"):
            found, written = linear_to_srgb(found), linear_to_srgb(written)
        assert np.abs(found - written).max() <= TOLERANCE[depth] * (2 if each.name == "normal" else 1), (
            each.name
        )
    images = {image.name: image for image in bpy.data.images if image.users}
    assert set(images) == {"Bare.sge", "Bare_metallic_roughness.sge", "Bare_normal.sge", "Bare_emission.sge"}
    assert images["Bare_normal.sge"].colorspace_settings.name == "Non-Color"
    assert all(image.is_float == (depth != "8") for image in images.values())


def test_no_material_at_all():
    quad = add_quad("Crate")
    fitted, _ = prepare(quad, maps=("base_color", "roughness"))
    arrays = random_maps(fitted)
    write_maps(fitted, arrays)
    maps = read(quad).maps
    for key, each in fitted.items():
        assert np.allclose(maps[each.name].texture, arrays[key], atol=1e-6)
    assert quad.data.materials[0].name == "Crate"


def orm_material(name: str, image: bpy.types.Image) -> bpy.types.Material:
    material = add_material(name)
    separate = node_of(material, "ShaderNodeSeparateColor")
    link(material, image_node(material, image), separate, "Color")
    link(material, separate, principled(material), "Roughness", output="Green")
    link(material, separate, principled(material), "Metallic", output="Blue")
    return material


def test_packed_images_keep_the_channels_that_are_not_fitted():
    image = byte_image("orm.png", (10, 20, 30, 255), is_data=True)
    quad = add_quad("Quad", orm_material("Orm", image))
    fitted, _ = prepare(quad, maps=("roughness",))
    (each,) = fitted.values()
    write_map(each, np.full((8, 8, 1), 0.7, np.float32))
    new = map_image_of(each)
    assert new.name == "orm.sge"
    assert np.allclose(outputs_of(new)[0, 0], (10 / 255, 0.7, 30 / 255, 1.0))
    assert np.allclose(outputs_of(image)[..., 1], 20 / 255), "the user's own pixels stay"
    assert np.allclose(read(quad).maps["metallic"].texture, 30 / 255)


def test_maps_of_one_image_share_its_copy_even_between_materials():
    image = byte_image("orm", (10, 20, 30, 255), is_data=True)
    a, b = add_quad("A", orm_material("A", image)), add_quad("B", orm_material("B", image))
    fitted, _ = prepare(a, b, maps=("metallic", "roughness"))
    assert len(fitted) == 2
    first, second = (map_image_of(each) for each in fitted.values())
    assert first == second
    arrays = random_maps(fitted)
    write_maps(fitted, arrays)
    for obj in (a, b):
        maps = read(obj).maps
        for key, each in fitted.items():
            assert np.allclose(maps[each.name].texture, arrays[key], atol=1e-6)


def test_an_image_that_is_also_something_else_stays_that():
    material = add_material("Glow")
    node = image_node(material, byte_image("both", (255, 255, 255, 255)))
    link(material, node, principled(material), "Base Color")
    link(material, node, principled(material), "Emission Color")
    principled(material).inputs["Emission Strength"].default_value = 1.0
    quad = add_quad("Quad", material)
    fitted, notices = prepare(quad, maps=("base_color",))
    assert "'both' is its emission, too" in notices[0]
    (each,) = fitted.values()
    write_map(each, np.zeros((8, 8, 3), np.float32))
    maps = read(quad).maps
    assert np.allclose(maps["base_color"].texture, 0.0)
    assert np.allclose(maps["emission"].texture, 1.0)


def test_constants_become_values_of_inputs():
    material = add_material("Steel")
    link(
        material,
        image_node(material, byte_image("r", (128, 128, 128, 255), is_data=True)),
        principled(material),
        "Roughness",
    )
    quad = add_quad("Quad", material)
    fitted, notices = prepare(quad, constants=ALL)
    assert "its Roughness came from 'r'; the fitted constant takes its place" in notices[0]
    arrays = random_maps(fitted)
    write_maps(fitted, arrays)
    lit = read(quad)
    for key, each in fitted.items():
        assert lit.maps[each.name].texture is None
        assert np.allclose(lit.maps[each.name].value, arrays[key][0, 0], atol=1e-6), each.name
    assert lit.emission_strength == 1.0
    assert not [image for image in bpy.data.images if ".sge" in image.name]


@pytest.mark.parametrize("depth", ["8", "float"])
@pytest.mark.parametrize("constants", [(), ("emission",)])
def test_emission_above_one_is_colour_times_strength(depth: str, constants):
    quad = add_quad("Quad", add_material("Lamp"))
    principled(quad.data.materials[0]).inputs["Emission Strength"].default_value = 2.0
    fitted, _ = prepare(quad, maps=("emission",), depth=depth, constants=constants)
    (each,) = fitted.values()
    size = 1 if constants else 8
    write_map(each, np.full((size, size, 3), 6.0, np.float32))
    lit = read(quad)
    emission = lit.maps["emission"]
    value = np.asarray(emission.value) if emission.texture is None else emission.texture
    assert np.allclose(value * lit.emission_strength, 12.0, rtol=0.01)
    if depth == "8":
        assert value.max() <= 1.0


def test_new_nodes_name_the_uv_map_and_cover_nothing():
    material = add_material("Uv")
    node, uv_map = image_node(material, byte_image("c", (1, 2, 3, 255))), node_of(material, "ShaderNodeUVMap")
    uv_map.uv_map = "Second"
    link(material, uv_map, node, "Vector")
    link(material, node, principled(material), "Base Color")
    quad = add_quad("Quad", material)
    quad.data.uv_layers.new(name="Second")
    prepare(quad)
    tree = material.node_tree
    images = [each for each in tree.nodes if each.bl_idname == "ShaderNodeTexImage"]
    assert len(images) == 4
    for each in images:
        assert each.inputs["Vector"].links[0].from_node.uv_map == "Second"
    (normal_map,) = (each for each in tree.nodes if each.bl_idname == "ShaderNodeNormalMap")
    assert normal_map.uv_map == "Second"
    new = [tuple(each.location) for each in images if each != node]
    assert len({y for _, y in new}) == 3
    assert all(x < principled(material).location.x - 300 for x, _ in new)


def test_a_directx_normal_map_stays_one():
    material = add_material("Bumpy")
    node = node_of(material, "ShaderNodeNormalMap")
    if not hasattr(node, "convention"):
        pytest.skip("Normal Map nodes have no convention before Blender 5.2")
    node.convention = "DIRECTX"
    image = byte_image("n", (128, 255, 128, 255), is_data=True)
    link(material, image_node(material, image), node, "Color")
    link(material, node, principled(material), "Normal")
    quad = add_quad("Quad", material)
    assert read(quad).maps["normal"].texture[0, 0, 1] < -0.99
    fitted, _ = prepare(quad, maps=("normal",))
    arrays = random_maps(fitted)
    write_maps(fitted, arrays)
    (key,) = fitted
    assert np.allclose(read(quad).maps["normal"].texture, arrays[key], atol=1e-5)


def test_what_goes_away_during_the_fit_is_said_by_name():
    quad = add_quad("Quad", add_material("Gone"))
    fitted, _ = prepare(quad, maps=("base_color", "roughness"), constants=("roughness",))
    arrays = random_maps(fitted)
    base, rough = (
        next(key for key, each in fitted.items() if each.name == name) for name in ("base_color", "roughness")
    )
    bpy.data.images.remove(map_image_of(fitted[base]))
    with pytest.raises(TargetLost, match=r"'Gone.sge' was deleted"):
        write_maps(fitted, arrays)
    shader = principled(quad.data.materials[0])
    assert np.isclose(shader.inputs["Roughness"].default_value, arrays[rough].item()), (
        "the others are written"
    )
    quad.data.materials[0].node_tree.nodes.remove(shader)
    with pytest.raises(TargetLost, match="Material 'Gone': its node 'Principled BSDF' was deleted"):
        write_maps({rough: fitted[rough]}, {rough: arrays[rough]})


def test_one_undo_brings_images_values_and_nodes_back():
    image = byte_image("orm", (10, 20, 30, 255), is_data=True)
    image.pack()
    quad = add_quad("Quad", orm_material("Orm", image))
    bpy.ops.ed.undo_push(message="Before")
    fitted, _ = prepare(quad)
    pack_maps(fitted)
    bpy.ops.ed.undo_push(message="Fit")
    bpy.ops.ed.undo()
    tree = bpy.data.materials["Orm"].node_tree
    assert [node.image.name for node in tree.nodes if node.bl_idname == "ShaderNodeTexImage"] == ["orm"]
    assert not [image for image in bpy.data.images if ".sge" in image.name]
    assert read(bpy.data.objects["Quad"]).emission_strength == 0.0
