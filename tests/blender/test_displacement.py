# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What displaces objects is read as Blender means it, refused by name, and written back as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest

from sge_addon.core.errors import FitError, Remedy, TargetLost
from sge_addon.core.height_block import HeightBlock
from sge_addon.core.height_texture import HeightTexture
from sge_addon.core.schedule import ShapeSchedule
from sge_addon.scene.displaced_surface import (
    DisplacedObject,
    check_displaced,
    coarse_notices,
    displaced_object,
)
from sge_addon.scene.displacement import displacement_of, height_notices, height_problems
from sge_addon.scene.height_write_back import HeightWriter
from tests.blender.displaced_meshes import (
    add_barrel,
    add_displace,
    add_displacing_material,
    add_height_image,
    add_sheet,
    bumps,
    evaluated_positions,
)
from tests.meshes import orthographic_view

SIZE = 96


def stepped(displaced: DisplacedObject, seed: int = 0) -> HeightBlock:
    """A block that has moved away from where it began by some hundredths of the object."""
    surface = displaced.surface
    block = HeightBlock("height", surface.positions, surface.triangles, ShapeSchedule(), surface.height)
    rng = np.random.default_rng(seed)
    waves = np.sin(9.0 * surface.positions @ rng.normal(size=3)) + rng.normal(size=len(surface.positions))
    for step in range(6):
        block.step((surface.height.directions * waves[:, None]).astype(np.float32), step / 6)
    moved = np.linalg.norm(block.value - surface.positions, axis=1)
    assert moved.mean() > 0.02
    return block


def writer_of(obj: bpy.types.Object, displaced: DisplacedObject, depth: str = "float") -> HeightWriter:
    """As a fit makes it, which shows its start at once."""
    surface = displaced.surface
    start = HeightTexture(surface.height, surface.triangles).texture(surface.height.heights)
    return HeightWriter([obj], [displaced], [start], depth)


def counts() -> list[int]:
    kinds = (bpy.data.objects, bpy.data.meshes, bpy.data.scenes, bpy.data.images, bpy.data.textures)
    return [len(kind) for kind in kinds]


def test_surface_is_what_viewports_show() -> None:
    obj = add_sheet()
    modifier = add_displace(obj, bumps(32))
    before, shown = counts(), evaluated_positions(obj)
    displaced = displaced_object(obj, texture_size=SIZE)
    field = displaced.surface.height
    assert displaced.surface.positions == pytest.approx(shown, abs=1e-6)
    assert displaced.surface.name == "Sheet"
    modifier.show_viewport = False
    assert field.base == pytest.approx(evaluated_positions(obj), abs=1e-6)
    assert 0.0 <= field.heights.min() < 0.2 < 0.8 < field.heights.max() <= 1.0
    assert counts() == before


def test_without_displacement_heights_are_zero_and_units_those_of_the_object() -> None:
    obj = add_sheet()
    displaced = displaced_object(obj, texture_size=SIZE)
    field = displaced.surface.height
    assert displaced.displacement.kind == "none"
    assert not field.heights.any()
    assert displaced.surface.positions == pytest.approx(evaluated_positions(obj), abs=1e-6)
    lengths = np.linalg.norm(field.directions, axis=1)
    assert lengths.min() >= 0.6  # the object's least scale
    assert lengths.max() <= 1.4 + 1e-6  # and its largest
    assert any("gets a Displace modifier" in notice for notice in height_notices(obj))


