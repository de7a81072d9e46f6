# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stack shows of moved base meshes what Blender shows after they are written, and leaves the file alone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import bpy
import numpy as np
import pytest

from sge_addon.core.cage import TopologyChanged
from sge_addon.core.errors import FitError, TargetLost
from sge_addon.scene.stack_evaluator import ModifierStack
from sge_addon.scene.write_back import target_of, write_positions
from tests.blender.displaced_meshes import evaluated_positions
from tests.blender.stacks import (
    add_armature,
    add_cage,
    add_grid,
    add_inflating_nodes,
    add_subsurf,
    counts,
    moved,
    nodes_modifier,
)
from tests.blender.test_objects import add_cube


def subsurf_with_creases() -> bpy.types.Object:
    obj = add_cage()
    crease = obj.data.attributes.new("crease_edge", "FLOAT", "EDGE")
    crease.data.foreach_set("value", np.linspace(0.0, 1.0, len(obj.data.edges), dtype=np.float32))
    add_subsurf(obj, 2)
    return obj


def mirror_and_subsurf() -> bpy.types.Object:
    obj = add_grid()
    obj.rotation_euler = (0.1, 0.4, 0.2)
    obj.modifiers.new("Mirror", "MIRROR")
    add_subsurf(obj, 1)
    return obj


def array() -> bpy.types.Object:
    obj = add_cage()
    modifier = obj.modifiers.new("Array", "ARRAY")
    modifier.count = 3  # at a distance relative to the object's bounds
    return obj


def solidify() -> bpy.types.Object:
    obj = add_grid()
    obj.modifiers.new("Solidify", "SOLIDIFY").thickness = 0.1
    return obj


def bevel() -> bpy.types.Object:
    obj = add_cage()
    obj.modifiers.new("Bevel", "BEVEL").width = 0.05
    return obj


def geometry_nodes() -> bpy.types.Object:
    obj = add_cage()
    add_inflating_nodes(obj)
    return obj


def armature() -> bpy.types.Object:
    obj = add_cage()
    add_armature(obj)
    return obj


def active_shape_key() -> bpy.types.Object:
    obj = add_cage()
    obj.shape_key_add(name="Basis")
    key = obj.shape_key_add(name="Bulge")
    other = obj.shape_key_add(name="Other")
    for index in range(8):
        key.data[index].co.x *= 1.5
        other.data[index].co.z += 0.3
    key.value, other.value = 0.6, 0.5
    obj.active_shape_key_index = 1
    add_subsurf(obj, 1)
    return obj


def basis_shape_key() -> bpy.types.Object:
    obj = active_shape_key()
    obj.active_shape_key_index = 0
    return obj


def child_of_turned_parent() -> bpy.types.Object:
    obj = add_cage()
    parent = bpy.data.objects.new("Parent", None)
    bpy.context.scene.collection.objects.link(parent)
    parent.location, parent.rotation_euler, parent.scale = (1, 2, 3), (0.5, -0.3, 1.0), (2, 2, 2)
    obj.parent = parent
    add_subsurf(obj, 1)
    return obj


STACKS = [
    subsurf_with_creases,
    mirror_and_subsurf,
    array,
    solidify,
    bevel,
    geometry_nodes,
    armature,
    active_shape_key,
    basis_shape_key,
    child_of_turned_parent,
]


@pytest.mark.parametrize("make", STACKS)
def test_what_is_evaluated_is_what_blender_shows_once_it_is_written(make: Callable[[], bpy.types.Object]):
    obj = make()
    start = evaluated_positions(obj)
    before = counts()
    stack = ModifierStack(obj)
    cage = moved(stack.start)
    surface, again = stack.evaluate([cage, stack.start])
    assert counts() == before
    np.testing.assert_array_equal(evaluated_positions(obj), start)  # the object itself has not moved
    np.testing.assert_allclose(again.positions, start, atol=2e-6)
    assert np.abs(surface.positions[: len(start)] - start[: len(surface.positions)]).max() > 0.02
    np.testing.assert_array_equal(surface.cage.positions, cage)
    write_positions(target_of(obj), cage)
    np.testing.assert_allclose(surface.positions, evaluated_positions(obj), atol=3e-6)
    np.testing.assert_allclose(stack.positions([cage])[0], evaluated_positions(obj), atol=3e-6)


def nearest_face(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, None] - centres[None], axis=2).argmin(axis=1)


