# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of modifiers, objects, shape keys and bones found again from pictures, in Blender."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import bpy
import numpy as np
import pytest

from sge_addon.core.errors import FitError, TargetLost
from sge_addon.core.reference import Reference
from sge_addon.core.settings import FitSettings
from sge_addon.job import FitJob, make_references, orbit_around
from tests.blender.small_world import positions_of
from tests.blender.stacked_objects import (
    painted,
    socket_of,
    with_bones,
    with_displace,
    with_nodes,
    with_open_shell,
    with_smile,
)
from tests.blender.worlds import add_light

pytestmark = pytest.mark.usefixtures("gpu_ready")

VIEWS, PIXELS = 6, 128
ALONE = FitSettings(shape=False, texture=False, steps=12, resolution=PIXELS, parameters=("Cup:location",))


def references_of(obj: bpy.types.Object) -> list[Reference]:
    """Views of the object as it is."""
    bpy.context.view_layer.update()
    views = orbit_around([obj], VIEWS, PIXELS)
    return make_references([obj], views, FitSettings(resolution=PIXELS), bpy.context.scene)


def fit(obj: bpy.types.Object, references: list[Reference], settings: FitSettings) -> FitJob:
    bpy.context.view_layer.update()
    job = FitJob(bpy.context.scene, [obj], references, settings, live=False)
    for _ in job.run():
        pass
    bpy.context.view_layer.update()
    return job


def get_thickness(obj: bpy.types.Object) -> float:
    return obj.modifiers["Solidify"].thickness


def set_thickness(obj: bpy.types.Object, value: float) -> None:
    obj.modifiers["Solidify"].thickness = value


def get_strength(obj: bpy.types.Object) -> float:
    return obj.modifiers["Displace"].strength


def set_strength(obj: bpy.types.Object, value: float) -> None:
    obj.modifiers["Displace"].strength = value


def get_smile(obj: bpy.types.Object) -> float:
    return obj.data.shape_keys.key_blocks["Smile"].value


def set_smile(obj: bpy.types.Object, value: float) -> None:
    obj.data.shape_keys.key_blocks["Smile"].value = value


def get_height(obj: bpy.types.Object) -> float:
    return obj.path_resolve(socket_of(obj, "Height"))


def set_height(obj: bpy.types.Object, value: float) -> None:
    path = socket_of(obj, "Height")
    if path.endswith("]"):
        obj.modifiers["GeometryNodes"][path.split('"')[3]] = value
    else:
        obj.path_resolve(path.removesuffix(".value")).value = value
    obj.update_tag()


@pytest.mark.parametrize(
    ("made", "path", "read", "write", "start", "truth"),
    [
        (with_open_shell, 'modifiers["Solidify"].thickness', get_thickness, set_thickness, 0.1, 0.23),
        (with_displace, 'modifiers["Displace"].strength', get_strength, set_strength, 0.0, 0.25),
        (with_smile, 'key_blocks["Smile"].value', get_smile, set_smile, 0.0, 0.7),
        (with_nodes, "Height", get_height, set_height, 0.0, 0.2),
    ],
    ids=["solidify", "displace", "shape key", "node group"],
)
def test_a_single_value_is_found_again(
    made: Callable, path: str, read: Callable, write: Callable, start: float, truth: float
):
    obj = made(painted(), truth)
    references = references_of(obj)
    write(obj, start)
    if path == "Height":
        path = socket_of(obj, "Height")
    mesh = positions_of("Cup")
    job = fit(obj, references, replace(ALONE, parameters=(f"Cup:{path}",)))
    print(path, read(obj), truth, job.report["seconds"])
    assert read(obj) == pytest.approx(truth, rel=0.01)
    assert np.array_equal(positions_of("Cup"), mesh)
    (told,) = job.report["parameters"]
    assert told["name"] == f"Cup:{path}"
    assert told["before"] == [pytest.approx(start)]
    assert told["after"] == [pytest.approx(read(obj), abs=1e-6)]
    assert job.report["psnr"]["object"]["after"] > 35.0


def angle_between(a: np.ndarray, b: np.ndarray) -> float:
    """Degrees, between two (3, 3) rotations."""
    return float(np.degrees(np.arccos(np.clip((np.trace(a @ b.T) - 1.0) / 2.0, -1.0, 1.0))))


def test_place_and_turn_of_an_object_are_found_again():
    obj = painted()
    references = references_of(obj)
    obj.location, obj.rotation_euler = (0.2, -0.1, 0.1), np.radians([4.0, -5.0, 10.0])
    job = fit(obj, references, replace(ALONE, parameters=("Cup:location", "Cup:rotation_euler")))
    matrix = np.array(obj.matrix_world)
    view = references[0].view
    away = np.linalg.norm(view.to_pixels(matrix[None, :3, 3]) - view.to_pixels(np.zeros((1, 3))))
    print(matrix, away, angle_between(matrix[:3, :3], np.eye(3)), job.report["seconds"])
    assert away < 0.1
    assert angle_between(matrix[:3, :3], np.eye(3)) < 0.2


