# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials are read as Blender shades them, or refused by the names of what stands in the way."""

from __future__ import annotations

import bpy
import numpy as np
import pytest

from sge_addon.core.errors import FitError
from sge_addon.scene.lit_materials import fitted_textures, lit_materials_of_objects
from sge_addon.scene.map_preparation import prepare_fitted_maps
from sge_addon.scene.objects import surface_from_object
from tests.blender.material_nodes import (
    add_material,
    add_quad,
    byte_image,
    image_node,
    link,
    node_of,
    principled,
)


def lit(material: bpy.types.Material | None, **options):
    ((read,),), _ = lit_materials_of_objects([add_quad("Quad", material)], **options)
    return read.lit


def notices(material: bpy.types.Material, **options) -> list[str]:
    return lit_materials_of_objects([add_quad("Quad", material)], **options)[1]


def refusal(material: bpy.types.Material, **options) -> str:
    with pytest.raises(FitError) as caught:
        lit(material, **options)
    return str(caught.value)


def test_constants_are_read_from_the_principled_shader():
    material = add_material("Plain")
    shader = principled(material)
    shader.inputs["Base Color"].default_value = (0.1, 0.2, 0.3, 1.0)
    shader.inputs["Metallic"].default_value = 0.75
    shader.inputs["Roughness"].default_value = 0.25
    shader.inputs["Emission Color"].default_value = (1.0, 0.5, 0.25, 1.0)
    shader.inputs["Emission Strength"].default_value = 4.0
    shader.inputs["IOR"].default_value = 1.25
    shader.inputs["Specular IOR Level"].default_value = 1.0
    shader.inputs["Alpha"].default_value = 0.5
    read = lit(material)
    assert np.allclose(read.maps["base_color"].value, (0.1, 0.2, 0.3))
    assert read.maps["metallic"].value == (0.75,)
    assert read.maps["roughness"].value == (0.25,)
    assert read.maps["normal"].value == (0.0, 0.0, 1.0)
    assert np.allclose(read.maps["emission"].value, (1.0, 0.5, 0.25))
    assert read.maps["alpha"].value == (0.5,)
    assert (read.ior, read.specular_level, read.emission_strength) == (1.25, 1.0, 4.0)
    assert not any(each.fitted or each.texture is not None for each in read.maps.values())


def test_without_strength_nothing_glows():
    assert lit(add_material("Plain")).maps["emission"].value == (0.0, 0.0, 0.0)


def test_no_material_is_blenders_default_surface():
    read = lit(None)
    assert read.maps["base_color"].value == (0.8, 0.8, 0.8)
    assert read.emission_strength == 0.0


def test_colour_is_decoded_and_data_is_not():
    material, shader = add_material("Wood"), None
    shader = principled(material)
    link(material, image_node(material, byte_image("color", (51, 102, 204, 255))), shader, "Base Color")
    data = byte_image("data", (51, 102, 204, 255), is_data=True)
    node = image_node(material, data)
    separate = node_of(material, "ShaderNodeSeparateColor")
    link(material, node, separate, "Color")
    link(material, separate, shader, "Roughness", output="Green")
    link(material, separate, shader, "Metallic", output="Blue")
    read = lit(material)
    assert np.allclose(read.maps["base_color"].texture[0, 0], (0.0331, 0.1329, 0.6038), atol=1e-3)
    assert read.maps["roughness"].texture.shape == (2, 4, 1)
    assert np.allclose(read.maps["roughness"].texture, 0.4)
    assert np.allclose(read.maps["metallic"].texture, 0.8)


def test_data_in_an_srgb_image_is_read_as_blender_reads_it():
    material = add_material("Wrong")
    link(
        material,
        image_node(material, byte_image("rough", (188, 188, 188, 255))),
        principled(material),
        "Roughness",
    )
    assert np.allclose(lit(material).maps["roughness"].texture, 0.503, atol=2e-3)


def test_normals_are_decoded_with_the_strength_of_their_node():
    material = add_material("Bumpy")
    node = node_of(material, "ShaderNodeNormalMap")
    node.inputs["Strength"].default_value = 0.5
    link(material, image_node(material, byte_image("n", (255, 0, 128, 255), is_data=True)), node, "Color")
    link(material, node, principled(material), "Normal")
    read = lit(material)
    assert read.normal_strength == 0.5
    assert np.allclose(read.maps["normal"].texture[0, 0], (1.0, -1.0, 0.0), atol=0.01)


