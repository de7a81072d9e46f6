# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which vertices of a cage its faces listen to."""

from __future__ import annotations

import numpy as np

from sge_addon.core.cage import Cage
from sge_addon.core.cage_support import cage_support, joined_supports
from sge_addon.core.support import Support


def grid_cage(side: int, face_of_triangle: list[int] | None = None) -> Cage:
    """side x side quads of (side + 1)^2 vertices, row by row."""
    corner = np.arange((side + 1) ** 2).reshape(side + 1, side + 1)
    quads = np.stack([corner[:-1, :-1], corner[:-1, 1:], corner[1:, 1:], corner[1:, :-1]], axis=-1)
    quads = quads.reshape(-1, 4).astype(np.int32)
    named = np.repeat(np.arange(len(quads)), 2) if face_of_triangle is None else face_of_triangle
    return Cage(
        positions=np.zeros((corner.size, 3), np.float32),
        triangles=np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]),
        face_offsets=4 * np.arange(len(quads) + 1),
        face_vertices=quads.ravel(),
        face_of_triangle=np.asarray(named, np.int32),
    )


def vertices_of(support: Support, face: int) -> set[int]:
    return set(support.vertices[support.offsets[face] : support.offsets[face + 1]].tolist())


def test_rings_around_a_quad() -> None:
    cage = grid_cage(5)  # vertices 6 a row; face 12 is in the middle
    blocks = [range(2, 4), range(1, 5), range(6)]
    for rings, reach in enumerate(blocks):
        expected = {6 * y + x for y in reach for x in reach}
        assert vertices_of(cage_support(cage, rings), 12) == expected
    assert vertices_of(cage_support(cage, 1), 0) == {6 * y + x for y in range(3) for x in range(3)}


def test_faces_that_only_the_surface_joins_are_neighbours() -> None:
    """The last face of a row meets the first one of the next copy, as with Array and Merge."""
    cage = grid_cage(3, [0, 2])
    assert vertices_of(cage_support(cage, 1), 0) == {0, 1, 2, 4, 5, 6, 8, 9, 10}
    triangles = np.int32([[0, 1, 2], [2, 1, 3]])  # of faces 0 and 2, which share an edge
    assert vertices_of(cage_support(cage, 1, triangles), 0) == set(range(11))
    apart = np.int32([[0, 1, 2], [3, 4, 5]])
    assert vertices_of(cage_support(cage, 1, apart), 0) == {0, 1, 2, 4, 5, 6, 8, 9, 10}


def test_triangles_that_came_from_no_face_join_nothing() -> None:
    cage = grid_cage(3, [-1, -1])
    triangles = np.int32([[0, 1, 2], [2, 1, 3]])
    assert vertices_of(cage_support(cage, 1, triangles), 0) == {0, 1, 2, 4, 5, 6, 8, 9, 10}


def test_joined_supports_keep_each_to_its_own_vertices() -> None:
    one, two = cage_support(grid_cage(1), 0), cage_support(grid_cage(2), 0)
    both = joined_supports([one, two])
    assert both.vertex_count == 13
    assert both.triangle_count == 5
    assert vertices_of(both, 0) == {0, 1, 2, 3}
    for face in range(4):
        assert vertices_of(both, 1 + face) == {4 + v for v in vertices_of(two, face)}
