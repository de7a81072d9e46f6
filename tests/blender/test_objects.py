# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects become surfaces in world space, are refused by name, and are written back exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence

import bpy
import numpy as np
import pytest
from mathutils import Euler, Matrix, Vector

from sge_addon.core.errors import FitError, TargetLost
from sge_addon.scene.objects import surface_from_object, target_notices, target_problems
from sge_addon.scene.write_back import object_of, target_of, write_positions

CUBE = [(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
CUBE_FACES = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]


def add_object(
    name: str, vertices: Sequence[Sequence[float]], faces: Sequence[Sequence[int]], *, smooth: bool = True
) -> bpy.types.Object:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([tuple(v) for v in vertices], [], [tuple(f) for f in faces])
    mesh.polygons.foreach_set("use_smooth", [smooth] * len(mesh.polygons))
    obj = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(obj)
    return obj


def add_cube(name: str = "Cube", *, smooth: bool = True) -> bpy.types.Object:
    return add_object(name, CUBE, CUBE_FACES, smooth=smooth)


def place(obj: bpy.types.Object, matrix: Matrix) -> None:
    obj.matrix_world = matrix
    bpy.context.view_layer.update()


def group_sizes(surface) -> list[int]:
    return sorted(np.bincount(surface.normal_groups.ravel()).tolist())


def group_normals(surface) -> np.ndarray:
    """(F, 3, 3): the normal that each corner gets by the definition in core.surface, the slow way."""
    a, b, c = surface.positions.astype(np.float64)[surface.triangles].transpose(1, 0, 2)
    area_normals = np.cross(b - a, c - a)
    sums = np.zeros((surface.normal_groups.max() + 1, 3))
    for normal, groups in zip(area_normals, surface.normal_groups, strict=True):
        for group in set(groups.tolist()):
            sums[group] += normal
    normals = sums[surface.normal_groups]
    return normals / np.linalg.norm(normals, axis=2, keepdims=True)


def test_positions_are_in_world_space_and_ngons_keep_their_area():
    corners = [(math.cos(t), math.sin(t), 0.0) for t in np.arange(6) * math.pi / 3]
    corners[2] = (0.0, 0.1, 0.0)  # concave
    obj = add_object("Hexagon", corners, [range(6)])
    matrix = Matrix.LocRotScale(Vector((1, 2, 3)), Euler((0.1, 0.2, 0.3)), Vector((2, 2, 2)))
    place(obj, matrix)
    surface = surface_from_object(obj)
    assert np.allclose(surface.positions, [matrix @ Vector(c) for c in corners], atol=1e-6)
    a, b, c = surface.positions[surface.triangles].transpose(1, 0, 2)
    area = 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1).sum()
    assert area == pytest.approx(4.0 * obj.data.polygons[0].area, rel=1e-5)
    normal = matrix.to_3x3().normalized() @ Vector((0, 0, 1))
    assert (np.cross(b - a, c - a) @ np.array(normal) > 0.0).all()


def test_smooth_cube_has_a_group_per_vertex_and_flat_cube_one_per_face():
    assert group_sizes(surface_from_object(add_cube())) == sorted(
        np.bincount(surface_from_object(bpy.data.objects["Cube"]).triangles.ravel()).tolist()
    )
    surface = surface_from_object(add_cube("Flat", smooth=False))
    assert group_sizes(surface) == [6] * 6
    assert np.allclose(np.abs(group_normals(surface)).max(axis=2), 1.0)


@pytest.mark.parametrize("case", ["sharp edges", "flat faces", "both", "open border"])
def test_normals_of_groups_agree_with_blenders_corner_normals(case: str):
    """On a sphere-like mesh of tiny angles Blender's angle weights and our area weights nearly agree."""
    bpy.ops.mesh.primitive_ico_sphere_add(subdivisions=4)
    obj = bpy.context.object
    mesh = obj.data
    mesh.polygons.foreach_set("use_smooth", [True] * len(mesh.polygons))
    rng = np.random.default_rng(1)
    if case in ("sharp edges", "both"):
        mesh.edges.foreach_set("use_edge_sharp", rng.random(len(mesh.edges)) < 0.3)
    if case in ("flat faces", "both"):
        mesh.polygons.foreach_set("use_smooth", rng.random(len(mesh.polygons)) < 0.8)
    if case == "open border":
        kept = [tuple(p.vertices) for p in mesh.polygons if rng.random() < 0.7]
        obj = add_object("Open", [v.co.copy() for v in mesh.vertices], kept)
        mesh = obj.data
        mesh.edges.foreach_set("use_edge_sharp", rng.random(len(mesh.edges)) < 0.2)
    mesh.update()
    surface = surface_from_object(obj)
    loops = np.empty((len(mesh.loop_triangles), 3), np.int32)
    mesh.loop_triangles.foreach_get("loops", loops.ravel())
    blender = np.empty((len(mesh.loops), 3), np.float32)
    mesh.corner_normals.foreach_get("vector", blender.ravel())
    # Merging or splitting one fan wrongly turns a normal by about 0.05; the weights by under 0.01.
    assert np.abs(group_normals(surface) - blender[loops]).max() < 0.015