@pytest.mark.parametrize("make", [subsurf_with_creases, solidify, geometry_nodes])
def test_triangles_tell_the_base_face_above_which_they_lie(make: Callable[[], bpy.types.Object]):
    obj = make()
    surface = ModifierStack(obj).surface()
    cage = surface.cage
    offsets, vertices = cage.face_offsets, cage.face_vertices
    assert [vertices[a:b].tolist() for a, b in pairwise(offsets)] == [
        list(polygon.vertices) for polygon in obj.data.polygons
    ]
    centres = np.stack([cage.positions[vertices[a:b]].mean(axis=0) for a, b in pairwise(offsets)])
    middles = surface.positions[surface.triangles].mean(axis=1)
    if make is solidify:  # its rim lies between
        agree = nearest_face(middles, centres) == cage.face_of_triangle
        assert agree.mean() > 0.8
    else:
        for face in range(len(centres)):  # one shrinks what it subdivides, the other blows it up
            own = middles[cage.face_of_triangle == face].mean(axis=0)
            assert nearest_face(own[None], centres)[0] == face
    assert set(np.unique(cage.face_of_triangle)) == set(range(len(centres)))


def test_the_base_mesh_is_triangulated_in_the_cage():
    cage = ModifierStack(add_cage()).surface().cage
    assert cage.triangles.shape == (12, 3)
    a, b, c = cage.positions[cage.triangles].transpose(1, 0, 2)
    outwards = (np.cross(b - a, c - a) * ((a + b + c) / 3 - cage.positions.mean(axis=0))).sum(axis=1)
    assert (outwards > 0).all()


def test_faces_that_a_modifier_adds_from_elsewhere_belong_to_no_base_face():
    obj = add_cube()
    other = add_cube("Other")
    other.location = (0.7, 0.8, 0.9)
    modifier = obj.modifiers.new("Union", "BOOLEAN")
    modifier.operation, modifier.object = "UNION", other
    bpy.context.view_layer.update()
    surface = ModifierStack(obj).surface()
    middles = surface.positions[surface.triangles].mean(axis=1)
    foreign = surface.cage.face_of_triangle == -1
    on_own_cube = np.isclose(np.abs(middles).max(axis=1), 1.0, atol=1e-4)
    assert (foreign == ~on_own_cube).all()
    assert foreign.any()
    assert not foreign.all()


def test_surfaces_of_one_topology_share_what_does_not_move():
    stack = ModifierStack(subsurf_with_creases())
    first = stack.surface()
    second, third = stack.evaluate([moved(stack.start, seed=1), moved(stack.start, seed=2)])
    for name in ("triangles", "normal_groups", "material_indices", "polygons"):
        assert getattr(first, name) is getattr(second, name) is getattr(third, name)
    assert first.cage.face_of_triangle is third.cage.face_of_triangle
    assert np.abs(second.positions - third.positions).max() > 0.01


def test_a_stack_that_makes_other_faces_of_moved_vertices_says_so():
    obj = add_grid(side=5)
    modifier = obj.modifiers.new("Weld", "WELD")
    modifier.merge_threshold = 0.05
    stack = ModifierStack(obj)
    count = len(stack.positions([stack.start])[0])
    collapsed = stack.start.copy()
    collapsed[6] = collapsed[7]
    with pytest.raises(TopologyChanged, match=f"make {count - 1} vertices instead of {count}"):
        stack.positions([collapsed])
    whole, less = stack.evaluate([stack.start, collapsed])
    assert len(whole.positions) == count
    assert len(less.positions) == count - 1
    assert len(less.cage.positions) == len(stack.start)


def test_render_level_takes_what_renders_take():
    obj = add_cube()
    add_subsurf(obj, levels=1, render=2)
    shown = obj.modifiers.new("Array", "ARRAY")
    shown.show_viewport, shown.show_render = False, True
    assert len(ModifierStack(obj).surface().positions) == 26
    assert len(ModifierStack(obj, level="render").surface().positions) == 2 * 98
    shown.show_viewport, shown.show_render = True, False
    assert len(ModifierStack(obj).surface().positions) == 2 * 26
    assert len(ModifierStack(obj, level="render").surface().positions) == 98
    assert len(ModifierStack(obj, level="render", fewer_levels=1).surface().positions) == 26
    assert len(ModifierStack(obj, muted=frozenset({"Array"})).surface().positions) == 26


