# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maps leave Blender as they are in it: as files of their own, and within glTF."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from sge_addon.core.colour import linear_to_srgb
from sge_addon.core.errors import FitError
from sge_addon.scene.exported_maps import check_map_export, export_maps, map_paths
from sge_addon.scene.files import export_mesh, import_mesh
from sge_addon.scene.fitted_maps import write_maps
from sge_addon.scene.images import array_to_image, load_image, save_png
from sge_addon.scene.lit_materials import fitted_textures, lit_materials_of_objects
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

ALL = ("base_color", "metallic", "roughness", "normal", "emission", "alpha")
SIZE = 8


def fitted_quad(*, maps=ALL, constants=(), depth: str = "float", emission: float = 1.0):
    """A square whose maps are random; the arrays by name."""
    quad = add_quad("My Quad", add_material("Paint"))
    materials, _ = lit_materials_of_objects([quad], maps=maps, size=SIZE, constants=constants)
    fitted, _ = prepare_fitted_maps([quad], fitted_textures(materials), depth)
    rng = np.random.default_rng(0)
    arrays = {}
    for key, each in fitted.items():
        size = SIZE if each.image is not None else 1
        array = 0.1 + 0.9 * rng.random(
            (size, size, 1 if each.name in ("metallic", "roughness", "alpha") else 3)
        )
        if each.name == "normal":
            array = np.array([0.0, 0.0, 1.2]) + array - 0.55
            array /= np.linalg.norm(array, axis=-1, keepdims=True)
        elif each.name == "emission":
            array *= emission
        arrays[key] = array.astype(np.float32)
    write_maps(fitted, arrays)
    return quad, {fitted[key].name: array for key, array in arrays.items()}


def stored(name: str, values: np.ndarray) -> np.ndarray:
    """As 8-bit files hold them, from 0 to 1."""
    if name in ("base_color", "emission"):
        return linear_to_srgb(values)
    return 0.5 + 0.5 * values if name == "normal" else values


@pytest.mark.parametrize("depth", ["8", "16", "float"])
def test_each_map_is_a_file_of_its_own(depth: str, tmp_path: Path):
    quad, arrays = fitted_quad(depth=depth, constants=("roughness",))
    written, notices = export_maps(tmp_path, [quad], ALL, depth)
    assert notices == []
    assert written == map_paths(tmp_path, [quad], ALL) == [tmp_path / f"My_Quad_{name}.png" for name in ALL]
    for name, path in zip(ALL, written, strict=True):
        pixels, _ = load_image(path, "linear")
        image = bpy.data.images.load(str(path))
        assert image.is_float == (depth != "8")
        error = np.abs(pixels[..., : arrays[name].shape[2]] - stored(name, arrays[name])).max()
        assert error < (0.51 / 255 if depth == "8" else 1e-3 if depth == "16" else 2e-5), name


def test_emission_above_one_becomes_exr(tmp_path: Path):
    quad, arrays = fitted_quad(maps=("emission",), emission=8.0)
    principled(quad.data.materials[0]).inputs["Emission Strength"].default_value = 2.0
    written, notices = export_maps(tmp_path, [quad], ("emission",))
    assert written == [tmp_path / "My_Quad_emission.exr"]
    assert "'My_Quad_emission.exr' is linear EXR" in notices[0]
    assert np.allclose(load_image(written[0])[0][..., :3], 2.0 * arrays["emission"], rtol=1e-5)


def test_objects_with_several_materials_name_them(tmp_path: Path):
    quad = add_quad("Quad", add_material("A/B"), add_material("C"))
    assert [path.name for path in map_paths(tmp_path, [quad], ("alpha",))] == [
        "Quad_A_B_alpha.png",
        "Quad_C_alpha.png",
    ]


