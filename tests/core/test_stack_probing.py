# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stacks that are linear in the cage are recovered from a few dozen evaluations, all others are refused."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from sge_addon.core.cage import MirrorPlane
from sge_addon.core.cage_rings import Lists, face_neighbours, faces_at, vertices_within
from sge_addon.core.colouring import colours_of
from sge_addon.core.linear_map import LinearMap
from sge_addon.core.mirror_planes import MirrorRules
from sge_addon.core.stack_probing import NotLinear, probed_map, probing
from sge_addon.core.surface import Surface
from tests.core.polygon_stacks import (
    Modifier,
    PolygonStack,
    arrayed,
    beside,
    box,
    catmull_clark,
    inflated,
    mirrored,
    sheet,
)

X_PLANE = MirrorPlane(np.zeros(3), np.array([1.0, 0.0, 0.0]), 1e-3)
Y_PLANE = MirrorPlane(np.zeros(3), np.array([0.0, 1.0, 0.0]), 1e-3)
SLANTED = MirrorPlane(np.zeros(3), np.array([0.6, 0.8, 0.0]), 1e-3)  # touches the sheet in one corner


def turn(height: float) -> np.ndarray:
    """(4, 4) about Z, and upwards."""
    matrix = np.eye(4)
    matrix[:2, :2], matrix[2, 3] = [[0.8, -0.6], [0.6, 0.8]], height
    return matrix


def probed(
    mesh: tuple[np.ndarray, list[tuple[int, ...]]],
    modifiers: Sequence[Modifier],
    planes: tuple[MirrorPlane, ...] = (),
) -> tuple[PolygonStack, Surface, LinearMap]:
    """The stack, its surface at rest, and what was found; the stack counts the evaluations that took."""
    points, faces = mesh
    stack = PolygonStack(faces, modifiers, planes)
    surface = stack.evaluate([points.astype(np.float32)])[0]
    stack.evaluations = 0
    return stack, surface, probed_map(surface.cage, surface, stack)


def moved(surface: Surface, seed: int = 0) -> np.ndarray:
    """Its cage, at random, as far as planes allow."""
    rules = MirrorRules(surface.cage)
    noise = np.random.default_rng(seed).normal(0.0, 0.2, surface.cage.positions.shape)
    return rules.enforced((surface.cage.positions + rules.projected(noise)).astype(np.float32))


def with_fan(count: int) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    """A sheet and triangles around one point: a vertex of many edges."""
    points, faces = sheet(3, 3)
    angles = 2.0 * np.pi * np.arange(count) / count
    ring = np.stack([np.cos(angles), np.sin(angles), 0.0 * angles], axis=-1)
    first = len(points)
    fan = [(first, first + 1 + i, first + 1 + (i + 1) % count) for i in range(count)]
    return np.concatenate([points, [[0.0, 0.0, 1.0]], ring + [0.0, 0.0, 0.5]]), faces + fan


CASES = {
    "subdivided": (box(3), [catmull_clark], ()),
    "subdivided twice": (box(2), [catmull_clark, catmull_clark], ()),
    "open": (sheet(5, 4), [catmull_clark, catmull_clark], ()),
    "pole": (with_fan(24), [catmull_clark], ()),
    "mirrored": (sheet(5, 4), [mirrored(X_PLANE)], (X_PLANE,)),
    "mirrored, subdivided": (sheet(5, 4), [mirrored(X_PLANE), catmull_clark], (X_PLANE,)),
    "mirrored aslant": (sheet(5, 4), [mirrored(SLANTED), catmull_clark], (SLANTED,)),
    "mirrored twice": (
        sheet(4, 4),
        [mirrored(X_PLANE), mirrored(Y_PLANE), catmull_clark],
        (X_PLANE, Y_PLANE),
    ),
    "turned copies": (sheet(4, 4), [arrayed(3, turn(2.0)), catmull_clark], ()),
    "beside another mesh": (sheet(4, 4), [catmull_clark, beside(*box(1))], ()),
    "no modifier": (box(2), [], ()),
}


@pytest.mark.parametrize("case", CASES)
def test_map_gives_what_the_stack_gives(case: str) -> None:
    stack, surface, found = probed(*CASES[case])
    size = np.ptp(surface.positions, axis=0).max()
    for seed in range(2):
        cage = moved(surface, seed)
        assert np.abs(found.apply(cage) - stack.positions([cage])[0]).max() < 2e-6 * size
    np.testing.assert_allclose(found.apply(surface.cage.positions), surface.positions, atol=1e-7 * size)


