# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A vertex's support is what changes when it moves: found here by moving it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sge_addon.core.assembly import Assembly, assemble
from sge_addon.core.lights import SunLights
from sge_addon.core.oracle import group_normals, render
from sge_addon.core.support import Support, full_support, narrow_support
from sge_addon.core.surface import Material
from tests.meshes import icosphere, orthographic_view, surface, waves


@pytest.fixture(scope="module")
def mixed() -> Assembly:
    """A smooth sphere, a flat one, and one of which half the triangles are smooth."""
    points, faces = icosphere(0)
    half = surface(points + 3.0, faces)
    groups = half.normal_groups.copy()
    groups[10:] = 100 + np.arange(10)[:, None] % 5  # polygons of two triangles, some not touching
    flat = surface(points - 3.0, faces, smooth=False)
    return assemble([surface(points, faces), flat, replace(half, normal_groups=groups)])


def pairs(support: Support) -> set[tuple[int, int]]:
    """(triangle, vertex) of all lists."""
    triangle, vertex = support.rows(np.arange(len(support.offsets) - 1))
    assert len(triangle) == len(set(zip(triangle.tolist(), vertex.tolist(), strict=True)))
    return set(zip(triangle.tolist(), vertex.tolist(), strict=True))


def moved(assembly: Assembly, vertex: int, by: np.ndarray) -> np.ndarray:
    positions = assembly.positions.astype(np.float64)
    positions[vertex] += by
    return positions


def test_narrow_support_is_the_triangles_that_move(mixed: Assembly) -> None:
    expected = {(t, int(v)) for t, corners in enumerate(mixed.triangles) for v in corners}
    assert pairs(narrow_support(mixed)) == expected


def test_full_support_is_the_ring_of_neighbours_and_all_whose_normals_tilt(mixed: Assembly) -> None:
    rng = np.random.default_rng(0)
    ring = {
        (t, int(v))
        for t, corners in enumerate(mixed.triangles)
        for near in np.flatnonzero(np.isin(mixed.triangles, corners).any(axis=1))
        for v in mixed.triangles[near]
    }
    before = group_normals(mixed.positions, mixed)
    tilting = set()
    for vertex in range(len(mixed.positions)):
        after = group_normals(moved(mixed, vertex, rng.normal(0.0, 0.1, 3)), mixed)
        tilted = np.abs(after - before).max(axis=1) > 1e-9
        tilting |= {(t, vertex) for t in np.flatnonzero(tilted[mixed.normal_groups].any(axis=1))}
    assert pairs(full_support(mixed)) == ring | tilting
    assert tilting - ring  # polygons whose triangles touch nowhere


def test_smooth_and_flat_meshes_have_the_same_full_support() -> None:
    smooth, flat = (assemble([surface(*icosphere(1), smooth=smooth)]) for smooth in (True, False))
    assert pairs(full_support(smooth)) == pairs(full_support(flat))


@pytest.mark.parametrize(("shading", "make"), [("unlit", narrow_support), ("normal", full_support)])
def test_every_pixel_that_changes_names_the_vertex_in_one_of_both_images(shading: str, make) -> None:
    rng = np.random.default_rng(1)
    material = Material("waves", texture=waves(16, 16))
    assembly = assemble([surface(*icosphere(1), materials=(material,))])
    view = orthographic_view(24, 24, 0.1)
    listed = pairs(make(assembly))
    before = render(assembly, assembly.positions, view, shading, SunLights())
    changes = 0
    for vertex in range(0, len(assembly.positions), 3):
        after = render(assembly, moved(assembly, vertex, rng.normal(0.0, 0.1, 3)), view, shading, SunLights())
        changed = np.abs(after.colour - before.colour).max(axis=2) > 1e-12
        for y, x in np.argwhere(changed):
            named = {int(image.fragments.ids[y, x]) - 1 for image in (before, after)} - {-1}
            assert any((triangle, vertex) in listed for triangle in named)
        changes += int(changed.sum())
    assert changes > 200


def test_rows_keep_the_order_of_the_question(mixed: Assembly) -> None:
    support = full_support(mixed)
    asked = np.asarray([7, 3, 7])
    row, vertices = support.rows(asked)
    for place, triangle in enumerate(asked):
        first, end = support.offsets[triangle : triangle + 2]
        assert vertices[row == place].tolist() == support.vertices[first:end].tolist()