def test_the_turn_of_a_bone_is_found_again():
    obj = with_bones(painted(), 20.0)
    references = references_of(obj)
    tip = bpy.data.objects["Rig"].pose.bones["Tip"]
    truth = np.array(tip.matrix_basis)[:3, :3]
    tip.rotation_quaternion = (1.0, 0.0, 0.0, 0.0)
    name = 'Rig:pose.bones["Tip"].rotation_quaternion'
    job = fit(obj, references, replace(ALONE, parameters=(name,)))
    print(tip.rotation_quaternion, job.report["seconds"])
    assert angle_between(np.array(tip.matrix_basis)[:3, :3], truth) < 0.2
    assert np.linalg.norm(tip.rotation_quaternion) == pytest.approx(1.0, abs=1e-5)


def test_values_and_texture_are_found_together():
    obj = painted()
    references = references_of(obj)
    image = obj.data.materials[0].node_tree.nodes["Image Texture"].image
    image.pixels.foreach_set(np.tile(np.float32([0.5, 0.5, 0.5, 1.0]), len(image.pixels) // 4))
    obj.location.x = 0.15
    settings = replace(ALONE, texture=True, steps=120, texture_size=32, parameters=("Cup:location",))
    job = fit(obj, references, settings)
    print(tuple(obj.location), job.report["psnr"], job.report["seconds"])
    assert np.abs(np.array(obj.location)).max() < 0.01
    assert job.report["psnr"]["object"]["after"] > 28.0


def test_maps_under_lights_are_searched_for_where_outlines_put_the_object():
    obj = painted()
    add_light("SUN", energy=3.0, rotation=(0.6, 0.3, 0.0))
    lit = replace(ALONE, shading="lit", maps=("base_color",), resolution=64, texture_size=32, steps=60)
    bpy.context.view_layer.update()
    references = make_references([obj], orbit_around([obj], VIEWS, 64), lit, bpy.context.scene)
    image = obj.data.materials[0].node_tree.nodes["Image Texture"].image
    image.pixels.foreach_set(np.tile(np.float32([0.5, 0.5, 0.5, 1.0]), len(image.pixels) // 4))
    obj.location.x = 0.1
    job = fit(obj, references, replace(lit, texture=True))
    assert np.abs(np.array(obj.location)).max() < 0.005
    assert job.report["psnr"]["object"]["after"] > 30.0


def test_a_value_that_shows_nowhere_is_told_and_stays():
    obj = with_displace(painted(), 0.1)
    references = references_of(obj)
    obj.location.x = 0.05
    inner = obj.modifiers.new("Cast", "CAST")
    inner.factor, inner.size = 0.0, 0.4
    idle = 'Cup:modifiers["Cast"].size'
    job = fit(obj, references, replace(ALONE, parameters=("Cup:location", idle)))
    assert obj.modifiers["Cast"].size == np.float32(0.4)
    assert any(f"'{idle}' stays as it was" in notice for notice in job.notices)
    assert abs(obj.location.x) < 0.005


def test_nothing_is_changed_before_the_end_of_a_fit_that_is_not_live():
    obj = with_displace(painted(), 0.2)
    references = references_of(obj)
    obj.modifiers["Displace"].strength = 0.1
    settings = replace(ALONE, parameters=('Cup:modifiers["Displace"].strength',))
    job = FitJob(bpy.context.scene, [obj], references, settings, live=False)
    before = len(bpy.data.objects), len(bpy.data.meshes), len(bpy.data.scenes)
    for progress in job.run():
        assert (len(bpy.data.objects), len(bpy.data.meshes), len(bpy.data.scenes)) == before
        if progress.stage == "Fitting":
            assert obj.modifiers["Displace"].strength == np.float32(0.1)
    assert obj.modifiers["Displace"].strength == pytest.approx(0.2, rel=0.01)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"parameters": ("Mug:location",)}, "names no object"),
        ({"parameters": ('Cup:modifiers["Displace"].strength',), "through_modifiers": False}, "only through"),
    ],
)
def test_what_cannot_be_fitted_is_refused_before_anything_changes(settings: dict, message: str):
    obj = with_displace(painted(), 0.2)
    with pytest.raises(FitError, match=message):
        FitJob(bpy.context.scene, [obj], references_of(obj), replace(ALONE, **settings))


