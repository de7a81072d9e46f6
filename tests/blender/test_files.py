# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mesh files: what is read is what was written, and bad files are refused by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import bpy
import numpy as np
import pytest
from mathutils import Euler

from sge_addon.core.colour import linear_to_srgb
from sge_addon.core.errors import FitError
from sge_addon.scene.files import axes_of, check_export, check_writable, export_mesh, import_mesh
from sge_addon.scene.images import array_to_image, image_to_array, load_image

TEXTURE = np.random.default_rng(0).random((8, 8, 4), dtype=np.float32)
TEXTURE[..., 3] = 1.0


def textured_grid(name: str = "grid") -> bpy.types.Object:
    """A bumpy 4 x 3 grid of quads whose left and right half have UV islands of their own."""
    rng = np.random.default_rng(1)
    x, y = np.meshgrid(np.arange(5.0), np.arange(4.0))
    positions = np.stack([x, y, rng.random(x.shape)], axis=-1).reshape(-1, 3)
    faces = [(r * 5 + c, r * 5 + c + 1, r * 5 + c + 6, r * 5 + c + 5) for r in range(3) for c in range(4)]
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(positions.tolist(), [], faces)
    mesh.shade_smooth()
    island = np.repeat([c >= 2 for _ in range(3) for c in range(4)], 4)
    uvs = positions[np.array(faces).ravel(), :2] / 8.0 + 0.4 * island[:, None]
    mesh.uv_layers.new(name="UVMap").uv.foreach_set("vector", uvs.astype(np.float32).ravel())
    mesh.materials.append(textured_material())
    obj = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(obj)
    return obj


def textured_material() -> bpy.types.Material:
    material = bpy.data.materials.new("paint")
    if material.node_tree is None:
        material.use_nodes = True
    tree = material.node_tree
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image = array_to_image("my paint.sge", TEXTURE)
    shader = next(each for each in tree.nodes if each.type == "BSDF_PRINCIPLED")
    tree.links.new(node.outputs["Color"], shader.inputs["Base Color"])
    return material


def corners(objects: Sequence[bpy.types.Object]) -> np.ndarray:
    """World position and UV of every face corner, in an order that does not depend on the file: (L, 5)."""
    bpy.context.view_layer.update()
    rows = []
    for obj in objects:
        mesh, world = obj.data, np.array(obj.matrix_world)
        vertices = np.empty(len(mesh.loops), np.int32)
        mesh.loops.foreach_get("vertex_index", vertices)
        local = np.array([vertex.co for vertex in mesh.vertices])[vertices]
        uvs = np.zeros(2 * len(mesh.loops), np.float32)
        if mesh.uv_layers:
            mesh.uv_layers.active.uv.foreach_get("vector", uvs)
        rows.append(np.c_[local @ world[:3, :3].T + world[:3, 3], uvs.reshape(-1, 2)])
    stacked = np.concatenate(rows)
    return stacked[np.lexsort(stacked.round(4).T)]


def new_file() -> None:
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


@pytest.mark.parametrize("extension", ["obj", "ply", "glb"])
@pytest.mark.parametrize("sheared", [False, True])
def test_positions_and_uvs_survive_in_world_space(extension: str, sheared: bool, tmp_path: Path) -> None:
    grid = textured_grid()
    parent = bpy.data.objects.new("parent", None)
    bpy.context.scene.collection.objects.link(parent)
    parent.location, parent.scale = (1.0, 2.0, 3.0), (2.0, 1.0, 1.0) if sheared else (2.0, 2.0, 2.0)
    grid.parent, grid.rotation_euler, grid.location = parent, Euler((0.3, 0.4, 0.5)), (0.1, 0.2, 0.3)
    before = corners([grid])
    names = {obj.name for obj in bpy.data.objects}
    path = tmp_path / f"out.{extension}"
    written = export_mesh(path, [grid])
    assert written == [path, tmp_path / "out_my_paint.sge.png"]
    assert {obj.name for obj in bpy.data.objects} == names, "nothing is left in the scene"
    assert [image.name for image in bpy.data.images] == ["my paint.sge"]
    assert len(bpy.data.collections) == 0

    new_file()
    axes = () if extension == "glb" else ("Y", "Z")
    objects = import_mesh(path, *axes)
    after = corners(objects)
    if extension == "glb":  # triangulated: every corner of a triangle is one of the quads' corners
        distance = np.linalg.norm(after[:, None] - before[None], axis=2)
        assert distance.min(axis=1).max() < 1e-5
        assert distance.min(axis=0).max() < 1e-5
    else:
        assert np.abs(after - before).max() < 1e-5
    assert len(objects[0].data.vertices) == 20, "vertices along the UV seam are joined again"