def test_no_two_objects_share_a_file(tmp_path: Path):
    """Also where they differ only in what a file's name cannot hold, or not on every file system."""
    quads = []
    for number, name in enumerate(("A B", "A_B", "a b", "A_B_2")):
        material = add_material(name)
        principled(material).inputs["Roughness"].default_value = 0.2 * (1 + number)
        quads.append(add_quad(name, material))
    maps = ("roughness", "height")
    stems = ("A_B", "A_B_2", "a_b_3", "A_B_2_2")
    expected = [tmp_path / f"{stem}_{name}.png" for stem in stems for name in maps]
    assert map_paths(tmp_path, quads, maps) == expected
    written, notices = export_maps(tmp_path, quads, maps)
    assert written == expected
    assert notices[0] == "Maps of 'A_B' are 'A_B_2_<map>', since others are 'A_B_<map>'."
    assert len(notices) == 3
    for number, path in enumerate(written[::2]):
        assert np.allclose(load_image(path, "linear")[0][..., 0], 0.2 * (1 + number), atol=0.5 / 255)


def test_textures_leave_the_names_of_maps_free(tmp_path: Path):
    """Rock.glb with an image 'Base_Color' has a Rock_Base_Color.png; Rock's map is another."""
    quad, arrays = fitted_quad(maps=("base_color",))
    quad.name = "Rock"
    image = principled(quad.data.materials[0]).inputs["Base Color"].links[0].from_node.image
    image.name = "Base_Color"
    reserved = map_paths(tmp_path, [quad], ("base_color",))
    _, texture = export_mesh(tmp_path / "Rock.glb", [quad], reserved=reserved)
    assert texture == tmp_path / "Rock_Base_Color_2.png"
    image.pixels[:] = np.zeros(SIZE * SIZE * 4, np.float32)
    written, _ = export_maps(tmp_path, [quad], ("base_color",))
    assert written == reserved
    assert not load_image(written[0])[0][..., :3].any()
    assert np.abs(load_image(texture)[0][..., :3] - arrays["base_color"]).max() < 0.02


def test_maps_that_cannot_be_written_are_refused_before(tmp_path: Path):
    quad = add_quad("Quad", add_material("Paint"))
    check_map_export(tmp_path, [quad], ALL)
    assert not list(tmp_path.iterdir())
    (tmp_path / "Quad_emission.exr").mkdir()
    check_map_export(tmp_path, [quad], ("alpha",))
    with pytest.raises(FitError, match=r"Quad_emission\.exr'"):
        check_map_export(tmp_path, [quad], ALL)


def test_maps_are_not_written_over_what_the_scene_shows(tmp_path: Path):
    quad = add_quad("Quad", add_material("Paint"))
    path = tmp_path / "Quad_roughness.png"
    save_png(path, np.full((4, 4, 4), 0.5, np.float32))
    image = bpy.data.images.load(str(path))
    image.name = "Mine"
    with pytest.raises(
        FitError, match=r"roughness map of 'Quad' .* image 'Mine': export into another folder"
    ):
        check_map_export(tmp_path, [quad], ALL)
    image.pack()
    check_map_export(tmp_path, [quad], ALL)


@pytest.mark.parametrize("depth", ["8", "float"])
@pytest.mark.parametrize("emission", [1.0, 5.0])
def test_a_glb_opens_elsewhere_with_the_same_maps(depth: str, emission: float, tmp_path: Path):
    quad, arrays = fitted_quad(depth=depth, emission=emission)
    before = {image.name for image in bpy.data.images}
    strength = principled(quad.data.materials[0]).inputs["Emission Strength"].default_value
    export_mesh(tmp_path / "out.glb", [quad])
    assert {image.name for image in bpy.data.images} == before, "nothing is left in the file"
    assert principled(quad.data.materials[0]).inputs["Emission Strength"].default_value == strength
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    ((read,),), _ = lit_materials_of_objects(import_mesh(tmp_path / "out.glb"))
    for name, array in arrays.items():
        found = read.lit.maps[name].texture
        if name == "emission":
            array, found = array / emission, found * read.lit.emission_strength / emission
        # Twice rounded where the fitted image has 8 bits and the strength was scaled.
        assert np.abs(stored(name, found) - stored(name, array)).max() < 1.6 / 255, name


