# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pictures of a coarser mesh: their gradient by the fine vertices, and where there are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import bpy  # noqa: F401 (the wheel brings gpu along)
import numpy as np
import pytest

from sge_addon.core.position_block import CoarseGradient
from sge_addon.core.schedule import ShapeSchedule
from sge_addon.core.stopwatch import Stopwatch
from sge_addon.core.surface import Surface, flat_groups
from sge_addon.core.view import View
from sge_addon.raster import small_pictures
from sge_addon.raster.edge_source import EdgeSource
from sge_addon.raster.shape_source import ShapeSource
from tests.blender.test_raster_source import GREY, WAVES, Setup, around, both_estimators, pictures_of
from tests.meshes import icosphere, perspective_view, surface

pytestmark = pytest.mark.usefixtures("gpu_ready")

VIEW = perspective_view(128, 128)


def fine_ball(**named: object) -> Surface:
    """Edges of a pixel and a half in a picture of 64 pixels."""
    return surface(*icosphere(4, 0.8), **named)


def setup_of(
    balls: Surface | list[Surface],
    shading: str = "normal",
    steps: int = 100,
    coarse: tuple[float, ...] = (0.5,),
    views: Sequence[View] = (VIEW,),
    estimator: str = "edge",
) -> Setup:
    target = surface(icosphere(4, 0.8)[0] * np.float32([1.15, 0.9, 1.0]), icosphere(4)[1])
    references = pictures_of([target], list(views), shading)
    schedule = ShapeSchedule(steps, epsilon=(0.7, 0.7), vertices=200, coarse=coarse)
    balls = [balls] if isinstance(balls, Surface) else balls
    return Setup(balls, references, shading, estimator=estimator, schedule=schedule)


def drawn_positions(source: ShapeSource | EdgeSource, seed: int, progress: float) -> np.ndarray:
    """(V, 3) that the first view's picture or pair shows, at rest."""
    drawn = source._drawn.take(0, seed, progress)
    return drawn.positions if isinstance(source, EdgeSource) else drawn.shape.positions


@both_estimators
def test_small_pictures_show_a_coarser_mesh_and_whole_ones_the_mesh_itself(estimator: str) -> None:
    source = setup_of(fine_ball(), estimator=estimator).source
    (small, its_mesh), (whole, own_mesh) = (source._pictures.at(0, progress) for progress in (0.0, 0.9))
    assert [each.references[0].view.width for each in (small, whole)] == [64, 128]
    count = len(its_mesh.assembly.positions)
    assert 500 <= count < 2562 / 3
    assert len(its_mesh.assembly.triangles) == 2 * count - 4
    assert len(own_mesh.assembly.positions) == 2562
    drawn = [drawn_positions(source, 1, progress) for progress in (0.0, 0.9)]
    assert [len(each) for each in drawn] == [count, 2562]


@pytest.mark.parametrize("shading", ["normal", "unlit", "sun"])
def test_their_gradient_is_the_slope_of_their_loss_by_fine_positions(shading: str) -> None:
    """Along smooth motions, in the mean over jitters."""
    ball = fine_ball()
    places = ball.positions
    motions = {
        "wider": places * np.float32([1, 0, 0]),
        "lower": places * np.float32([0, 1, 0]),
        "aside": np.tile(np.float32([1, 0.5, 0]), (len(places), 1)),
        "bent": np.stack([np.sin(2 * places[:, 1]), 0 * places[:, 0], np.cos(3 * places[:, 0])], axis=1),
    }
    seeds, step = range(200), 0.008

    def mean_loss(moved: np.ndarray) -> float:
        source = setup_of(replace(ball, positions=moved.astype(np.float32)), shading).source
        return float(np.mean([source.estimate(0, seed, 0.0).loss for seed in seeds]))

    source = setup_of(ball, shading).source
    estimates = [source.estimate(0, seed, 0.0).gradients["mesh"] for seed in seeds]
    gradient = estimates[0].mesh.gradient(np.mean([each.values for each in estimates], axis=0))
    found, expected = [], []
    for motion in motions.values():
        found.append(float((gradient * motion).sum()))
        ends = [mean_loss(places + sign * step * motion) for sign in (1.0, -1.0)]
        expected.append((ends[0] - ends[1]) / (2.0 * step))
    np.testing.assert_allclose(found, expected, atol=0.08 * np.abs(expected).max())