@pytest.mark.parametrize("case", CASES)
def test_pulling_back_is_the_transpose(case: str) -> None:
    _, surface, found = probed(*CASES[case])
    rng = np.random.default_rng(4)
    motion = rng.normal(size=found.origin.shape).astype(np.float32)
    gradient = rng.normal(size=found.rest.shape).astype(np.float32)
    along = (found.apply(found.origin + motion) - found.rest).astype(np.float64)
    back = found.pulled_back(gradient).astype(np.float64)
    assert (along * gradient).sum() == pytest.approx((motion * back).sum(), abs=1e-3)
    assert back.shape == surface.cage.positions.shape


def test_three_colours_move_at_once_where_answers_are_parallel() -> None:
    """A regular quad hangs on 16 vertices: with 20 colours 7 evaluations, and 5 before them; blocks, which a
    mirror needs, take three to a colour."""
    stack, *_ = probed(sheet(12, 12), [catmull_clark])
    assert stack.evaluations <= 5 + 7
    stack, *_ = probed(sheet(12, 12), [mirrored(X_PLANE), catmull_clark], (X_PLANE,))
    assert 48 <= stack.evaluations - 5 <= 3 * 20


def test_map_is_sparse() -> None:
    """Sixteen weights to a vertex, however large the mesh is."""
    _, small, few = probed(sheet(6, 6), [catmull_clark])
    _, large, many = probed(sheet(12, 12), [catmull_clark])
    growth = len(large.positions) / len(small.positions)
    assert many.stored_bytes < 1.1 * growth * few.stored_bytes


def test_what_hangs_on_nothing_stays() -> None:
    points, faces = box(1)
    _, surface, found = probed(sheet(3, 3), [beside(points + 5.0, faces)])
    np.testing.assert_array_equal(found.apply(found.origin + np.float32(1.0))[-8:], surface.positions[-8:])
    gradient = np.zeros_like(surface.positions)
    gradient[-8:] = 1.0
    assert not found.pulled_back(gradient).any()


def test_far_from_the_origin_maps_are_as_exact_as_positions() -> None:
    points, faces = box(2)
    stack, surface, found = probed((points + [500.0, -300.0, 100.0], faces), [catmull_clark])
    cage = moved(surface)
    assert np.abs(found.apply(cage) - stack.positions([cage])[0]).max() <= 2.0 * np.spacing(np.float32(500.0))


def smoothed(rounds: int) -> Modifier:
    """Linear, and felt as many faces away: all points become the means of their faces' means."""

    def modifier(mesh):  # type: ignore[no-untyped-def]
        points = mesh.points
        for _ in range(rounds):
            sums, counts = np.zeros_like(points), np.zeros(len(points))
            for face in mesh.faces:
                sums[list(face)] += points[list(face)].mean(axis=0)
                counts[list(face)] += 1
            points = sums / np.maximum(counts, 1)[:, None]
        return type(mesh)(points, mesh.faces, mesh.origins)

    return modifier


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_answers_may_be_felt_some_faces_away(rounds: int) -> None:
    stack, surface, found = probed(sheet(9, 9), [smoothed(rounds)])
    cage = moved(surface)
    assert np.abs(found.apply(cage) - stack.positions([cage])[0]).max() < 2e-6


def test_answers_felt_everywhere_are_refused() -> None:
    with pytest.raises(NotLinear, match="more than 3 faces away"):
        probed(sheet(12, 12), [smoothed(6)])


def along_x(mesh):  # type: ignore[no-untyped-def]
    """Linear, and different for each axis, though copies move as a whole as the cage does."""
    softer = smoothed(1)(mesh).points
    return type(mesh)(np.c_[softer[:, :1], mesh.points[:, 1:]], mesh.faces, mesh.origins)


def test_answers_that_differ_by_axis_are_told() -> None:
    stack, surface, found = probed(sheet(6, 6), [along_x])
    cage = moved(surface)
    assert np.abs(found.apply(cage) - stack.positions([cage])[0]).max() < 2e-6


def cubed(mesh):  # type: ignore[no-untyped-def]
    """Not linear, though opposite motions have opposite answers."""
    return type(mesh)(mesh.points + 0.2 * (mesh.points - 0.5) ** 3, mesh.faces, mesh.origins)


