# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The oracle itself: against rays, against geometry, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core.assembly import assemble
from sge_addon.core.lights import SunLights
from sge_addon.core.oracle import group_normals, rasterise, read_texture, relative_loss, render
from sge_addon.core.reference import Reference
from sge_addon.core.surface import Material, Surface, flat_groups
from sge_addon.core.view import View
from tests.meshes import icosphere, orthographic_view, perspective_view, surface, waves


def cast_rays(positions: np.ndarray, triangles: np.ndarray, view: View) -> tuple[np.ndarray, np.ndarray]:
    """IDs (H, W) and barycentrics (H, W, 3) by intersecting a ray through each pixel with each triangle."""
    ids = np.zeros((view.height, view.width), int)
    weights = np.zeros((view.height, view.width, 3))
    inverse = np.linalg.inv(view.world_to_clip)
    for y, x in np.ndindex(ids.shape):
        ndc = np.asarray([(x + 0.5) / view.width, (y + 0.5) / view.height]) * 2.0 - 1.0
        near, far = (inverse @ [*ndc, z, 1.0] for z in (-1.0, 1.0))
        near, far = near[:3] / near[3], far[:3] / far[3]
        closest = 1.0
        for index, (a, b, c) in enumerate(positions[triangles].astype(float)):
            system = np.stack([b - a, c - a, near - far], axis=1)
            if abs(np.linalg.det(system)) < 1e-12:
                continue
            u, v, t = np.linalg.solve(system, near - a)
            if min(u, v, 1.0 - u - v) >= 0.0 and 0.0 <= t < closest:
                closest = t
                ids[y, x], weights[y, x] = index + 1, (1.0 - u - v, u, v)
    return ids, weights


@pytest.mark.parametrize("view", [perspective_view(13, 9, 1.0, 0.7), orthographic_view(9, 13, 0.3)])
def test_agrees_with_rays_also_where_triangles_reach_behind_the_camera(view: View) -> None:
    rng = np.random.default_rng(0)
    positions = rng.normal(0.0, 1.5, (36, 3))  # the camera stands among them
    triangles = np.arange(36, dtype=np.int32).reshape(-1, 3)
    ids, weights = cast_rays(positions, triangles, view)
    found = rasterise(positions, triangles, view)
    assert len(np.unique(ids)) > 4
    assert (found.ids == ids).all()
    np.testing.assert_allclose(found.barycentrics, weights, atol=1e-9)


def test_some_triangles_of_that_test_cross_the_near_plane() -> None:
    positions = np.random.default_rng(0).normal(0.0, 1.5, (36, 3))
    view = perspective_view(13, 9, 1.0, 0.7)
    depth = (np.c_[positions, np.ones(36)] @ view.world_to_clip[3]).reshape(-1, 3)
    crossing = (depth.min(axis=1) < view.near) & (depth.max(axis=1) > view.near)
    seen = np.unique(rasterise(positions, np.arange(36, dtype=np.int32).reshape(-1, 3), view).ids)
    assert np.isin(np.flatnonzero(crossing) + 1, seen).any()


def test_pixels_of_a_right_triangle_by_hand() -> None:
    positions = np.float32([[-2.3, -2.3, 0], [2.5, -2.3, 0], [-2.3, 2.5, 0]])
    seen = rasterise(positions, np.int32([[0, 1, 2]]), orthographic_view(5, 5, 1.0)).ids
    # Centres at -2 .. 2, row 0 at the bottom; the long edge is x + y = 0.2.
    rows = [[1, 1, 1, 1, 1], [1, 1, 1, 1, 0], [1, 1, 1, 0, 0], [1, 1, 0, 0, 0], [1, 0, 0, 0, 0]]
    assert seen.tolist() == rows


def test_both_sides_are_seen_and_the_nearer_wins() -> None:
    far = np.float32([[-5, -5, -1], [5, -5, -1], [0, 5, -1]])
    near = np.float32([[-0.6, -0.6, 1], [0, 0.6, 1], [0.6, -0.6, 1]])  # clockwise: its back
    triangles = np.int32([[0, 1, 2], [3, 4, 5]])
    ids = rasterise(np.r_[far, near], triangles, orthographic_view(5, 5, 1.0)).ids
    assert ids[2, 2] == 2
    assert (ids == 2).sum() == 1
    assert ids[1, 2] == 1


def test_a_triangle_without_area_is_not_seen() -> None:
    positions = np.float32([[-1, -1, 0], [1, 1, 0], [0, 0, 0], [0, 0, 5]])
    triangles = np.int32([[0, 1, 2], [0, 0, 1], [0, 1, 3]])  # on a line, a corner twice, edge-on
    assert not rasterise(positions, triangles, orthographic_view(9, 9, 0.25)).ids.any()


def test_a_sphere_covers_its_outline() -> None:
    points, faces = icosphere(3, 0.8)
    view = perspective_view(64, 64)
    covered = (rasterise(points, faces, view).ids > 0).sum()
    outline = np.pi * (0.8 * 1.1 * 64 / np.sqrt(9.0 - 0.64)) ** 2
    assert covered == pytest.approx(outline, rel=0.015)


def test_jitter_moves_the_image() -> None:
    points, faces = icosphere(1, 0.8)
    view = perspective_view(24, 20)
    still = rasterise(points, faces, view).ids
    moved = rasterise(points, faces, view, (3.0, -2.0)).ids
    assert (moved[:-2, 3:] == still[2:, :-3]).all()
    assert still.any()


