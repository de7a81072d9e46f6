# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job that is stopped and run again, and what it must find unchanged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import bpy
import pytest

from sge_addon.core.errors import FitError
from sge_addon.core.reference import Reference
from sge_addon.core.settings import FitSettings
from sge_addon.job import FitJob, make_references, orbit_around
from sge_addon.scene.references import add_reference_cameras
from sge_addon.scene.stored_settings import registered
from sge_addon.scene.traces import check_unchanged, reference_traces
from tests.blender.small_world import add_sphere, pixels_of, positions_of
from tests.meshes import waves

SETTINGS = FitSettings(steps=30, resolution=32, texture_size=16)
START = (0.9, 0.9, 0.9)


@pytest.fixture(scope="module")
def references(gpu_ready: None) -> list[Reference]:
    """Three views of a longer, coloured sphere."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    source = add_sphere("Source", (0.8, 0.8, 1.1), colour=waves(16, 16))
    views = orbit_around([source], 3, SETTINGS.resolution)
    return make_references([source], views, SETTINGS, bpy.context.scene)


def job_on(name: str, references: list[Reference], settings: FitSettings = SETTINGS) -> FitJob:
    return FitJob(bpy.context.scene, [add_sphere(name, START)], references, settings, live=False)


def run_until(job: FitJob, step: int) -> None:
    """Run, stop after a step, and wind up."""
    for progress in job.run():
        if progress.stage == "Fitting" and progress.step == step:
            job.stop()


def result(name: str) -> tuple[bytes, bytes]:
    """The second is empty where no texture is fitted."""
    image = f"{name}.sge"
    pixels = pixels_of(image).tobytes() if image in bpy.data.images else b""
    return positions_of(name).tobytes(), pixels


@pytest.mark.parametrize(
    "settings",
    [
        SETTINGS,
        replace(SETTINGS, shape=False),  # 10 passes over the views: stopped in the middle of a gathering
        replace(SETTINGS, texture_estimator="texel"),
        replace(SETTINGS, texture=False, estimator="sge", shading="unlit"),
        replace(SETTINGS, stages=2),
        replace(SETTINGS, refine_cameras=True, refine_gain="channels"),
    ],
    ids=["joint", "texture", "texel", "pairs", "stages", "cameras"],
)
def test_a_stopped_fit_goes_on_as_if_there_had_been_no_stop(
    references: list[Reference], settings: FitSettings
) -> None:
    whole = job_on("Whole", references, settings)
    run_until(whole, 0)
    stopped = job_on("Stopped", references, settings)
    for step in (11, 25):
        run_until(stopped, step)
        assert not stopped.has_ended
        assert result("Stopped") != result("Whole")
    run_until(stopped, 0)
    assert result("Stopped") == result("Whole")
    assert stopped.report["loss"] == whole.report["loss"]
    assert stopped.report["psnr"] == whole.report["psnr"]


def test_a_finished_fit_goes_on_for_as_many_steps_as_asked(references: list[Reference]) -> None:
    job = job_on("Longer", references, replace(SETTINGS, texture=False))
    run_until(job, 0)
    assert job.has_ended
    short = job.report["psnr"]["object"]["after"]
    job.more = 12
    planned = [(p.step, p.steps) for p in job.run() if p.stage == "Fitting"]
    assert planned == [(step, 42) for step in range(31, 43)]
    assert job.report["steps"] == 42
    assert [step for step, _ in job.report["loss"]] == list(range(1, 43))
    assert job.report["psnr"]["object"]["after"] > short - 1.0


def move_vertex() -> None:
    bpy.data.objects["Cage"].data.vertices[3].co.x += 0.01
    bpy.data.objects["Cage"].data.update()


def flip_face() -> None:
    bpy.data.objects["Cage"].data.flip_normals()


def move_object() -> None:
    bpy.data.objects["Cage"].location.x += 0.5
    bpy.context.view_layer.update()


def change_uvs() -> None:
    bpy.data.objects["Cage"].data.uv_layers[0].uv[0].vector = (0.5, 0.5)


def paint() -> None:
    bpy.data.images["Cage.sge"].pixels[0] += 0.5


def take_image_away() -> None:
    material = bpy.data.objects["Cage"].active_material
    next(n for n in material.node_tree.nodes if n.type == "TEX_IMAGE").image = None


def nothing() -> None:
    pass


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (move_vertex, "'Cage': its vertices"),
        (flip_face, "'Cage': its faces"),
        (move_object, "'Cage': its transform"),
        (change_uvs, "'Cage': its UV map"),
        (paint, r"Image 'Cage\.sge'"),
        (take_image_away, "'Cage': its materials"),
        (nothing, ""),
    ],
)
def test_what_changed_since_is_named(
    references: list[Reference], change: Callable[[], None], named: str
) -> None:
    job = job_on("Cage", references)
    run_until(job, 5)
    before = job.traces()
    change()
    if named:
        with pytest.raises(FitError, match=named):
            check_unchanged(before, job.traces())
    else:
        check_unchanged(before, job.traces())


def test_references_that_changed_are_named(references: list[Reference]) -> None:
    with registered():
        check_references_that_change(references)


def check_references_that_change(references: list[Reference]) -> None:
    scene = bpy.context.scene
    add_reference_cameras(scene, references)
    bpy.context.view_layer.update()
    before = reference_traces(scene)
    check_unchanged(before, reference_traces(scene))
    first, second = (reference.view.name for reference in references[:2])
    scene.objects[first].data.lens += 1.0
    bpy.context.view_layer.update()
    with pytest.raises(FitError, match=f"changed.*Camera '{first}'"):
        check_unchanged(before, reference_traces(scene))
    scene.objects[first].data.lens -= 1.0
    bpy.data.objects.remove(scene.objects[second])
    with pytest.raises(FitError, match=r"changed.*list of references"):
        check_unchanged(before, reference_traces(scene))


@pytest.mark.parametrize("change", ["levels", "smoothing", "another"])
def test_other_modifiers_are_named(change: str, references: list[Reference]) -> None:
    """Settings that change what is made of the same base mesh, also where as many vertices are made; but not
    what the fit itself has written."""
    obj = add_sphere("Stacked", START)
    modifier = obj.modifiers.new("Subdivision", "SUBSURF")
    job = FitJob(bpy.context.scene, [obj], references, SETTINGS, live=False)
    run_until(job, 5)
    left = job.traces()
    check_unchanged(left, job.traces())
    scenes = len(bpy.data.scenes)
    if change == "levels":
        modifier.levels = 2
    elif change == "smoothing":
        modifier.subdivision_type = "SIMPLE"
    else:
        obj.modifiers.new("Bend", "SIMPLE_DEFORM").angle = 0.5
    with pytest.raises(FitError, match="'Stacked': its modifiers"):
        check_unchanged(left, job.traces())
    assert len(bpy.data.scenes) == scenes
