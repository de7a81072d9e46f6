# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deterministic gradient, averaged over jitters, against central differences of the rasterised loss."""

from __future__ import annotations

from dataclasses import replace

import bpy  # noqa: F401 (the wheel brings gpu along)
import numpy as np
import pytest

from sge_addon.core import edge_gradient
from sge_addon.core.assembly import assemble
from sge_addon.core.edge_gradient import EdgeGradient
from sge_addon.core.edge_outlines import Matched
from sge_addon.core.perturbation import perturbation
from sge_addon.core.picture_area import whole
from sge_addon.core.reference import Reference
from sge_addon.core.sparse_solve import SmoothingSystem
from sge_addon.core.stopwatch import Stopwatch
from sge_addon.core.surface import Material, Surface
from sge_addon.core.view import View, jittered
from sge_addon.raster.rasteriser import Rasteriser
from sge_addon.raster.reference_textures import ReferenceTextureCache
from tests.blender.test_raster_gradient import (
    LIGHTS,
    WAVES,
    agreement,
    draw_at,
    one_before_another,
    painting,
    sheet,
    sphere,
)
from tests.blender.test_raster_lit_gradient import COARSE
from tests.blender.test_raster_lit_gradient import LIGHTS as LIT_LIGHTS
from tests.meshes import icosphere, orthographic_view, perspective_view, surface

pytestmark = pytest.mark.usefixtures("gpu_ready")

COLOUR, BOTH = ("colour",), ("colour", "alpha")
GRID = 8  # jitters along a side of the pixel


def jitters() -> list[tuple[float, float]]:
    steps = (np.arange(GRID) + 0.5) / GRID - 0.5
    return [(float(x), float(y)) for y in steps for x in steps]


class Picture:
    """Some surfaces before one reference."""

    def __init__(
        self, surfaces: list[Surface], view: View, shading: str, match: tuple[str, ...], loss: str = "l1"
    ) -> None:
        self.assembly = assemble(surfaces)
        self.view, self.match, self.loss = view, match, loss
        self.reference = Reference(view, painting(view.width, view.height), True)
        lights = LIT_LIGHTS if shading == "lit" else LIGHTS
        self.rasteriser = Rasteriser(self.assembly, shading, lights)
        self.textures = ReferenceTextureCache([self.reference], match, loss).get(0)
        self.shading = shading

    def gradient(self) -> np.ndarray:
        gradient = EdgeGradient(self.assembly, self.shading != "unlit")
        matched = Matched(self.reference, self.match, self.loss, None)
        total = np.zeros(self.assembly.positions.shape)
        for jitter in jitters():
            drawn = (self.view, jitter, self.textures, self.match, self.loss, Stopwatch())
            target = self.rasteriser.draw_edges(*drawn)
            buffers = self.rasteriser.read_edges(target, whole(self.view), Stopwatch())
            clip = jittered(self.view.world_to_clip, *jitter, self.view.width, self.view.height)
            total += gradient.positions(buffers, self.assembly.positions, self.view, clip, matched)
        return (total / GRID**2).ravel()

    def central_differences(self, pixels: float, parameters: np.ndarray) -> np.ndarray:
        """By these of the coordinates of all vertices."""
        positions = self.assembly.positions
        epsilons = perturbation(self.view, pixels, 0).epsilons(positions, self.assembly.movable)
        found = []
        for vertex, axis in zip(*np.divmod(parameters, 3), strict=True):
            moved = []
            for sign in (1.0, -1.0):
                each = positions.copy()
                each[vertex, axis] += sign * epsilons[vertex]
                moved.append(each)
            draw_at(self.rasteriser, *moved)
            total = 0.0
            for jitter in jitters():
                buffers = self.rasteriser.draw_pair(
                    self.view,
                    jitter,
                    perturbation(self.view, pixels, 0),
                    self.textures,
                    self.match,
                    self.loss,
                    Stopwatch(),
                )()
                total += float((buffers.loss_plus.astype(float) - buffers.loss_minus).sum())
            found.append(total / GRID**2 / (2.0 * epsilons[vertex]))
        return np.asarray(found)

    def agreement(self, pixels: float = 0.5, count: int = 40) -> tuple[float, float]:
        """Cosine and length of the gradient against central differences, over so many coordinates of vertices
        that move and are seen."""
        gradient = self.gradient()
        chosen = np.flatnonzero(np.repeat(self.assembly.movable, 3))
        chosen = np.random.default_rng(0).permutation(chosen)[:count]
        return agreement(gradient[chosen], self.central_differences(pixels, chosen))


def turned(surfaces: list[Surface]) -> list[Surface]:
    """Each about its centre, such that no edges of the back lie behind edges of the front."""
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0].astype(np.float32)
    turned = []
    for each in surfaces:
        centre = each.positions.mean(axis=0)
        turned.append(replace(each, positions=(each.positions - centre) @ turn.T + centre))
    return turned


def lit(surfaces: list[Surface]) -> list[Surface]:
    """Of a material with textures for all maps."""
    return [replace(each, materials=(COARSE,)) for each in surfaces]


def flatter(surfaces: list[Surface]) -> list[Surface]:
    """With a third of the relief."""
    return [replace(each, positions=each.positions * np.float32([1.0, 1.0, 0.33])) for each in surfaces]


def flat_view() -> View:
    return orthographic_view(64, 64, 1.0 / 64)


