# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lit shading refuses of a material is said by name with the remedy; what it leaves out is said, too."""

from __future__ import annotations

import bpy
import numpy as np
import pytest

from sge_addon.core.errors import FitError
from sge_addon.scene.lit_materials import (
    fitted_textures,
    lit_material_problems,
    lit_materials_of_objects,
)
from sge_addon.scene.map_preparation import prepare_fitted_maps
from tests.blender.material_nodes import (
    add_material,
    add_quad,
    byte_image,
    image_node,
    link,
    node_of,
    principled,
)


def read(material: bpy.types.Material | None, *maps: str):
    """The lit material and the notices."""
    ((each,),), notices = lit_materials_of_objects([add_quad("Quad", material)], maps=maps, size=4)
    return each.lit, notices


def refusal(material: bpy.types.Material, *maps: str) -> str:
    """What is said, by the check and by the reader alike."""
    quad = add_quad("Quad", material)
    with pytest.raises(FitError) as caught:
        lit_materials_of_objects([quad], maps=maps, size=4)
    assert str(next(iter(lit_material_problems([quad], maps=maps)))) == str(caught.value)
    return str(caught.value)


def textured(name: str, socket: str = "Base Color") -> tuple[bpy.types.Material, bpy.types.Node]:
    material = add_material(name)
    node = image_node(material, byte_image("image", (255, 255, 255, 255)))
    link(material, node, principled(material), socket)
    return material, node


def surface(material: bpy.types.Material, node: bpy.types.Node) -> None:
    """Link a shader to the output."""
    tree = material.node_tree
    tree.links.new(node.outputs[0], tree.get_output_node("ALL").inputs["Surface"])


def test_images_without_pixels_tiles_and_movies_are_refused():
    material, node = textured("Lost")
    node.image.source = "FILE"
    node.image.filepath = "/nowhere/wood.png"
    assert "Image 'image' has no pixels (/nowhere/wood.png)" in refusal(material, "base_color")
    node.image.source = "MOVIE"
    assert "Image 'image' is of source Movie" in refusal(material)
    node.image = bpy.data.images.new("tiles", 4, 4, tiled=True)
    assert "Image 'tiles' is made of UDIM tiles" in refusal(material)
    node.image = None
    assert "its Base Color comes from 'Image Texture', which has no image in it" in refusal(material)
    assert read(material, "base_color")[0].maps["base_color"].fitted


def test_pixels_that_are_not_finite_are_refused():
    material, node = textured("Broken")
    node.image = bpy.data.images.new("broken", 2, 2, float_buffer=True)
    node.image.pixels.foreach_set(np.full(16, np.nan, np.float32))
    with pytest.raises(FitError, match="Image 'broken' contains NaN"):
        read(material)


@pytest.mark.parametrize("extension", ["EXTEND", "CLIP", "MIRROR"])
def test_images_that_do_not_repeat_are_refused_where_it_would_show(extension: str):
    material, node = textured("Edge")
    node.extension = extension
    assert read(material, "base_color")[0].maps["base_color"].fitted, "within the image nothing differs"
    mapping, coordinates = node_of(material, "ShaderNodeMapping"), node_of(material, "ShaderNodeTexCoord")
    mapping.inputs["Scale"].default_value = (2.0, 2.0, 1.0)
    link(material, coordinates, mapping, "Vector", output="UV")
    link(material, mapping, node, "Vector")
    message = refusal(material, "base_color")
    assert message.startswith("Material 'Edge': image node 'Image Texture' of its base_color is set to ")
    assert "UVs of object 'Quad" in message


def test_other_coordinates_than_uvs_are_refused_by_name():
    material, node = textured("Drifting")
    coordinates = node_of(material, "ShaderNodeTexCoord")
    link(material, coordinates, node, "Vector", output="Generated")
    assert (
        "its Base Color comes from 'Texture Coordinate', which gives other coordinates than UVs (Generated)"
        in refusal(material)
    )


def test_normal_maps_in_other_spaces_are_refused_unless_fitted():
    material = add_material("Baked")
    node = node_of(material, "ShaderNodeNormalMap")
    node.space = "OBJECT"
    link(material, image_node(material, byte_image("n", (128, 128, 255, 255))), node, "Color")
    link(material, node, principled(material), "Normal")
    assert "its Normal comes from 'Normal Map', which is in Object Space" in refusal(material)
    quad = add_quad("Fitted", material)
    materials, notices = lit_materials_of_objects([quad], maps=("normal",), size=4)
    assert "its Normal came from 'Normal Map'" in notices[0]
    prepare_fitted_maps([quad], fitted_textures(materials))
    own = quad.data.materials[0]
    (link_to_normal,) = principled(own).inputs["Normal"].links
    assert link_to_normal.from_node.space == "TANGENT"