def flat_cubed(mesh):  # type: ignore[no-untyped-def]
    return type(mesh)(np.c_[mesh.points[:, :2], 9.0 * mesh.points[:, 2:] ** 3], mesh.faces, mesh.origins)


@pytest.mark.parametrize("modifier", [inflated(0.2), cubed, flat_cubed])
def test_what_is_not_linear_is_refused_and_says_by_how_much(modifier: Modifier) -> None:
    points, faces = sheet(5, 5)
    points[:, 2] = 0.0
    with pytest.raises(NotLinear, match=r"up to \d\.\de-0\d of that size away") as caught:
        probed((points, faces), [modifier])
    assert caught.value.reason == str(caught.value)


def test_a_changing_topology_is_refused() -> None:
    """The plane is not named, so that vertices leave it."""
    with pytest.raises(NotLinear, match="changes how many the modifiers make"):
        probed(sheet(4, 4), [mirrored(X_PLANE)])


def test_vertices_near_a_mirror_merge_no_more_and_no_less_than_before() -> None:
    """One within the distance stays merged, one a little beyond does not become so."""
    points, faces = sheet(4, 4)
    points[5, 0], points[6, 0] = 0.0004, 0.0006
    stack, surface, found = probed((points, faces), [mirrored(X_PLANE), catmull_clark], (X_PLANE,))
    cage = moved(surface)
    assert cage[5, 0] == np.float32(0.0004)
    assert np.abs(found.apply(cage) - stack.positions([cage])[0]).max() < 2e-6


def test_progress_goes_up_to_the_whole() -> None:
    points, faces = box(3)
    stack = PolygonStack(faces, [catmull_clark])
    surface = stack.evaluate([points.astype(np.float32)])[0]
    fractions = list(probing(surface.cage, surface, stack))
    assert fractions == sorted(fractions)
    assert fractions[0] == 0.0
    assert fractions[-1] == 1.0


def test_rings_of_a_regular_sheet() -> None:
    points, faces = sheet(9, 9)
    surface = PolygonStack(faces, []).evaluate([points.astype(np.float32)])[0]
    at_surface = faces_at(surface.cage, surface.triangles, len(surface.positions))
    neighbours = face_neighbours(surface.cage, at_surface)
    middle = 4 * 9 + 4
    for rings in range(4):
        reached = vertices_within(surface.cage, neighbours, rings)
        assert reached.lengths[middle] == (2 * rings + 2) ** 2
    assert neighbours.lengths[0] == 4  # a corner, itself and three others


def joined(pairs: Sequence[tuple[int, int]]) -> Modifier:
    """Makes one vertex of each two, halfway between them, wherever they are."""

    def modifier(mesh):  # type: ignore[no-untyped-def]
        points, into = mesh.points.copy(), {second: first for first, second in pairs}
        for second, first in into.items():
            points[first] = 0.5 * (mesh.points[first] + mesh.points[second])
        faces = [tuple(into.get(vertex, vertex) for vertex in face) for face in mesh.faces]
        return type(mesh)(points, faces, mesh.origins)

    return modifier


def test_faces_that_only_the_surface_joins_are_neighbours() -> None:
    """Two sheets, apart in the cage, sewn together by the modifiers before they are smoothed."""
    points, faces = sheet(4, 4)
    count = len(points)
    both = np.concatenate([points, points + [1.2, 0.0, 0.0]])
    seam = [(5 * row + 4, count + 5 * row) for row in range(5)]
    mesh = both, faces + [tuple(vertex + count for vertex in face) for face in faces]
    stack, surface, found = probed(mesh, [joined(seam), smoothed(1)])
    cage = moved(surface)
    used = np.unique(surface.triangles)
    assert len(used) == 2 * count - 5
    assert np.abs(found.apply(cage) - stack.positions([cage])[0])[used].max() < 2e-6


def test_no_row_has_two_columns_of_one_colour() -> None:
    rng = np.random.default_rng(2)
    rows = [np.sort(rng.choice(60, 7, replace=False)) for _ in range(80)]
    lists = Lists(np.arange(81) * 7, np.concatenate(rows))
    colours = colours_of(lists, 60)
    assert all(len(np.unique(colours[row])) == 7 for row in rows)
    assert colours.max() < 60