def test_an_obj_names_every_map(tmp_path: Path):
    quad, arrays = fitted_quad(depth="8")
    material = quad.data.materials[0]

    def wiring():
        return {
            (link.from_node.name, link.from_socket.name, link.to_node.name, link.to_socket.name)
            for link in material.node_tree.links
        }

    before, images = wiring(), {image.name for image in bpy.data.images}
    written = export_mesh(tmp_path / "out.obj", [quad])
    assert wiring() == before, "the material is as it was"
    assert {image.name for image in bpy.data.images} == images
    said = (tmp_path / "out.mtl").read_text()
    for keyword, name in (("map_Pm", "out_Paint_metallic.png"), ("map_Pr", "out_Paint_roughness.png")):
        assert f"{keyword} {name}" in said
        assert tmp_path / name in written
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    ((read,),), _ = lit_materials_of_objects(import_mesh(tmp_path / "out.obj"))
    for name, array in arrays.items():
        assert np.abs(stored(name, read.lit.maps[name].texture) - stored(name, array)).max() < 1.1 / 255, name


def test_an_obj_refers_to_an_image_that_is_roughness_alone(tmp_path: Path):
    material = add_material("Paint")
    quad, shader = add_quad("Quad", material), principled(material)
    node = image_node(material, byte_image("Gloss", (51, 102, 153, 255), is_data=True))
    mapping = node_of(material, "ShaderNodeMapping")
    mapping.inputs["Scale"].default_value = (2.0, 2.0, 1.0)
    link(material, node_of(material, "ShaderNodeTexCoord"), mapping, "Vector", output="UV")
    link(material, mapping, node, "Vector")
    link(material, node, shader, "Roughness")
    export_mesh(tmp_path / "whole.obj", [quad])
    assert "map_Pr -s 2 2 1 whole_Gloss.png" in (tmp_path / "whole.mtl").read_text()
    channels = node_of(material, "ShaderNodeSeparateColor")
    link(material, node, channels, "Color")
    link(material, channels, shader, "Roughness", output="Green")
    export_mesh(tmp_path / "one.obj", [quad])
    said = (tmp_path / "one.mtl").read_text()
    assert "map_Pr -s 2 2 1 one_Paint_roughness.png" in said
    assert np.allclose(load_image(tmp_path / "one_Paint_roughness.png", "linear")[0][..., :3], 0.4, atol=1e-6)


def test_an_obj_without_such_images_keeps_to_the_plain_format(tmp_path: Path):
    export_mesh(tmp_path / "out.obj", [add_quad("Quad", add_material("Paint"))])
    said = (tmp_path / "out.mtl").read_text()
    assert "\nNs " in said
    assert "\nPr " not in said


def test_a_glb_with_some_maps_keeps_the_constants_of_the_others(tmp_path: Path):
    quad, arrays = fitted_quad(maps=("roughness", "normal"))
    principled(quad.data.materials[0]).inputs["Metallic"].default_value = 0.5
    export_mesh(tmp_path / "out.glb", [quad])
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    ((read,),), _ = lit_materials_of_objects(import_mesh(tmp_path / "out.glb"))
    for name, array in arrays.items():
        assert np.abs(stored(name, read.lit.maps[name].texture) - stored(name, array)).max() < 0.6 / 255, name
    assert np.allclose(read.lit.maps["metallic"].texture, 0.5, atol=0.6 / 255)
    assert np.allclose(read.lit.maps["base_color"].value, 0.8)


def test_heights_are_a_file_too_exr_where_png_holds_them_not(tmp_path: Path):
    quad = add_quad("My Quad", add_material("Paint"))
    heights = np.linspace(0.0, 1.0, 16, dtype=np.float32).reshape(4, 4)
    for scale, suffix in ((1.0, "png"), (1.5, "exr")):
        pixels = np.ones((4, 4, 4), np.float32)
        pixels[..., :3] = scale * heights[..., None]
        texture = bpy.data.textures.new("Bumps", "IMAGE")
        texture.image = array_to_image("Bumps", pixels)
        quad.modifiers.clear()
        modifier = quad.modifiers.new("Displace", "DISPLACE")
        modifier.texture, modifier.texture_coords = texture, "UV"
        (path,), notices = export_maps(tmp_path, [quad], ("height",), "16")
        assert path == tmp_path / f"My_Quad_height.{suffix}"
        assert bool(notices) == (suffix == "exr")
        read = load_image(path, "linear")[0][..., 0]
        np.testing.assert_allclose(read, scale * heights, atol=2.0 / 65535.0)
