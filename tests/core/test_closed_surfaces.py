# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose back faces nothing can show, and through which cameras."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core.closed_surfaces import closed_and_outward, is_before
from sge_addon.core.view import View
from tests.meshes import icosphere, orthographic_view, perspective_view

POSITIONS, SPHERE = icosphere(1)


def test_a_sphere_hides_its_inside() -> None:
    assert closed_and_outward(POSITIONS, SPHERE).all()


def test_a_sphere_turned_inside_out_shows_it() -> None:
    assert not closed_and_outward(POSITIONS, SPHERE[:, ::-1]).any()


def test_one_missing_triangle_opens_its_part_alone() -> None:
    both = np.concatenate([POSITIONS, POSITIONS + 5.0])
    triangles = np.concatenate([SPHERE[1:], SPHERE + len(POSITIONS)])
    closed = closed_and_outward(both, triangles)
    assert not closed[: len(SPHERE) - 1].any()
    assert closed[len(SPHERE) - 1 :].all()


def test_one_turned_triangle_opens_the_part() -> None:
    turned = SPHERE.copy()
    turned[3] = turned[3, ::-1]
    assert not closed_and_outward(POSITIONS, turned).any()


def test_three_triangles_at_an_edge_are_not_closed() -> None:
    third = np.asarray([[SPHERE[0, 0], SPHERE[0, 1], len(POSITIONS)]], np.int32)
    positions = np.concatenate([POSITIONS, [[3.0, 0.0, 0.0]]]).astype(np.float32)
    assert not closed_and_outward(positions, np.concatenate([SPHERE, third])).any()


def test_order_and_place_of_the_triangles_do_not_matter() -> None:
    shuffled = np.random.default_rng(0).permutation(len(SPHERE))
    vertices = np.random.default_rng(1).permutation(len(POSITIONS)).astype(np.int32)
    moved = np.empty_like(POSITIONS)
    moved[vertices] = POSITIONS + np.float32(100.0)
    assert closed_and_outward(moved, vertices[SPHERE[shuffled]]).all()


@pytest.mark.parametrize("view", [perspective_view(40, 30), orthographic_view(40, 30, 0.1)])
def test_a_camera_is_before_what_its_near_plane_does_not_touch(view: View) -> None:
    eye = view.camera_to_world[:3, 3].astype(np.float32)
    forward = -view.camera_to_world[:3, 2].astype(np.float32)
    reach = np.float32(view.near)
    cube = np.asarray([[-1, -1, -1], [1, 1, 1]], np.float32)
    assert is_before(view, eye + forward * (reach + 2.0) + cube)
    assert not is_before(view, eye + cube)
    assert not is_before(view, eye - forward * (reach + 5.0) + cube)
