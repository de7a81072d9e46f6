# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cages step on the base mesh: the surface follows, mirrors stay closed, heights go along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from sge_addon.core.cage import MirrorPlane
from sge_addon.core.cage_block import CageBlock, cage_schedule
from sge_addon.core.displaced_cage_block import DisplacedCageBlock
from sge_addon.core.errors import FitError, Remedy
from sge_addon.core.height_field import HeightField
from sge_addon.core.mirror_planes import MirrorRules
from sge_addon.core.position_block import PositionBlock
from sge_addon.core.schedule import ShapeSchedule
from sge_addon.core.stack_probing import probed_map
from sge_addon.core.surface import Surface
from sge_addon.core.vertex_normals import VertexNormals
from tests.core.polygon_stacks import Modifier, PolygonStack, box, catmull_clark, mirrored, sheet
from tests.meshes import icosphere, surface

CONSTANT = ShapeSchedule(rate=(0.05, 0.05), smoothing_range=(5.0, 5.0))
PLANE = MirrorPlane(np.zeros(3), np.array([1.0, 0.0, 0.0]), 1e-2)
SLANTED = MirrorPlane(np.array([0.3, 0.0, 0.0]), np.array([0.6, 0.0, 0.8]), 1e-2)


def caged(
    mesh: tuple[np.ndarray, list[tuple[int, ...]]],
    modifiers: Sequence[Modifier],
    planes: tuple[MirrorPlane, ...] = (),
    mobility: np.ndarray | None = None,
) -> Surface:
    """A surface whose cage has its map."""
    points, faces = mesh
    stack = PolygonStack(faces, modifiers, planes, mobility)
    made = stack.evaluate([points.astype(np.float32)])[0]
    return replace(made, cage=replace(made.cage, map=probed_map(made.cage, made, stack)))


def noise(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 3)).astype(np.float32)


def test_what_is_shown_is_what_the_map_makes_of_the_value() -> None:
    start = caged(box(3), [catmull_clark])
    block = CageBlock("cage", start, CONSTANT)
    np.testing.assert_allclose(block.shown, start.positions, atol=1e-6)
    shown = block.shown
    block.step(noise(len(start.positions), 0), 0.0)
    assert block.value.shape == start.cage.positions.shape
    assert block.shown is not shown
    np.testing.assert_array_equal(block.shown, start.cage.map.apply(block.value))


def test_a_step_is_that_of_positions_along_the_pulled_back_gradient() -> None:
    start = caged(box(3), [catmull_clark])
    cage = start.cage
    through, direct = CageBlock("cage", start, CONSTANT), CageBlock("cage", start, CONSTANT)
    plain = PositionBlock("plain", cage.positions, cage.triangles, cage_schedule(CONSTANT))
    for step in range(3):
        gradient = noise(len(start.positions), step)
        through.step(gradient, step / 3)
        direct.step_cage(cage.map.pulled_back(gradient), step / 3)
        plain.step(cage.map.pulled_back(gradient), step / 3)
        np.testing.assert_array_equal(through.value, plain.value)
        np.testing.assert_array_equal(direct.value, plain.value)


def test_steps_recover_a_cage_from_its_surface() -> None:
    start = caged(box(3), [catmull_clark])
    rng = np.random.default_rng(3)
    bent = start.cage.positions * np.float32([1.2, 0.8, 1.0])
    bent[:, 2] += 0.2 * bent[:, 0] + rng.normal(0.0, 0.02, len(bent))
    target = start.cage.map.apply(bent.astype(np.float32))
    schedule = ShapeSchedule(200, rate=(0.05, 0.002), smoothing_range=(2.0, 0.01), vertices=len(bent))
    block = CageBlock("cage", start, schedule)
    before = np.abs(block.shown - target).mean()
    for step in range(200):
        block.step(block.shown - target, step / 200)
    assert np.abs(block.shown - target).mean() < 0.02 * before
    assert np.abs(block.value - bent).mean() < 0.05 * np.abs(start.cage.positions - bent).mean()


def test_held_vertices_of_the_cage_stay() -> None:
    points, faces = box(3)
    mobility = (points[:, 2] > 0.0).astype(np.float32)
    start = caged((points, faces), [catmull_clark], mobility=mobility)
    block = CageBlock("cage", start, CONSTANT)
    for step in range(3):
        block.step(noise(len(start.positions), step), 0.0)
    np.testing.assert_array_equal(block.value[mobility == 0.0], start.cage.positions[mobility == 0.0])
    assert np.abs(block.value - start.cage.positions)[mobility > 0.0].max() > 0.01