@pytest.mark.parametrize("operation", ["GREATER_THAN", "LESS_THAN", "ROUND", "GLTF"])
def test_alpha_clipped_by_math_nodes_has_a_threshold(operation: str):
    material = add_material("Leaf")
    image = image_node(material, byte_image("leaf", (255, 255, 255, 51)))
    math = node_of(material, "ShaderNodeMath")
    math.operation = "LESS_THAN" if operation == "GLTF" else operation
    alpha, threshold = (1, 0) if operation == "LESS_THAN" else (0, 1)
    math.inputs[threshold].default_value = 0.25
    link(material, image, math, alpha, output="Alpha")
    if operation == "GLTF":
        minus = node_of(material, "ShaderNodeMath")
        minus.operation = "SUBTRACT"
        minus.inputs[0].default_value = 1.0
        link(material, math, minus, 1)
        math = minus
    link(material, math, principled(material), "Alpha")
    read = lit(material)
    assert read.alpha_clip == (0.5 if operation == "ROUND" else 0.25)
    assert np.allclose(read.maps["alpha"].texture, 0.2)


def test_mapping_nodes_move_the_uvs():
    material = add_material("Tiled")
    node = image_node(material, byte_image("tile", (1, 2, 3, 255)))
    mapping, coordinates = node_of(material, "ShaderNodeMapping"), node_of(material, "ShaderNodeTexCoord")
    mapping.inputs["Location"].default_value = (0.5, 0.25, 0.0)
    mapping.inputs["Rotation"].default_value = (0.0, 0.0, np.pi / 2)
    mapping.inputs["Scale"].default_value = (2.0, 3.0, 1.0)
    link(material, coordinates, mapping, "Vector", output="UV")
    link(material, mapping, node, "Vector")
    link(material, node, principled(material), "Base Color")
    transform = lit(material).maps["base_color"].uv_transform
    assert np.allclose(transform, [[0.0, -3.0, 0.5], [2.0, 0.0, 0.25]], atol=1e-6)
    mapping.vector_type = "TEXTURE"
    inverse = lit(material).maps["base_color"].uv_transform
    # Turned back by a quarter after the location is taken off, then divided by the scale.
    assert np.allclose(inverse @ (0.7, 0.9, 1.0), (0.65 / 2.0, -0.2 / 3.0), atol=1e-6)


def test_each_slot_takes_the_uv_map_that_its_images_name():
    first, second = add_material("First"), add_material("Second")
    node = image_node(second, byte_image("other", (1, 2, 3, 255)))
    uv_map = node_of(second, "ShaderNodeUVMap")
    uv_map.uv_map = "Other"
    link(second, uv_map, node, "Vector")
    link(second, node, principled(second), "Base Color")
    quad = add_quad("Quad", first, second)
    with pytest.raises(FitError, match="'Quad' has no UV map 'Other', which material 'Second' names"):
        lit_materials_of_objects([quad])
    other = quad.data.uv_layers.new(name="Other")
    other.uv.foreach_set("vector", np.full(16, 0.25, np.float32))
    (materials,), _ = lit_materials_of_objects([quad])
    surface = surface_from_object(quad, materials)
    assert np.allclose(surface.uvs[surface.material_indices == 1], 0.25)
    assert not np.allclose(surface.uvs[surface.material_indices == 0], 0.25)


def test_two_uv_maps_in_one_material_are_refused():
    material = add_material("Torn")
    for index, (name, socket) in enumerate((("UVMap", "Base Color"), ("Other", "Roughness"))):
        node, uv_map = (
            image_node(material, byte_image(f"i{index}", (1, 2, 3, 255))),
            node_of(material, "ShaderNodeUVMap"),
        )
        uv_map.uv_map = name
        link(material, uv_map, node, "Vector")
        link(material, node, principled(material), socket)
    message = refusal(material)
    assert "Material 'Torn'" in message
    assert "base_color by 'UVMap', roughness by 'Other'" in message


