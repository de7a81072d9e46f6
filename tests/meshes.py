# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small meshes for the tests, made from arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sge_addon.core.surface import Material, Surface, flat_groups, smooth_groups
from sge_addon.core.view import View, orthographic, perspective


def icosphere(subdivisions: int, radius: float = 1.0) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Vertices (12, 42, 162, ...) and triangles, counter-clockwise from outside."""
    golden = (1.0 + 5.0**0.5) / 2.0
    points = [(a, b, 0.0) for a in (-1.0, 1.0) for b in (-golden, golden)]
    points = [np.roll(point, turn) for turn in range(3) for point in points]
    vertices = [point / np.linalg.norm(point) for point in points]
    distances = np.linalg.norm(np.subtract.outer(vertices, vertices)[:, [0, 1, 2], :, [0, 1, 2]], axis=0)
    near = distances < 1.2
    triples = ((i, j, k) for i in range(12) for j in range(i) for k in range(j))
    triangles = [(i, j, k) for i, j, k in triples if near[i, j] and near[j, k] and near[k, i]]
    for _ in range(subdivisions):
        middles: dict[tuple[int, int], int] = {}

        def middle(i: int, j: int, middles: dict[tuple[int, int], int] = middles) -> int:
            key = (min(i, j), max(i, j))
            if key not in middles:
                point = vertices[i] + vertices[j]
                middles[key] = len(vertices)
                vertices.append(point / np.linalg.norm(point))
            return middles[key]

        finer = []
        for i, j, k in triangles:
            a, b, c = middle(i, j), middle(j, k), middle(k, i)
            finer += [(i, a, c), (a, j, b), (c, b, k), (a, b, c)]
        triangles = finer
    points, faces = np.asarray(vertices), np.asarray(triangles, np.int32)
    a, b, c = points[faces].transpose(1, 0, 2)
    inwards = (np.cross(b - a, c - a) * a).sum(axis=1) < 0.0
    faces[inwards] = faces[inwards][:, [0, 2, 1]]
    return (radius * points).astype(np.float32), faces


def corner_uvs(positions: NDArray[np.float32], triangles: NDArray[np.int32]) -> NDArray[np.float32]:
    """(F, 3, 2): an affine map of the positions; continuous, and repeating where it leaves [0, 1]."""
    plane = np.asarray([[0.37, 0.11], [-0.15, 0.41], [0.29, -0.23]], np.float32)
    return (positions @ plane + np.float32(0.45))[triangles]


def waves(height: int, width: int) -> NDArray[np.float32]:
    """(H, W, 3): a smooth texture that repeats, different in every channel."""
    y, x = np.mgrid[0:height, 0:width] * (2.0 * np.pi)
    phases = [x / width + y / height, 2.0 * x / width - y / height, x / width - 3.0 * y / height]
    return np.stack([0.5 + 0.45 * np.sin(p + k) for k, p in enumerate(phases)], axis=-1).astype(np.float32)


def surface(
    positions: NDArray[np.float32],
    triangles: NDArray[np.int32],
    name: str = "mesh",
    smooth: bool = True,
    materials: tuple[Material, ...] = (),
    **rest: NDArray,
) -> Surface:
    """A surface with the UVs of ``corner_uvs``, wholly smooth or wholly flat."""
    groups = smooth_groups(triangles) if smooth else flat_groups(np.arange(len(triangles), dtype=np.int32))
    uvs = corner_uvs(positions, triangles)
    return Surface(name, positions, triangles, groups, uvs, materials=materials, **rest)


def camera(distance: float = 3.0) -> NDArray[np.float64]:
    """Camera-to-world on +Z, looking at the origin."""
    matrix = np.eye(4)
    matrix[2, 3] = distance
    return matrix


def perspective_view(width: int, height: int, distance: float = 3.0, focal: float = 1.1) -> View:
    """focal: in image heights."""
    f = focal * height
    projection = perspective(f, f, 0.5 * width, 0.5 * height, width, height, 0.1, 100.0)
    return View("perspective", camera(distance), projection, width, height)


def orthographic_view(width: int, height: int, pixel_size: float) -> View:
    """Along -Z from 10 units away."""
    projection = orthographic(pixel_size, 0.5 * width, 0.5 * height, width, height, 0.1, 100.0)
    return View("orthographic", camera(10.0), projection, width, height)