@pytest.mark.parametrize(("forward", "up"), [(None, None), ("Y", "Z"), ("-Z", "Y"), ("X", "-Y")])
@pytest.mark.parametrize("extension", ["obj", "ply", "stl"])
def test_axes_are_undone_by_the_same_axes(extension: str, forward: str, up: str, tmp_path: Path) -> None:
    before = corners([textured_grid()])
    path = tmp_path / f"out.{extension}"
    export_mesh(path, [bpy.data.objects["grid"]], forward, up)
    new_file()
    after = corners(import_mesh(path, forward or "Y", up or "Z"))
    distance = np.linalg.norm(after[:, None, :3] - before[None, :, :3], axis=2)
    assert distance.min(axis=1).max() < 1e-5
    assert distance.min(axis=0).max() < 1e-5


def test_written_textures_are_srgb_and_referred_to(tmp_path: Path) -> None:
    grid = textured_grid()
    for extension in ("obj", "glb"):
        export_mesh(tmp_path / f"out.{extension}", [grid])
    assert "map_Kd out_my_paint.sge.png" in (tmp_path / "out.mtl").read_text()
    new_file()
    beside, _ = load_image(tmp_path / "out_my_paint.sge.png", "srgb")
    assert np.abs(linear_to_srgb(beside) - linear_to_srgb(TEXTURE)).max() < 0.51 / 255
    for extension in ("obj", "glb"):
        new_file()
        mesh = import_mesh(tmp_path / f"out.{extension}")[0].data
        images = [node.image for node in mesh.materials[0].node_tree.nodes if node.type == "TEX_IMAGE"]
        assert len(images) == 1
        assert images[0].colorspace_settings.name == "sRGB"
        assert np.array_equal(image_to_array(images[0]), beside)


def test_several_and_hidden_objects_are_written_and_left_as_they_are(tmp_path: Path) -> None:
    first, second = textured_grid("first"), textured_grid("second")
    second.location.z = 2.0
    second.hide_set(True)
    first.select_set(True)
    before = corners([first, second])
    written = export_mesh(tmp_path / "out.obj", [first, second])
    assert len(written) == 3, "two images of similar names are two files"
    assert first.select_get()
    assert second.hide_get()
    new_file()
    objects = import_mesh(tmp_path / "out.obj", "Y", "Z")
    assert [obj.name.split(".")[0] for obj in objects] == ["first", "second"]
    assert np.abs(corners(objects) - before).max() < 1e-5


def test_modifiers_are_written_as_they_are_seen(tmp_path: Path) -> None:
    grid = textured_grid()
    grid.modifiers.new("Mirror", "MIRROR").use_mirror_merge = False
    for extension in ("obj", "ply", "glb"):
        export_mesh(tmp_path / f"out.{extension}", [grid])
    for extension in ("obj", "ply", "glb"):
        new_file()
        after = corners(import_mesh(tmp_path / f"out.{extension}"))
        assert after[:, 0].min() < -3.9
        assert after[:, 0].max() > 3.9


QUAD = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n"


