# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of modifiers and objects fitted while the shape moves: what is written back is what was fitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import bpy
import numpy as np
import pytest

from sge_addon.core.reference import Reference
from sge_addon.core.settings import FitSettings
from sge_addon.job import FitJob, make_references, orbit_around
from tests.blender.small_world import positions_of
from tests.blender.stacked_objects import painted, with_bones, with_displace, with_smile

pytestmark = pytest.mark.usefixtures("gpu_ready")

VIEWS, PIXELS, STEPS = 6, 96, 300
TOGETHER = FitSettings(texture=False, steps=STEPS, resolution=PIXELS)


def references_of(obj: bpy.types.Object) -> list[Reference]:
    bpy.context.view_layer.update()
    views = orbit_around([obj], VIEWS, PIXELS)
    return make_references([obj], views, FitSettings(resolution=PIXELS), bpy.context.scene)


def dent(obj: bpy.types.Object) -> None:
    """Make another base mesh of it, and of its basis key."""
    positions = positions_of(obj.name)
    positions *= (1.0 - 0.12 * np.exp(-4.0 * (positions[:, :1] - 0.8) ** 2)).astype(np.float32)
    obj.data.attributes["position"].data.foreach_set("vector", positions.ravel())
    obj.data.update()


def plain() -> bpy.types.Object:
    return painted()


def subdivided() -> bpy.types.Object:
    obj = painted()
    obj.modifiers.new("Subdivision", "SUBSURF").levels = 1
    return obj


def displaced() -> bpy.types.Object:
    return with_displace(painted(), 0.15)


def boned() -> bpy.types.Object:
    return with_bones(painted(), 15.0)


def smiling() -> bpy.types.Object:
    obj = with_smile(painted(), 0.6)
    obj.active_shape_key_index = 0
    return obj


def move(obj: bpy.types.Object) -> None:
    obj.location, obj.rotation_euler = (0.15, -0.1, 0.05), (0.0, 0.0, 0.1)


def flatten(obj: bpy.types.Object) -> None:
    obj.modifiers["Displace"].strength = 0.0


def straighten(_obj: bpy.types.Object) -> None:
    bpy.data.objects["Rig"].pose.bones["Tip"].rotation_quaternion = (1.0, 0.0, 0.0, 0.0)


def be_serious(obj: bpy.types.Object) -> None:
    obj.data.shape_keys.key_blocks["Smile"].value = 0.1


CASES = {
    "plain, moved": (plain, move, ("Cup:location", "Cup:rotation_euler")),
    "subdivided, moved": (subdivided, move, ("Cup:location", "Cup:rotation_euler")),
    "displaced, moved": (displaced, move, ("Cup:location", "Cup:rotation_euler")),
    "displaced": (displaced, flatten, ('Cup:modifiers["Displace"].strength',)),
    "bones": (boned, straighten, ('Rig:pose.bones["Tip"].rotation_quaternion',)),
    "shape key": (smiling, be_serious, ('Cup:key_blocks["Smile"].value',)),
}


@pytest.mark.parametrize(("made", "spoilt", "names"), CASES.values(), ids=CASES.keys())
def test_what_is_written_back_is_what_was_fitted(made: Callable, spoilt: Callable, names: tuple[str, ...]):
    obj = made()
    references = references_of(obj)
    spoilt(obj)
    if not obj.data.shape_keys:
        dent(obj)
    bpy.context.view_layer.update()
    before = positions_of("Cup")
    settings = replace(TOGETHER, parameters=names)
    job = FitJob(bpy.context.scene, [obj], references, settings, live=False)
    for _ in job.run():
        pass
    bpy.context.view_layer.update()
    assert np.abs(positions_of("Cup") - before).max() > 1e-3
    figures = job.report["psnr"]["object"]
    assert figures["after"] > figures["before"] + 6.0
    assert figures["after"] > 22.0
    # What Blender makes of what was written looks like what the fit ended with.
    view = references[0].view
    written = make_references([obj], [view], FitSettings(resolution=PIXELS), bpy.context.scene)[0].colour
    assert np.abs(job.render(view) - written).mean() < 2e-3


@pytest.mark.parametrize("name", ["subdivided, moved", "displaced over levels"])
def test_levels_of_subdivision_may_grow_from_stage_to_stage(name: str):
    obj = subdivided()
    obj.modifiers[0].levels = 2
    if name != "subdivided, moved":
        with_displace(obj, 0.15)
    references = references_of(obj)
    dent(obj)
    if name == "subdivided, moved":
        move(obj)
    else:
        flatten(obj)
    bpy.context.view_layer.update()
    names = ("Cup:location",) if name == "subdivided, moved" else ('Cup:modifiers["Displace"].strength',)
    settings = replace(TOGETHER, steps=40, stages=2, coarse_levels=True, parameters=names)
    job = FitJob(bpy.context.scene, [obj], references, settings, live=False)
    for _ in job.run():
        pass
    assert not any("stays as it was" in notice for notice in job.notices)
    assert job.report["psnr"]["object"]["after"] > job.report["psnr"]["object"]["before"] + 6.0
    view = references[0].view
    written = make_references([obj], [view], FitSettings(resolution=PIXELS), bpy.context.scene)[0].colour
    assert np.abs(job.render(view) - written).mean() < 2e-3


def test_stages_and_more_steps_go_on_with_the_values():
    obj = subdivided()
    references = references_of(obj)
    move(obj)
    dent(obj)
    settings = replace(TOGETHER, stages=2, parameters=("Cup:location", "Cup:rotation_euler"))
    bpy.context.view_layer.update()
    job = FitJob(bpy.context.scene, [obj], references, settings, live=True)
    for _ in job.run():
        pass
    reached = job.report["psnr"]["object"]["after"]
    assert reached > 24.0
    assert np.abs(np.array(obj.location)).max() < 0.12
    job.more = 20
    for _ in job.run():
        pass
    assert job.report["psnr"]["object"]["after"] > reached - 2.5  # steps that are added stir the shape


def test_values_shape_and_texture_are_fitted_together():
    obj = displaced()
    references = references_of(obj)
    flatten(obj)
    obj.location.x = 0.1
    settings = replace(
        TOGETHER,
        texture=True,
        texture_size=32,
        parameters=("Cup:location", 'Cup:modifiers["Displace"].strength'),
    )
    bpy.context.view_layer.update()
    job = FitJob(bpy.context.scene, [obj], references, settings, live=False)
    for _ in job.run():
        pass
    assert job.report["psnr"]["object"]["after"] > 24.0
