# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Neighbourhoods of a cage's faces, as lists end to end: offsets (P + 1,) and items (M,)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cage import Cage

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Lists:
    """P lists of numbers; list p is ``items[offsets[p]:offsets[p + 1]]``."""

    offsets: Indices
    items: Indices

    @property
    def lengths(self) -> Indices:
        return np.diff(self.offsets)

    @property
    def owners(self) -> Indices:
        """(M,) which list an item is in."""
        return np.repeat(np.arange(len(self.offsets) - 1), self.lengths)

    def expanded(self, which: NDArray[np.integer[Any]]) -> tuple[Indices, Indices]:
        """The lists of ``which``, (Q,), end to end: for each item the index into ``which``, and the item."""
        counts = self.lengths[which]
        place = np.repeat(np.arange(len(which)), counts)
        return place, self.items[np.repeat(self.offsets[which], counts) + counted(counts)]


def counted(counts: Indices) -> Indices:
    """0, 1, ... up to each count, end to end."""
    return np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)


def distinct_lists(
    owners: NDArray[np.integer[Any]], items: NDArray[np.integer[Any]], owner_count: int
) -> Lists:
    """The items of each owner, sorted, without repeats."""
    width = int(items.max(initial=0)) + 1
    keys = np.unique(owners.astype(np.int64) * width + items)
    offsets = np.searchsorted(keys, np.arange(owner_count + 1, dtype=np.int64) * width)
    return Lists(offsets.astype(np.int64), keys % width)


def inverted(lists: Lists, item_count: int) -> Lists:
    """For each item the lists that it is in."""
    return distinct_lists(lists.items, lists.owners, item_count)


def base_faces(cage: Cage) -> Lists:
    """The vertices of each face of the base mesh, as they stand."""
    return Lists(cage.face_offsets.astype(np.int64), cage.face_vertices.astype(np.int64))


def faces_at(cage: Cage, triangles: NDArray[np.int32], vertex_count: int) -> Lists:
    """For each vertex of the surface, (F, 3) ``triangles``, the base faces that its triangles came from."""
    faces = np.repeat(cage.face_of_triangle, 3)
    known = faces >= 0
    return distinct_lists(triangles.ravel()[known], faces[known], vertex_count)


def face_neighbours(cage: Cage, at_surface: Lists) -> Lists:
    """For each base face those that it shares a vertex with, itself among them: a vertex of the base mesh, or
    of the surface, where modifiers join what was apart (Mirror, merged Arrays). at_surface: ``faces_at``."""
    count = len(cage.face_offsets) - 1
    keys = []
    for shared in (inverted(base_faces(cage), len(cage.positions)), at_surface):
        shared = _several(shared)
        place, second = shared.expanded(shared.owners)
        keys.append(np.unique(shared.items[place] * count + second))
    itself = np.arange(count) * (count + 1)
    pairs = np.unique(np.concatenate([*keys, itself]))
    return distinct_lists(pairs // count, pairs % count, count)


def vertices_within(cage: Cage, neighbours: Lists, rings: int) -> Lists:
    """For each base face the base vertices of all faces that are at most ``rings`` steps away."""
    count = len(neighbours.offsets) - 1
    near = Lists(np.arange(count + 1, dtype=np.int64), np.arange(count, dtype=np.int64))
    for _ in range(rings):
        place, items = neighbours.expanded(near.items)
        near = distinct_lists(near.owners[place], items, count)
    place, vertices = base_faces(cage).expanded(near.items)
    return distinct_lists(near.owners[place], vertices, count)


def _several(lists: Lists) -> Lists:
    """Without the lists of a single item."""
    lengths = lists.lengths
    kept = np.flatnonzero(lengths > 1)
    return Lists(np.r_[0, np.cumsum(lengths[kept])], lists.expanded(kept)[1])
