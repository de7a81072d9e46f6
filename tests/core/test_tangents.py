# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tangents point where u grows, across the normal, and know on which side v grows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sge_addon.core.assembly import Assembly, assemble
from sge_addon.core.group_normals import GroupNormals
from sge_addon.core.material_maps import LitMaterial
from sge_addon.core.oracle import group_normals as slow_group_normals
from sge_addon.core.surface import Material, Surface, smooth_groups
from sge_addon.core.tangents import CornerTangents, uv_orientations
from tests.meshes import icosphere, surface

LIT = Material("lit", lit=LitMaterial({}))


def group_normals(assembly: Assembly) -> np.ndarray:
    return GroupNormals(assembly).at(assembly.positions).normals.T


def tangents_of(assembly: Assembly) -> tuple[np.ndarray, np.ndarray]:
    """(N, 4) tangents and (N, 3) normals of the corners."""
    normals = group_normals(assembly)[assembly.corners[:, 1].astype(int)]
    frames = CornerTangents(
        assembly.triangles, assembly.uvs, assembly.corner_indices, assembly.corner_signs, assembly.polygons
    )
    return frames.at(assembly.positions, normals), normals


def sheet(matrix: list[list[float]]) -> Surface:
    """4 x 4 vertices in the plane z = 0; uv = matrix (x, y)."""
    y, x = np.mgrid[0:4, 0:4].astype(np.float32)
    points = np.stack([x, y, 0.0 * x], axis=-1).reshape(-1, 3)
    index = np.arange(16).reshape(4, 4)
    a, b, c, d = (each.ravel() for each in (index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]))
    faces = np.r_[np.c_[a, b, d], np.c_[a, d, c]].astype(np.int32)
    uvs = (points[:, :2] @ np.float32(matrix).T)[faces]
    return Surface("sheet", points, faces, smooth_groups(faces), uvs, materials=(LIT,))


@pytest.mark.parametrize(
    ("matrix", "tangent", "sign"),
    [
        ([[1.0, 0.0], [0.0, 1.0]], [1, 0, 0], 1),
        ([[-1.0, 0.0], [0.0, 1.0]], [-1, 0, 0], -1),
        ([[0.0, 1.0], [1.0, 0.0]], [0, 1, 0], -1),
        ([[1.0, 0.0], [0.5, 2.0]], [4, -1, 0], 1),
        ([[1.0, 1.0], [0.0, 3.0]], [1, 0, 0], 1),
    ],
)
def test_a_sheet_of_known_uvs(matrix: list[list[float]], tangent: list[float], sign: int) -> None:
    """The tangent is the direction along which v stays and u grows."""
    found, normals = tangents_of(assemble([sheet(matrix)]))
    expected = np.r_[np.float32(tangent) / np.linalg.norm(tangent), sign]
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), atol=1e-6)
    gradient = np.float32(matrix)
    bitangent = found[0, 3] * np.cross(normals[0], found[0, :3])
    assert gradient[1] @ bitangent[:2] > 0.0


def test_normals_are_the_rasterisers() -> None:
    merged = assemble([surface(*icosphere(1), materials=(LIT,)), surface(*icosphere(0), smooth=False)])
    np.testing.assert_allclose(group_normals(merged), slow_group_normals(merged.positions, merged), atol=1e-6)


def test_mirrored_triangles_have_corners_of_their_own() -> None:
    plain = sheet([[1.0, 0.0], [0.0, 1.0]])
    uvs = plain.uvs.copy()
    uvs[..., 0] = np.abs(uvs[..., 0] - 1.0)  # folded along x = 1
    merged = assemble([replace(plain, uvs=uvs)])
    assert len(merged.corners) == 16 + 4  # those on the fold are there twice
    assert len(np.unique(merged.corners, axis=0)) == 16
    found, _ = tangents_of(merged)
    left = merged.positions[merged.triangles].mean(axis=1)[:, 0] < 1.0
    assert (uv_orientations(merged.uvs) == np.where(left, -1, 1)).all()
    by_triangle = found[merged.corner_indices]  # (F, 3, 4)
    expected = np.where(left[:, None, None], np.float32([-1, 0, 0, -1]), np.float32([1, 0, 0, 1]))
    np.testing.assert_allclose(by_triangle, np.broadcast_to(expected, by_triangle.shape), atol=1e-6)


def test_materials_that_are_not_lit_keep_their_corners() -> None:
    folded = sheet([[1.0, 0.0], [0.0, 1.0]])
    uvs = folded.uvs.copy()
    uvs[..., 0] = np.abs(uvs[..., 0] - 1.0)
    merged = assemble([replace(folded, uvs=uvs, materials=(Material("plain"),))])
    assert len(merged.corners) == 16
    assert (merged.corner_signs == 1).all()


def test_a_triangle_without_uv_area_takes_its_neighbours_side() -> None:
    mirrored = sheet([[-1.0, 0.0], [0.0, 1.0]])
    uvs = mirrored.uvs.copy()
    uvs[4] = uvs[4, :1]  # collapsed onto its first corner
    found, _ = tangents_of(assemble([replace(mirrored, uvs=uvs)]))
    assert (found[:, 3] == -1).mean() > 0.85  # but for the corners that it alone has
    assert np.isfinite(found).all()


@pytest.mark.parametrize("kind", ["no uvs", "collapsed", "a line", "no area"])
def test_there_is_always_some_tangent_across_the_normal(kind: str) -> None:
    points, faces = icosphere(1)
    if kind == "no area":
        points = points * np.float32([1, 1, 0])  # flat: normals of the rim vanish
        points[:5] = 0.0
    whole = surface(points, faces, materials=(LIT,))
    uvs = {
        "no uvs": None,
        "collapsed": np.zeros_like(whole.uvs),
        "a line": whole.uvs * np.float32([1, 0]),
        "no area": whole.uvs,
    }[kind]
    found, normals = tangents_of(assemble([replace(whole, uvs=uvs)]))
    np.testing.assert_allclose(np.linalg.norm(found[:, :3], axis=1), 1.0, atol=1e-5)
    assert np.abs((found[:, :3] * normals).sum(axis=1)).max() < 1e-5
    assert (np.abs(found[:, 3]) == 1.0).all()
