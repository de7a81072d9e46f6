# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is held fixed among cameras and gains, and when cameras are refined."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sge_addon.core.camera_block import CameraBlock, CameraChange
from sge_addon.core.camera_parameters import rotation_matrix
from sge_addon.core.camera_refinement import CameraState
from sge_addon.core.camera_schedule import CameraSchedule
from sge_addon.core.orbit import orbit_views
from sge_addon.core.reference import Reference
from sge_addon.core.view import View

CENTER = np.array([0.3, -0.2, 0.5])
VIEWS = orbit_views(CENTER, 1.0, 6, 16, 12)


def references() -> list[Reference]:
    rng = np.random.default_rng(0)
    return [Reference(view, rng.random((12, 16, 4)).astype(np.float32), True) for view in VIEWS]


def round_of(block: CameraBlock, change: list[CameraState]) -> None:
    for index, state in enumerate(change):
        block.step(CameraChange(index, state, 16), 0.0)


def carried(view: View, rotation: list[float], shift: list[float], scale: float = 1.0) -> View:
    """The view carried along with the world, turned, grown and shifted about CENTER."""
    pose = view.camera_to_world.copy()
    turn = rotation_matrix(np.array(rotation))
    pose[:3, :3] = turn @ pose[:3, :3]
    pose[:3, 3] = CENTER + np.array(shift) + scale * turn @ (pose[:3, 3] - CENTER)
    return replace(view, camera_to_world=pose)


@pytest.mark.parametrize(
    ("rotation", "shift", "scale"),
    [
        ([0.02, -0.01, 0.03], [0.0, 0.0, 0.0], 1.0),
        ([0.0, 0.0, 0.0], [0.1, -0.2, 0.05], 1.0),
        ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], 1.03),
    ],
    ids=["turn", "shift", "growth"],
)
def test_what_all_cameras_have_in_common_is_taken_back_while_the_shape_moves(
    rotation: list[float], shift: list[float], scale: float
) -> None:
    """It is no change at all: the shape could have moved with them."""
    changed = [CameraState(carried(view, rotation, shift, scale), np.ones(3)) for view in VIEWS]
    held = CameraBlock(references(), CENTER, holds_pose=True)
    round_of(held, changed)
    for state, view in zip(held.states, VIEWS, strict=True):
        assert np.allclose(state.view.camera_to_world, view.camera_to_world, atol=1e-9)
    free = CameraBlock(references(), CENTER)
    round_of(free, changed)
    assert all(a.view is not b for a, b in zip(free.states, VIEWS, strict=True))
    for state, change in zip(free.states, changed, strict=True):
        assert np.array_equal(state.view.camera_to_world, change.view.camera_to_world)


def test_the_mean_of_single_corrections_is_held_and_their_differences_stay() -> None:
    block = CameraBlock(references(), CENTER, holds_pose=True)
    turns = np.random.default_rng(1).normal(0.0, 0.01, (6, 3))
    states = [
        CameraState(carried(view, list(turn), [0.0, 0.0, 0.0]), np.ones(3))
        for view, turn in zip(VIEWS, turns, strict=True)
    ]
    round_of(block, states)
    assert np.allclose(block.value[:, :3], turns - turns.mean(axis=0), atol=2e-4)
    eyes = np.array([state.view.camera_to_world[:3, 3] for state in block.states])
    given = np.array([view.camera_to_world[:3, 3] for view in VIEWS])
    assert np.allclose(eyes.mean(axis=0), given.mean(axis=0), atol=1e-12)
    assert abs(((eyes - given) * (given - given.mean(axis=0))).sum()) < 1e-12  # nor have they spread


def test_once_the_shape_rests_cameras_stay_where_they_are_found() -> None:
    block = CameraBlock(references(), CENTER, holds_pose=True)
    block.rest()
    changed = [CameraState(carried(view, [0.02, 0.0, 0.0], [0.0] * 3), np.ones(3)) for view in VIEWS]
    round_of(block, changed)
    assert np.allclose(block.value[:, :3], [0.02, 0.0, 0.0], atol=1e-6)


def test_mean_gain_is_held_while_textures_are_fitted() -> None:
    gains = np.exp(np.random.default_rng(2).normal(0.3, 0.1, (6, 3)))
    states = [CameraState(view, gain) for view, gain in zip(VIEWS, gains, strict=True)]
    block = CameraBlock(references(), CENTER, holds_gain=True)
    round_of(block, states)
    found = np.array([state.gain for state in block.states])
    assert np.allclose(np.log(found).mean(axis=0), 0.0, atol=1e-12)
    assert np.allclose(found / found[0], gains / gains[0])


