# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each button of the check mends what it stands beside: pressed, the finding is gone."""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import numpy as np
import pytest

import sge_addon
from sge_addon.core.errors import Remedy
from sge_addon.core.orbit import orbit_views
from sge_addon.core.reference import Reference
from sge_addon.scene.images import array_to_image
from sge_addon.scene.reference_rows import add_rows_from_cameras
from sge_addon.scene.references import add_reference_cameras
from sge_addon.ui.checked import Checked
from sge_addon.ui.remedies import ACTIONS

CORNERS = [(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)]
FACES = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]


@pytest.fixture(autouse=True)
def registered(empty_file: None) -> Iterator[None]:
    sge_addon.register()
    yield
    sge_addon.unregister()


def add_references(count: int = 3, size: int = 8) -> list[bpy.types.Object]:
    views = orbit_views((0, 0, 0), 1.0, count, size, size, prefix="view")
    colour = np.full((size, size, 4), 0.5, np.float32)
    references = [Reference(view=view, colour=colour, has_alpha=True) for view in views]
    add_reference_cameras(bpy.context.scene, references)
    add_rows_from_cameras(bpy.context.scene)
    return [row.camera for row in bpy.context.scene.sge.references]


def add_cube(name: str = "Cube", mesh: bpy.types.Mesh | None = None) -> bpy.types.Object:
    """Closed, faces outwards, without UVs and material."""
    if mesh is None:
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata(CORNERS, [], FACES)
    obj = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(obj)
    obj.select_set(True)
    bpy.context.view_layer.objects.active = obj
    return obj


def finding(remedy: Remedy):
    """The first finding with that remedy after a new check, None where there is none."""
    bpy.ops.sge.check()
    return next((each for each in Checked.findings if each.remedy == remedy), None)


def mend(remedy: Remedy) -> None:
    """Press the button of a finding that is there; afterwards there must be none of its kind."""
    found = finding(remedy)
    assert found is not None
    assert bpy.ops.sge.mend(remedy=remedy.value, subject=found.subject) == {"FINISHED"}
    assert not [each for each in Checked.findings if each.remedy == remedy]


def volume(obj: bpy.types.Object) -> float:
    """Signed, in world space, of the faces as they are wound."""
    bpy.context.view_layer.update()
    obj.data.calc_loop_triangles()
    world = np.array(obj.matrix_world)
    points = np.array([world[:3, :3] @ vertex.co + world[:3, 3] for vertex in obj.data.vertices])
    triangles = np.array([triangle.vertices for triangle in obj.data.loop_triangles])
    return float(np.linalg.det(points[triangles]).sum() / 6.0)


def test_unwrap_gives_every_face_texels_of_its_own():
    cube = add_cube()
    mend(Remedy.UNWRAP)
    (layer,) = cube.data.uv_layers
    uvs = np.array([corner.vector for corner in layer.uv]).reshape(6, 4, 2)
    assert ((uvs >= 0.0) & (uvs <= 1.0)).all()
    assert bpy.context.selected_objects == [cube]
    assert cube.mode == "OBJECT"


def test_unwrap_replaces_a_map_without_area():
    cube = add_cube()
    layer = cube.data.uv_layers.new(name="Flat")
    for corner in layer.uv:
        corner.vector = (0.5, 0.5)
    mend(Remedy.UNWRAP)
    assert [layer.name for layer in cube.data.uv_layers] == ["Flat"]
    assert np.ptp([corner.vector for corner in cube.data.uv_layers[0].uv]) > 0.1


def test_make_material_fills_the_slot_that_faces_use():
    cube = add_cube()
    mend(Remedy.MAKE_MATERIAL)
    (slot,) = cube.material_slots
    assert slot.material.node_tree.nodes.get("Principled BSDF") is not None