@pytest.mark.parametrize(
    ("surfaces", "view", "shading", "match", "loss"),
    [
        pytest.param(turned(sphere()), flat_view(), "unlit", BOTH, "l1", id="silhouette, unlit"),
        pytest.param(turned(sphere()), flat_view(), "normal", BOTH, "l1", id="silhouette, smooth normals"),
        pytest.param(
            turned(sphere()), flat_view(), "normal", BOTH, "l2", id="silhouette, smooth normals, squared"
        ),
        pytest.param(
            turned(sphere()), flat_view(), "sun", BOTH, "log_l1", id="silhouette, suns, logarithmic"
        ),
        pytest.param(turned(sphere(False)), flat_view(), "normal", BOTH, "l1", id="silhouette, flat normals"),
        pytest.param(turned(one_before_another()), flat_view(), "sun", BOTH, "l1", id="occlusion, suns"),
        pytest.param(turned(one_before_another()), flat_view(), "unlit", BOTH, "l1", id="occlusion, unlit"),
        pytest.param(sheet(), flat_view(), "normal", COLOUR, "l1", id="shading, smooth normals"),
        pytest.param(sheet(), flat_view(), "sun", COLOUR, "l1", id="shading, suns"),
        pytest.param(sheet(), flat_view(), "unlit", COLOUR, "l1", id="texture"),
        pytest.param(turned(lit(sphere())), flat_view(), "lit", BOTH, "l1", id="silhouette, lit"),
        pytest.param(lit(flatter(sheet())), flat_view(), "lit", COLOUR, "l1", id="shading, lit"),
        pytest.param(
            [replace(each, positions=2 * each.positions) for each in sphere()],
            perspective_view(72, 60, 1.7, 0.8),
            "sun",
            BOTH,
            "l1",
            id="perspective",
        ),
    ],
)
def test_it_is_the_gradient(surfaces, view, shading, match, loss) -> None:
    picture = Picture(surfaces, view, shading, match, loss)
    cosine, length = picture.agreement()
    print(f"cosine {cosine:.4f}, length {length:.4f}")
    assert cosine >= 0.97
    assert abs(length - 1.0) <= 0.1


def plates(gap: float) -> list[Surface]:
    """A white triangle before a black plate, of one material: seen from above."""
    square = np.float32([[-0.45, -0.45, 0], [0.45, -0.45, 0], [0.45, 0.45, 0], [-0.45, 0.45, 0]])
    corners = np.float32([[-0.2, -0.15, gap], [0.25, -0.1, gap], [0.02, 0.2, gap]])
    halves = np.zeros((8, 8, 3), np.float32)
    halves[:, 4:] = 1.0
    material = Material("halves", texture=halves)
    parts = [
        surface(square, np.int32([[0, 1, 2], [0, 2, 3]]), "behind", mobility=np.zeros(4, np.float32)),
        surface(corners, np.int32([[0, 1, 2]]), "before"),
    ]
    return [
        replace(each, materials=(material,), uvs=np.full((len(each.triangles), 3, 2), u, np.float32))
        for each, u in zip(parts, (0.25, 0.75), strict=True)
    ]


def test_what_lies_less_than_eight_pixels_before_a_surface_has_no_outline() -> None:
    """A blind spot: depths nearly alike are taken for one surface, within which colours are carried along."""
    cosine, length = Picture(plates(10 / 64), flat_view(), "unlit", COLOUR).agreement()
    assert cosine >= 0.99
    assert abs(length - 1.0) < 0.05
    near = Picture(plates(6 / 64), flat_view(), "unlit", COLOUR)
    assert np.abs(near.gradient()).max() < 0.1  # of the texture, hardly any
    assert np.abs(near.central_differences(0.5, np.arange(12, 14))).max() > 1.0


def test_tangents_of_steep_triangles_turn_only_nearly() -> None:
    """A weak spot: normal maps where the normals of one triangle's corners are 60 degrees apart."""
    cosine, length = Picture(lit(sheet()), flat_view(), "lit", COLOUR).agreement()
    assert 0.85 < cosine < 0.97
    assert abs(length - 1.0) < 0.1


def test_what_nothing_shows_pulls_at_nothing() -> None:
    """A blind spot: a vertex behind other surfaces, which would show if it came forward, has no gradient."""
    hidden = surface(*icosphere(0, 0.1), "hidden", materials=(WAVES,))
    picture = Picture([*sphere(), hidden], flat_view(), "unlit", BOTH)
    inside = picture.gradient().reshape(-1, 3)[picture.assembly.vertex_ranges[1]]
    assert not inside.any()


@pytest.mark.parametrize("shading", ["unlit", "normal"])
def test_a_picture_that_shows_nothing_pulls_at_nothing(shading: str) -> None:
    beside = [replace(each, positions=each.positions + np.float32([9.0, 0.0, 0.0])) for each in sphere()]
    assert not Picture(beside, flat_view(), shading, BOTH).gradient().any()


def test_of_few_pixels_a_triangle_where_they_lie_is_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Triangles of a fifth of a pixel: evenly to the corners is the same pull, and the same but for what the
    smoothing of a step takes away."""
    points, faces = icosphere(4, 0.36)
    view = orthographic_view(24, 24, 1.0 / 24)
    picture = Picture([surface(points, faces)], view, "normal", BOTH)
    found = []
    for few in (2.0, 0.0):
        monkeypatch.setattr(edge_gradient, "_FEW_PIXELS", few)
        found.append(picture.gradient().reshape(-1, 3))
    evenly, by_place = found
    assert not np.array_equal(evenly, by_place)
    np.testing.assert_allclose(evenly.sum(axis=0), by_place.sum(axis=0), atol=1e-4 * np.abs(by_place).sum())
    smoothed = [SmoothingSystem(faces, len(points)).solve(3.0, each.astype(np.float32)) for each in found]
    cosine, length = agreement(smoothed[0].ravel(), smoothed[1].ravel())
    assert cosine > 0.99
    assert 0.97 < length < 1.03