def test_uvs_follow_the_map_that_renders_use():
    obj = add_cube()
    first, second = obj.data.uv_layers.new(name="A"), obj.data.uv_layers.new(name="B")
    values = np.random.default_rng(0).random((24, 2)).astype(np.float32)
    second.uv.foreach_set("vector", values.ravel())
    first.active = True
    second.active_render = True
    surface = surface_from_object(obj)
    assert surface.uvs is not None
    loops = np.empty((12, 3), np.int32)
    obj.data.loop_triangles.foreach_get("loops", loops.ravel())
    assert np.array_equal(surface.uvs, values[loops])


def test_material_indices_are_per_triangle():
    obj = add_cube()
    obj.data.polygons.foreach_set("material_index", [0, 1, 2, 0, 1, 2])
    assert np.bincount(surface_from_object(obj).material_indices).tolist() == [4, 4, 4]


def test_a_vertex_group_limits_mobility():
    obj = add_cube()
    obj.vertex_groups.new(name="Other").add([0, 1], 1.0, "REPLACE")
    obj.vertex_groups.new(name="Nose").add([2], 0.25, "REPLACE")
    surface = surface_from_object(obj, vertex_group="Nose")
    assert surface.mobility.tolist() == [0, 0, 0.25, 0, 0, 0, 0, 0]
    with pytest.raises(FitError, match=r"'Cube' has no vertex group 'Ear' \(it has 'Other', 'Nose'\)"):
        surface_from_object(obj, vertex_group="Ear")


def test_evaluated_surface_includes_modifiers_and_mirrored_transforms():
    obj = add_cube()
    obj.modifiers.new("Subdivision", "SUBSURF").levels = 2
    place(obj, Matrix.Diagonal((-1, 1, 1, 1)))
    surface = surface_from_object(obj, depsgraph=bpy.context.evaluated_depsgraph_get())
    assert len(surface.triangles) == 6 * 16 * 2
    a, b, c = surface.positions[surface.triangles].transpose(1, 0, 2)
    assert (np.einsum("ij,ij->i", np.cross(b - a, c - a), a + b + c) > 0.0).all()  # outwards


def refused(message: str, *objects: bpy.types.Object, shape: bool = True, texture: bool = False) -> None:
    with pytest.raises(FitError, match=message):
        raise next(target_problems(objects, shape=shape, texture=texture))


def test_refusals_name_the_object_and_the_remedy():
    refused("select at least one mesh")
    cube = add_cube()
    refused(r"'Cube' has no UV map.*Smart UV", cube, texture=True)
    lamp = bpy.data.objects.new("Lamp", bpy.data.lights.new("Lamp", "SUN"))
    refused(r"'Lamp' is a light, not a mesh", lamp)
    twin = bpy.data.objects.new("Twin", cube.data)
    refused(r"'Cube' and 'Twin' share the mesh 'Cube'.*Make Single User", cube, twin)
    bpy.context.view_layer.objects.active = cube
    bpy.ops.object.mode_set(mode="EDIT")
    refused(r"'Cube' is in Edit Mode: switch to Object Mode", cube)


def test_two_objects_may_share_a_mesh_when_only_the_texture_is_fitted():
    cube = add_cube()
    cube.data.uv_layers.new()
    twin = bpy.data.objects.new("Twin", cube.data)
    assert list(target_problems([cube, twin], shape=False, texture=True)) == []
    assert target_notices(cube, shape=False) == []


def test_linked_data_is_refused(tmp_path):
    add_cube("Far")
    path = str(tmp_path / "library.blend")
    bpy.data.libraries.write(path, set(bpy.data.objects))
    bpy.data.objects.remove(bpy.data.objects["Far"])
    with bpy.data.libraries.load(path, link=True) as (_, wanted):
        wanted.objects = ["Far"]
    linked = next(obj for obj in bpy.data.objects if obj.library)
    refused(r"'Far'.*linked from.*Make Local", linked)
    bpy.context.scene.collection.objects.link(linked)
    override = linked.override_create()
    refused(r"'Far'.*Make Local", override)