def test_the_scene_s_simplification_counts():
    obj = add_cube()
    add_subsurf(obj, levels=3, render=3)
    render = bpy.context.scene.render
    render.use_simplify, render.simplify_subdivision, render.simplify_subdivision_render = True, 1, 2
    assert len(ModifierStack(obj).surface().positions) == 26
    assert len(ModifierStack(obj, level="render").surface().positions) == 98
    assert len(ModifierStack(obj, level="render", fewer_levels=1).surface().positions) == 26


def test_the_frame_is_the_scene_s():
    obj = add_grid()
    modifier = obj.modifiers.new("Displace", "DISPLACE")
    modifier.direction = "Z"
    for frame, strength in ((1, 0.0), (11, 1.0)):
        modifier.strength = strength
        modifier.keyframe_insert("strength", frame=frame)
    for frame in (1, 11):
        bpy.context.scene.frame_set(frame)
        before = counts()
        surface = ModifierStack(obj).surface()
        assert counts() == before
        np.testing.assert_allclose(surface.positions, evaluated_positions(obj), atol=1e-6)


def test_a_vertex_group_and_the_boundary_hold_vertices():
    obj = add_grid(side=4)
    assert ModifierStack(obj).surface().cage.mobility is None
    group = obj.vertex_groups.new(name="Half")
    group.add(list(range(8)), 0.5, "REPLACE")
    expected = np.where(np.arange(16) < 8, 0.5, 0.0)
    weights = ModifierStack(obj, vertex_group="Half").surface().cage.mobility
    np.testing.assert_array_equal(weights, expected)
    inner = np.isin(np.arange(16), [5, 6, 9, 10])
    np.testing.assert_array_equal(ModifierStack(obj, pin_boundary=True).surface().cage.mobility, inner)
    both = ModifierStack(obj, vertex_group="Half", pin_boundary=True).surface().cage.mobility
    np.testing.assert_array_equal(both, expected * inner)


def test_an_edge_that_a_mirror_closes_is_no_boundary():
    obj = add_grid(side=4)
    obj.modifiers.new("Mirror", "MIRROR")  # about x = 0, where the grid's vertices 0, 4, 8 and 12 are
    mobility = ModifierStack(obj, pin_boundary=True).surface().cage.mobility
    np.testing.assert_array_equal(np.flatnonzero(mobility), [4, 5, 6, 8, 9, 10])
    obj.modifiers["Mirror"].use_mirror_merge = False
    mobility = ModifierStack(obj, pin_boundary=True).surface().cage.mobility
    np.testing.assert_array_equal(np.flatnonzero(mobility), [5, 6, 9, 10])


def test_positions_are_reflected_where_the_planes_say():
    obj = add_grid()
    obj.location, obj.rotation_euler, obj.scale = (0.3, 0.2, 0.1), (0.4, 0.3, 0.2), (1.0, 2.0, 0.5)
    centre = bpy.data.objects.new("Centre", None)
    bpy.context.scene.collection.objects.link(centre)
    centre.location, centre.rotation_euler = (2.0, 0.0, 0.0), (0.0, 0.3, 0.5)
    own = obj.modifiers.new("Own", "MIRROR")
    own.use_axis = (False, True, False)
    own.merge_threshold = 0.01
    about = obj.modifiers.new("About", "MIRROR")
    about.mirror_object, about.use_mirror_merge = centre, False
    bpy.context.view_layer.update()
    about.show_viewport = False
    (first,) = ModifierStack(obj).surface().cage.planes
    assert first.merge == pytest.approx(0.02, rel=1e-5)  # y is scaled by two
    surface = ModifierStack(obj, muted=frozenset()).surface()
    check_reflection(surface, first, len(obj.data.vertices))
    about.show_viewport, own.show_viewport = True, False
    (second,) = ModifierStack(obj).surface().cage.planes
    assert second.merge == 0.0
    check_reflection(ModifierStack(obj).surface(), second, len(obj.data.vertices))


def check_reflection(surface, plane, count: int) -> None:
    """The surface's first vertices are the mesh, and all others their images or joined to them."""
    base = surface.cage.positions.astype(np.float64)
    images = base - 2.0 * ((base - plane.point) @ plane.normal)[:, None] * plane.normal
    expected = np.concatenate([base, images])
    distances = np.linalg.norm(surface.positions[:, None] - expected[None], axis=2)
    assert distances.min(axis=1).max() < 1e-5
    assert distances.min(axis=0).max() < 1e-5
    assert len(surface.positions) > count