def test_textures_creases_and_flat_faces_are_drawn_as_they_are() -> None:
    ball = fine_ball()
    points, faces = ball.positions, ball.triangles
    creased = faces.copy()
    creased[points[faces].mean(axis=1)[:, 1] > 0.0] += len(points)  # the halves' normals are apart
    cases = (
        (fine_ball(materials=(WAVES,)), "unlit", True),
        (fine_ball(materials=(WAVES,)), "normal", False),  # which shows none
        (fine_ball(materials=(GREY,)), "unlit", False),
        (replace(ball, normal_groups=flat_groups(np.arange(len(faces), dtype=np.int32))), "normal", True),
        (replace(ball, normal_groups=creased), "normal", True),
    )
    for each, shading, stays in cases:
        pictures = setup_of(each, shading).source._pictures
        level, mesh = pictures.at(0, 0.0)
        rasteriser, positions = pictures.updated(mesh, Stopwatch())
        assert level.references[0].view.width == 64
        assert (len(positions) == len(points)) is stays
        assert stays or not rasteriser._colours.is_textured  # an atlas may be large


def test_a_step_makes_no_small_pictures_of_other_views(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of hundreds of large ones they take long to make."""
    monkeypatch.setattr(small_pictures, "_FEW_PIXELS", 0)
    source = setup_of(fine_ball(), views=[VIEW] * 3).source
    source.estimate(1, 0, 0.0)
    assert source._pictures._meshes[-1].coarse is not None
    assert list(source._pictures._levels[-1].references._made) == [1]


@both_estimators
def test_the_coarse_mesh_steps_in_the_place_of_what_is_free_and_only_there(estimator: str) -> None:
    ball = fine_ball()
    held = np.ones(len(ball.positions), np.float32)
    held[:9] = 0.0
    aside = replace(ball, name="held", positions=ball.positions + np.float32([0.3, 0, 0]), mobility=held)
    small = surface(icosphere(1, 0.2)[0] + np.float32([-0.8, 0.8, 0]), icosphere(1)[1], name="small")
    setup = setup_of([ball, aside, small], steps=200, estimator=estimator)
    gradients = setup.source.estimate(0, 1, 0.0).gradients
    free = gradients["mesh"]
    assert isinstance(free, CoarseGradient)
    assert free.values.shape == (len(free.mesh.sizes), 3)
    assert gradients["held"].shape == aside.positions.shape
    assert not gradients["held"][:9].any()
    assert gradients["held"].any()
    assert gradients["small"].shape == small.positions.shape
    for block in setup.blocks:
        block.step(gradients[block.name], 0.0)
        moved = np.abs(block.value - block._start).max(axis=1)
        assert moved.max() > 0.0
    assert (setup.blocks[1].value[:9] == aside.positions[:9]).all()
    drawn = drawn_positions(setup.source, 2, 0.0)
    assert (drawn[: len(free.mesh.sizes)] == setup.blocks[0].of(free.mesh)).all()


def test_in_long_fits_the_fine_mesh_steps() -> None:
    """By the same gradient, in equal parts."""
    short, long = (setup_of(fine_ball(), steps=steps).source.estimate(0, 1, 0.0) for steps in (200, 201))
    coarse = short.gradients["mesh"]
    assert long.loss == short.loss
    np.testing.assert_allclose(long.gradients["mesh"], coarse.mesh.gradient(coarse.values), rtol=1e-5)


def test_views_of_several_sizes_share_the_mesh_of_the_smallest_pixels() -> None:
    ball = fine_ball()
    views = [VIEW, perspective_view(256, 256)]
    pictures = setup_of(ball, coarse=(0.5, 0.25), views=views).source._pictures
    sides, meshes = [], []
    for view, progress in ((0, 0.0), (1, 0.0), (0, 0.6), (1, 0.6)):
        level, mesh = pictures.at(view, progress)
        sides.append(level.references[view].view.width)
        meshes.append(len(mesh.assembly.positions))
    assert sides[:2] == [64, 64]
    assert meshes[0] == meshes[1] < 2562 == meshes[2] == meshes[3]


@both_estimators
def test_a_fit_with_steps_of_coarse_meshes_comes_to_the_target(estimator: str) -> None:
    ball, steps = fine_ball(), 150
    target = surface(ball.positions * np.float32([1.15, 0.9, 1.0]), ball.triangles)
    plain = ShapeSchedule(steps)
    schedule = plain.for_edges() if estimator == "edge" else plain.for_meshes_alone()
    references = pictures_of([target], around(6, 128), "normal")
    setup = Setup([ball], references, "normal", estimator=estimator, schedule=schedule)
    coarse = 0
    for _ in setup.loop(steps):
        coarse += setup.blocks[0]._coarse is not None
    assert steps / 2 < coarse < steps
    # Vertices may slide; the surface has to be there.
    radii = np.linalg.norm(setup.blocks[0].value / (0.8 * np.float32([1.15, 0.9, 1.0])), axis=1)
    before = np.linalg.norm(ball.positions / (0.8 * np.float32([1.15, 0.9, 1.0])), axis=1)
    left = {"edge": 0.1, "sge": 0.4}[estimator]  # noise
    assert np.abs(radii - 1.0).mean() < left * np.abs(before - 1.0).mean()
