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

from .vectors import dot

Array = NDArray[np.float32]

_TINY = np.float32(1e-30)  # as in shaders/unit_normal.glsl


def uv_orientations(uvs: Array) -> Array:
    """(F,): 1 where the UVs of a triangle turn as its corners do, -1 where they are mirrored, 0 without area.

    uvs: (F, 3, 2).
    """
    first, second = uvs[:, 1] - uvs[:, 0], uvs[:, 2] - uvs[:, 0]
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    return np.sign(area).astype(np.float32)


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
        points = _gathered(positions, self._triangles)  # (3, 3 corners, F)
        normals = _gathered(corner_normals, self._corners)
        onwards = points[:, [1, 2, 0]] - points  # to the next corner
        backwards = -onwards[:, [2, 0, 1]]
        growing = self._along_first * onwards[:, 0] - self._along_second * onwards[:, 2]  # (3, F)
        # Of parts across the normal, products and squared lengths are those of the whole less the rest's.
        up, down, lean = (dot(each, normals) for each in (onwards, backwards, growing[:, None]))
        lengths = dot(onwards, onwards)
        product = _across(lengths, up) * _across(lengths[[2, 0, 1]], down)
        cosine = (dot(onwards, backwards) - up * down) / np.sqrt(product)
        weight = np.arccos(np.clip(cosine, -1.0, 1.0)) / np.sqrt(_across(dot(growing, growing), lean))
        tangents = (growing[:, None] - normals * lean) * weight
        index, count = self._corners.ravel(), len(corner_normals)
        sums = np.stack([np.bincount(index, axis.ravel(), count) for axis in tangents])
        result = np.empty((count, 4), np.float32)
        result[:, :3] = _unit(sums.astype(np.float32)).T
        result[:, 3] = self._signs
        unknown = ~(dot(sums, sums) > 1e-12)
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


def _across(squared: NDArray[Any], lean: NDArray[Any]) -> NDArray[Any]:
    """Squared length of what is across a unit normal, of a vector and its part along it; never 0."""
    rest: NDArray[Any] = np.maximum(squared - lean * lean, np.float32(1e-6) * squared + np.float32(1e-18))
    return rest


def _gathered(rows: Array, indices: NDArray[np.int32]) -> Array:
    """(N, 3) rows at ``indices``: x, y, z along axis 0."""
    return np.stack([np.ascontiguousarray(axis).take(indices) for axis in rows.T])


def _unit(vectors: NDArray[Any]) -> NDArray[Any]:
    """Axis 0 has x, y, z; zeros stay zeros."""
    scaled: NDArray[Any] = vectors / np.sqrt(np.maximum(dot(vectors, vectors), _TINY))
    return scaled