@pytest.mark.parametrize(
    ("add", "kind", "depth", "tolerance"),  # of an object one unit wide
    [
        (add_sheet, "none", "float", 5e-6),
        (add_sheet, "modifier", "float", 5e-6),
        (add_sheet, "modifier without texture", "16", 1e-4),
        (add_sheet, "none", "8", 1e-3),
        (add_barrel, "none", "16", 1e-4),
        (add_barrel, "modifier", "float", 5e-6),
        (add_barrel, "modifier", "8", 1e-3),
    ],
)
def test_blender_shows_what_was_fitted(
    add: Callable[[], bpy.types.Object], kind: str, depth: str, tolerance: float, tmp_path: Path
) -> None:
    obj = add()
    if kind != "none":
        add_displace(obj, bumps(32) if kind == "modifier" else None)
    name, before = obj.name, evaluated_positions(obj)
    displaced = displaced_object(obj, texture_size=SIZE)
    writer = writer_of(obj, displaced, depth)
    assert evaluated_positions(obj) == pytest.approx(before, abs=tolerance)
    block = stepped(displaced)
    writer.write([block.texture()], final=True)
    writer.check()
    assert [modifier.type for modifier in obj.modifiers] == ["SUBSURF", "DISPLACE"]
    assert evaluated_positions(obj) == pytest.approx(block.value, abs=tolerance)

    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "fitted.blend"), check_existing=False)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "fitted.blend"))
    obj = bpy.data.objects[name]
    assert evaluated_positions(obj) == pytest.approx(block.value, abs=tolerance)
    # A second fit begins where the first one ended, and keeps its names.
    again = displaced_object(obj, texture_size=SIZE)
    assert again.surface.positions == pytest.approx(block.value, abs=tolerance)
    writer_of(obj, again, depth)
    stem = "bricks.sge" if kind == "modifier" else f"{name} height.sge"
    assert obj.modifiers["Displace"].texture.image.name == f"{stem}.001"


def test_users_image_stays() -> None:
    obj = add_sheet()
    modifier = add_displace(obj, bumps(32))
    image, texture = modifier.texture.image, modifier.texture
    displaced = displaced_object(obj, texture_size=SIZE)
    writer = writer_of(obj, displaced)
    writer.write([stepped(displaced).texture()], final=True)
    assert writer.notices == []
    assert modifier.texture == texture
    assert modifier.texture.image != image
    pixels = np.empty(32 * 32 * 4, np.float32)
    image.pixels.foreach_get(pixels)
    assert pixels.reshape(32, 32, 4)[..., 0] == pytest.approx(bumps(32))


def test_shared_texture_becomes_single_user() -> None:
    obj, other = add_sheet(), add_barrel()
    modifier = add_displace(obj, bumps(32))
    second = add_displace(other, None)
    second.texture = modifier.texture
    shown = evaluated_positions(other)
    displaced = displaced_object(obj, texture_size=SIZE)
    writer = writer_of(obj, displaced)
    block = stepped(displaced)
    writer.write([block.texture()])
    assert [("Bricks" in notice, "Sheet" in notice) for notice in writer.notices] == [(True, True)]
    assert modifier.texture != second.texture
    assert evaluated_positions(other) == pytest.approx(shown)
    assert evaluated_positions(obj) == pytest.approx(block.value, abs=5e-6)


def test_heights_of_an_8_bit_image_are_its_stored_values() -> None:
    obj = add_sheet()
    heights = np.round(bumps(SIZE) * 255.0) / 255.0
    modifier = add_displace(obj, None)
    modifier.texture = bpy.data.textures.new("Bytes", "IMAGE")
    modifier.texture.image = add_height_image(heights, as_bytes=True, colorspace="sRGB")  # is not looked at
    displaced = displaced_object(obj, texture_size=SIZE)
    assert displaced.surface.positions == pytest.approx(evaluated_positions(obj), abs=1e-6)
    assert displaced.surface.height.content == pytest.approx(heights, abs=2e-3)


def test_modifier_reads_the_uv_map_that_it_names_else_the_active_one() -> None:
    obj = add_sheet()
    other = obj.data.uv_layers.new(name="Other")
    uvs = np.empty((len(obj.data.loops), 2), np.float32)
    obj.data.uv_layers["UVMap"].uv.foreach_get("vector", uvs.ravel())
    other.uv.foreach_set("vector", np.ascontiguousarray(0.9 * uvs[:, ::-1]).ravel())
    modifier = add_displace(obj, bumps(32))
    obj.data.uv_layers["UVMap"].active_render = True
    other.active = True
    for named, read in (("UVMap", "UVMap"), ("Other", "Other"), ("", "Other"), ("gone", "Other")):
        modifier.uv_layer = named
        displaced = displaced_object(obj, texture_size=SIZE)
        assert displaced.displacement.uv_map == read
        block = stepped(displaced)
        writer_of(obj, displaced).write([block.texture()])
        assert evaluated_positions(obj) == pytest.approx(block.value, abs=5e-6), named


def test_vertex_group_limits_what_moves() -> None:
    obj = add_sheet()
    group = obj.vertex_groups.new(name="Left")
    group.add([index for index in range(81) if index % 9 < 3], 1.0, "REPLACE")
    surface = displaced_object(obj, texture_size=SIZE, vertex_group="Left").surface
    assert surface.mobility.shape == (len(surface.positions),)
    assert 0.1 < (surface.mobility > 0.5).mean() < 0.4


