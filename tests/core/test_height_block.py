# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Heights move a surface along lines; gradients come back along them, textures return what vertices have."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core.assembly import assemble
from sge_addon.core.height_block import HeightBlock
from sge_addon.core.height_field import HeightField
from sge_addon.core.height_texture import bilinear_taps
from sge_addon.core.lights import SunLights
from sge_addon.core.oracle import render
from sge_addon.core.position_block import PositionBlock
from sge_addon.core.schedule import ShapeSchedule
from tests.meshes import icosphere, orthographic_view, surface

CONSTANT = ShapeSchedule(rate=(0.1, 0.1), smoothing_range=(5.0, 5.0))


def grid(side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices of a unit square, triangles, and UVs (F, 3, 2) that leave a margin about it."""
    y, x = np.mgrid[0:side, 0:side] / (side - 1.0)
    points = np.stack([x, y, 0.0 * x], axis=-1).reshape(-1, 3).astype(np.float32)
    index = np.arange(side * side).reshape(side, side)
    a, b, c, d = (each.ravel() for each in (index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]))
    triangles = np.r_[np.c_[a, b, d], np.c_[a, d, c]].astype(np.int32)
    uvs = (0.1 + 0.8 * points[:, :2])[triangles]
    return points, triangles, uvs.astype(np.float32)


def flat_field(side: int, content: np.ndarray, strength: float = 0.5, midlevel: float = 0.25) -> HeightField:
    """Upwards; heights at the start are what the content reads at the vertices."""
    points, triangles, uvs = grid(side)
    of_vertex = np.zeros((len(points), 2), np.float32)
    of_vertex[triangles] = uvs
    directions = np.tile(np.float32([0.0, 0.0, strength]), (len(points), 1))
    return HeightField(points, directions, midlevel, read(content, of_vertex), uvs, content)


def read(texture: np.ndarray, uvs: np.ndarray) -> np.ndarray:
    """(N,) bilinear, by hand: the mean over a square of one texel's size about the place."""
    height, width = texture.shape
    result = np.zeros(len(uvs))
    for row in range(height):
        for column in range(width):
            across = np.clip(1.0 - np.abs(uvs[:, 0] * width - 0.5 - column), 0.0, None)
            along = np.clip(1.0 - np.abs(uvs[:, 1] * height - 0.5 - row), 0.0, None)
            result += across * along * texture[row, column]
    return result.astype(np.float32)


def block_of(field: HeightField, triangles: np.ndarray, **more: np.ndarray) -> HeightBlock:
    return HeightBlock("height", field.positions(field.heights), triangles, CONSTANT, field, **more)


def test_positions_and_heights_say_the_same() -> None:
    points, triangles = icosphere(2)
    rng = np.random.default_rng(1)
    heights = rng.normal(0.0, 0.3, len(points)).astype(np.float32)
    lines = points * rng.uniform(0.1, 2.0, (len(points), 1)).astype(np.float32)
    field = HeightField(points, lines, 0.4, heights, np.zeros((len(triangles), 3, 2)), np.zeros((4, 4)))
    assert field.heights_at(field.positions(heights)) == pytest.approx(heights, abs=1e-5)
    assert field.positions(np.full(len(points), 0.4)) == pytest.approx(points)
    assert np.linalg.norm(field.positions(heights + 1.0) - field.positions(heights), axis=1) == pytest.approx(
        np.linalg.norm(lines, axis=1), abs=1e-5
    )


def test_gradient_of_heights_is_that_of_finite_differences() -> None:
    """Of a loss on the normals that the NumPy rasteriser shows, through positions: the exact chain rule."""
    points, triangles = icosphere(1)
    view = orthographic_view(24, 24, 0.1)
    assembly = assemble([surface(points, triangles)])
    weights = np.random.default_rng(2).normal(size=(24, 24, 3))
    inside = render(assembly, 0.97 * points, view, "normal", SunLights()).fragments.ids > 0
    for step in (0.98, 0.99, 1.0, 1.01):  # pixels that never leave the sphere: smooth in the heights
        inside &= render(assembly, step * points, view, "normal", SunLights()).fragments.ids > 0

    def loss(positions: np.ndarray) -> float:
        image = render(assembly, positions, view, "normal", SunLights())
        return float((image.colour[..., :3] * weights)[inside].sum())

    rng = np.random.default_rng(3)
    lines = (points + rng.normal(0.0, 0.2, points.shape)) * np.float32(0.7)
    field = HeightField(
        points,
        lines.astype(np.float32),
        0.5,
        np.full(len(points), 0.5, np.float32),
        np.zeros((80, 3, 2)),
        np.zeros((4, 4)),
    )
    seen = np.argsort(-points[:, 2])[:12]
    small = 1e-5
    of_positions = np.zeros_like(points, dtype=float)
    of_heights = np.zeros(len(points))
    lifted = points.astype(float)
    for vertex in seen:
        for axis in range(3):
            moved = np.zeros_like(lifted)
            moved[vertex, axis] = small
            of_positions[vertex, axis] = (loss(lifted + moved) - loss(lifted - moved)) / (2.0 * small)
        moved = np.zeros_like(lifted)
        moved[vertex] = small * lines[vertex]
        of_heights[vertex] = (loss(lifted + moved) - loss(lifted - moved)) / (2.0 * small)
    found = field.pulled_back(of_positions)
    cosine = found @ of_heights / (np.linalg.norm(found) * np.linalg.norm(of_heights))
    assert cosine > 0.999
    assert np.linalg.norm(found) == pytest.approx(np.linalg.norm(of_heights), rel=0.01)


def test_a_step_moves_as_far_as_positions_would() -> None:
    """A push along the normals moves heights and free positions alike, whatever the strength."""
    points, triangles = icosphere(3)
    for strength in (0.01, 1.0, 30.0):
        field = HeightField(
            points,
            strength * points,
            0.5,
            np.full(len(points), 0.5, np.float32),
            np.zeros((len(triangles), 3, 2)),
            np.zeros((4, 4)),
        )
        heights = block_of(field, triangles)
        free = PositionBlock("free", points, triangles, CONSTANT)
        for _ in range(5):
            heights.step(points, 0.0)
            free.step(points, 0.0)
        moved = [np.linalg.norm(each.value - points, axis=1).mean() for each in (heights, free)]
        assert 1.0 < moved[0] / moved[1] < 2.0  # the largest coordinate counts as much as the whole
        assert field.positions(heights.heights) == pytest.approx(heights.value, abs=1e-5)


def test_vertices_without_mobility_stay() -> None:
    points, triangles, _ = grid(9)
    field = flat_field(9, np.zeros((16, 16), np.float32))
    mobility = (points[:, 0] > 0.5).astype(np.float32)
    block = block_of(field, triangles, mobility=mobility)
    before = block.heights
    for _ in range(4):
        block.step(np.tile(np.float32([0, 0, 1]), (len(points), 1)), 0.3)
    moved = np.abs(block.heights - before)
    assert moved[mobility == 0.0].max() < 1e-6
    assert moved[mobility == 1.0].min() > 0.01


def test_descends_to_the_heights_of_a_target() -> None:
    points, triangles, _ = grid(17)
    field = flat_field(17, np.zeros((32, 32), np.float32))
    target = field.positions(0.3 * np.sin(7.0 * points[:, 0]) + 0.2 * points[:, 1])
    schedule = ShapeSchedule(vertices=len(points))
    block = HeightBlock("height", field.positions(field.heights), triangles, schedule, field)
    for step in range(200):
        block.step(block.value - target, step / 200)
    assert np.abs(block.value - target).max() < 0.01


@pytest.mark.parametrize("size", [(24, 24), (64, 64), (48, 40)])
def test_texture_returns_the_heights_at_every_uv(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(4)
    content = rng.uniform(size=size).astype(np.float32)
    field = flat_field(9, content)
    _, triangles, uvs = grid(9)
    block = block_of(field, triangles)
    for _ in range(3):
        block.step(rng.normal(size=(81, 3)).astype(np.float32), 0.2)
    texture = block.texture()
    assert np.ptp(block.heights - field.heights) > 0.05
    found = read(texture, uvs.reshape(-1, 2))
    assert found == pytest.approx(block.heights[triangles.ravel()], abs=1e-4)


def test_seams_read_one_height_from_both_sides() -> None:
    """Two islands of a square that was cut along its middle, one of them turned."""
    points, triangles, uvs = grid(9)
    right = points[triangles][..., 0].mean(axis=1) > 0.5
    uvs = uvs * np.float32([0.5, 1.0])
    uvs[right] = (uvs[right] - 0.5)[..., ::-1] * np.float32([0.6, 0.9]) + np.float32([0.65, 0.6])
    heights = np.sin(9.0 * points[:, 0] * points[:, 1]).astype(np.float32)
    lines = np.tile(np.float32([0, 0, 1]), (81, 1))
    field = HeightField(points, lines, 0.0, np.zeros(81, np.float32), uvs, np.zeros((64, 64), np.float32))
    block = HeightBlock("height", field.positions(heights), triangles, CONSTANT, field)
    found = read(block.texture(), uvs.reshape(-1, 2))
    assert found == pytest.approx(heights[triangles.ravel()], abs=5e-5)


def test_detail_between_vertices_stays() -> None:
    """Where nothing has changed the texture is the content; a raised vertex raises its surroundings alone."""
    rng = np.random.default_rng(5)
    content = rng.uniform(size=(64, 64)).astype(np.float32)
    field = flat_field(9, content)
    _, triangles, _ = grid(9)
    assert block_of(field, triangles).texture() == pytest.approx(content, abs=1e-5)
    heights = field.heights.copy()
    heights[40] += 0.5  # in the middle; its neighbours are 6.4 texels away
    block = HeightBlock("height", field.positions(heights), triangles, CONSTANT, field)
    change = block.texture() - content
    assert change[31:33, 31:33].min() > 0.35
    y, x = np.mgrid[0:64, 0:64]
    far = (np.abs(x - 31.5) > 8) | (np.abs(y - 31.5) > 8)
    assert np.abs(change[far]).max() < 1e-5


def test_too_few_texels_come_as_near_as_they_can() -> None:
    field = flat_field(17, np.zeros((4, 4), np.float32), midlevel=0.0)
    points, triangles, uvs = grid(17)
    heights = (points[:, 0] - 0.5 * points[:, 1]).astype(np.float32)  # a plane is bilinear
    block = HeightBlock("height", field.positions(heights), triangles, CONSTANT, field)
    texture = block.texture()
    assert np.isfinite(texture).all()
    error = read(texture, uvs.reshape(-1, 2)) - heights[triangles.ravel()]
    inner = (np.abs(uvs.reshape(-1, 2) - 0.5) < 0.37).all(axis=1)  # beyond, the outer texels are all there is
    assert np.abs(error[inner]).max() < 0.1


def test_texels_that_are_hardly_read_stay_within_bounds() -> None:
    """Two vertices at nearly one place want heights 0 and 1, as only 1e5 in the texel beside could give."""
    points = np.float32([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    triangles = np.int32([[0, 1, 2], [0, 2, 3]])
    places = np.float32([[0.375, 0.375], [0.375 + 1e-5 / 4, 0.375], [0.875, 0.875], [0.375, 0.875]])
    field = HeightField(
        points,
        np.tile(np.float32([0, 0, 1]), (4, 1)),
        0.0,
        np.zeros(4, np.float32),
        places[triangles],
        np.zeros((4, 4), np.float32),
    )
    block = HeightBlock("height", field.positions(np.float32([0, 1, 0, 0])), triangles, CONSTANT, field)
    texture = block.texture()
    assert np.abs(texture).max() < 200.0
    assert texture[1, 1] == pytest.approx(0.5, abs=0.01)


def test_reads_beyond_the_outer_texels_go_on() -> None:
    taps, weights = bilinear_taps(np.array([[0.0, 0.0], [1.0, 1.0], [0.5, 0.5]]), (2, 2))
    texture = np.array([1.0, 2.0, 3.0, 4.0])
    assert (texture[taps] * weights).sum(axis=1) == pytest.approx([1.0, 4.0, 2.5])
