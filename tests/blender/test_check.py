# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the check finds: all of it, by name, with a remedy, and nothing where nothing is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np
import pytest

from sge_addon.core.errors import FitError, Remedy
from sge_addon.core.orbit import orbit_views
from sge_addon.core.reference import Reference
from sge_addon.core.surface import Surface
from sge_addon.core.uv_coverage import uv_shortcomings
from sge_addon.job.check import Finding, check_fit, check_scene
from sge_addon.job.problem import check_problem
from sge_addon.scene.images import save_png
from sge_addon.scene.reference_rows import add_rows_from_cameras, references_of_scene
from sge_addon.scene.references import add_reference_cameras
from sge_addon.scene.stored_settings import registered, settings_from_scene, stored_values

SIZE = 16


@pytest.fixture(autouse=True)
def stored(empty_file: None) -> Iterator[None]:
    with registered():
        yield


def grey(view) -> Reference:
    colour = np.full((view.height, view.width, 4), 0.5, np.float32)
    return Reference(view=view, colour=colour, has_alpha=True)


def add_references(count: int = 3) -> list[bpy.types.Object]:
    views = orbit_views((0, 0, 0), 1.0, count, SIZE, SIZE, prefix="view")
    add_reference_cameras(bpy.context.scene, [grey(view) for view in views])
    add_rows_from_cameras(bpy.context.scene)
    return [row.camera for row in bpy.context.scene.sge.references]


def add_quad(name: str = "Quad", *, uvs: bool = True, material: bool = True) -> bpy.types.Object:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)], [], [(0, 1, 2, 3)])
    if uvs:
        mesh.uv_layers.new()
    if material:
        mesh.materials.append(bpy.data.materials.new(name))
    obj = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(obj)
    bpy.context.view_layer.update()
    return obj


def found(*objects: bpy.types.Object) -> list[Finding]:
    bpy.context.view_layer.update()
    scene = bpy.context.scene
    return check_scene(scene, objects, stored_values(scene))


def only(findings: list[Finding]) -> Finding:
    assert len(findings) == 1, findings
    return findings[0]


def test_nothing_is_found_where_nothing_is_wrong():
    add_references()
    quad = add_quad()
    assert found(quad) == []
    scene = bpy.context.scene
    references = references_of_scene(scene, SIZE)
    assert check_fit(scene, [quad], references, stored_values(scene)) == []
    assert check_problem(scene, [quad], references, settings_from_scene(scene)).notices == ()


def test_an_estimator_that_lit_shading_has_not_is_an_error():
    add_references()
    stored = bpy.context.scene.sge
    stored.shading, stored.light, stored.texture_estimator = "lit", "unknown", "texel"
    finding = only(found(add_quad()))
    assert finding.is_error
    assert "Texture Estimator 'texel'" in finding.text
    assert "set it to 'filtered'" in finding.text
    stored.texture_estimator = "filtered"
    assert found(bpy.data.objects["Quad"]) == []


def test_all_that_is_wrong_is_found_at_once():
    cameras = add_references(5)
    scene = bpy.context.scene
    scene.sge.match = {"normal"}
    first, second = add_quad("First", uvs=False), add_quad("Second", material=False)
    second.scale.x = -1.0
    scene.collection.children["References"].objects.unlink(cameras[0])
    cameras[1].data.background_images[0].offset[0] = 0.1
    cameras[2].data.type = "PANO"
    cameras[3].matrix_world.translation.z += 1000.0
    texts = [finding.text for finding in found(first, second)]
    for needle in (
        "Fitting a texture needs colour",
        "'First' has no UV map",
        "'Second' is mirrored",
        "lost its camera",
        f"'{cameras[1].name}': its background image",
        f"'{cameras[2].name}' is of type Pano",
        f"'{cameras[3].name}' sees nothing",
        "'Second' has faces without a material",
    ):
        assert sum(needle in text for text in texts) == 1, (needle, texts)
    assert "material" in texts[-1]  # a warning comes after all errors


@pytest.mark.parametrize(
    ("spoil", "subject", "remedy"),
    [
        (lambda quad, camera: quad.data.uv_layers.remove(quad.data.uv_layers[0]), "Quad", Remedy.UNWRAP),
        (lambda quad, camera: setattr(quad, "scale", (1, -1, 1)), "Quad", Remedy.APPLY_SCALE),
        (
            lambda quad, camera: setattr(bpy.context.scene.sge, "vertex_group", "Nose"),
            "Quad",
            Remedy.CLEAR_VERTEX_GROUP,
        ),
        (lambda quad, camera: bpy.data.objects.remove(camera), "", Remedy.REMOVE_LOST),
        (
            lambda quad, camera: setattr(camera.data.background_images[0], "scale", 2.0),
            "view_000",
            Remedy.CLEAR_BACKGROUND,
        ),
        (
            lambda quad, camera: setattr(camera.data, "show_background_images", False),
            "view_000",
            Remedy.SWITCH_OFF,
        ),
        (
            lambda quad, camera: camera.data.background_images[0].image.scale(SIZE, 2 * SIZE),
            "view_000",
            Remedy.USE_IMAGE_FRAMES,
        ),
        (
            lambda quad, camera: [setattr(r, "held_out", True) for r in bpy.context.scene.sge.references],
            "",
            Remedy.ENABLE_ALL,
        ),
        (lambda quad, camera: setattr(camera, "location", (0, 0, 1e4)), "view_000", Remedy.SWITCH_OFF),
    ],
)
def test_what_a_fit_refuses_is_found_in_the_same_words(spoil, subject: str, remedy: Remedy):
    camera = add_references()[0]
    quad = add_quad()
    spoil(quad, camera)
    bpy.context.view_layer.update()
    finding = only(found(quad))
    assert finding.is_error
    assert (finding.subject, finding.remedy) == (subject, remedy)
    scene = bpy.context.scene
    with pytest.raises(FitError) as refused:
        check_problem(scene, [quad], references_of_scene(scene, SIZE), settings_from_scene(scene))
    assert str(refused.value) == finding.text