def test_procedures_are_refused_by_name_unless_the_map_is_fitted():
    material = add_material("Noisy")
    noise = node_of(material, "ShaderNodeTexNoise")
    noise.label = "Speckles"
    link(material, noise, principled(material), "Roughness")
    assert refusal(material).startswith(
        "Material 'Noisy': its Roughness comes from 'Speckles', which is of the kind Noise Texture."
    )
    said = notices(material, maps=("roughness",), size=4)
    assert "its Roughness came from 'Speckles'" in said[0]
    assert np.allclose(lit(material, maps=("roughness",), size=4).maps["roughness"].texture, 0.5)


@pytest.mark.parametrize(
    ("shader", "what"), [("ShaderNodeBsdfGlossy", "Glossy BSDF"), ("ShaderNodeAddShader", "Add Shader")]
)
def test_other_shaders_are_refused_by_name(shader: str, what: str):
    material = add_material("Odd")
    node = node_of(material, shader)
    material.node_tree.links.new(node.outputs[0], material.node_tree.get_output_node("ALL").inputs["Surface"])
    message = refusal(material)
    assert message.startswith(f"Material 'Odd': its surface is '{node.name}', which is of the kind {what}")


def test_fitted_maps_start_from_what_is_there_in_their_size():
    material = add_material("Wood")
    link(
        material,
        image_node(material, byte_image("color", (255, 255, 255, 255))),
        principled(material),
        "Base Color",
    )
    principled(material).inputs["Metallic"].default_value = 1.0
    read = lit(
        material, maps=("base_color", "metallic", "roughness", "emission"), size=8, constants=("roughness",)
    )
    assert read.maps["base_color"].texture.shape == (8, 8, 3)
    assert np.allclose(read.maps["base_color"].texture, 1.0)
    assert np.allclose(read.maps["metallic"].texture, np.ones((8, 8, 1)))
    assert read.maps["roughness"].texture.shape == (1, 1, 1)
    assert np.allclose(read.maps["emission"].texture, 0.0)
    assert read.emission_strength == 1.0
    assert [name for name, each in read.maps.items() if each.fitted] == [
        "base_color", "metallic", "roughness", "emission"
    ]  # fmt: skip


def glossy_from_gltf() -> bpy.types.Material:
    """Base colour and roughness times factors, as Blender's glTF importer wires them."""
    material = add_material("Factors")
    base = image_node(material, byte_image("base", (255, 255, 255, 255)))
    mix = node_of(material, "ShaderNodeMix")
    mix.data_type, mix.blend_type = "RGBA", "MULTIPLY"
    inputs = {socket.identifier: socket for socket in mix.inputs}
    inputs["Factor_Float"].default_value = 1.0
    inputs["B_Color"].default_value = (0.5, 0.25, 1.0, 1.0)
    material.node_tree.links.new(base.outputs["Color"], inputs["A_Color"])
    output = next(socket for socket in mix.outputs if socket.identifier == "Result_Color")
    material.node_tree.links.new(output, principled(material).inputs["Base Color"])
    rough = image_node(material, byte_image("rough", (204, 204, 204, 255), is_data=True))
    math = node_of(material, "ShaderNodeMath")
    math.operation = "MULTIPLY"
    math.label = "Roughness Factor"
    math.inputs[1].default_value = 0.5
    link(material, rough, math, 0)
    link(material, math, principled(material), "Roughness")
    return material


def test_constant_factors_are_read():
    read = lit(glossy_from_gltf())
    assert np.allclose(read.maps["base_color"].texture, (0.5, 0.25, 1.0))
    assert np.allclose(read.maps["roughness"].texture, 0.4)


def test_fitted_maps_take_factors_in():
    material = glossy_from_gltf()
    quad = add_quad("Quad", material)
    materials, said = lit_materials_of_objects([quad], maps=("base_color", "roughness"), size=4)
    assert "its Roughness was multiplied by 'Roughness Factor'" in said[1]
    prepare_fitted_maps([quad], fitted_textures(materials))
    maps = lit_materials_of_objects([quad])[0][0][0].lit.maps
    assert np.allclose(maps["base_color"].texture, (0.5, 0.25, 1.0))
    assert np.allclose(maps["roughness"].texture, 0.4)
    assert len([node for node in material.node_tree.nodes if node.bl_idname == "ShaderNodeTexImage"]) == 2
