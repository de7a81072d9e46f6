# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gradient from pairs with tilted normals: its mean over signs beside central differences of what is
rasterised, and its noise, in many copies of a small mesh (test_raster_gradient)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import bpy  # noqa: F401 (the wheel brings gpu along)
import numpy as np
import pytest

from sge_addon.core.assembly import assemble
from sge_addon.core.estimator import sum_over_support, vertex_gradient
from sge_addon.core.lights import SunLights
from sge_addon.core.oracle import group_normals, rasterise
from sge_addon.core.pair_buffers import PairBuffers
from sge_addon.core.pair_gradient import PairGradient
from sge_addon.core.perturbation import PerturbedShape, perturbation
from sge_addon.core.reference import Reference
from sge_addon.core.schedule import ShapeSchedule
from sge_addon.core.signs import sign_rows
from sge_addon.core.stopwatch import Stopwatch
from sge_addon.core.support import narrow_support
from sge_addon.core.surface import Surface
from sge_addon.core.view import jittered
from sge_addon.raster import geometry
from sge_addon.raster.rasteriser import Rasteriser
from sge_addon.raster.reference_textures import ReferenceTextureCache
from tests.blender.test_raster_gradient import (
    CALLS,
    COPIES,
    SIDE,
    Cells,
    agreement,
    jitter_of,
    one_before_another,
    painting,
    sheet,
    sphere,
)
from tests.blender.test_raster_source import GREY, Setup, around, pictures_of
from tests.meshes import icosphere, orthographic_view, perspective_view, surface

pytestmark = pytest.mark.usefixtures("gpu_ready")
BOTH = ("colour", "alpha")