@pytest.mark.parametrize("plane", [PLANE, SLANTED])
def test_mirrors_stay_closed_and_nothing_crosses_them(plane: MirrorPlane) -> None:
    points, faces = sheet(6, 5)
    if plane is SLANTED:  # of which the first column then lies on the plane
        across = np.array([0.8, 0.0, -0.6])
        points = (
            plane.point
            + points[:, :1] * plane.normal
            + points[:, 1:2] * [0.0, 1.0, 0.0]
            + (points[:, 2:] * across)
        )
    start = caged((points, faces), [mirrored(plane), catmull_clark], (plane,))
    block = CageBlock("cage", start, CONSTANT)
    on = np.arange(0, len(points), 7)
    towards = np.tile(plane.normal.astype(np.float32), (len(start.positions), 1))
    images = (start.positions - plane.point) @ plane.normal < -1e-6
    towards[images] *= -1.0  # a gradient whose descent leads both halves through the plane
    for step in range(60):
        block.step(towards + 0.5 * noise(len(start.positions), step), step / 60)
        distances = (block.value.astype(np.float64) - plane.point) @ plane.normal
        assert np.abs(distances[on]).max() < 1e-6
        assert np.delete(distances, on).min() > 0.5 * plane.merge
    assert np.delete(distances, on).min() == pytest.approx(0.505 * plane.merge, rel=0.01)
    if plane is PLANE:
        assert not block.value[on, 0].any()
    stack = PolygonStack(faces, [mirrored(plane), catmull_clark])
    assert np.abs(stack.positions([block.value])[0] - block.shown).max() < 1e-5


def test_vertices_near_enough_to_merge_keep_their_distance() -> None:
    """What is merged stays so, where Blender puts it: halfway."""
    points, faces = sheet(4, 4)
    points[5, 0] = 0.004
    start = caged((points, faces), [mirrored(PLANE)], (PLANE,))
    rules = MirrorRules(start.cage)
    offered = (points + 0.1).astype(np.float32)
    allowed = rules.enforced(offered)
    assert allowed[5].tolist() == [np.float32(0.004), *offered[5, 1:]]
    np.testing.assert_array_equal(allowed[1:5], offered[1:5])
    assert rules.enforced(allowed) is allowed
    gradient = noise(len(points), 0)
    held = rules.projected(gradient)
    assert not held[[0, 5, 10], 0].any()
    np.testing.assert_array_equal(held[:, 1:], gradient[:, 1:])


def test_where_two_mirrors_meet_only_their_line_is_left() -> None:
    points, faces = sheet(4, 4)
    second = MirrorPlane(np.zeros(3), np.array([0.6, 0.8, 0.0]), 1e-2)  # not at right angles to the first
    stack = PolygonStack(faces, [], (PLANE, second))
    rules = MirrorRules(stack.evaluate([points.astype(np.float32)])[0].cage)
    assert rules.projected(np.ones((len(points), 3)))[0] == pytest.approx([0.0, 0.0, 1.0], abs=1e-7)
    assert rules.projected(np.ones((len(points), 3)))[1] == pytest.approx([1.0, 1.0, 1.0])


def test_without_a_map_who_evaluates_says_what_is_shown() -> None:
    points, faces = box(2)
    stack = PolygonStack(faces, [catmull_clark])
    start = stack.evaluate([points.astype(np.float32)])[0]
    block = CageBlock("cage", start, CONSTANT)
    plain = PositionBlock("plain", start.cage.positions, start.cage.triangles, cage_schedule(CONSTANT))
    gradient = noise(len(points), 0)
    block.step(gradient, 0.0)
    plain.step(gradient, 0.0)
    np.testing.assert_array_equal(block.value, plain.value)
    assert block.shown is start.positions
    made = stack.evaluate([block.value])[0]
    block.show(made)
    assert block.shown is made.positions


def test_a_surface_without_a_cage_is_a_defect_of_the_caller() -> None:
    points, triangles = icosphere(1)
    with pytest.raises(ValueError, match="'mesh' has no cage"):
        CageBlock("cage", surface(points, triangles), CONSTANT)


