# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An object's place, turn and thickness found again from pictures that are traced exactly, without a GPU."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import pytest

from sge_addon.core.camera_parameters import rotation_matrix, rotation_vector
from sge_addon.core.parameter_block import ParameterBlock
from sge_addon.core.parameter_fit import ParameterFit
from sge_addon.core.parameter_source import Comparison, ParameterSchedule, ParameterSource
from sge_addon.core.parameter_values import FittedParameter, ParameterSpace
from sge_addon.core.reference import Reference
from sge_addon.core.stopwatch import Stopwatch
from sge_addon.core.view import View, perspective

SIZE = 128
NONE = np.full(3, np.inf)
RNG = np.random.default_rng(4)
# The object: an ellipsoid with half axes 1, 0.7 and a thickness, painted by where its points are in it.
POINTS = RNG.normal(size=(400, 3))
POINTS /= np.linalg.norm(POINTS, axis=1, keepdims=True)


@dataclass(frozen=True)
class Traced:
    colour: np.ndarray
    normal: np.ndarray | None = None


class Ellipsoid:
    """A ``parameter_fit.Shown``; what is rendered is read from the positions alone. locked: the thickness at
    which the number of vertices changes."""

    def __init__(self, locked: float = np.inf) -> None:
        self.locked = locked
        self.evaluations = 0

    def positions(self, state: tuple[np.ndarray, ...]) -> np.ndarray | None:
        self.evaluations += 1
        place, turn, thickness = state
        if thickness[0] > self.locked:
            return None
        local = POINTS * (1.0, 0.7, thickness[0])
        return (local @ rotation_matrix(turn).T + place).astype(np.float32)

    def render(self, positions: np.ndarray, view: View, normal: bool) -> Traced:
        # Row by row, positions = POINTS A^T + t.
        found = np.linalg.lstsq(np.c_[POINTS, np.ones(len(POINTS))], positions.astype(float), rcond=None)[0]
        inverse, place = np.linalg.inv(found[:3].T), found[3]
        x, y = np.meshgrid(*(np.arange(2 * side) + 0.5 for side in (view.width, view.height)))
        x, y = x / view.width - 1.0, y / view.height - 1.0
        p = view.projection
        rays = np.stack([x / p[0, 0], y / p[1, 1], -np.ones_like(x)], axis=-1)
        rays = rays @ view.camera_to_world[:3, :3].T @ inverse.T
        eye = inverse @ (view.camera_to_world[:3, 3] - place)
        a, b, c = (rays**2).sum(-1), rays @ eye, eye @ eye - 1.0
        inside = b * b - a * c
        hit = inside > 0.0
        colour = np.zeros((*x.shape, 4))
        depth = (-b[hit] - np.sqrt(inside[hit])) / a[hit]
        surface = eye + rays[hit] * depth[:, None]
        colour[hit] = np.c_[
            0.5 + 0.4 * np.sin(surface * (5.0, 4.0, 3.0) + (0.3, 1.0, 2.0)), np.ones(hit.sum())
        ]
        pixels = colour.reshape(view.height, 2, view.width, 2, 4).mean(axis=(1, 3))
        return Traced(pixels.astype(np.float32))


def view_from(angle: float, tilt: float) -> View:
    pose = np.eye(4)
    pose[:3, :3] = rotation_matrix(np.array([0.0, angle, 0.0])) @ rotation_matrix(np.array([tilt, 0.0, 0.0]))
    pose[:3, 3] = pose[:3, :3] @ (0.0, 0.0, 6.0)
    return View(f"{angle}", pose, perspective(200.0, 200.0, 64.0, 64.0, SIZE, SIZE, 0.1, 20.0), SIZE, SIZE)


def space(start: tuple[float, ...] = (0.0, 0.0, 0.0), thickness: float = 0.6) -> ParameterSpace:
    return ParameterSpace(
        (
            FittedParameter("E:location", np.array(start), (0, 1, 2), -NONE, NONE),
            FittedParameter("E:rotation", np.zeros(3), (0, 1, 2), -NONE, NONE, is_rotation=True),
            FittedParameter("E:thickness", np.array([thickness]), (0,), np.zeros(1), np.array([2.0])),
        )
    )


TRUTH = (np.array([0.3, -0.2, 0.1]), np.radians([6.0, -5.0, 7.0]), np.array([0.8]))
VIEWS = [view_from(0.3 + k * 2.1, 0.4 * (k % 2) - 0.3) for k in range(3)]


def references() -> list[Reference]:
    shown = Ellipsoid()
    there = shown.positions(TRUTH)
    return [Reference(view, shown.render(there, view, False).colour, True) for view in VIEWS]


