# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which triangles need no back face: those of parts whose outside hides their inside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .view import View


def closed_and_outward(positions: NDArray[np.float32], triangles: NDArray[np.int32]) -> NDArray[np.bool_]:
    """(F,) bool: the triangle's connected part is closed, consistently wound and encloses a volume.

    From outside, whatever deforms such a part, a ray meets as many of its front faces as of its back
    faces: front faces alone cover the same pixels, and cover them first unless the part is turned
    inside out there.
    """
    part = _connected_parts(triangles, len(positions))
    open_parts = np.zeros(len(positions), bool)
    open_parts[part[_ends_of_unpaired_edges(triangles, len(positions))]] = True
    center = positions.mean(axis=0, dtype=np.float64)
    a, b, c = (positions[triangles[:, corner]] - center for corner in range(3))
    volumes = np.bincount(part[triangles[:, 0]], np.einsum("ij,ij->i", a, np.cross(b, c)), len(positions))
    result: NDArray[np.bool_] = (~open_parts & (volumes > 0.0))[part[triangles[:, 0]]]
    return result


def is_before(view: View, positions: NDArray[np.float32]) -> bool:
    """Whether the box around the positions lies wholly beyond the view's near plane: the camera is
    outside of whatever is in it, and the near plane opens nothing."""
    beyond = view.world_to_clip[2] + view.world_to_clip[3]  # clip z > -w, which is linear: least at a corner
    columns = np.ascontiguousarray(positions.T)  # whose extremes are found several times as fast
    lowest, highest = columns.min(axis=1), columns.max(axis=1)
    return bool(np.minimum(beyond[:3] * lowest, beyond[:3] * highest).sum() + beyond[3] > 0.0)


def _ends_of_unpaired_edges(triangles: NDArray[np.int32], vertex_count: int) -> NDArray[np.int64]:
    """A vertex of every edge that does not run once to and once fro."""
    tails = triangles.ravel().astype(np.int64)
    heads = np.roll(triangles, -1, axis=1).ravel().astype(np.int64)
    edges = np.minimum(tails, heads) * vertex_count + np.maximum(tails, heads)
    keys = np.sort(2 * edges + (tails < heads))  # an edge's two directions are neighbours
    edges = keys // 2
    first = np.flatnonzero(np.diff(edges, prepend=-1))
    is_pair = (np.diff(first, append=len(keys)) == 2) & (keys[first] != keys[(first + 1) % len(keys)])
    unpaired: NDArray[np.int64] = edges[first[~is_pair]] // vertex_count
    return unpaired


def _connected_parts(triangles: NDArray[np.int32], vertex_count: int) -> NDArray[np.intp]:
    """(V,) for each vertex the lowest vertex that it is connected to."""
    label = np.arange(vertex_count)
    while True:
        lowest = label[triangles].min(axis=1)
        before = label.copy()
        for corner in range(3):
            np.minimum.at(label, before[triangles[:, corner]], lowest)
            np.minimum.at(label, triangles[:, corner], lowest)
        label = label[label]
        if (label == before).all():
            return label