def test_modifiers_that_shade_or_cut_may_follow() -> None:
    obj = add_sheet()
    add_displace(obj, bumps(32))
    obj.modifiers.new("Triangulate", "TRIANGULATE")
    obj.modifiers.new("WeightedNormal", "WEIGHTED_NORMAL")
    displaced = displaced_object(obj, texture_size=SIZE)
    block = stepped(displaced)
    writer_of(obj, displaced).write([block.texture()])
    assert evaluated_positions(obj) == pytest.approx(block.value, abs=5e-6)


def test_animated_objects_are_read_at_the_frame_that_is_shown() -> None:
    obj = add_sheet()
    parent = bpy.data.objects.new("Parent", None)
    bpy.context.collection.objects.link(parent)
    obj.parent = parent
    for owner, path in ((parent, "location"), (obj.modifiers["Subdivision"], "levels"), (obj, "scale")):
        owner.keyframe_insert(path, frame=1)
    parent.location, obj.scale, obj.modifiers["Subdivision"].levels = (1.0, 2.0, 3.0), (2.0, 2.0, 2.0), 1
    for owner, path in ((parent, "location"), (obj.modifiers["Subdivision"], "levels"), (obj, "scale")):
        owner.keyframe_insert(path, frame=11)
    for frame in (1, 6, 11):
        bpy.context.scene.frame_set(frame)
        shown = evaluated_positions(obj)
        assert displaced_object(obj, texture_size=SIZE).surface.positions == pytest.approx(shown, abs=1e-5)


@pytest.mark.parametrize("kind", ["none", "modifier", "node"])
def test_one_undo_brings_back_what_displaced(kind: str) -> None:
    obj = add_sheet()
    if kind == "modifier":
        add_displace(obj, bumps(32), strength=0.2).texture.image.pack()
    if kind == "node":
        add_displacing_material(obj, bumps(32)).node_tree.nodes["Image Texture"].image.pack()
    shown = evaluated_positions(obj)
    bpy.ops.ed.undo_push(message="Before")
    displaced = displaced_object(obj, texture_size=SIZE)
    writer_of(obj, displaced, "8").write([stepped(displaced).texture()], final=True)
    bpy.ops.ed.undo_push(message="Fit")
    bpy.ops.ed.undo()
    obj = bpy.data.objects["Sheet"]
    assert [modifier.type for modifier in obj.modifiers] == ["SUBSURF"] + ["DISPLACE"] * (kind == "modifier")
    assert evaluated_positions(obj) == pytest.approx(shown, abs=1e-6)
    displacement = displacement_of(obj)
    assert displacement.kind == kind
    assert displacement.strength == pytest.approx({"none": 1.0, "modifier": 0.2, "node": 0.1}[kind])
    assert (displacement.image.name if displacement.image else "") == ("" if kind == "none" else "bricks.png")


def test_mirrored_objects() -> None:
    obj = add_sheet()
    obj.scale.x *= -1.0
    add_displace(obj, bumps(32))
    bpy.context.view_layer.update()
    displaced = displaced_object(obj, texture_size=SIZE)
    block = stepped(displaced)
    writer_of(obj, displaced).write([block.texture()])
    assert evaluated_positions(obj) == pytest.approx(block.value, abs=5e-6)


def along_x(obj: bpy.types.Object) -> None:
    add_displace(obj, bumps(8)).direction = "X"


def weighted(obj: bpy.types.Object) -> None:
    obj.vertex_groups.new(name="Some")
    add_displace(obj, bumps(8)).vertex_group = "Some"


def without_strength(obj: bpy.types.Object) -> None:
    add_displace(obj, bumps(8), strength=0.0)


def procedural(obj: bpy.types.Object) -> None:
    add_displace(obj, None).texture = bpy.data.textures.new("Puffs", "CLOUDS")


def by_local_coordinates(obj: bpy.types.Object) -> None:
    add_displace(obj, bumps(8)).texture_coords = "LOCAL"


def with_contrast(obj: bpy.types.Object) -> None:
    add_displace(obj, bumps(8)).texture.contrast = 2.0