def turned_apart(a: np.ndarray, b: np.ndarray) -> float:
    """Degrees."""
    return float(np.degrees(np.linalg.norm(rotation_vector(rotation_matrix(a) @ rotation_matrix(b).T))))


def source(block: ParameterBlock, shown: Ellipsoid, match: tuple[str, ...] = ("colour", "alpha")):
    schedule = ParameterSchedule(rounds=2)
    compared = Comparison(match, "l1")
    return ParameterSource(block, references(), lambda: nullcontext(shown), schedule, compared, Stopwatch())


def fitted(block: ParameterBlock, shown: Ellipsoid) -> None:
    estimator = source(block, shown)
    for progress in (0.0, 0.5):
        for gradient in estimator.estimate(0, 0, progress).gradients.values():
            block.step(gradient, progress)


def test_place_turn_and_thickness_are_found_together_from_fifteen_of_128_pixels_off() -> None:
    block, shown = ParameterBlock(space()), Ellipsoid()
    start = shown.positions(block.state)
    off = [view.to_pixels(start.astype(float)) - view.to_pixels(shown.positions(TRUTH)) for view in VIEWS]
    assert np.linalg.norm(off, axis=2).max() > 15.0
    fitted(block, shown)
    place, turn, thickness = block.state
    assert np.abs(place - TRUTH[0]).max() < 0.003  # a tenth of a pixel
    assert turned_apart(turn, TRUTH[1]) < 0.1
    assert thickness[0] == pytest.approx(0.8, rel=0.01)
    assert not block.without_effect()


def test_units_move_what_they_move_by_a_pixel() -> None:
    shown, of_ellipsoid = Ellipsoid(), space()
    fit = ParameterFit(of_ellipsoid, ("colour",), "l1", shown)
    units = fit.units(VIEWS[:1], of_ellipsoid.start)
    # 200 pixels a unit at distance 1: about 33 at the ellipsoid.
    across = np.linalg.norm(VIEWS[0].camera_to_world[:3, 0] * units[:3])
    assert 0.02 < across < 0.06
    assert (units > 0.0).all()


def test_a_value_that_changes_nothing_stays_and_is_named() -> None:
    of_ellipsoid = space(tuple(TRUTH[0]))
    idle = FittedParameter("E:idle", np.array([3.0]), (0,), np.zeros(1), np.array([9.0]))
    whole = ParameterSpace((*of_ellipsoid.parameters, idle))

    class WithIdle(Ellipsoid):
        def positions(self, state: tuple[np.ndarray, ...]) -> np.ndarray | None:
            return super().positions(state[:3])

    block = ParameterBlock(whole)
    fitted(block, WithIdle())
    assert block.state[3].tolist() == [3.0]
    assert block.without_effect() == ["E:idle"]
    assert block.state[2][0] == pytest.approx(0.8, rel=0.01)


def test_limits_are_never_left_and_stop_nothing_else() -> None:
    limited = space().parameters
    thin = FittedParameter("E:thickness", np.array([0.6]), (0,), np.zeros(1), np.array([0.7]))
    block = ParameterBlock(ParameterSpace((*limited[:2], thin)))
    fitted(block, Ellipsoid())
    assert block.state[2][0] == 0.7
    assert np.abs(block.state[0] - TRUTH[0]).max() < 0.03


def test_values_that_change_the_vertices_are_not_taken() -> None:
    block = ParameterBlock(space())
    fitted(block, Ellipsoid(locked=0.7))
    assert 0.65 < block.state[2][0] <= 0.7


def test_locked_places_stay() -> None:
    free = FittedParameter("E:location", np.zeros(3), (0, 2), -NONE, NONE)
    block = ParameterBlock(ParameterSpace((free, *space().parameters[1:])))
    fitted(block, Ellipsoid())
    assert block.state[0][1] == 0.0
    assert block.state[0][0] != 0.0


def test_rounds_are_spread_over_their_part_of_the_fit() -> None:
    schedule = ParameterSchedule(start=0.2, end=0.6, rounds=4)
    assert [schedule.due(p) for p in (0.0, 0.1999, 0.2, 0.29, 0.31, 0.5, 0.59, 0.6, 1.0)] == [
        0, 0, 1, 1, 2, 4, 4, 0, 0,
    ]  # fmt: skip


def test_listeners_hear_of_each_change_once() -> None:
    block, heard = ParameterBlock(space()), []
    block.on_change.append(heard.append)
    fitted(block, Ellipsoid())
    assert heard[-1] is block.state
    assert 1 <= len(heard) <= 2
