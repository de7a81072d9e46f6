# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tangents of a UV map as MikkTSpace makes them (Mikkelsen 2008),
which Blender and every exchange format of normal maps mean.

At a corner of a triangle the direction in which u grows is laid into the plane across the corner's normal
and made unit; corners that share position, normal and UV, and whose triangles' UVs turn the same way round,
have the mean of these, weighted by the triangle's angle. Quads are split for this along the diagonal that is
shorter in UV, whatever triangles are drawn.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

_TINY = np.float32(1e-20)


def uv_orientations(uvs: Array) -> Array:
    """(F,): 1 where the UVs of a triangle turn as its corners do, -1 where they are mirrored, 0 without area.

    uvs: (F, 3, 2).
    """
    first, second = uvs[:, 1] - uvs[:, 0], uvs[:, 2] - uvs[:, 0]
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    return np.sign(area).astype(np.float32)


def group_normals(
    positions: Array,
    triangles: NDArray[np.int32],
    group_offsets: NDArray[np.int64],
    group_triangles: NDArray[np.int32],
) -> Array:
    """(G, 3) unit: of each normal group its triangles' normals, weighted by area; as the rasteriser's."""
    points = positions.T[:, triangles.T]  # (3, 3, F)
    first, second = points[:, 1] - points[:, 0], points[:, 2] - points[:, 0]
    areas = _cross(first, second)[:, group_triangles]  # (3, M)
    count = len(group_offsets) - 1
    group = np.repeat(np.arange(count), np.diff(group_offsets))
    sums = np.stack([np.bincount(group, axis, count) for axis in areas])
    return np.ascontiguousarray(_unit(sums.astype(np.float32)).T)


class CornerTangents:
    """Tangents of distinct corners; what UVs and topology say is worked out once."""

    def __init__(
        self,
        triangles: NDArray[np.int32],
        uvs: Array,
        corner_indices: NDArray[np.int32],
        corner_signs: Array,
        polygons: NDArray[np.int32],
    ) -> None:
        """triangles: (F, 3). uvs: (F, 3, 2). corner_indices: (F, 3) into the N corners.
        corner_signs: (N,). polygons: (F,) the polygon that a triangle is part of."""
        at, corner = split_quads(corner_indices, uvs, polygons)
        uvs = uvs[at, corner]
        self._triangles = np.ascontiguousarray(triangles[at, corner].T)
        self._corners = np.ascontiguousarray(corner_indices[at, corner].T)
        self._signs = corner_signs
        turn = uv_orientations(uvs)
        v = uvs[..., 1]
        # The direction of growing u, times a positive number, in terms of the two edges at corner 0.
        self._along_first = turn * (v[:, 2] - v[:, 0])
        self._along_second = turn * (v[:, 0] - v[:, 1])

    def at(self, positions: Array, corner_normals: Array) -> Array:
        """(N, 4) float32: unit tangent, and 1 or -1: the sign of the bitangent cross(normal, tangent).

        positions: (V, 3). corner_normals: (N, 3) unit. Where UVs say nothing, some direction across the
        normal.
        """
        points = positions.T[:, self._triangles]  # (3, 3 corners, F)
        normals = corner_normals.T[:, self._corners]  # (3, 3 corners, F)
        growing = self._along_first * (points[:, 1] - points[:, 0])
        growing += self._along_second * (points[:, 2] - points[:, 0])  # (3, F)
        tangents = _unit(_across(np.broadcast_to(growing[:, None], normals.shape), normals))
        edges = np.roll(points, -1, axis=1) - points  # to the next corner
        onwards = _unit(_across(edges, normals))
        backwards = _unit(_across(-np.roll(edges, 1, axis=1), normals))
        tangents *= np.arccos(np.clip(_dot(onwards, backwards), -1.0, 1.0))
        index, count = self._corners.ravel(), len(corner_normals)
        sums = np.stack([np.bincount(index, axis.ravel(), count) for axis in tangents])
        result = np.empty((count, 4), np.float32)
        result[:, :3] = _unit(sums.astype(np.float32)).T
        result[:, 3] = self._signs
        unknown = ~(_dot(sums, sums) > 1e-12)
        if unknown.any():
            result[unknown, :3] = _any_across(corner_normals[unknown])
        return result


def split_quads(
    corner_indices: NDArray[np.int32], uvs: Array, polygons: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Triangle and corner, (F, 3) each, where the corners of the triangles lie that MikkTSpace would make.

    corner_indices, uvs, polygons: as of CornerTangents. Two neighbours in the list that are all of a polygon
    are a quad; all others stay as they are.
    """
    count = len(polygons)
    triangle = np.repeat(np.arange(count)[:, None], 3, axis=1)
    corner = np.repeat(np.arange(3)[None], count, axis=0)
    starts = np.flatnonzero(np.r_[True, polygons[1:] != polygons[:-1]])
    first = starts[np.diff(np.r_[starts, count]) == 2]
    # The corner of each triangle that the other one has not: the ends of the diagonal that is not drawn.
    alone = corner_indices[first][:, :, None] != corner_indices[first + 1][:, None, :]  # (Q, 3, 3)
    mine, other = alone.all(axis=2), alone.all(axis=1)
    whole = (mine.sum(axis=1) == 1) & (other.sum(axis=1) == 1)
    first, mine, other = first[whole], mine[whole].argmax(axis=1), other[whole].argmax(axis=1)
    left, right = (mine + 1) % 3, (mine + 2) % 3

    def squared(difference: Array) -> Array:
        return np.asarray((difference * difference).sum(axis=1))

    drawn = squared(uvs[first, left] - uvs[first, right])
    turns = squared(uvs[first, mine] - uvs[first + 1, other]) < drawn
    first, mine, other, left, right = (each[turns] for each in (first, mine, other, left, right))
    second = first + 1
    triangle[first], corner[first] = _columns(first, first, second), _columns(mine, left, other)
    triangle[second], corner[second] = _columns(first, second, first), _columns(mine, other, right)
    return triangle, corner


def _columns(*columns: NDArray[Any]) -> NDArray[Any]:
    return np.stack(columns, axis=1)


def _any_across(normals: Array) -> Array:
    """(N, 3) unit vectors perpendicular to ``normals``."""
    axes = np.eye(3, dtype=np.float32)[np.abs(normals).argmin(axis=1)]
    across = axes - normals * (axes * normals).sum(axis=1, keepdims=True)
    return np.ascontiguousarray(_unit(across.T).T)


def _dot(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    product: NDArray[Any] = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return product


def _cross(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    return np.stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


def _across(vectors: NDArray[Any], normals: NDArray[Any]) -> NDArray[Any]:
    """The part of ``vectors`` that is perpendicular to unit ``normals``; axis 0 has x, y, z."""
    rest: NDArray[Any] = vectors - normals * _dot(vectors, normals)
    return rest


def _unit(vectors: NDArray[Any]) -> NDArray[Any]:
    """Axis 0 has x, y, z; zeros stay zeros."""
    scaled: NDArray[Any] = vectors / np.sqrt(np.maximum(_dot(vectors, vectors), _TINY))
    return scaled
