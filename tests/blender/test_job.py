# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job step by step: slices, stopping, and targets that go away while it runs."""

from __future__ import annotations

from collections.abc import Callable

import bpy
import numpy as np
import pytest
from mathutils import Matrix

from sge_addon.core.errors import FitError, TargetLost
from sge_addon.core.reference import Reference
from sge_addon.core.settings import FitSettings
from sge_addon.job import FitJob, make_references, orbit_around
from sge_addon.scene.objects import parts_with_faces
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


def job_on(names: list[str], references: list[Reference], *, live: bool = True) -> FitJob:
    objects = [add_sphere(name, START) for name in names]
    return FitJob(bpy.context.scene, objects, references, SETTINGS, live=live)


def begun(job: FitJob, steps: int = 10):
    """The job's generator after some steps."""
    run = job.run()
    for progress in run:
        if progress.step == steps:
            return run
    raise AssertionError("it ended early")


def result(name: str) -> tuple[bytes, bytes]:
    return positions_of(name).tobytes(), pixels_of(f"{name}.sge").tobytes()


def test_sliced_run_is_the_whole_run_bit_for_bit(references: list[Reference]) -> None:
    """Also when results are written into the scene meanwhile, and the scene is evaluated between steps."""
    whole = job_on(["Whole"], references, live=False)
    losses = [progress.loss for progress in whole.run()]
    sliced = job_on(["Sliced"], references)
    other = []
    for progress in sliced.run():
        other.append(progress.loss)
        bpy.context.view_layer.update()
    assert other == losses
    assert result("Sliced") == result("Whole")


def test_checking_changes_nothing(references: list[Reference]) -> None:
    job_on(["Kept"], references)
    assert not bpy.data.objects["Kept"].data.materials
    assert len(bpy.data.images) == 0


def test_two_objects_in_one_fit_move_each_for_itself(references: list[Reference]) -> None:
    for _ in job_on(["First", "Second"], references).run():
        pass
    assert {"First.sge", "Second.sge"} <= set(bpy.data.images.keys())
    for name in ("First", "Second"):
        assert np.abs(positions_of(name)).max() != pytest.approx(0.9, abs=1e-3)


def test_stopping_keeps_what_was_reached_and_measures(references: list[Reference]) -> None:
    job = job_on(["Stopped"], references, live=False)
    run = begun(job)
    job.stop()
    rest = list(run)
    assert {progress.stage for progress in rest} == {"Measuring"}
    assert job.report["steps"] == 10
    assert job.report["psnr"]["object"]["after"] is not None
    assert np.abs(positions_of("Stopped")).max() != pytest.approx(0.9, abs=1e-3)


def test_closing_keeps_what_was_reached_without_measuring(references: list[Reference]) -> None:
    job = job_on(["Closed"], references, live=False)
    begun(job).close()
    assert job.report["steps"] == 10
    assert job.report["psnr"]["object"]["before"] is not None
    assert job.report["psnr"]["object"]["after"] is None
    assert all(view["psnr_after"] is None for view in job.report["views"])
    assert np.abs(positions_of("Closed")).max() != pytest.approx(0.9, abs=1e-3)


def test_closing_before_the_first_step_changes_nothing(references: list[Reference]) -> None:
    job = job_on(["Untouched"], references)
    run = job.run()
    next(run)
    run.close()
    assert job.report is None
    assert not bpy.data.objects["Untouched"].data.materials


# --- What goes away


def delete_object() -> None:
    bpy.data.objects.remove(bpy.data.objects["Lost"])


def delete_mesh() -> None:
    bpy.data.meshes.remove(bpy.data.meshes["Lost"])


def edit_mesh() -> None:
    bpy.data.objects["Lost"].data.vertices.add(1)


def delete_image() -> None:
    bpy.data.images.remove(bpy.data.images["Lost.sge"])


