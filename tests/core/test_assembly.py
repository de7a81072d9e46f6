# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Surfaces laid end to end keep their geometry, UVs, normal groups and materials."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sge_addon.core.assembly import Assembly, assemble
from sge_addon.core.errors import FitError
from sge_addon.core.surface import Material, Surface
from tests.meshes import icosphere, surface

RED, BLUE, GREY = Material("red", (1, 0, 0)), Material("blue", (0, 0, 1)), Material("grey")


@pytest.fixture
def merged() -> Assembly:
    """Two smooth spheres and a flat one; the first has two materials, the last shares one of them."""
    points, faces = icosphere(0)
    slots = (np.arange(20) % 2).astype(np.int32)
    first = surface(points, faces, "first", materials=(BLUE, RED), material_indices=slots)
    second = surface(points + 3, faces, "second", mobility=np.linspace(0, 1, 12, dtype=np.float32))
    third = surface(points - 3, faces, "third", smooth=False, materials=(RED,))
    return assemble([first, second, third])


def test_triangles_of_one_material_are_contiguous(merged: Assembly) -> None:
    assert (np.diff(merged.texture_of_triangle) >= 0).all()
    assert sum(count for _, _, count in merged.draw_ranges) == 60
    for material, first, count in merged.draw_ranges:
        assert (merged.texture_of_triangle[first : first + count] == material).all()
    counts = {merged.materials[m].key: n for m, _, n in merged.draw_ranges}
    assert counts == {"blue": 10, "red": 30, "": 20}


def test_every_triangle_is_there_with_its_positions_and_uvs(merged: Assembly) -> None:
    points, faces = icosphere(0)
    wanted = [surface(points + shift, faces) for shift in (0, 3, -3)]
    rows = [np.c_[s.positions[s.triangles].reshape(-1, 9), s.uvs.reshape(-1, 6)] for s in wanted]
    before = np.concatenate(rows)
    after = np.c_[merged.positions[merged.triangles].reshape(-1, 9), merged.uvs.reshape(-1, 6)]
    assert sorted(map(tuple, before.tolist())) == sorted(map(tuple, after.tolist()))


def test_vertex_ranges_and_movable_follow_the_surfaces(merged: Assembly) -> None:
    assert [(r.start, r.stop) for r in merged.vertex_ranges] == [(0, 12), (12, 24), (24, 36)]
    assert np.flatnonzero(~merged.movable).tolist() == [12]


def test_each_surface_knows_its_triangles_though_they_are_sorted_by_material(merged: Assembly) -> None:
    owned = merged.triangles_of_surfaces()
    assert len(owned) == len(merged.vertex_ranges)
    assert np.sort(np.concatenate(owned)).tolist() == list(range(len(merged.triangles)))
    for own, vertices in zip(owned, merged.vertex_ranges, strict=True):
        corners = merged.triangles[own]
        assert len(own) > 0
        assert (np.diff(own) > 0).all()
        assert ((corners >= vertices.start) & (corners < vertices.stop)).all()


def test_corners_give_back_vertex_group_and_uv_without_repeats(merged: Assembly) -> None:
    rows = merged.corners[merged.corner_indices]
    assert (rows[..., 0] == merged.triangles).all()
    assert (rows[..., 1] == merged.normal_groups).all()
    assert (rows[..., 2:] == merged.uvs).all()
    assert len(np.unique(merged.corners, axis=0)) == len(merged.corners) == 12 + 12 + 60


def test_group_triangles_by_brute_force(merged: Assembly) -> None:
    count = int(merged.normal_groups.max()) + 1
    assert count == 12 + 12 + 20
    assert len(merged.group_offsets) == count + 1
    for group in range(count):
        expected = [t for t, corners in enumerate(merged.normal_groups) if group in corners]
        first, end = merged.group_offsets[group : group + 2]
        assert sorted(merged.group_triangles[first:end].tolist()) == expected


def test_groups_of_different_surfaces_stay_apart(merged: Assembly) -> None:
    surface_of_vertex = merged.triangles // 12
    for group in range(int(merged.normal_groups.max()) + 1):
        assert len(np.unique(surface_of_vertex[merged.normal_groups == group])) == 1


def test_a_seam_splits_corners_but_not_vertices() -> None:
    points, faces = icosphere(0)
    whole = surface(points, faces)
    uvs = whole.uvs.copy()
    uvs[3] += 0.5  # one triangle is its own island
    merged = assemble([replace(whole, uvs=uvs)])
    assert len(merged.positions) == 12
    assert len(merged.corners) == 15


def test_material_slot_beyond_the_last_means_the_last() -> None:
    points, faces = icosphere(0)
    slots = np.full(20, 7, np.int32)
    merged = assemble([surface(points, faces, materials=(GREY, RED), material_indices=slots)])
    assert [merged.materials[m].key for m, _, _ in merged.draw_ranges] == ["red"]


def test_nothing_to_fit_is_refused() -> None:
    with pytest.raises(FitError, match="select at least one mesh"):
        assemble([])


def test_smooth_is_where_each_vertex_has_one_normal_of_its_own() -> None:
    points = np.eye(4, 3, dtype=np.float32)
    triangles = np.asarray([[0, 1, 2], [0, 2, 3]], np.int32)
    cases = {
        "smooth": ([[0, 1, 2], [0, 2, 3]], True),
        "in another order": ([[3, 2, 1], [3, 1, 0]], True),
        "creased at 0": ([[0, 1, 2], [4, 2, 3]], False),
        "0 and 1 share one": ([[0, 0, 2], [0, 2, 3]], False),
        "flat": ([[0, 0, 0], [1, 1, 1]], False),
    }
    for name, (groups, is_smooth) in cases.items():
        made = assemble([Surface(name, points, triangles, np.asarray(groups, np.int32))])
        assert made.is_smooth is is_smooth, name
