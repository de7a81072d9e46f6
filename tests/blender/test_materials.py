# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Base colours are read as linear arrays; fitted images are new, wired in, and survive the file."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from sge_addon.core.errors import FitError, TargetLost
from sge_addon.scene.fitted_images import image_of, pack_image, prepare_fitted_images, write_image
from sge_addon.scene.materials import base_colour_image, base_colour_socket, materials_of_objects
from tests.blender.material_nodes import add_quad


def add_material(name: str, shader: str = "ShaderNodeBsdfPrincipled") -> bpy.types.Material:
    material = bpy.data.materials.new(name)
    if material.node_tree is None:
        material.use_nodes = True
    tree = material.node_tree
    if shader != "ShaderNodeBsdfPrincipled":
        node = tree.nodes.new(shader)
        tree.links.new(node.outputs[0], tree.get_output_node("ALL").inputs["Surface"])
    return material


def add_image(name: str, size: int = 8, value: float = 0.5) -> bpy.types.Image:
    image = bpy.data.images.new(name, size, size)
    pixels = np.full((size, size, 4), value, np.float32)
    pixels[..., 3] = 1.0
    image.pixels.foreach_set(pixels.ravel())
    return image


def link_image(material: bpy.types.Material, image: bpy.types.Image) -> bpy.types.Node:
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    material.node_tree.links.new(node.outputs["Color"], base_colour_socket(material))
    return node


def prepare(*objects: bpy.types.Object, size: int = 8):
    materials = {
        m.key: m.texture for of in materials_of_objects(objects, fitted_size=size) for m in of if m.fitted
    }
    return prepare_fitted_images(objects, materials)


@pytest.mark.parametrize(
    "shader", ["ShaderNodeBsdfPrincipled", "ShaderNodeEmission", "ShaderNodeBsdfDiffuse"]
)
def test_base_colour_is_read_from_the_shader(shader: str):
    material = add_material("Paint", shader)
    base_colour_socket(material).default_value = (0.1, 0.2, 0.3, 1.0)
    ((constant,),) = materials_of_objects([add_quad("Quad", material)])
    assert constant.colour == pytest.approx((0.1, 0.2, 0.3))
    assert constant.texture is None
    link_image(material, add_image("Byte", value=0.5))
    ((textured,),) = materials_of_objects([bpy.data.objects["Quad"]])
    # 0.5 is stored as 128 / 255 or 127 / 255; sRGB 0.5 decodes to 0.214.
    assert np.allclose(textured.texture, 0.214, atol=0.003)


def test_the_shader_is_found_behind_a_mix():
    material = add_material("Leaf")
    tree = material.node_tree
    principled = tree.nodes["Principled BSDF"]
    mix, clear = tree.nodes.new("ShaderNodeMixShader"), tree.nodes.new("ShaderNodeBsdfTransparent")
    tree.links.new(clear.outputs[0], mix.inputs[1])
    tree.links.new(principled.outputs[0], mix.inputs[2])
    tree.links.new(mix.outputs[0], tree.get_output_node("ALL").inputs["Surface"])
    assert base_colour_socket(material).node == principled


def test_fitted_textures_start_from_the_image_or_from_grey():
    textured = add_material("Textured")
    link_image(textured, add_image("Byte", size=16, value=1.0))
    ((first, second),) = materials_of_objects([add_quad("Quad", textured, None)], fitted_size=4)
    assert first.fitted
    assert second.fitted
    assert first.texture.shape == second.texture.shape == (4, 4, 3)
    assert np.allclose(first.texture, 1.0)
    assert np.allclose(second.texture, 0.5)


def test_slots_share_a_texture_exactly_where_they_show_the_same_image():
    image = add_image("Atlas")
    one, two, plain = add_material("One"), add_material("Two"), add_material("Plain")
    link_image(one, image)
    link_image(two, image)
    a, b = add_quad("A", one, plain), add_quad("B", two, plain)
    (a_one, a_plain), (b_two, b_plain) = materials_of_objects([a, b], fitted_size=4)
    assert a_one is b_two
    assert a_plain.key != b_plain.key
    images, _ = prepare(a, b)
    assert len(images) == 3
    assert base_colour_image(one) == base_colour_image(two) == image_of(images[a_one.key])
    assert a.data.materials[1] != b.data.materials[1]


def test_missing_images_and_udims_are_refused_by_name():
    material = add_material("Lost")
    node = link_image(material, bpy.data.images.new("x", 4, 4))
    node.image.source = "FILE"
    node.image.filepath = "/nowhere/wood.png"
    with pytest.raises(FitError, match="'x' has no pixels"):
        materials_of_objects([add_quad("Quad", material)])
    node.image = bpy.data.images.new("tiles", 4, 4, tiled=True)
    with pytest.raises(FitError, match="'tiles' is made of UDIM tiles"):
        materials_of_objects([bpy.data.objects["Quad"]])


def test_the_fitted_image_is_new_and_takes_the_place_of_the_old_one():
    material, image = add_material("Wood"), add_image("oak.png")
    node = link_image(material, image)
    images, notices = prepare(add_quad("Quad", material))
    assert notices == []
    assert node.image.name == "oak.sge"
    assert node.image.is_float
    before = np.empty(8 * 8 * 4, np.float32)
    image.pixels.foreach_get(before)
    write_image(next(iter(images.values())), np.ones((8, 8, 3), np.float32))
    after = np.empty_like(before)
    image.pixels.foreach_get(after)
    assert np.array_equal(before, after)


