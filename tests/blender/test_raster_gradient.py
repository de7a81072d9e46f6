# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The estimator's mean is the central difference, with step epsilon, of the loss averaged over the
other parameters' signs and the jitter.

A picture of 16 x 16 cells holds as many copies of a small mesh, orthographic, so that one pair of
rasterisations gives 256 estimates: copies have different vertex indices and so different signs.
The central differences are rasterised by the same passes from explicit positions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import bpy  # noqa: F401 (the wheel brings gpu along)
import numpy as np
import pytest

from sge_addon.core.assembly import Assembly, assemble
from sge_addon.core.estimator import sum_over_support, vertex_gradient
from sge_addon.core.lights import SunLights
from sge_addon.core.oracle import group_normals
from sge_addon.core.pair_buffers import PairBuffers
from sge_addon.core.perturbation import Perturbation, perturbation, pixel_at_centre
from sge_addon.core.position_block import PositionBlock
from sge_addon.core.reference import Reference
from sge_addon.core.scene_lights import SceneLights
from sge_addon.core.schedule import ShapeSchedule
from sge_addon.core.signs import signs, step_seed, sub_pixel_jitter
from sge_addon.core.stopwatch import Stopwatch
from sge_addon.core.support import Support, full_support, narrow_support
from sge_addon.core.surface import Material, Surface
from sge_addon.core.vertex_axes import VertexAxes
from sge_addon.raster.fitted_surfaces import FittedSurfaces
from sge_addon.raster.rasteriser import Rasteriser
from sge_addon.raster.reference_textures import ReferenceTextureCache
from sge_addon.raster.shape_source import ShapeSource
from sge_addon.raster.tables import upload_table
from tests.meshes import icosphere, orthographic_view, perspective_view, surface, waves

pytestmark = pytest.mark.usefixtures("gpu_ready")

SIDE, CELLS = 32, 16  # pixels of a cell, cells along a side of the picture
COPIES = CELLS * CELLS
PIXEL = 1.0 / SIDE  # a cell is one unit wide
CALLS = 40  # 10 240 estimates; their noise is about half a percent of the gradient's square
LIGHTS = SunLights(
    world=np.float32([0.1, 0.15, 0.2]),
    directions=np.float32([[0.0, 0.6, 0.8], [-0.8, 0.0, 0.6]]),
    irradiance=np.float32([[2.0, 1.5, 1.0], [0.3, 0.6, 1.2]]),
)
WAVES = Material("waves", texture=waves(16, 16))
DARK = Material("dark", texture=0.6 * waves(16, 16)[::-1])


def painting(width: int, height: int) -> np.ndarray:
    """(H, W, 4): a soft-edged disc beside the centre with colours of its own."""
    y, x = np.mgrid[0:height, 0:width]
    x, y = (x + 0.5) / width - 0.5, (y + 0.5) / height - 0.5
    alpha = np.clip((0.4 - np.hypot(x - 0.06, y + 0.04)) * height + 0.5, 0.0, 1.0)
    rgb = np.stack([0.5 + 0.5 * np.sin(9 * x + 2), 0.5 + 0.4 * np.cos(7 * y), 0.4 + 0.5 * x], axis=-1)
    return np.concatenate([rgb * alpha[..., None], alpha[..., None]], axis=-1).astype(np.float32)