@pytest.mark.parametrize(
    ("vertices", "faces", "scale", "message"),
    [
        ([(0, 0, 0), (1, 0, 0)], [], (1, 1, 1), r"'Bad' has no faces"),
        ([(0, 0, 0), (1, 0, math.nan), (0, 1, 0)], [(0, 1, 2)], (1, 1, 1), r"'Bad': vertex 1 .*NaN"),
        ([(0, 0, 0), (1, 0, 0), (2, 0, 0)], [(0, 1, 2)], (1, 1, 1), r"'Bad'.*zero area"),
        ([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [(0, 1, 2)], (1, 1, 0), r"'Bad'.*cannot be inverted"),
        ([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [(0, 1, 2)], (-1, 1, 1), r"'Bad' is mirrored.*apply the scale"),
    ],
)
def test_surfaces_that_cannot_be_fitted(vertices, faces, scale, message):
    obj = add_object("Bad", vertices, faces)
    place(obj, Matrix.Diagonal((*scale, 1)))
    with pytest.raises(FitError, match=message):
        surface_from_object(obj)


def test_single_zero_area_triangles_are_allowed():
    obj = add_object("Sliver", [(0, 0, 0), (1, 0, 0), (0, 1, 0), (2, 0, 0)], [(0, 1, 2), (0, 1, 3)])
    assert len(surface_from_object(obj).triangles) == 2


def test_modifiers_and_shape_keys_are_announced():
    obj = add_cube()
    obj.modifiers.new("Subdivision", "SUBSURF")
    obj.shape_key_add(name="Basis")
    notices = target_notices(obj, shape=True)
    assert "without its modifiers (Subdivision)" in notices[0]
    assert "shape key 'Basis' is fitted" in notices[1]


def test_positions_come_back_in_object_space_and_bounds_follow():
    obj = add_cube()
    matrix = Matrix.LocRotScale(Vector((5, -2, 1)), Euler((1.0, 0.2, 0.3)), Vector((0.5, 2, 3)))
    place(obj, matrix)
    before = surface_from_object(obj).positions
    target = target_of(obj)
    moved = before.copy()
    moved[3] += (1.0, 2.0, 30.0)
    write_positions(target, moved)
    after = surface_from_object(obj).positions
    assert np.allclose(after, moved, atol=1e-5)
    kept = np.arange(8) != 3
    assert np.array_equal(after[kept], before[kept])
    bpy.context.view_layer.update()
    assert np.allclose(np.max(obj.bound_box, axis=0), np.max([v.co for v in obj.data.vertices], axis=0))


def test_writing_a_basis_key_moves_what_is_shown_and_carries_the_other_keys():
    obj = add_cube()
    obj.shape_key_add(name="Basis")
    smile = obj.shape_key_add(name="Smile")
    smile.points[0].co.x += 0.5
    smile.value = 1.0
    obj.active_shape_key_index = 0
    moved = surface_from_object(obj).positions + np.float32([0, 0, 1])
    write_positions(target_of(obj), moved)
    evaluated = obj.evaluated_get(bpy.context.evaluated_depsgraph_get())
    shown = np.array([v.co for v in evaluated.data.vertices])
    expected = np.array(CUBE, float)
    expected[:, 2] += 1.0
    expected[0, 0] += 0.5
    assert np.allclose(shown, expected)


def test_writing_another_key_leaves_the_basis():
    obj = add_cube()
    obj.shape_key_add(name="Basis")
    smile = obj.shape_key_add(name="Smile")
    obj.active_shape_key_index = 1
    write_positions(target_of(obj), surface_from_object(obj).positions * 2)
    assert np.allclose([p.co for p in smile.points], np.array(CUBE) * 2)
    assert np.allclose([p.co for p in obj.data.shape_keys.reference_key.points], CUBE)


def test_a_target_is_found_after_renaming_and_lost_after_deletion_or_editing():
    obj = add_cube()
    target = target_of(obj)
    obj.name = "Renamed"
    add_cube("Cube")
    assert object_of(target) == obj
    bpy.context.view_layer.objects.active = obj
    bpy.ops.object.mode_set(mode="EDIT")
    with pytest.raises(TargetLost, match="'Renamed' entered Edit Mode"):
        object_of(target)
    bpy.ops.object.mode_set(mode="OBJECT")
    obj.data.clear_geometry()
    with pytest.raises(TargetLost, match="0 vertices instead of 8"):
        object_of(target)
    bpy.data.objects.remove(obj)
    with pytest.raises(TargetLost, match="'Cube' was deleted"):
        write_positions(target, target.start_world)