@pytest.mark.parametrize("scale", [(-2.0, 1.0, 1.0), (-1.0, -1.0, -3.0)])
def test_apply_scale_keeps_the_shape_and_its_outside(scale: tuple[float, ...]):
    cube = add_cube()
    child = bpy.data.objects.new("Child", None)
    bpy.context.scene.collection.objects.link(child)
    child.parent, child.location = cube, (1, 2, 3)
    cube.scale = scale
    bpy.context.view_layer.update()
    corners = sorted(tuple(np.round(cube.matrix_world @ vertex.co, 5)) for vertex in cube.data.vertices)
    place = child.matrix_world.translation.copy()
    mend(Remedy.APPLY_SCALE)
    assert tuple(cube.scale) == (1.0, 1.0, 1.0)
    assert sorted(tuple(np.round(cube.matrix_world @ v.co, 5)) for v in cube.data.vertices) == corners
    assert volume(cube) == pytest.approx(abs(np.prod(scale)))  # positive: faces look outwards
    assert np.allclose(child.matrix_world.translation, place, atol=1e-5)


def test_apply_scale_says_where_it_is_the_parent_that_mirrors():
    cube = add_cube()
    parent = bpy.data.objects.new("Parent", None)
    bpy.context.scene.collection.objects.link(parent)
    parent.scale = (-1, 1, 1)
    cube.parent = parent
    found = finding(Remedy.APPLY_SCALE)
    with pytest.raises(RuntimeError, match="mirrored by its parents"):
        bpy.ops.sge.mend(remedy=found.remedy.value, subject=found.subject)


def test_shared_meshes_become_single_users():
    first = add_cube("First")
    second = add_cube("Second", first.data)
    mend(Remedy.SINGLE_USER)
    assert first.data != second.data


def test_object_mode_is_left_and_group_cleared():
    cube = add_cube()
    bpy.context.scene.sge.vertex_group = "Nose"
    bpy.ops.object.mode_set(mode="EDIT")
    mend(Remedy.OBJECT_MODE)
    assert cube.mode == "OBJECT"
    mend(Remedy.CLEAR_VERTEX_GROUP)
    assert bpy.context.scene.sge.vertex_group == ""


def test_references_are_listed_switched_on_and_cleared_of_lost_ones():
    cameras = add_references()
    rows = bpy.context.scene.sge.references
    add_cube()
    for row in rows:
        row.enabled = False
    mend(Remedy.ENABLE_ALL)
    assert all(row.enabled for row in rows)
    bpy.data.objects.remove(cameras[0])
    mend(Remedy.REMOVE_LOST)
    assert [row.camera for row in rows] == cameras[1:]


def test_cameras_are_listed_once_they_have_images():
    add_cube()
    found = finding(Remedy.ADD_FROM_CAMERAS)
    with pytest.raises(RuntimeError, match="No camera has a background image"):
        bpy.ops.sge.mend(remedy=found.remedy.value, subject=found.subject)


def test_a_camera_that_sees_nothing_is_left_out_even_where_none_is_listed():
    cameras = add_references()
    bpy.context.scene.sge.references.clear()
    add_cube()
    cameras[1].location = (0, 0, 1e4)
    mend(Remedy.SWITCH_OFF)
    assert [row.enabled for row in bpy.context.scene.sge.references] == [True, False, True]


def test_background_transforms_are_cleared():
    background = add_references()[0].data.background_images[0]
    add_cube()
    background.offset, background.rotation, background.scale = (0.1, 0.2), 0.3, 0.4
    background.use_flip_x = True
    mend(Remedy.CLEAR_BACKGROUND)
    assert (tuple(background.offset), background.rotation, background.scale) == ((0.0, 0.0), 0.0, 1.0)
    assert not background.use_flip_x


def test_frames_take_the_shape_of_images():
    camera = add_references()[0]
    camera.data.background_images[0].image = array_to_image("Wide", np.ones((8, 12, 4), np.float32))
    add_cube()
    mend(Remedy.USE_IMAGE_FRAMES)


def test_every_remedy_has_a_button_with_a_tooltip():
    assert set(ACTIONS) == set(Remedy) - {Remedy.NONE}
    for action in ACTIONS.values():
        assert len(action.description) > 20
        assert action.label == action.label.title() or " from " in action.label