def test_references_are_shown_through_the_refined_view_and_without_the_gain() -> None:
    given = references()
    block = CameraBlock(given, CENTER)
    assert block.references == given
    shown = block.references  # what the sources hold
    view = carried(VIEWS[2], [0.01, 0.0, 0.0], [0.0] * 3)
    block.step(CameraChange(2, CameraState(view, np.array([0.5, 1.0, 2.0])), 16), 0.0)
    assert np.array_equal(shown[2].view.camera_to_world, view.camera_to_world)
    assert np.allclose(shown[2].colour * [0.5, 1.0, 2.0, 1.0], given[2].colour)
    assert np.array_equal(shown[2].colour[..., 3], given[2].colour[..., 3])
    assert block.originals[2] is given[2]
    block.step(CameraChange(1, CameraState(view, np.ones(3)), 16), 0.0)
    assert shown[1].colour is given[1].colour  # what has not changed need not be uploaded again


def test_correction_says_how_far_a_camera_has_come() -> None:
    block = CameraBlock(references(), CENTER)
    view = carried(VIEWS[0], [0.0, 0.0, np.radians(2.0)], [0.0] * 3)
    projection = view.projection.copy()
    projection[:2, :2] *= 1.02
    block.step(
        CameraChange(0, CameraState(replace(view, projection=projection), np.array([1.0, 1.1, 1.2])), 16), 0.0
    )
    found = block.correction(0)
    arm = VIEWS[0].camera_to_world[:2, 3] - CENTER[:2]  # the turn is about the vertical
    assert found.rotation_degrees == pytest.approx(2.0)
    assert found.distance == pytest.approx(2.0 * np.sin(np.radians(1.0)) * np.linalg.norm(arm))
    assert found.focal_ratio == pytest.approx(1.02)
    assert found.gain == (1.0, 1.1, 1.2)
    untouched = block.correction(1)
    assert untouched.rotation_degrees < 1e-9
    assert (untouched.distance, untouched.focal_ratio) == (0.0, 1.0)


def test_cameras_go_on_at_another_size() -> None:
    block = CameraBlock(references(), CENTER)
    view = carried(VIEWS[3], [0.01, 0.0, 0.0], [0.0] * 3)
    block.step(CameraChange(3, CameraState(view, np.full(3, 2.0)), 12), 0.0)
    larger = [Reference(view.resized(32, 24), np.ones((24, 32, 4), np.float32), True) for view in VIEWS]
    next_block = block.at(larger)
    assert np.array_equal(next_block.value, block.value)
    assert next_block.reached == [0, 0, 0, 12, 0, 0]
    assert (next_block.references[3].view.width, next_block.references[3].view.height) == (32, 24)
    assert np.allclose(next_block.references[3].colour[..., :3], 0.5)


# --- When


def test_refinements_are_spread_over_the_visits() -> None:
    schedule = CameraSchedule(visits=60.0, start=0.2, end=0.8, refinements=6)
    assert schedule.interval == 6
    due = [visit for visit in range(40) if schedule.is_due(visit, 0.5)]
    assert due == [0, 6, 12, 18, 24, 30, 36]
    assert not schedule.is_due(0, 0.1)
    assert not schedule.is_due(0, 0.8)
    assert CameraSchedule(visits=3.0).interval == 1


def test_levels_go_from_coarse_to_fine_in_the_first_half() -> None:
    schedule = CameraSchedule(visits=12.0, refinements=12)
    sizes, reached, taken = [64, 128, 256], 0, []
    for visit in range(12):
        levels = schedule.levels(sizes, reached, visit / 12.0)
        reached = levels[-1]
        taken.append(levels)
    assert taken[:2] == [[64], [64]]
    assert taken[2:4] == [[128], [128]]
    assert taken[4:] == [[256]] * 8


def test_few_visits_go_through_all_levels_at_once() -> None:
    assert CameraSchedule(visits=1.0).levels([64, 128, 256], 0, 0.0) == [64, 128, 256]
    assert CameraSchedule(visits=0.5).levels([64, 128], 0, 0.9) == [64, 128]
    # From the stage before, at half the size, 64 is known.
    assert CameraSchedule(visits=1.0).levels([64, 128, 256], 64, 0.0) == [128, 256]