class TiltedCells(Cells):
    """Copies of some surfaces, whose normals are tilted."""

    def shape(self, call: int) -> PerturbedShape:
        return PerturbedShape(self.drawn(call), self.assembly.positions, self.assembly.movable, 0.1)

    def tilted_pair(self, call: int) -> PairBuffers:
        return self.rasteriser.draw_pair(self.view, jitter_of(call), self.shape(call), *self._given)()

    def gradients(self, calls: int) -> Iterator[np.ndarray]:
        """(COPIES, P) of all parameters of each copy."""
        gradient = PairGradient(self.assembly, self.rasteriser.shows_normals(self._given[1]))
        for call in range(calls):
            buffers = self.tilted_pair(call)
            difference = (buffers.loss_plus - buffers.loss_minus).ravel()
            tilts = None if buffers.tilt_difference is None else buffers.tilt_difference.ravel()
            clip = jittered(self.view.world_to_clip, *jitter_of(call), self.view.width, self.view.height)
            found = gradient.positions(buffers, difference, tilts, self.shape(call), self.view, clip, 0.0)
            yield found.reshape(COPIES, -1) / (SIDE * SIDE)

    def mean(self, calls: int) -> np.ndarray:
        """(P,) of one copy's parameters that move."""
        total = sum(each.mean(axis=0) for each in self.gradients(calls))
        return total[self.movable] / calls

    def part_along_axes(self, gradient: np.ndarray) -> np.ndarray:
        lines = self.axes.lines[: len(gradient) // 3]
        return ((gradient.reshape(-1, 3) * lines).sum(axis=1, keepdims=True) * lines).ravel()


@pytest.mark.parametrize(("shading", "smooth"), [("normal", True), ("sun", True), ("sun", False)])
def test_inside_a_surface_it_is_the_central_difference(shading: str, smooth: bool) -> None:
    """Cosine 0.993 to 0.998. Smooth normals that differ much make it a little short: what is left of them
    between the corners is not made unit on the way back."""
    cells = TiltedCells(sheet(smooth), shading, ("colour",), 0.5)
    cosine, length = agreement(cells.mean(CALLS), cells.central_differences(CALLS))
    assert cosine >= 0.99
    assert 0.82 < length < 1.02


@pytest.mark.parametrize(
    ("surfaces", "shading"),
    [
        pytest.param(sphere(), "unlit", id="silhouette, unlit"),
        pytest.param(sphere(), "normal", id="silhouette, smooth normals"),
        pytest.param(sphere(smooth=False), "normal", id="silhouette, flat normals"),
        pytest.param(one_before_another(), "unlit", id="occlusion, unlit"),
        pytest.param(one_before_another(), "sun", id="occlusion, suns"),
    ],
)
def test_at_outlines_it_leans_inwards(surfaces: list[Surface], shading: str) -> None:
    """Cosine 0.90 to 0.93 with edges of six pixels, along the axes: what passes a pixel's centre is ascribed
    to the point that is seen there, which lies before the surface's end."""
    cells = TiltedCells(surfaces, shading, BOTH, 0.5, along_normals=True)
    found, expected = (
        cells.part_along_axes(each) for each in (cells.mean(CALLS), cells.central_differences(CALLS))
    )
    cosine, length = agreement(found, expected)
    assert cosine >= 0.88
    assert 0.78 < length < 0.95


@pytest.mark.parametrize(
    ("surfaces", "shading"), [(sphere(), "normal"), (sphere(), "sun"), (one_before_another(), "sun")]
)
def test_it_has_a_quarter_of_the_noise_of_vertices_signs_alone(surfaces: list[Surface], shading: str) -> None:
    """Of one pair, beside the square of the mean: 0.36 to 0.59 instead of 1.9 to 3.0."""
    cells = TiltedCells(surfaces, shading, BOTH, 0.5, along_normals=True)
    support = narrow_support(cells.assembly)

    def plain(call: int) -> np.ndarray:
        buffers, drawn = cells.pair(call), cells.drawn(call)
        epsilons = drawn.epsilons(cells.assembly.positions, cells.assembly.movable)
        difference = (buffers.loss_plus - buffers.loss_minus).ravel()
        ids = buffers.id_plus.ravel(), buffers.id_minus.ravel()
        sums = sum_over_support(difference, *ids, support)
        return vertex_gradient(sums, drawn.directions(len(epsilons)), epsilons, 1).reshape(COPIES, -1)

    def noise(gradients: np.ndarray) -> float:
        mean = gradients.mean(axis=0)
        return float(np.square(gradients - mean).sum(axis=1).mean() / (mean @ mean))

    tilted = noise(np.concatenate(list(cells.gradients(8))))
    assert tilted < 0.25 * noise(np.concatenate([plain(call) for call in range(8)]))


@pytest.mark.parametrize("few", [4096, 0], ids=["few vertices", "many vertices"])
def test_tilts_are_the_oracles(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pixel's normal by its own signs, in either image; positions by the vertices'. References are kept
    in 16 bits."""
    monkeypatch.setattr(geometry, "_FEW", few)
    points, faces = icosphere(2, 0.36)
    assembly = assemble([surface(points, faces)])
    view = orthographic_view(SIDE, SIDE, 1.0 / SIDE)
    reference = Reference(view, painting(SIDE, SIDE), True)
    textures = ReferenceTextureCache([reference], ("colour",), "l1").get(0)
    shape = PerturbedShape(perturbation(view, 0.4, 7), assembly.positions, assembly.movable, 0.2)
    jitter = (0.2, -0.3)
    drawn = (view, jitter, shape, textures, ("colour",), "l1", Stopwatch())
    buffers = Rasteriser(assembly, "normal", SunLights()).draw_pair(*drawn)()
    assert buffers.tilt_difference is not None

    normals = group_normals(points, assembly)[assembly.normal_groups]
    turns = 0.2 * sign_rows(shape.tilt_seed, np.arange(SIDE * SIDE)).T
    target = reference.colour_at(np.arange(SIDE * SIDE))[:, :3]
    for sign, ids, losses in (
        (1.0, buffers.id_plus, buffers.loss_plus),
        (-1.0, buffers.id_minus, buffers.loss_minus),
    ):
        seen = rasterise(points + sign * shape.offsets, assembly.triangles, view, jitter)
        same = (ids == seen.ids) & (ids > 0)
        assert same.sum() > 0.97 * (seen.ids > 0).sum() > 200
        same = same.ravel()
        corners = normals[ids.ravel()[same].astype(int) - 1]
        normal = unit(np.einsum("nk,nkc->nc", seen.barycentrics.reshape(-1, 3)[same], corners))
        both = [
            np.abs(0.5 + 0.5 * unit(normal + way * turns[same]) - target[same]).mean(axis=1)
            for way in (1.0, -1.0)
        ]
        empty = np.abs(target[same]).mean(axis=1)
        np.testing.assert_allclose(losses.ravel()[same], sum(both) / 2.0 - empty, atol=1e-3)
        if sign > 0.0:
            np.testing.assert_allclose(buffers.tilt_difference.ravel()[same], both[0] - both[1], atol=1e-3)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("smooth", [True, False], ids=["smooth", "flat"])
def test_a_ball_becomes_an_egg_in_forty_steps(smooth: bool) -> None:
    """Drawn, estimated and stepped: 0.070 of the radius away at first, then 0.008."""
    points, faces = icosphere(3, 0.8)
    egg = points * np.float32([0.9, 1.15, 0.9])
    references = pictures_of([surface(egg, faces, materials=(GREY,))], around(8, 96), "normal")
    schedule = ShapeSchedule(40, vertices=len(points)).for_meshes_alone()
    ball = surface(points, faces, smooth=smooth, materials=(GREY,))
    setup = Setup([ball], references, "normal", schedule=schedule)
    for _ in setup.loop(40):
        pass
    value = setup.blocks[0].value
    # How far along the axes' directions of an ellipsoid they are from it.
    away = np.abs(np.linalg.norm(value / np.float32([0.72, 0.92, 0.72]), axis=1) - 1.0).mean()
    assert away < 0.012


def test_what_is_not_seen_or_pinned_stays() -> None:
    points, faces = icosphere(2, 0.8)
    aside = surface(points + np.float32([50.0, 0.0, 0.0]), faces, materials=(GREY,), name="aside")
    pinned = surface(points, faces, materials=(GREY,), mobility=np.arange(len(points)) % 2)
    view = perspective_view(64, 64)
    references = pictures_of([surface(0.8 * points, faces, materials=(GREY,))], [view], "normal")
    schedule = replace(ShapeSchedule(10, vertices=162).for_meshes_alone(), coarse=())
    setup = Setup([pinned, aside], references, "normal", schedule=schedule)
    estimate = setup.source.estimate(0, 3, 0.0)
    moved, still = (estimate.gradients[block.name] for block in setup.blocks)
    assert (still == 0.0).all()
    assert (moved[::2] == 0.0).all()
    assert np.abs(moved[1::2]).max() > 0.0


def test_a_view_that_sees_nothing_pulls_at_nothing() -> None:
    points, faces = icosphere(1, 0.8)
    view = perspective_view(32, 32)
    references = pictures_of([surface(points, faces, materials=(GREY,))], [view], "normal")
    beside = surface(points + np.float32([50.0, 0.0, 0.0]), faces, materials=(GREY,))
    setup = Setup([beside], references, "normal", schedule=ShapeSchedule(10).for_meshes_alone())
    (gradient,) = setup.source.estimate(0, 1, 1.0).gradients.values()
    assert (gradient == 0.0).all()


def test_what_passes_the_camera_pulls_within_measure() -> None:
    """From inside: some triangles lie behind, some on both sides of the camera."""
    points, faces = icosphere(2, 3.2)  # around a camera 3 away
    view = perspective_view(32, 32)
    references = pictures_of([surface(points, faces[:, ::-1], materials=(GREY,))], [view], "normal")
    moved = surface(points * np.float32([1.0, 0.8, 1.0]), faces[:, ::-1], materials=(GREY,))
    setup = Setup([moved], references, "normal", schedule=ShapeSchedule(10).for_meshes_alone())
    for seed in range(20):
        (gradient,) = setup.source.estimate(0, seed, 1.0).gradients.values()
        assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() > 0.0