def displaced(frame: np.ndarray | None = None, strength: float = 0.2, **more: np.ndarray) -> Surface:
    """A subdivided box with heights about its midlevel, along normals of the space that ``frame`` is of."""
    start = caged(box(3), [catmull_clark, catmull_clark], **more)
    linear = np.eye(3) if frame is None else frame
    normals = VertexNormals(start).of(start.positions @ np.linalg.inv(linear).T)
    directions = (strength * normals @ linear.T).astype(np.float32)
    heights = 0.5 + 0.3 * np.sin(4.0 * start.positions.sum(axis=1))
    uvs = np.random.default_rng(0).uniform(0.1, 0.9, (len(start.triangles), 3, 2)).astype(np.float32)
    field = HeightField(
        start.positions,
        directions,
        0.5,
        heights.astype(np.float32),
        uvs,
        np.full((8, 8), 0.5, np.float32),
        frame,
    )
    return replace(start, positions=field.positions(field.heights), height=field)


@pytest.mark.parametrize("frame", [None, np.diag([1.0, 0.5, 2.0]) @ np.linalg.qr(np.eye(3)[::-1] + 0.3)[0]])
def test_heights_go_along_with_the_cage(frame: np.ndarray | None) -> None:
    """After steps the surface is what the heights make of the moved base along its own normals."""
    start = displaced(frame)
    block = DisplacedCageBlock("both", start, CONSTANT)
    np.testing.assert_allclose(block.shown, start.positions, atol=1e-6)
    for step in range(4):
        block.step(noise(len(start.positions), step), step / 4)
    base = start.cage.map.apply(block.value)
    assert np.abs(base - start.height.base).max() > 0.02
    assert np.abs(block.heights - start.height.heights).max() > 0.02
    linear = np.eye(3) if frame is None else frame
    normals = VertexNormals(start).of(base @ np.linalg.inv(linear).T)
    expected = base + 0.2 * (block.heights - 0.5)[:, None] * (normals @ linear.T)
    np.testing.assert_allclose(block.shown, expected, atol=1e-5)
    np.testing.assert_allclose(block.field.base, base)


def test_steps_recover_cage_and_heights_that_show_the_target() -> None:
    start = displaced()
    bent = (start.cage.positions * np.float32([1.15, 0.9, 1.0])).astype(np.float32)
    base = start.cage.map.apply(bent)
    heights = 0.5 + 0.4 * np.cos(5.0 * start.positions[:, 0])
    target = base + 0.2 * (heights - 0.5)[:, None] * VertexNormals(start).of(base)
    block = DisplacedCageBlock(
        "both", start, ShapeSchedule(300, rate=(0.05, 0.002), smoothing_range=(1.0, 0.01))
    )
    before = np.abs(block.shown - target).mean()
    for step in range(300):
        block.step(block.shown - target, step / 300)
    assert np.abs(block.shown - target).mean() < 0.1 * before


def test_heights_are_held_where_the_cage_is() -> None:
    points, _ = box(3)
    start = displaced(mobility=(points[:, 2] > -0.9).astype(np.float32))
    block = DisplacedCageBlock("both", start, CONSTANT)
    for step in range(3):
        block.step(noise(len(start.positions), step), 0.0)
    moved = np.abs(block.shown - start.positions).max(axis=1)
    x, y, z = np.abs(start.height.base).T
    low = (start.height.base[:, 2] < 0.0) & (z > 0.8) & (x < 0.3) & (y < 0.3)
    assert low.any()
    assert moved[low].max() < 2e-6
    assert moved.max() > 0.02


def test_directions_that_are_no_normals_are_refused() -> None:
    start = displaced()
    up = np.tile(np.float32([0.0, 0.0, 0.2]), (len(start.positions), 1))
    with pytest.raises(FitError, match="'fake': its displacement does not go along") as caught:
        DisplacedCageBlock("both", replace(start, height=replace(start.height, directions=up)), CONSTANT)
    assert caught.value.remedy is Remedy.APPLY_SCALE


def test_normals_weigh_polygons_by_their_angles() -> None:
    """At a corner of a cube, whichever way its squares are cut; and at the tip of a folded sheet."""
    points, faces = box(1)
    cube = PolygonStack(faces, []).evaluate([points.astype(np.float32)])[0]
    np.testing.assert_allclose(VertexNormals(cube).of(cube.positions), points / np.sqrt(3.0), atol=1e-6)
    tent = np.float32([[0, 0, 0], [1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, 0, -1]])
    folded = surface(tent, np.int32([[0, 1, 2], [0, 2, 3], [0, 3, 4]]))
    expected = np.pi * np.array([0.0, 0.0, 1.0]) + 0.5 * np.pi * np.cross(tent[3], tent[4])
    assert VertexNormals(folded).of(tent)[0] == pytest.approx(expected / np.linalg.norm(expected), abs=1e-6)