def jitter_of(call: int) -> tuple[float, float]:
    """Covers the pixel evenly, and is the same for estimates and central differences."""
    place = call * 37 % 64
    return (place % 8 + 0.5) / 8.0 - 0.5, (place // 8 + 0.5) / 8.0 - 0.5


def draw_at(rasteriser: Rasteriser, plus: np.ndarray, minus: np.ndarray) -> None:
    """Let the next pair be drawn at these positions, with the oracle's normals, instead of perturbed ones."""
    tables = {}
    for name, normal, positions in (("plus", "normal", plus), ("minus", "normal_minus", minus)):
        normals = group_normals(positions.astype(np.float32), rasteriser.assembly)
        for key, values in ((name, positions), (normal, normals)):
            rows = np.ones((len(values), 4), np.float32)
            rows[:, :3] = values
            tables[key] = upload_table(rows)
    rasteriser._geometry.perturbed = lambda *_, **__: tables


class Cells:
    """Copies of some surfaces in cells of one picture."""

    def __init__(
        self,
        surfaces: list[Surface],
        shading: str,
        match: tuple[str, ...],
        epsilon: float,
        loss: str = "l1",
        lights: SunLights | SceneLights = LIGHTS,
        along_normals: bool = False,
    ) -> None:
        y, x = np.divmod(np.arange(COPIES), CELLS)
        centres = np.c_[x, y, np.zeros(COPIES)] + np.float32([0.5 - CELLS / 2, 0.5 - CELLS / 2, 0.0])
        self.assembly = assemble(
            [
                replace(each, positions=(each.positions + centre).astype(np.float32))
                for centre in centres
                for each in surfaces
            ]
        )
        side = SIDE * CELLS
        self.view = orthographic_view(side, side, PIXEL)
        picture = np.tile(painting(SIDE, SIDE), (CELLS, CELLS, 1))
        textures = ReferenceTextureCache([Reference(self.view, picture, True)], match, loss).get(0)
        self.rasteriser = Rasteriser(self.assembly, shading, lights)
        self.pixels = epsilon
        self._given = (textures, match, loss, Stopwatch())
        self.movable = np.repeat(self.assembly.movable.reshape(COPIES, -1)[0], 3)
        triangles, materials = self.assembly.triangles, self.assembly.texture_of_triangle
        axes = VertexAxes(triangles, materials, len(self.assembly.positions))
        self.axes = axes.at(self.assembly.positions) if along_normals else None

    def drawn(self, call: int) -> Perturbation:
        return perturbation(self.view, self.pixels, call).along(self.axes)

    def pair(self, call: int) -> PairBuffers:
        return self.rasteriser.draw_pair(self.view, jitter_of(call), self.drawn(call), *self._given)()

    def estimates(self, calls: int, *makers: Callable[[Assembly], Support]) -> list[np.ndarray]:
        """For each kind of support the mean gradient of one copy's parameters, (P,)."""
        supports = [make(self.assembly) for make in makers]
        sums = [np.zeros(len(self.movable)) for _ in makers]
        for call in range(calls):
            buffers = self.pair(call)
            difference = (buffers.loss_plus - buffers.loss_minus).ravel()
            ids = buffers.id_plus.ravel(), buffers.id_minus.ravel()
            drawn = self.drawn(call)
            epsilons = drawn.epsilons(self.assembly.positions, self.assembly.movable)
            for total, support in zip(sums, supports, strict=True):
                gradient = vertex_gradient(
                    sum_over_support(difference, *ids, support),
                    drawn.directions(len(epsilons)),
                    epsilons,
                    SIDE * SIDE,
                )
                total += gradient.reshape(COPIES, -1).mean(axis=0)
        return [total[self.movable] / calls for total in sums]

    def central_differences(self, calls: int) -> np.ndarray:
        """(P,): each copy moves one parameter up and down, the others by random signs alike in both."""
        epsilon = self.pixels * PIXEL
        moving = np.flatnonzero(self.movable)
        total, count = np.zeros(len(self.movable)), np.zeros(len(self.movable))
        copies = np.arange(COPIES)
        for call in range(calls):
            offset = epsilon * signs(step_seed(1, call), len(self.assembly.positions)).reshape(COPIES, -1)
            offset *= self.movable
            # Every parameter meets every jitter.
            parameter = moving[(copies + call * COPIES + call // 64) % len(moving)]
            moved = []
            for sign in (1.0, -1.0):
                offset[copies, parameter] = sign * epsilon
                moved.append(self.assembly.positions + offset.reshape(-1, 3))
            draw_at(self.rasteriser, *moved)
            buffers = self.pair(call)
            difference = buffers.loss_plus.astype(float) - buffers.loss_minus
            by_cell = difference.reshape(CELLS, SIDE, CELLS, SIDE).sum(axis=(1, 3)).ravel()
            np.add.at(total, parameter, by_cell / (2.0 * epsilon * SIDE * SIDE))
            np.add.at(count, parameter, 1)
        return total[moving] / count[moving]


def agreement(found: np.ndarray, expected: np.ndarray) -> tuple[float, float]:
    """Cosine, and length of ``found`` in lengths of ``expected``."""
    lengths = np.linalg.norm(found), np.linalg.norm(expected)
    return float(found @ expected / (lengths[0] * lengths[1])), float(lengths[0] / lengths[1])


def assert_agrees(found: np.ndarray, expected: np.ndarray) -> None:
    """Cosine at least 0.99 and length within 3 %."""
    cosine, length = agreement(found, expected)
    assert cosine >= 0.99, f"cosine {cosine:.4f}, length {length:.4f}"
    assert abs(length - 1.0) <= 0.03, f"cosine {cosine:.4f}, length {length:.4f}"


def sphere(smooth: bool = True) -> list[Surface]:
    """42 vertices with edges of 6 pixels; its outline lies inside the cell."""
    return [surface(*icosphere(1, 0.36), smooth=smooth, materials=(WAVES,))]


def one_before_another() -> list[Surface]:
    """An icosahedron that hides part of a sphere and reaches over its outline."""
    points, faces = icosphere(1, 0.34)
    behind = surface(points - np.float32([0.03, 0, 0]), faces, materials=(WAVES,))
    points, faces = icosphere(0, 0.22)
    return [behind, surface(points + np.float32([0.14, 0.1, 0.7]), faces, materials=(DARK,))]


def sheet(smooth: bool = True) -> list[Surface]:
    """6 x 6 vertices over the whole cell, its border pinned: shading alone, no silhouette."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:6, 0:6] / 5.0 - 0.5
    inside = (np.abs(x) < 0.4) & (np.abs(y) < 0.4)
    x, y = x + inside * rng.normal(0.0, 0.03, (6, 6)), y + inside * rng.normal(0.0, 0.03, (6, 6))
    points = np.stack([x, y, rng.normal(0.0, 0.12, (6, 6))], axis=-1).reshape(-1, 3).astype(np.float32)
    index = np.arange(36).reshape(6, 6)
    a, b, c, d = (each.ravel() for each in (index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]))
    faces = np.r_[np.c_[a, b, d], np.c_[a, d, c]].astype(np.int32)
    mobility = inside.ravel().astype(np.float32)
    return [surface(points, faces, smooth=smooth, materials=(WAVES,), mobility=mobility)]


@pytest.mark.parametrize(
    ("surfaces", "shading", "loss", "epsilon"),
    [
        pytest.param(sphere(), "unlit", "l1", 0.7, id="silhouette, unlit"),
        pytest.param(sphere(), "normal", "l2", 0.7, id="silhouette, smooth normals, squared loss"),
        pytest.param(sphere(), "sun", "l1", 0.7, id="silhouette, suns"),
        pytest.param(sphere(smooth=False), "normal", "l1", 0.7, id="silhouette, flat normals"),
        pytest.param(one_before_another(), "sun", "l1", 0.5, id="occlusion, suns"),
        pytest.param(one_before_another(), "unlit", "l1", 0.5, id="occlusion, unlit"),
    ],
)
def test_full_support_is_unbiased(surfaces: list[Surface], shading: str, loss: str, epsilon: float) -> None:
    cells = Cells(surfaces, shading, ("colour", "alpha"), epsilon, loss)
    (found,) = cells.estimates(CALLS, full_support)
    assert_agrees(found, cells.central_differences(CALLS))


@pytest.mark.parametrize("shading", ["unlit", "normal"])
def test_along_normals_it_is_the_part_of_the_gradient_that_lies_there(shading: str) -> None:
    """And most of it: a ball's vertices have nothing to gain by sliding."""
    cells = Cells(sphere(), shading, ("colour", "alpha"), 0.7, along_normals=True)
    (found,) = cells.estimates(CALLS, full_support)
    expected = cells.central_differences(CALLS).reshape(-1, 3)
    normals = cells.axes.lines[: len(expected)]
    part = (expected * normals).sum(axis=1, keepdims=True) * normals
    assert_agrees(found, part.ravel())
    assert np.linalg.norm(part) > 0.9 * np.linalg.norm(expected)


def test_smooth_shading_needs_the_full_support() -> None:
    cells = Cells(sheet(), "normal", ("colour",), 0.7)
    full, narrow = cells.estimates(32, full_support, narrow_support)
    expected = cells.central_differences(16)
    assert_agrees(full, expected)
    # The neighbours' normals are a good part of the gradient, and the narrow support misses it.
    cosine, length = agreement(narrow, expected)
    assert 0.9 < cosine < 0.98
    assert 0.4 < length < 0.7


@pytest.mark.parametrize(("shading", "smooth"), [("unlit", True), ("sun", False)])
def test_inside_a_surface_narrow_support_is_unbiased_without_smooth_normals(
    shading: str, smooth: bool
) -> None:
    cells = Cells(sheet(smooth), shading, ("colour",), 0.7)
    (found,) = cells.estimates(24, narrow_support)
    assert_agrees(found, cells.central_differences(16))


def test_at_silhouettes_narrow_support_is_right_in_direction_only() -> None:
    """A vertex leaves the IDs of a pixel by its own sign, so that what would cancel is not counted."""
    cells = Cells(sphere(), "unlit", ("colour", "alpha"), 0.7)
    (found,) = cells.estimates(CALLS, narrow_support)
    cosine, length = agreement(found, cells.central_differences(CALLS))
    assert cosine >= 0.97
    assert 0.85 < length < 0.97


@pytest.mark.parametrize("even", [False, True], ids=["by the view's pixels", "even"])
def test_a_source_in_perspective(even: bool) -> None:
    """End to end: jitter as the source draws it; near vertices are perturbed less than far ones, or as all
    are, as in the paper."""
    view = perspective_view(40, 30, 1.7, 0.8)
    points, faces = icosphere(0, 0.8)
    assembly = assemble([surface(points, faces, materials=(WAVES,))])
    rasteriser = Rasteriser(assembly, "sun", LIGHTS)
    reference = Reference(view, painting(40, 30), True)
    pixels = 0.7
    even_epsilon = 0.7 * pixel_at_centre([view], points) if even else 0.0
    schedule = ShapeSchedule(epsilon=(pixels, pixels), even_epsilon=even_epsilon)
    match = ("colour", "alpha")
    block = PositionBlock("sphere", points, faces, schedule)
    source = ShapeSource(
        FittedSurfaces(rasteriser, [block], [None], Stopwatch()),
        assembly,
        [reference],
        [block],
        full_support,
        schedule,
        match,
        "l1",
        Stopwatch(),
    )
    count = 4000
    found = (
        sum(source.estimate(0, step_seed(3, call), 0.5).gradients["sphere"] for call in range(count)) / count
    )

    epsilons = schedule.perturbation(view, 0.5, 0).epsilons(points, assembly.movable)
    assert (epsilons.max() > 1.8 * epsilons.min()) != even
    textures = ReferenceTextureCache([reference], match, "l1").get(0)
    expected, rounds = np.zeros(36), 90
    for call in range(36 * rounds):
        parameter, seed = call % 36, step_seed(4, call)
        vertex, axis = divmod(parameter, 3)
        offset = epsilons[:, None] * signs(seed, 12)
        moved = []
        for sign in (1.0, -1.0):
            offset[vertex, axis] = sign * epsilons[vertex]
            moved.append(points + offset)
        draw_at(rasteriser, *moved)
        jitter = sub_pixel_jitter(seed)
        buffers = rasteriser.draw_pair(
            view, jitter, perturbation(view, pixels, 0), textures, match, "l1", Stopwatch()
        )()
        difference = (buffers.loss_plus.astype(float) - buffers.loss_minus).sum()
        expected[parameter] += difference / (2.0 * epsilons[vertex] * view.width * view.height * rounds)
    assert_agrees(found.ravel(), expected)