def test_without_references_or_meshes_both_are_said():
    findings = found()
    assert [finding.remedy for finding in findings] == [Remedy.NONE, Remedy.ADD_FROM_CAMERAS]
    assert "select at least one mesh" in findings[0].text


def test_checking_neither_keeps_photos_in_memory_nor_needs_their_pixels(tmp_path: Path):
    save_png(tmp_path / "photo.png", np.full((SIZE, SIZE, 3), 0.5, np.float32))
    camera = add_references(2)[0]
    image = bpy.data.images.load(str(tmp_path / "photo.png"))
    camera.data.background_images[0].image = image
    quad = add_quad()
    assert found(quad) == []
    assert not image.has_data
    (tmp_path / "photo.png").unlink()
    finding = only([finding for finding in found(quad) if finding.is_error])
    assert "photo.png" in finding.text
    assert finding.subject == camera.name


def test_a_camera_listed_twice_and_a_lonely_one_are_warned_of():
    camera = add_references(1)[0]
    rows = bpy.context.scene.sge.references
    quad = add_quad()
    assert "one reference" in only(found(quad)).text
    rows.add().camera = camera
    finding = only(found(quad))
    assert not finding.is_error
    assert "2 times" in finding.text


@pytest.mark.parametrize(
    ("uvs", "expected"),
    [
        ([[(0, 0), (1, 0), (1, 1)], [(0, 0), (1, 1), (0, 1)]], None),
        ([[(0, 0), (0, 0), (0, 0)], [(1, 1), (1, 1), (1, 1)]], "no area"),
        ([[(0, 0), (1.5, 0), (1, 1)], [(0, 0), (1, 1), (0, 1)]], "unit square"),
        ([[(0, 0), (1, 0), (1, 1)], [(0, 0), (1, 0), (0, 1)], [(0, 0), (1, 0), (0, 1)]], "overlap"),
    ],
)
def test_uv_maps_that_spoil_a_texture_are_told(uvs, expected: str | None):
    count = len(uvs)
    triangles = np.arange(3 * count, dtype=np.int32).reshape(-1, 3)
    positions = np.zeros((3 * count, 3), np.float32)
    surface = Surface("Quad", positions, triangles, triangles, np.asarray(uvs, np.float32))
    told = uv_shortcomings(surface)
    assert bool(told) == (expected is not None)
    assert expected is None or expected in told[0]


def test_faces_of_different_materials_may_cover_the_same_texels():
    uvs = np.tile(np.float32([(0, 0), (2, 0), (0, 1)]) / np.float32([2, 1]), (4, 1, 1))
    triangles = np.arange(12, dtype=np.int32).reshape(-1, 3)
    own, shared = np.int32([0, 0, 1, 1]), np.int32([0, 0, 0, 0])
    for indices, overlaps in ((own, False), (shared, True)):
        surface = Surface("S", np.zeros((12, 3), np.float32), triangles, triangles, uvs, indices)
        assert bool(uv_shortcomings(surface)) == overlaps


def lit(**changes: object) -> list[Finding]:
    """Of shading 'lit' on a quad, under a sun unless one is told otherwise."""
    scene = bpy.context.scene
    if changes.pop("sun", True):
        scene.collection.objects.link(bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN")))
    values = stored_values(scene) | {"shading": "lit", "shape": False, "match": ("colour",), **changes}
    return check_scene(scene, [bpy.data.objects["Quad"]], values)


def test_lit_shading_finds_nothing_wrong_where_nothing_is():
    add_quad()
    add_references()
    assert lit() == []


def test_lit_shading_without_light_is_an_error_but_not_where_it_is_unknown():
    add_quad()
    add_references()
    (finding,) = lit(sun=False)
    assert finding.is_error
    assert "black" in finding.text
    assert lit(sun=False, light="unknown") == []


def test_nodes_that_lit_shading_cannot_read_are_found_by_name():
    add_references()
    material = add_quad().data.materials[0]
    if material.node_tree is None:  # before Blender 5
        material.use_nodes = True
    tree = material.node_tree
    noise, shader = tree.nodes.new("ShaderNodeTexNoise"), tree.nodes["Principled BSDF"]
    tree.links.new(noise.outputs[0], shader.inputs["Roughness"])
    (finding,) = lit(maps=("base_color",))
    assert finding.is_error
    assert noise.name in finding.text
    assert "Quad" in finding.text


def test_height_beside_shape_is_an_error():
    add_quad()
    add_references()
    errors = [each.text for each in lit(shape=True, match=("colour", "alpha"), maps=("height",))]
    assert any("Height" in text and "Shape" in text for text in errors), errors


def test_displaced_surface_is_checked_as_it_is_evaluated():
    obj = add_quad()
    add_references()
    obj.modifiers.new("Displace", "DISPLACE")
    obj.modifiers.new("Twist", "SIMPLE_DEFORM")
    texts = [each.text for each in lit(maps=("height",)) if each.is_error]
    assert any("Twist" in text for text in texts), texts