@pytest.mark.parametrize(
    ("lines", "flat", "smooth"),
    [
        ("f 1 2 3 4\n", False, True),  # the file says nothing
        ("f 1 2 3 4\n", True, False),
        ("s 1\nf 1 2 3 4\n", False, True),
        ("s 1\nf 1 2 3 4\n", True, False),
        ("s off\nf 1 2 3 4\n", False, False),
    ],
)
def test_shading_is_the_files_or_smooth(lines: str, flat: bool, smooth: bool, tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text(QUAD + lines)
    mesh = import_mesh(tmp_path / "a.obj", flat=flat)[0].data
    assert [polygon.use_smooth for polygon in mesh.polygons] == [smooth]


def cube(sharp: bool) -> bpy.types.Object:
    positions = [(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    mesh = bpy.data.meshes.new("cube")
    mesh.from_pydata(positions, [], faces)
    mesh.shade_smooth()
    if sharp:  # only the edges around the top are sharp
        for edge in mesh.edges:
            edge.use_edge_sharp = all(mesh.vertices[index].co.z > 0 for index in edge.vertices)
    obj = bpy.data.objects.new("cube", mesh)
    bpy.context.scene.collection.objects.link(obj)
    return obj


def normals_at(obj: bpy.types.Object) -> np.ndarray:
    """Position and shading normal of every corner, each once: (N, 6)."""
    mesh = obj.data
    rows = [
        (*mesh.vertices[loop.vertex_index].co, *mesh.corner_normals[loop.index].vector) for loop in mesh.loops
    ]
    return np.unique(np.round(rows, 3) + 0.0, axis=0)


@pytest.mark.parametrize("extension", ["obj", "ply", "stl"])
def test_axes_of_a_file_are_those_it_is_read_with(extension: str, tmp_path: Path) -> None:
    path = tmp_path / f"out.{extension}"
    export_mesh(path, [textured_grid()])
    new_file()
    by_default = corners(import_mesh(path))
    new_file()
    by_name = corners(import_mesh(path, *axes_of(path, None, None)))
    assert np.array_equal(by_default, by_name)
    assert axes_of(path, "X", None)[0] == "X"


def test_gltf_has_axes_of_its_own(tmp_path: Path) -> None:
    before = cube(False).matrix_world.copy()
    export_mesh(tmp_path / "out.glb", [bpy.data.objects["cube"]], "X", "-Y")
    new_file()
    assert import_mesh(tmp_path / "out.glb", "X", "-Y")[0].matrix_world == before


@pytest.mark.parametrize("sharp", [False, True])
def test_sharp_edges_survive_joining_the_vertices_of_a_glb(sharp: bool, tmp_path: Path) -> None:
    original = cube(sharp)
    before = normals_at(original)
    export_mesh(tmp_path / "out.glb", [original])
    new_file()
    obj = import_mesh(tmp_path / "out.glb")[0]
    assert len(obj.data.vertices) == 8
    after = normals_at(obj)
    assert after.shape == before.shape
    assert np.abs(after - before).max() < 0.011
    sharp_edges = [edge for edge in obj.data.edges if edge.use_edge_sharp]
    assert len(sharp_edges) == (4 if sharp else 0)


def test_a_flat_glb_stays_flat_with_joined_vertices(tmp_path: Path) -> None:
    obj = cube(False)
    obj.data.shade_flat()
    export_mesh(tmp_path / "out.glb", [obj])
    new_file()
    mesh = import_mesh(tmp_path / "out.glb")[0].data
    assert len(mesh.vertices) == 8
    assert not any(polygon.use_smooth for polygon in mesh.polygons)


def test_files_of_the_data_folder(data: Path) -> None:
    suzanne = import_mesh(data / "suzanne.obj", "Y", "Z")[0]
    assert (len(suzanne.data.vertices), len(suzanne.data.polygons)) == (7958, 15744)
    assert all(polygon.use_smooth for polygon in suzanne.data.polygons)
    first = (0.30186, -0.50527, 0.12117)
    assert np.allclose(suzanne.matrix_world @ suzanne.data.vertices[0].co, first, atol=1e-6)
    sphere = import_mesh(data / "ico_2562.ply")[0]
    assert len(sphere.data.vertices) == 2562
    assert all(polygon.use_smooth for polygon in sphere.data.polygons)


@pytest.mark.parametrize("extension", ["obj", "ply", "stl", "glb", "gltf"])
def test_files_that_are_no_mesh_are_refused_and_leave_nothing(extension: str, tmp_path: Path) -> None:
    path = tmp_path / f"junk.{extension}"
    with pytest.raises(FitError, match=rf"junk\.{extension}' does not exist"):
        import_mesh(path)
    path.write_bytes(b"no mesh\n\xff\x00")
    with pytest.raises(FitError, match=rf"junk\.{extension}' (cannot be read: |holds no faces)"):
        import_mesh(path)
    assert not bpy.data.objects


def test_points_without_faces_are_no_mesh(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text(QUAD)
    with pytest.raises(FitError, match="holds no faces"):
        import_mesh(tmp_path / "a.obj")
    assert not bpy.data.objects


def test_wrong_types_and_axes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text(QUAD + "f 1 2 3\n")
    with pytest.raises(FitError, match=r"'\.fbx' are not read; use \.obj"):
        import_mesh(tmp_path / "a.fbx")
    with pytest.raises(FitError, match="forward axis 'W'"):
        import_mesh(tmp_path / "a.obj", "W", "Z")
    with pytest.raises(FitError, match="one line"):
        import_mesh(tmp_path / "a.obj", "Z", "-Z")
    with pytest.raises(FitError, match=r"'\.fbx' are not written"):
        check_export(tmp_path / "a.fbx")
    with pytest.raises(FitError, match="no object to export"):
        export_mesh(tmp_path / "b.obj", [])


def test_unwritable_paths_are_refused_and_writable_ones_left_alone(tmp_path: Path) -> None:
    with pytest.raises(FitError, match=r"folder '.*nowhere' does not exist"):
        check_writable(tmp_path / "nowhere" / "a.obj")
    with pytest.raises(FitError, match="Cannot write"):
        check_writable(tmp_path)
    kept = tmp_path / "kept.obj"
    kept.write_text("kept")
    check_writable(kept)
    check_export(tmp_path / "new.obj")
    assert kept.read_text() == "kept"
    assert not (tmp_path / "new.obj").exists()