def twice(obj: bpy.types.Object) -> None:
    add_displace(obj, bumps(8))
    add_displace(obj, bumps(8))


def by_modifier_and_material(obj: bpy.types.Object) -> None:
    add_displace(obj, bumps(8))
    add_displacing_material(obj, bumps(8))


def in_renders_only(obj: bpy.types.Object) -> None:
    add_displace(obj, bumps(8)).show_viewport = False


def missing_image(obj: bpy.types.Object) -> None:
    image = add_displace(obj, bumps(8)).texture.image
    image.source, image.filepath = "FILE", "//nowhere.png"


def without_uvs(obj: bpy.types.Object) -> None:
    obj.data.uv_layers.remove(obj.data.uv_layers[0])


def some_faces(obj: bpy.types.Object) -> None:
    add_displacing_material(obj, bumps(8))
    obj.data.materials.append(bpy.data.materials.new("Plain"))
    obj.data.polygons[3].material_index = 1


def vector_displacement(obj: bpy.types.Object) -> None:
    tree = add_displacing_material(obj, None).node_tree
    node = tree.nodes.new("ShaderNodeVectorDisplacement")
    tree.links.new(node.outputs["Displacement"], tree.nodes["Material Output"].inputs["Displacement"])


def linked_midlevel(obj: bpy.types.Object) -> None:
    tree = add_displacing_material(obj, bumps(8)).node_tree
    value = tree.nodes.new("ShaderNodeValue")
    tree.links.new(value.outputs[0], tree.nodes["Displacement"].inputs["Midlevel"])


def noise_node(obj: bpy.types.Object) -> None:
    tree = add_displacing_material(obj, None).node_tree
    noise = tree.nodes.new("ShaderNodeTexNoise")
    tree.links.new(noise.outputs[0], tree.nodes["Displacement"].inputs["Height"])


def mapped_image(obj: bpy.types.Object) -> None:
    tree = add_displacing_material(obj, bumps(8)).node_tree
    mapping = tree.nodes.new("ShaderNodeMapping")
    tree.links.new(mapping.outputs[0], tree.nodes["Image Texture"].inputs["Vector"])


def unknown_uv_map(obj: bpy.types.Object) -> None:
    tree = add_displacing_material(obj, bumps(8)).node_tree
    node = tree.nodes.new("ShaderNodeUVMap")
    node.uv_map = "Lost"
    tree.links.new(node.outputs[0], tree.nodes["Image Texture"].inputs["Vector"])


def keyed_strength(obj: bpy.types.Object) -> None:
    add_displace(obj, bumps(8)).keyframe_insert("strength")


def driven_scale(obj: bpy.types.Object) -> None:
    node = add_displacing_material(obj, bumps(8)).node_tree.nodes["Displacement"]
    node.inputs["Scale"].driver_add("default_value").driver.expression = "0.1"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (keyed_strength, ("Sheet", "Displace", "Strength", "keyframes")),
        (driven_scale, ("Bricks", "Scale", "driver")),
        (along_x, ("Sheet", "Displace", "along X", "Normal")),
        (weighted, ("Sheet", "vertex group 'Some'")),
        (without_strength, ("Sheet", "strength 0")),
        (procedural, ("Sheet", "Puffs", "Clouds")),
        (by_local_coordinates, ("Sheet", "Local", "choose UV")),
        (with_contrast, ("Sheet", "Bricks", "Contrast")),
        (twice, ("Sheet", "Displace.001", "several")),
        (by_modifier_and_material, ("Sheet", "modifier 'Displace'", "material 'Bricks'")),
        (in_renders_only, ("Sheet", "in renders but not in viewports")),
        (missing_image, ("bricks.png",)),
        (without_uvs, ("Sheet", "UV map", "unwrap")),
        (some_faces, ("Sheet", "only some", "Plain")),
        (vector_displacement, ("Bricks", "Vector Displacement")),
        (linked_midlevel, ("Bricks", "Midlevel", "Value")),
        (noise_node, ("Bricks", "Noise Texture", "Image Texture")),
        (mapped_image, ("Bricks", "bricks.png", "UV Map")),
        (unknown_uv_map, ("Sheet", "Bricks", "'Lost'")),
    ],
)
def test_refusals_name_what_is_wrong(
    spoil: Callable[[bpy.types.Object], None], words: tuple[str, ...]
) -> None:
    obj = add_sheet()
    spoil(obj)
    problems = list(height_problems([obj], moved=[], remesh="off"))
    assert len(problems) == 1
    for word in words:
        assert word in str(problems[0])
    with pytest.raises(FitError) as raised:
        check_displaced(obj)
    assert str(raised.value) == str(problems[0])