def test_planes_behind_a_deformation_are_left_out():
    obj = add_grid()
    obj.modifiers.new("Displace", "DISPLACE")
    obj.modifiers.new("Mirror", "MIRROR")
    assert ModifierStack(obj).surface().cage.planes == ()
    obj.modifiers.move(1, 0)
    assert len(ModifierStack(obj).surface().cage.planes) == 1


def test_lost_faces_and_origins_name_the_modifier():
    obj = add_cage()
    add_subsurf(obj, 1)
    remesh = obj.modifiers.new("Voxels", "REMESH")
    remesh.mode, remesh.voxel_size = "VOXEL", 0.3
    obj.modifiers.new("Triangulate", "TRIANGULATE")
    before = counts()
    with pytest.raises(FitError, match=r"'Cage': its modifier 'Voxels' \(Remesh\).*apply it"):
        ModifierStack(obj).surface()
    assert counts() == before
    empty = add_cage("Empty")
    nodes_modifier(empty, "Nothing")
    with pytest.raises(FitError, match=r"'Empty': its modifier 'Nothing' leaves no faces.*Realize"):
        ModifierStack(empty).surface()


def test_what_cannot_be_fitted_is_refused():
    mirrored = add_cube("Mirrored")
    mirrored.scale = (-1, 1, 1)
    bpy.context.view_layer.update()
    with pytest.raises(FitError, match="'Mirrored' is mirrored"):
        ModifierStack(mirrored)
    bare = bpy.data.objects.new("Bare", bpy.data.meshes.new("Bare"))
    with pytest.raises(FitError, match="'Bare': its base mesh has no faces"):
        ModifierStack(bare)
    obj = add_cube()
    stack = ModifierStack(obj)
    bpy.data.objects.remove(obj)
    before = counts()
    with pytest.raises(TargetLost, match="deleted"):
        stack.surface()
    assert counts() == before


def test_an_attribute_of_the_user_s_keeps_its_values():
    obj = add_cube()
    attribute = obj.data.attributes.new("sge_base_face", "INT", "FACE")
    attribute.data.foreach_set("value", np.full(6, 7, np.int32))
    surface = ModifierStack(obj).surface()
    assert set(surface.cage.face_of_triangle) == set(range(6))
    values = np.zeros(6, np.int32)
    obj.data.attributes["sge_base_face"].data.foreach_get("value", values)
    assert (values == 7).all()
    assert len(obj.data.attributes) == len(add_cube("Twin").data.attributes) + 1


def test_between_two_calls_the_user_may_rename_save_and_undo(tmp_path: Path):
    obj = add_grid()
    add_subsurf(obj, 1)
    obj.shape_key_add(name="Basis")
    stack = ModifierStack(obj)
    before = stack.surface()
    obj.name = "Renamed"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "file.blend"), copy=True)
    bpy.ops.ed.undo_push(message="before")
    bpy.data.objects["Renamed"].data.shape_keys.key_blocks[0].points[0].co.z = 1.0
    bpy.ops.ed.undo_push(message="moved")
    bpy.ops.ed.undo()
    after = stack.surface()
    np.testing.assert_array_equal(after.positions, before.positions)
    with bpy.data.libraries.load(str(tmp_path / "file.blend")) as (saved, _):
        assert saved.scenes == ["Scene"]
        assert saved.objects == ["Renamed"]
        assert saved.meshes == ["Grid"]


def test_what_is_kept_open_is_the_same_and_goes_with_release(empty_file: None) -> None:
    obj = add_cage()
    add_subsurf(obj)
    stack = ModifierStack(obj)
    larger = stack.start * np.float32(1.1)
    expected = stack.positions([larger])[0]
    before = counts()
    stack.keep_open()
    coarse = stack.with_fewer_levels(1)
    assert len(coarse.positions([larger])[0]) == 26
    assert len(bpy.data.scenes) == 2
    for _ in range(2):
        np.testing.assert_array_equal(stack.positions([larger])[0], expected)
    assert len(bpy.data.scenes) == 3
    stack.release()
    assert counts() == before
    np.testing.assert_array_equal(stack.positions([larger])[0], expected)
    stack.release()
    assert counts() == before
