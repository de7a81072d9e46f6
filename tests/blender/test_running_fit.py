# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running fit and everything that may happen to it, driven without a window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import bpy
import numpy as np
import pytest

import sge_addon
from sge_addon.core.errors import FitError
from sge_addon.core.settings import FitSettings
from sge_addon.job import make_references, orbit_around
from sge_addon.scene.reference_rows import add_rows_from_cameras
from sge_addon.scene.references import add_reference_cameras
from sge_addon.ui.compare_pictures import PictureSource
from sge_addon.ui.running_fit import RunningFit
from tests.blender.small_world import add_sphere, pixels_of, positions_of
from tests.meshes import waves

STEPS = 24


@pytest.fixture(autouse=True)
def registered(empty_file: None, gpu_ready: None) -> Iterator[None]:
    """The add-on, and a scene with three references of a longer sphere and a round one, "Cage"."""
    sge_addon.register()
    bpy.ops.ed.undo_push(message="Original")
    settings = FitSettings(resolution=32)
    source = add_sphere("Source", (0.8, 0.8, 1.1), colour=waves(16, 16))
    references = make_references([source], orbit_around([source], 3, 32), settings, bpy.context.scene)
    add_reference_cameras(bpy.context.scene, references)
    add_rows_from_cameras(bpy.context.scene)
    add_sphere("Cage", (0.9, 0.9, 0.9)).select_set(True)
    stored = bpy.context.scene.sge
    stored.source = source
    stored.steps, stored.resolution, stored.texture_size = STEPS, 32, 16
    bpy.ops.ed.undo_push(message="Set up")
    yield
    sge_addon.unregister()


def begun(steps: int = 5) -> RunningFit:
    fit = RunningFit(bpy.context)
    while fit.progress is None or fit.progress.step < steps:
        fit.advance(0.0)
    return fit


def run_on(fit: RunningFit) -> None:
    while not fit.finished:
        fit.advance(1.0)


def stopped() -> RunningFit:
    fit = begun()
    fit.stop()
    run_on(fit)
    return fit


def result() -> tuple[bytes, bytes]:
    return positions_of("Cage").tobytes(), pixels_of("Cage.sge").tobytes()


def test_a_pause_takes_no_steps_and_changes_no_bits() -> None:
    run_on(begun())
    whole = result()
    bpy.ops.ed.undo_push(message="Fit")
    bpy.ops.ed.undo()
    fit = begun()
    fit.pause()
    assert "paused" in fit.status()
    fit.check()
    assert fit.progress.step == 5
    fit.resume()
    run_on(fit)
    assert result() == whole


def test_stopping_while_paused_ends() -> None:
    fit = begun()
    fit.pause()
    fit.stop()
    run_on(fit)
    assert all(row.measured for row in bpy.context.scene.sge.references)


def test_a_stopped_fit_goes_on_to_its_last_step() -> None:
    first = stopped()
    assert RunningFit.kept is first
    assert bpy.ops.sge.continue_fit() == {"FINISHED"}
    assert [point.step for point in bpy.context.scene.sge.losses] == list(range(1, STEPS + 1))
    assert RunningFit.kept is first


def test_a_finished_fit_goes_on_for_as_many_steps_as_the_panel_says() -> None:
    run_on(begun())
    bpy.context.scene.sge.steps = 7
    assert bpy.ops.sge.continue_fit() == {"FINISHED"}
    assert bpy.context.scene.sge.losses[-1].step == STEPS + 7


def test_other_settings_are_named() -> None:
    stopped()
    bpy.context.scene.sge.steps = STEPS + 1
    with pytest.raises(RuntimeError, match=f"Steps was {STEPS} and is now {STEPS + 1}"):
        bpy.ops.sge.continue_fit()
    bpy.context.scene.sge.steps = STEPS
    bpy.context.scene.sge.references[0].held_out = True
    with pytest.raises(RuntimeError, match="changed since it ended: The list of references"):
        bpy.ops.sge.continue_fit()
    bpy.context.scene.sge.references[0].held_out = False
    assert bpy.ops.sge.continue_fit() == {"FINISHED"}


def test_what_was_undone_goes_on_only_once_it_is_redone() -> None:
    stopped()
    bpy.ops.ed.undo_push(message="Fit")
    bpy.ops.ed.undo()
    with pytest.raises(RuntimeError, match=r"cannot go on.*no longer there"):
        bpy.ops.sge.continue_fit()
    bpy.ops.ed.redo()
    assert bpy.ops.sge.continue_fit() == {"FINISHED"}