def test_modifiers_that_move_vertices_may_not_follow() -> None:
    for kind in ("SUBSURF", "SMOOTH"):
        obj = add_sheet()
        add_displace(obj, bumps(8))
        obj.modifiers.new("Later", kind)
        before = counts()
        with pytest.raises(FitError, match=r"'Later'.*below"):
            check_displaced(obj)
        assert counts() == before


def test_uv_maps_that_cannot_hold_heights() -> None:
    obj = add_sheet(uv_range=(0.1, 1.4))
    with pytest.raises(FitError, match="unit square") as raised:
        displaced_object(obj, texture_size=SIZE)
    assert raised.value.remedy == Remedy.UNWRAP
    obj = add_sheet()
    layer = obj.data.uv_layers[0].uv
    uvs = np.empty((len(layer), 2), np.float32)
    layer.foreach_get("vector", uvs.ravel())
    uvs[:, 0] = np.abs(uvs[:, 0] - 0.5) + 0.2  # mirrored halves on each other
    layer.foreach_set("vector", uvs.ravel())
    with pytest.raises(FitError, match="lie on each other"):
        displaced_object(obj, texture_size=SIZE)


def test_shape_remesh_and_shared_materials_are_refused_with_heights() -> None:
    obj, other = add_sheet(), add_barrel()
    material = add_displacing_material(obj, bumps(8))
    other.data.materials.append(material)
    (problem,) = height_problems([obj, other], moved=[], remesh="off")
    for word in ("Sheet", "Barrel", "Bricks"):
        assert word in str(problem)
    texts = [str(each) for each in height_problems([obj], moved=[obj.name], remesh="voxel")]
    assert "Shape" in texts[0]
    assert "Height" in texts[0]
    assert "Remesh" in texts[1]


def test_bump_only_moves_nothing() -> None:
    obj = add_sheet()
    add_displacing_material(obj, bumps(8), method="BUMP")
    assert displacement_of(obj).kind == "none"
    assert any("Bump Only" in notice and "Bricks" in notice for notice in height_notices(obj))


def test_coarse_meshes_get_a_notice_with_the_remedy() -> None:
    view = orthographic_view(512, 512, 1 / 256)  # an edge of the base mesh has 20 to 32 pixels
    coarse = displaced_object(add_sheet(levels=0), texture_size=SIZE).surface
    (notice,) = coarse_notices(coarse, [view])
    assert "Sheet" in notice
    assert "Subdivision Surface modifier of 3 levels" in notice
    fine = add_sheet(levels=2)
    assert coarse_notices(displaced_object(fine, texture_size=SIZE).surface, [view]) == []
    (notice,) = coarse_notices(displaced_object(fine, texture_size=32).surface, [view])
    assert "655 texels for 1089 vertices" in notice


@pytest.mark.parametrize("method", ["DISPLACEMENT", "BOTH"])
def test_material_gets_what_was_fitted(method: str) -> None:
    """Put into a Displace modifier instead, the written image, scale and midlevel displace as fitted."""
    obj = add_sheet()
    obj.scale = (0.8, 0.8, 0.8)
    bpy.context.view_layer.update()
    material = add_displacing_material(obj, bumps(32), method)
    shader_reads = material.node_tree.nodes["Image Texture"].image
    base = evaluated_positions(obj)
    displaced = displaced_object(obj, texture_size=SIZE)
    assert np.linalg.norm(displaced.surface.positions - base, axis=1).max() > 0.02
    for depth, tolerance in (("float", 5e-6), ("8", 1e-3)):
        writer = writer_of(obj, displaced, depth)
        block = stepped(displaced)
        writer.write([block.texture()], final=True)
        writer.check()
        nodes = material.node_tree.nodes
        assert nodes["Image Texture"].image != shader_reads
        assert evaluated_positions(obj) == pytest.approx(base)
        node = nodes["Displacement"].inputs
        modifier = add_displace(obj, None, node["Scale"].default_value, node["Midlevel"].default_value)
        modifier.texture = bpy.data.textures.new("Check", "IMAGE")
        modifier.texture.image = nodes["Image Texture"].image
        assert evaluated_positions(obj) == pytest.approx(block.value, abs=tolerance)
        obj.modifiers.remove(modifier)