def test_one_undo_takes_fitted_values_back():
    obj = with_bones(with_smile(with_displace(painted(), 0.2), 0.4), 15.0)
    references = references_of(obj)
    obj.modifiers["Displace"].strength, obj.location.x = 0.1, 0.1
    set_smile(obj, 0.0)
    bpy.data.objects["Rig"].pose.bones["Tip"].rotation_quaternion = (1.0, 0.0, 0.0, 0.0)
    names = (
        'Cup:modifiers["Displace"].strength',
        "Cup:location",
        'Cup:key_blocks["Smile"].value',
        'Rig:pose.bones["Tip"].rotation_quaternion',
    )
    bpy.context.preferences.edit.use_global_undo = True
    bpy.ops.ed.undo_push(message="before")
    job = fit(obj, references, replace(ALONE, parameters=names))
    found = [each["after"] for each in job.report["parameters"]]
    assert found[0] == [pytest.approx(0.2, rel=0.05)]
    assert found[2] == [pytest.approx(0.4, rel=0.05)]
    bpy.ops.ed.undo_push(message="fit")
    bpy.ops.ed.undo()
    obj = bpy.data.objects["Cup"]
    assert obj.modifiers["Displace"].strength == np.float32(0.1)
    assert tuple(obj.location) == (np.float32(0.1), 0.0, 0.0)
    assert get_smile(obj) == 0.0
    assert tuple(bpy.data.objects["Rig"].pose.bones["Tip"].rotation_quaternion) == (1.0, 0.0, 0.0, 0.0)


def test_a_fit_goes_on_with_more_steps_and_tells_when_a_value_was_changed_meanwhile():
    obj = with_displace(painted(), 0.2)
    references = references_of(obj)
    obj.modifiers["Displace"].strength = 0.1
    settings = replace(ALONE, parameters=('Cup:modifiers["Displace"].strength',))
    job = fit(obj, references, settings)
    traces = job.traces()
    assert job.traces() == traces
    obj.modifiers["Displace"].strength = 0.3
    assert job.traces() != traces
    obj.modifiers["Displace"].strength = job.report["parameters"][0]["after"][0]
    for _ in job.run():
        pass
    assert job.report["steps"] == 24
    assert obj.modifiers["Displace"].strength == pytest.approx(0.2, rel=0.01)


def test_two_objects_are_moved_each_to_its_place():
    first, second = painted("One"), painted("Two")
    first.location.x, second.location.x = -1.2, 1.2
    bpy.context.view_layer.update()
    views = orbit_around([first, second], VIEWS, PIXELS)
    references = make_references([first, second], views, FitSettings(resolution=PIXELS), bpy.context.scene)
    first.location.z, second.location.y = 0.15, -0.15
    bpy.context.view_layer.update()
    settings = replace(ALONE, parameters=("One:location", "Two:location"))
    job = FitJob(bpy.context.scene, [first, second], references, settings, live=False)
    for _ in job.run():
        pass
    assert np.abs(np.array(first.location) - (-1.2, 0.0, 0.0)).max() < 0.005
    assert np.abs(np.array(second.location) - (1.2, 0.0, 0.0)).max() < 0.005


def test_a_lost_owner_is_named_and_the_other_values_are_written():
    obj = with_displace(painted(), 0.2)
    references = references_of(obj)
    obj.modifiers["Displace"].strength, obj.location.x = 0.1, 0.1
    names = ('Cup:modifiers["Displace"].strength', "Cup:location")
    job = FitJob(bpy.context.scene, [obj], references, replace(ALONE, parameters=names), live=False)
    run = job.run()
    while next(run).step < ALONE.steps:
        pass
    obj.modifiers.clear()
    with pytest.raises(TargetLost, match="strength' was removed"):
        list(run)
    assert abs(obj.location.x) < 0.01


def test_values_that_only_other_vertices_would_change_stay_and_are_told():
    obj = painted()
    bevel = obj.modifiers.new("Bevel", "BEVEL")
    bevel.width = 0.05
    references = references_of(obj)
    bevel.width = 0.0
    name = 'Cup:modifiers["Bevel"].width'
    job = fit(obj, references, replace(ALONE, parameters=(name,)))
    assert bevel.width == 0.0
    assert any(f"'{name}' stays" in notice and "begin with another value" in notice for notice in job.notices)


def test_textures_without_outlines_are_warned_of():
    obj = painted()
    opaque = [replace(each, has_alpha=False) for each in references_of(obj)]
    job = FitJob(bpy.context.scene, [obj], opaque, replace(ALONE, texture=True), live=False)
    assert any("textures may explain" in notice for notice in job.notices)
    job = FitJob(bpy.context.scene, [obj], opaque, ALONE, live=False)
    assert not any("textures may explain" in notice for notice in job.notices)