def test_forgetting_frees_what_is_kept() -> None:
    stopped()
    assert bpy.ops.sge.forget_fit() == {"FINISHED"}
    assert not bpy.ops.sge.continue_fit.poll()


def test_a_new_file_forgets() -> None:
    stopped()
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert RunningFit.kept is None


def test_undo_takes_back_the_running_fit_and_no_more() -> None:
    start = positions_of("Cage").tobytes()
    fit = begun()
    fit.advance(0.0, live=True)
    bpy.ops.ed.undo()
    assert fit.finished
    assert fit.has_undo_step
    assert "Undo" in fit.ended_by
    assert positions_of("Cage").tobytes() == start
    assert len(bpy.context.scene.sge.references) == 3
    bpy.ops.ed.redo()
    assert positions_of("Cage").tobytes() != start


def test_saving_keeps_what_is_reached(tmp_path: Path) -> None:
    fit = begun(STEPS - 4)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "mid.blend"))
    assert not fit.finished
    shown = result()
    fit.advance(0.0)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "mid.blend"))
    assert fit.finished
    assert positions_of("Cage").tobytes() == shown[0]
    saved = pixels_of("Cage.sge")
    assert np.allclose(saved, np.frombuffer(shown[1], np.float32), atol=1e-6)
    assert saved.reshape(-1, 4)[:, :3].std() > 0.01


def delete_camera() -> None:
    bpy.data.objects.remove(bpy.context.scene.sge.references[1].camera)


def delete_image() -> None:
    camera = bpy.context.scene.sge.references[1].camera
    bpy.data.images.remove(camera.data.background_images[0].image)


def delete_object() -> None:
    bpy.data.objects.remove(bpy.data.objects["Cage"])


def delete_fitted_image() -> None:
    bpy.data.images.remove(bpy.data.images["Cage.sge"])


def enter_edit_mode() -> None:
    bpy.context.view_layer.objects.active = bpy.data.objects["Cage"]
    bpy.ops.object.mode_set(mode="EDIT")


@pytest.mark.parametrize("is_paused", [False, True])
@pytest.mark.parametrize(
    ("happens", "message", "keeps_shape"),
    [
        (delete_camera, "Camera 'view_001' was deleted", True),
        (delete_image, "Image 'view_001' was deleted", True),
        (delete_object, "Object 'Cage' was deleted", False),
        (delete_fitted_image, r"Image 'Cage\.sge' was deleted", True),
        (enter_edit_mode, "Object 'Cage' entered Edit Mode", False),
    ],
)
def test_what_goes_away_ends_it_with_one_message(
    happens: Callable[[], None], message: str, keeps_shape: bool, is_paused: bool
) -> None:
    start = positions_of("Cage").tobytes()
    fit = begun()
    if is_paused:
        fit.pause()
    happens()
    fit._watched._looked = 0.0  # it looks twice a second
    with pytest.raises(FitError, match=message):
        fit.check()
    assert fit.finished
    assert RunningFit.current is None
    fit.close()
    if keeps_shape:
        assert positions_of("Cage").tobytes() != start


def test_compare_shows_the_scene_and_follows_a_running_fit() -> None:
    scene = bpy.context.scene
    source = PictureSource(bpy.context)
    start = source.pictures(scene, 0)
    assert not source.is_stale(0)
    assert source.pictures(scene, 0) is start
    assert source.is_stale(1)
    fit = begun(STEPS - 4)
    assert source.is_stale(0)
    following = source.pictures(scene, 0)
    assert following.psnr > start.psnr + 1.0
    fit.stop()
    run_on(fit)
    source.scene_changed()
    after = source.pictures(scene, 0)
    # From the scene again: what was written there is what the fit has measured.
    assert after.psnr == pytest.approx(scene.sge.references[0].psnr_after, abs=0.01)
    scene.sge.references.clear()
    source.scene_changed()
    with pytest.raises(FitError, match="no reference to compare"):
        source.pictures(scene, 0)


def test_compare_needs_a_mesh() -> None:
    bpy.data.objects["Cage"].select_set(False)
    with pytest.raises(FitError, match="select the mesh"):
        PictureSource(bpy.context)