def test_texture_is_read_perspectively_right() -> None:
    """A floor with its texture laid out in world units shows at each pixel the world position."""
    positions = np.float32([[-50, -1, 50], [50, -1, 50], [50, -1, -50], [-50, -1, -50]])
    triangles = np.int32([[0, 1, 2], [0, 2, 3]])
    uvs = positions[:, [0, 2]][triangles]
    floor = assemble([Surface("floor", positions, triangles, triangles, uvs)])
    view = perspective_view(16, 16, 3.0)
    image = render(floor, floor.positions, view, "unlit", SunLights())
    y, x = np.argwhere(image.fragments.ids > 0).T
    # Rays from (0, 0, 3): direction ((x - 8) / f, (y - 8) / f, -1), and the floor one unit below.
    focal = 1.1 * 16
    distance = -focal / (y + 0.5 - 8.0)
    np.testing.assert_allclose(image.uv[y, x, 0], distance * (x + 0.5 - 8.0) / focal, rtol=1e-6)
    np.testing.assert_allclose(image.uv[y, x, 1], 3.0 - distance, rtol=1e-6)
    assert len(y) == 128


@pytest.mark.parametrize(("pixels_per_unit", "level"), [(64, 0.0), (32, 1.0), (8, 3.0), (128, -1.0)])
def test_mip_level_counts_texels_per_pixel(pixels_per_unit: int, level: float) -> None:
    positions = np.float32([[-9, -9, 0], [9, -9, 0], [0, 9, 0]])
    material = Material("waves", texture=waves(16, 64))
    triangle = np.int32([[0, 1, 2]])
    uvs = positions[triangle][..., :2]
    plane = assemble([Surface("plane", positions, triangle, triangle, uvs, materials=(material,))])
    image = render(plane, positions, orthographic_view(8, 8, 1 / pixels_per_unit), "unlit", SunLights())
    np.testing.assert_allclose(image.level, level, atol=1e-9)


def test_bilinear_and_repeating_by_hand() -> None:
    texture = np.zeros((2, 2, 3), np.float32)
    texture[0, 0], texture[0, 1], texture[1, 0], texture[1, 1] = 1.0, 2.0, 4.0, 8.0
    uv = np.asarray([[0.25, 0.25], [0.5, 0.25], [0.5, 0.5], [0.0, 0.25], [1.25, -0.25]])
    found = read_texture(texture, uv, np.zeros(5))
    np.testing.assert_allclose(found, np.repeat([[1.0], [1.5], [3.75], [1.5], [4.0]], 3, axis=1))
    np.testing.assert_allclose(read_texture(texture, uv, np.ones(5)), 3.75)


def test_area_weighted_normals_by_hand() -> None:
    """Two triangles at a right angle, one with twice the other's area."""
    positions = np.float32([[0, 0, 0], [0, 1, 0], [2, 0, 0], [0, 0, 1]])
    triangles = np.int32([[0, 2, 1], [0, 1, 3]])
    smooth = assemble([Surface("fold", positions, triangles, triangles)])
    normals = group_normals(positions, smooth)
    np.testing.assert_allclose(normals[0], np.asarray([1, 0, 2]) / 5**0.5, atol=1e-12)
    np.testing.assert_allclose(normals[2], [0, 0, 1], atol=1e-12)
    flat = assemble([Surface("fold", positions, triangles, flat_groups(np.int32([0, 0])))])
    np.testing.assert_allclose(group_normals(positions, flat), [normals[0]], atol=1e-12)


def test_a_spheres_normals_are_its_points() -> None:
    sphere = assemble([surface(*icosphere(3))])
    image = render(sphere, sphere.positions, orthographic_view(32, 32, 0.05), "normal", SunLights())
    y, x = np.argwhere(image.fragments.ids > 0).T
    point = (np.c_[x, y] + 0.5 - 16.0) * 0.05
    inside = np.linalg.norm(point, axis=1) < 0.8
    np.testing.assert_allclose(image.normal[y, x][inside][:, :2], point[inside], atol=0.02)
    np.testing.assert_allclose(image.colour[..., :3][y, x], 0.5 + 0.5 * image.normal[y, x])


def test_loss_beside_the_surface_is_zero_and_inside_relative_to_empty() -> None:
    view = orthographic_view(8, 8, 0.4)
    red = assemble([surface(*icosphere(1), materials=(Material("red", (1.0, 0.0, 0.0)),))])
    image = render(red, red.positions, view, "unlit", SunLights())
    reference = Reference(view, np.full((8, 8, 4), 0.5, np.float32), True)
    loss = relative_loss(reference, image, ("colour", "alpha"), "l1")
    covered = image.fragments.ids > 0
    assert not loss[~covered].any()
    np.testing.assert_allclose(loss[covered], 0.0, atol=1e-7)  # (0.5 + 0.5) - (0.5 + 0.5)
    squared = relative_loss(reference, image, ("colour",), "l2")
    np.testing.assert_allclose(squared[covered], 0.0, atol=1e-7)
    black = Reference(view, np.zeros((8, 8, 4), np.float32), True)
    np.testing.assert_allclose(relative_loss(black, image, ("colour",), "l1")[covered], 1 / 3, rtol=1e-6)
