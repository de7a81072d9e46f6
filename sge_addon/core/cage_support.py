# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The support of a cage's vertex: the faces of the cage whose pixels may change when it moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cage import Cage
from .support import Support, sharing

Integers = NDArray[np.integer[Any]]

# By FitSettings.support. The smooth surface of a face hangs on its ring.
RINGS = {"narrow": 0, "full": 1}


def cage_support(cage: Cage, rings: int, triangles: NDArray[np.int32] | None = None) -> Support:
    """For each face of the base mesh, the base vertices that may change its pixels.

    rings: 0 for the face's own vertices, 1 also for those of the faces that share a vertex with it, ...
    triangles: (F, 3) of the surface, whose faces may be joined where the cage's are not, as by Array.
    """
    count = len(cage.face_offsets) - 1
    face = np.repeat(np.arange(count), np.diff(cage.face_offsets))
    vertices = cage.face_vertices.astype(np.int64)
    joined = [_neighbours(face, vertices)]
    if triangles is not None:
        named = np.repeat(cage.face_of_triangle.astype(np.int64), 3)
        known = named >= 0
        pairs = _distinct(named[known], triangles.ravel()[known].astype(np.int64))
        joined.append(_neighbours(*pairs))
    near = _distinct(*(np.concatenate(parts) for parts in zip(*joined, strict=True)))
    near_offsets = _offsets(near[0], count)
    reached: tuple[Integers, Integers] = (np.arange(count), np.arange(count))
    for _ in range(rings):
        reached = _distinct(*sharing(*reached, near_offsets, near[1]))
    owner, found = _distinct(*sharing(*reached, cage.face_offsets, vertices))
    return Support(len(cage.positions), _offsets(owner, count), found.astype(np.int32))


def joined_supports(supports: Sequence[Support]) -> Support:
    """Supports of several surfaces laid end to end: their triangles (or faces), and their vertices."""
    offsets, vertices = [np.zeros(1, np.int64)], []
    vertex_count = entries = 0
    for each in supports:
        offsets.append(each.offsets[1:] + entries)
        vertices.append(each.vertices + np.int32(vertex_count))
        vertex_count += each.vertex_count
        entries += len(each.vertices)
    return Support(vertex_count, np.concatenate(offsets), np.concatenate(vertices))


def _neighbours(faces: Integers, vertices: Integers) -> tuple[Integers, Integers]:
    """(face, face) of all that share a vertex. faces, vertices: (N,), which face has which vertex."""
    order = np.argsort(vertices, kind="stable")
    offsets = _offsets(vertices[order], int(vertices.max(initial=0)) + 1)
    return _distinct(*sharing(faces, vertices, offsets, faces[order]))


def _distinct(first: Integers, second: Integers) -> tuple[Integers, Integers]:
    """Pairs without repeats, sorted by the first."""
    stride = int(second.max(initial=0)) + 1
    pairs = np.unique(first * stride + second)
    owner, found = np.divmod(pairs, stride)
    return owner, found


def _offsets(owner: Integers, count: int) -> NDArray[np.int64]:
    """(count + 1,) where the entries of each owner begin. owner: sorted."""
    offsets = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(owner, minlength=count), out=offsets[1:])
    return offsets