def test_bump_is_left_out_with_a_notice_and_refuses_a_fitted_normal():
    material = add_material("Bumpy")
    bump = node_of(material, "ShaderNodeBump")
    link(material, bump, principled(material), "Normal")
    _, notices = read(material)
    assert notices == ["Material 'Bumpy': its Normal is read without the Bump node 'Bump'."]
    assert "its Normal comes from the Bump node 'Bump'" in refusal(material, "normal")


def test_what_the_shading_does_not_know_is_named():
    material = add_material("Car")
    principled(material).inputs["Coat Weight"].default_value = 0.5
    principled(material).inputs["Specular Tint"].default_value = (1.0, 0.5, 0.5, 1.0)
    _, (notice,) = read(material)
    assert "leaves out its Coat Weight and Specular Tint" in notice
    metal = add_material("Metal")
    principled(metal).distribution = "GGX"
    _, (notice,) = read(metal)
    assert "leaves out its Distribution" in notice


def test_closest_interpolation_is_said():
    material, node = textured("Pixels")
    node.interpolation = "Closest"
    _, (notice,) = read(material)
    assert notice.endswith("is read with linear interpolation, where 'Image Texture' has Closest.")


def test_linked_emission_strength_is_refused_unless_emission_is_fitted():
    material, _ = textured("Pulse", "Emission Strength")
    assert "its Emission Strength is linked" in refusal(material)
    lit, (notice,) = read(material, "emission")
    assert lit.emission_strength == 1.0
    assert "its emission strength was linked" in notice


def test_muted_nodes_and_links_count_as_blender_counts_them():
    material, node = textured("Quiet")
    node.mute = True
    assert "'Image Texture', which is muted" in refusal(material)
    node.mute = False
    node.outputs["Color"].links[0].is_muted = True
    assert read(material)[0].maps["base_color"].texture is None


def test_alpha_may_be_the_factor_between_transparent_and_the_shader():
    material, node = textured("Leaf")
    mix, clear = node_of(material, "ShaderNodeMixShader"), node_of(material, "ShaderNodeBsdfTransparent")
    link(material, node, mix, 0, output="Alpha")
    link(material, clear, mix, 1)
    link(material, principled(material), mix, 2)
    surface(material, mix)
    node.image = byte_image("leaf", (255, 255, 255, 51))
    quad = add_quad("Quad", material)
    materials, _ = lit_materials_of_objects([quad], maps=("alpha",), size=4)
    assert np.allclose(materials[0][0].lit.maps["alpha"].texture, 0.2)
    prepare_fitted_maps([quad], {key: 0.6 * one for key, one in fitted_textures(materials).items()})
    again, _ = lit_materials_of_objects([quad])
    assert np.allclose(again[0][0].lit.maps["alpha"].texture, 0.12)
    tree = material.node_tree
    tree.links.new(principled(material).outputs[0], mix.inputs[1])
    assert "its surface is 'Mix Shader', which mixes shaders other than" in refusal(material)


def test_diffuse_and_emission_shaders_are_known():
    material = add_material("Chalk")
    diffuse = node_of(material, "ShaderNodeBsdfDiffuse")
    diffuse.inputs["Color"].default_value = (0.25, 0.5, 0.75, 1.0)
    surface(material, diffuse)
    lit, _ = read(material)
    assert lit.maps["base_color"].value == (0.25, 0.5, 0.75)
    assert (lit.maps["roughness"].value, lit.specular_level, lit.ior) == ((1.0,), 0.0, 1.0)
    assert "its shader 'Diffuse BSDF' has no metallic to fit" in refusal(material, "metallic")
    emission = node_of(material, "ShaderNodeEmission")
    emission.inputs["Strength"].default_value = 3.0
    surface(material, emission)
    lit, _ = read(material)
    assert lit.maps["base_color"].value == (0.0, 0.0, 0.0)
    assert lit.emission_strength == 3.0


def test_an_image_for_a_mesh_without_uvs_is_refused():
    material, _ = textured("Painted")
    quad = add_quad("Bare", material)
    quad.data.uv_layers.remove(quad.data.uv_layers[0])
    with pytest.raises(FitError, match="'Bare' has no UV map for the images of material 'Painted': unwrap"):
        lit_materials_of_objects([quad])