def scale_image() -> None:
    bpy.data.images["Lost.sge"].scale(8, 8)


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize(
    ("loss", "named"),
    [
        (delete_object, "Object 'Lost' was deleted"),
        (delete_mesh, "Object 'Lost' was deleted"),
        (edit_mesh, "Object 'Lost' now has 163 vertices"),
        (delete_image, "Image 'Lost.sge' was deleted"),
        (scale_image, "Image 'Lost.sge' was scaled"),
    ],
)
def test_target_that_goes_away_ends_the_fit_and_the_rest_is_kept(
    references: list[Reference], loss: Callable[[], None], named: str, live: bool
) -> None:
    job = job_on(["Lost", "Kept"], references, live=live)
    run = begun(job)
    loss()
    with pytest.raises(TargetLost, match=named):
        for _ in run:
            pass
    assert np.abs(positions_of("Kept")).max() != pytest.approx(0.9, abs=1e-3)
    assert np.ptp(pixels_of("Kept.sge").reshape(-1, 4)[:, 0]) > 0.01
    assert bpy.data.images["Kept.sge"].packed_file is not None
    assert job.report["steps"] >= 10


def test_another_file_ends_the_fit(references: list[Reference]) -> None:
    run = begun(job_on(["Lost"], references))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    with pytest.raises(TargetLost, match="'Lost'"):
        for _ in run:
            pass
    assert len(bpy.data.objects) == 0


def test_material_and_camera_that_go_away_do_not_matter(references: list[Reference]) -> None:
    """A fit reads them once, at its beginning."""
    job = job_on(["Fitted"], references)
    run = begun(job)
    bpy.data.materials.remove(bpy.data.objects["Fitted"].data.materials[0])
    for _ in run:
        pass
    assert job.report["steps"] == SETTINGS.steps


def test_renamed_target_is_found_again(references: list[Reference]) -> None:
    job = job_on(["Before"], references)
    run = begun(job)
    bpy.data.objects["Before"].name = "After"
    bpy.data.images["Before.sge"].name = "Skin"
    for _ in run:
        pass
    assert np.abs(positions_of("After")).max() != pytest.approx(0.9, abs=1e-3)
    assert np.ptp(pixels_of("Skin").reshape(-1, 4)[:, 0]) > 0.01


# --- References that are rendered


def test_parts_are_the_source_and_its_children_that_can_have_faces() -> None:
    empty = bpy.data.objects.new("Group", None)
    child, grandchild = add_sphere("Child", START), add_sphere("Grandchild", START)
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    for obj in (empty, camera):
        bpy.context.collection.objects.link(obj)
    child.parent, grandchild.parent, camera.parent = empty, child, empty
    assert {obj.name for obj in parts_with_faces(empty)} == {"Child", "Grandchild"}


def test_references_show_modifiers(gpu_ready: None) -> None:
    """A sphere that is mirrored along X covers twice the pixels."""
    source = add_sphere("Source", (0.3, 0.3, 0.3))
    source.data.transform(Matrix.Translation((0.5, 0.0, 0.0)))
    views = orbit_around([add_sphere("Frame", (1.0, 1.0, 1.0))], 8, 32)
    front = max(views, key=lambda view: abs(view.camera_to_world[1, 3]))
    one = make_references([source], [front], SETTINGS, bpy.context.scene)[0].colour[..., 3].sum()
    source.modifiers.new("Mirror", "MIRROR").use_axis = (True, False, False)
    bpy.context.view_layer.update()
    two = make_references([source], [front], SETTINGS, bpy.context.scene)[0].colour[..., 3].sum()
    assert two == pytest.approx(2.0 * one, rel=0.1)


def test_source_that_a_camera_does_not_see_is_refused(gpu_ready: None) -> None:
    source = add_sphere("Source", (0.1, 0.1, 0.1))
    views = orbit_around([source], 2, 32)
    source.location = (100.0, 0.0, 0.0)
    bpy.context.view_layer.update()
    with pytest.raises(FitError, match="sees nothing of the object"):
        make_references([source], views, SETTINGS, bpy.context.scene)


def test_infinity_that_blender_clamped_is_refused(references: list[Reference]) -> None:
    obj = add_sphere("Endless", START)
    obj.data.vertices[7].co.x = float("inf")
    with pytest.raises(FitError, match=r"'Endless': vertex 7 .*infinite"):
        FitJob(bpy.context.scene, [obj], references, SETTINGS)