@pytest.mark.parametrize("space", ["OBJECT", "WORLD"])
def test_cycles_shows_what_was_fitted(space: str, tmp_path: Path) -> None:
    """The silhouette of a displaced object of uneven scale is, pixel for pixel, that of the fitted mesh."""
    obj = add_sheet()
    material = add_displacing_material(obj, bumps(32), scale=0.4)
    material.node_tree.nodes["Displacement"].space = space
    displaced = displaced_object(obj, texture_size=SIZE)
    uneven = [notice for notice in height_notices(obj) if "EEVEE" in notice]
    assert len(uneven) == (space == "OBJECT")
    writer = writer_of(obj, displaced)
    block = stepped(displaced)
    writer.write([block.texture()], final=True)
    mesh = bpy.data.meshes.new("Fitted")
    mesh.from_pydata(block.value.tolist(), [], displaced.surface.triangles.tolist())
    fitted = bpy.data.objects.new("Fitted", mesh)
    bpy.context.collection.objects.link(fitted)

    def alpha(shown: bpy.types.Object) -> np.ndarray:
        for each in (obj, fitted):
            each.hide_render = each != shown
        return cycles_alpha(tmp_path / "alpha.exr")

    found, expected = alpha(obj), alpha(fitted)
    assert np.abs(found - expected).max() < 0.1
    assert np.abs(found - expected).mean() < 1e-4
    material.displacement_method = "BUMP"
    assert np.abs(alpha(obj) - expected).mean() > 0.01


def cycles_alpha(path: Path) -> np.ndarray:
    """(H, W) coverage, as Cycles sees the scene aslant."""
    scene = bpy.context.scene
    if scene.camera is None:
        scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
        scene.collection.objects.link(scene.camera)
        scene.camera.data.type, scene.camera.data.ortho_scale = "ORTHO", 1.6
        scene.camera.location = (2.5, -2.0, 2.0)
        scene.camera.rotation_euler = scene.camera.location.to_track_quat("Z", "Y").to_euler()
    scene.render.engine, scene.cycles.device = "CYCLES", "CPU"
    scene.cycles.samples, scene.cycles.use_denoising = 16, False
    scene.render.resolution_x = scene.render.resolution_y = 64
    scene.render.film_transparent = True
    scene.render.image_settings.file_format, scene.render.filepath = "OPEN_EXR", str(path)
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(path))
    pixels = np.empty(64 * 64 * 4, np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    return pixels.reshape(64, 64, 4)[..., 3]


def test_image_that_the_material_also_shades_by_stays_there() -> None:
    obj = add_sheet()
    material = add_displacing_material(obj, bumps(32))
    tree = material.node_tree
    shaded = tree.nodes["Image Texture"]
    image = shaded.image
    tree.links.new(shaded.outputs["Color"], tree.nodes["Principled BSDF"].inputs["Roughness"])
    other = add_barrel()
    other.data.materials.append(material)
    displaced = displaced_object(obj, texture_size=SIZE)
    writer = writer_of(obj, displaced)
    copy = obj.data.materials[0]
    assert copy != material
    assert other.data.materials[0] == material
    assert "Barrel" in writer.notices[0]
    nodes = copy.node_tree.nodes
    assert nodes["Principled BSDF"].inputs["Roughness"].links[0].from_node.image == image
    assert nodes["Displacement"].inputs["Height"].links[0].from_node.image.name == "bricks.sge"


def test_what_goes_away_is_named() -> None:
    obj = add_sheet()
    add_displace(obj, bumps(32))
    displaced = displaced_object(obj, texture_size=SIZE)
    writer = writer_of(obj, displaced)
    texture = stepped(displaced).texture()
    traces = writer.traces()
    writer.write([texture])
    assert writer.traces() != traces
    obj.modifiers.remove(obj.modifiers["Displace"])
    with pytest.raises(TargetLost, match=r"Sheet.*Displace"):
        writer.check()
    with pytest.raises(TargetLost, match=r"Sheet.*Displace"):
        writer.write([texture])
    bpy.data.images.remove(bpy.data.images["bricks.sge"])
    with pytest.raises(TargetLost, match=r"bricks\.sge"):
        writer.check()