def test_a_second_fit_takes_a_new_image_of_the_same_stem():
    material = add_material("Wood")
    quad = add_quad("Quad", material)
    prepare(quad)
    first = base_colour_image(material)
    assert first.name == "Wood.sge"
    prepare(quad)
    assert base_colour_image(material).name == "Wood.sge.001"
    prepare(quad)
    assert base_colour_image(material).name == "Wood.sge.002"


@pytest.mark.parametrize("slots", [0, 1])
def test_material_and_nodes_are_made_where_there_are_none(slots: int):
    quad = add_quad("Crate", *[None] * slots)
    prepare(quad)
    assert len(quad.material_slots) == 1
    assert base_colour_image(quad.material_slots[0].material).name == "Crate.sge"


def test_an_empty_node_tree_gets_a_shader():
    material = add_material("Bare")
    material.node_tree.nodes.clear()
    prepare(add_quad("Quad", material))
    assert base_colour_image(material).name == "Bare.sge"


def test_a_procedural_base_colour_is_replaced_and_said_so():
    material = add_material("Noisy")
    tree = material.node_tree
    noise = tree.nodes.new("ShaderNodeTexNoise")
    tree.links.new(noise.outputs[1], base_colour_socket(material))
    _, notices = prepare(add_quad("Quad", material))
    assert "'Noisy': its Base Color came from 'Noise Texture'" in notices[0]
    assert base_colour_image(material).name == "Noisy.sge"


def test_a_shifted_image_is_not_swapped_in_place():
    material, image = add_material("Shifted"), add_image("wood")
    node = link_image(material, image)
    mapping = material.node_tree.nodes.new("ShaderNodeMapping")
    coordinates = material.node_tree.nodes.new("ShaderNodeTexCoord")
    material.node_tree.links.new(coordinates.outputs["UV"], mapping.inputs["Vector"])
    material.node_tree.links.new(mapping.outputs[0], node.inputs["Vector"])
    mapping.inputs["Scale"].default_value = (2, 2, 2)
    prepare(add_quad("Quad", material))
    assert node.image == image
    assert base_colour_image(material).name == "wood.sge"
    mapping.inputs["Scale"].default_value = (1, 1, 1)
    identity = add_material("Identity")
    node = link_image(identity, image)
    prepare(add_quad("Other", identity))
    assert node.image.name == "wood.sge.001"


def test_a_material_that_others_use_is_copied_for_the_fitted_object():
    material = add_material("Shared")
    fitted, other = add_quad("Fitted", material), add_quad("Other", material)
    _, notices = prepare(fitted)
    assert "'Shared': 'Other' uses it too" in notices[0]
    assert other.data.materials[0] == material
    assert base_colour_image(material) is None
    assert base_colour_image(fitted.data.materials[0]).name == "Shared.sge"


def test_cut_out_alpha_is_kept():
    material, image = add_material("Leaf"), add_image("leaf")
    pixels = np.ones((8, 8, 4), np.float32)
    pixels[:4, :, 3] = 0.0
    image.pixels.foreach_set(pixels.ravel())
    node = link_image(material, image)
    shader = base_colour_socket(material).node
    material.node_tree.links.new(node.outputs["Alpha"], shader.inputs["Alpha"])
    images, _ = prepare(add_quad("Quad", material), size=4)
    fitted = next(iter(images.values()))
    assert fitted.pixels[:, 0, 3].tolist() == [0, 0, 1, 1]


def test_written_pixels_survive_saving_and_loading(tmp_path: Path):
    images, _ = prepare(add_quad("Quad"))
    fitted = next(iter(images.values()))
    texture = np.random.default_rng(0).random((8, 8, 3)).astype(np.float32) * 2.0
    fitted.pixels[0, :, 3] = 0.0  # colour under transparent texels must survive, too
    write_image(fitted, texture)
    pack_image(fitted)
    path = str(tmp_path / "fit.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    ((material,),) = materials_of_objects([bpy.data.objects["Quad"]])
    assert np.array_equal(material.texture, texture)


def test_an_image_deleted_during_the_fit_is_reported_by_name():
    images, _ = prepare(add_quad("Quad"))
    fitted = next(iter(images.values()))
    bpy.data.images.remove(image_of(fitted))
    with pytest.raises(TargetLost, match=r"'Quad.sge' was deleted"):
        write_image(fitted, np.ones((8, 8, 3), np.float32))


def test_one_undo_brings_the_old_image_back():
    material, image = add_material("Wood"), add_image("oak.png")
    link_image(material, image)
    image.pack()
    quad = add_quad("Quad", material, None)
    bpy.ops.ed.undo_push(message="Before")
    images, _ = prepare(quad)
    for fitted in images.values():
        pack_image(fitted)
    assert len(bpy.data.materials) == 2
    bpy.ops.ed.undo_push(message="Fit")
    bpy.ops.ed.undo()
    assert base_colour_image(bpy.data.materials["Wood"]).name == "oak.png"
    assert bpy.data.objects["Quad"].data.materials[1] is None
    assert not [image for image in bpy.data.images if ".sge" in image.name]
