# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shape gradients from the rasteriser: their loss, whose they are, what they cost, and that they fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import bpy  # noqa: F401 (the wheel brings gpu along)
import numpy as np
import pytest

from sge_addon.core.assembly import assemble
from sge_addon.core.background import TRANSPARENT, Background
from sge_addon.core.fit import LoopSettings, Step, fit
from sge_addon.core.lights import SunLights
from sge_addon.core.oracle import render
from sge_addon.core.picture_area import Area, seen_area, whole
from sge_addon.core.pixel_loss import over, pixel_loss
from sge_addon.core.position_block import PositionBlock
from sge_addon.core.reference import Reference
from sge_addon.core.schedule import ShapeSchedule
from sge_addon.core.signs import sub_pixel_jitter
from sge_addon.core.stopwatch import Stopwatch
from sge_addon.core.support import full_support, narrow_support
from sge_addon.core.surface import Material, Surface
from sge_addon.core.view import View
from sge_addon.raster.edge_source import EdgeSource
from sge_addon.raster.fitted_surfaces import FittedSurfaces
from sge_addon.raster.rasteriser import Rasteriser
from sge_addon.raster.shape_source import ShapeSource
from sge_addon.raster.tables import Reader
from tests.meshes import icosphere, perspective_view, surface, waves

pytestmark = pytest.mark.usefixtures("gpu_ready")

WAVES, GREY = Material("waves", texture=waves(16, 16)), Material("grey")
MATCH = ("colour", "alpha")
both_estimators = pytest.mark.parametrize("estimator", ["sge", "edge"])


class Setup:
    """Everything that a shape fit of some surfaces to some references needs."""

    def __init__(
        self,
        surfaces: list[Surface],
        references: list[Reference],
        shading: str = "unlit",
        epsilon: tuple[float, float] = (0.7, 0.7),
        match: tuple[str, ...] = MATCH,
        full: bool = False,
        steps: int = 400,
        background: Background = TRANSPARENT,
        estimator: str = "sge",
        schedule: ShapeSchedule | None = None,
    ) -> None:
        self.schedule = schedule or ShapeSchedule(steps, epsilon=epsilon, vertices=200)
        self.assembly = assemble(surfaces)
        self.rasteriser = Rasteriser(self.assembly, shading, SunLights())
        self.blocks = [
            PositionBlock(each.name, each.positions, each.triangles, self.schedule, each.mobility)
            for each in surfaces
        ]
        self.references = references
        textures = [None] * len(self.assembly.materials)
        shown = FittedSurfaces(self.rasteriser, self.blocks, textures, Stopwatch())
        given = (shown, self.assembly, references, self.blocks)
        compared = (match, "l1", Stopwatch(), background)
        self.source: ShapeSource | EdgeSource
        if estimator == "edge":
            self.source = EdgeSource(*given, self.schedule, *compared)
        else:
            support = full_support if full else narrow_support
            self.source = ShapeSource(*given, support, self.schedule, *compared)

    def loop(self, steps: int, seed: int = 0) -> Iterator[Step]:
        return fit([self.source], self.blocks, LoopSettings(steps, len(self.references), seed), Stopwatch())


def around(count: int, size: int) -> list[View]:
    """Views in a ring about the Y axis."""
    views = []
    for angle in np.arange(count) * (2.0 * np.pi / count):
        turn = np.eye(4)
        turn[[0, 0, 2, 2], [0, 2, 0, 2]] = np.cos(angle), np.sin(angle), -np.sin(angle), np.cos(angle)
        view = perspective_view(size, size)
        views.append(replace(view, name=f"{angle:.1f}", camera_to_world=turn @ view.camera_to_world))
    return views


def pictures_of(surfaces: list[Surface], views: list[View], shading: str) -> list[Reference]:
    rasteriser = Rasteriser(assemble(surfaces), shading, SunLights())
    return [Reference(view, rasteriser.render(view, 4).colour, True) for view in views]


@both_estimators
@pytest.mark.parametrize("has_alpha", [True, False])
def test_the_loss_is_the_mean_over_pixels(has_alpha: bool, estimator: str) -> None:
    view = perspective_view(37, 29)
    picture = np.random.default_rng(0).random((29, 37, 4)).astype(np.float16).astype(np.float32)
    if not has_alpha:
        picture[..., 3] = 1.0
    reference = Reference(view, picture, has_alpha)
    ball = surface(*icosphere(1, 0.8), materials=(WAVES,))
    setup = Setup([ball], [reference], epsilon=(1e-3, 1e-3), estimator=estimator)
    image = render(setup.assembly, ball.positions, view, "unlit", SunLights(), sub_pixel_jitter(4))
    pixels = pixel_loss(reference, image.colour.astype(np.float32), None, MATCH, "l1")
    if not has_alpha:
        pixels = pixels * (image.fragments.ids > 0)  # beside the object nothing is known
    assert setup.source.estimate(0, 4, 0.0).loss == pytest.approx(pixels.mean(), rel=0.01)


@both_estimators
def test_each_block_gets_its_own_surfaces_gradient(estimator: str) -> None:
    points, faces = icosphere(1, 0.3)
    left = surface(points - np.float32([0.6, 0, 0]), faces, "left", materials=(WAVES,))
    hidden = surface(points + np.float32([0, 0, 30]), faces, "hidden", materials=(GREY,))
    pinned = np.ones(len(points), np.float32)
    pinned[:20] = 0.0
    right = surface(points + np.float32([0.6, 0, 0]), faces, "right", materials=(GREY,), mobility=pinned)
    view = perspective_view(48, 32)
    (target,) = pictures_of([surface(*icosphere(1, 0.9))], [view], "unlit")
    gradients = (
        Setup([left, hidden, right], [target], estimator=estimator).source.estimate(0, 1, 0.0).gradients
    )
    assert list(gradients) == ["left", "hidden", "right"]
    assert all(each.shape == points.shape for each in gradients.values())
    assert gradients["left"].any()
    assert not gradients["hidden"].any()  # behind the camera
    assert gradients["right"][20:].any()
    assert not gradients["right"][:20].any()


@both_estimators
def test_a_photo_without_alpha_says_nothing_about_the_outline(estimator: str) -> None:
    """One colour on both sides: only the outline could tell, and it is not known."""
    view = perspective_view(40, 40)
    photo = Reference(view, np.ones((40, 40, 4), np.float32), has_alpha=False)
    ball = surface(*icosphere(1, 0.8), materials=(GREY,))
    estimate = Setup([ball], [photo], estimator=estimator).source.estimate(0, 5, 0.0)
    assert estimate.loss > 0.1
    assert not estimate.gradients["mesh"].any()
    silhouette = Reference(view, np.ones((40, 40, 4), np.float32), has_alpha=True)
    assert Setup([ball], [silhouette], estimator=estimator).source.estimate(0, 5, 0.0).gradients["mesh"].any()


class CountingBatch:
    """Passes draws on and remembers how many triangles' corners each asked for."""

    def __init__(self, batch: object) -> None:
        self._batch = batch
        self.draws: list[int] = []

    def draw_range(self, shader: object, *, elem_start: int, elem_count: int) -> None:
        self.draws.append(elem_count)
        self._batch.draw_range(shader, elem_start=elem_start, elem_count=elem_count)


def test_a_step_costs_two_draws_a_material_and_eight_bytes_a_pixel_and_image(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    points, faces = icosphere(1, 0.8)
    slots = (np.arange(len(faces)) % 2).astype(np.int32)
    ball = surface(points, faces, materials=(WAVES, GREY), material_indices=slots)
    view = perspective_view(48, 32)
    setup = Setup([ball], pictures_of([ball], [view], "sun"), "sun")
    setup.source.estimate(0, 0, 0.0)  # targets and shaders are made
    setup.rasteriser._geometry.batch = batch = CountingBatch(setup.rasteriser._geometry.batch)
    reads = []
    read = Reader.read

    def counted(self: Reader, *given: object) -> np.ndarray:
        array = read(self, *given)
        reads.append(array.nbytes)
        return array

    monkeypatch.setattr(Reader, "read", counted)
    setup.source.estimate(0, 1, 0.0)
    assert batch.draws == [3 * 40, 3 * 40] * 2
    assert sum(reads) == 2 * 8 * 48 * 32
    assert len(reads) <= 4


def bits(setup: Setup) -> list[int]:
    return np.concatenate([block.value.ravel() for block in setup.blocks]).view(np.uint32).tolist()


@both_estimators
def test_sliced_or_whole_and_again_the_fit_has_the_same_bits(estimator: str) -> None:
    ball = surface(*icosphere(1, 0.8))
    target = surface(icosphere(1, 0.8)[0] * np.float32([1.1, 0.9, 1.0]), icosphere(1)[1])
    references = pictures_of([target], around(3, 32), "normal")
    ends, losses = [], []
    for slices in ([12], [12], [1, 4, 3, 4]):
        setup = Setup([ball], references, "normal", estimator=estimator)
        loop = setup.loop(12)
        losses.append([step.loss for count in slices for step in islice(loop, count)])
        ends.append(bits(setup))
    assert ends[0] == ends[1] == ends[2]
    assert losses[0] == losses[1] == losses[2]
    other = Setup([ball], references, "normal", estimator=estimator)
    list(other.loop(12, seed=1))
    assert bits(other) != ends[0]


def test_a_deterministic_step_costs_one_draw_a_material(monkeypatch: pytest.MonkeyPatch) -> None:
    points, faces = icosphere(1, 0.8)
    slots = (np.arange(len(faces)) % 2).astype(np.int32)
    ball = surface(points, faces, materials=(WAVES, GREY), material_indices=slots)
    view = perspective_view(48, 32)
    setup = Setup([ball], pictures_of([ball], [view], "sun"), "sun", estimator="edge")
    setup.source.estimate(0, 0, 0.0)
    setup.rasteriser._geometry.batch = batch = CountingBatch(setup.rasteriser._geometry.batch)
    setup.source.estimate(0, 1, 0.0)
    assert batch.draws == [3 * 40, 3 * 40]


@both_estimators
def test_pictures_smaller_than_those_in_use_are_not_kept(estimator: str) -> None:
    ball = surface(*icosphere(1, 0.8))
    references = pictures_of([ball], [perspective_view(256, 128)], "unlit")
    schedule = ShapeSchedule(vertices=200, coarse=(0.8, 0.5))
    source = Setup([ball], references, estimator=estimator, schedule=schedule).source
    widths = []
    for progress in (0.0, 0.55, 0.9):
        source.estimate(0, 1, progress)
        widths.append([level.references[0].view.width for level in source._pictures._levels])
    assert widths == [[256, 128, 64], [256, 128], [256]]


@both_estimators
@pytest.mark.parametrize("shading", ["normal", "unlit"])
@pytest.mark.parametrize("kind", ["alpha", "weighed", "photo"])
def test_only_the_area_that_shows_something_is_looked_at_and_nothing_changes(
    estimator: str, shading: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the surface reaches beyond the picture."""
    ball = surface(*icosphere(2, 0.3), materials=(GREY,))
    moved = ball.positions + np.float32([0.1, 0.05, 0.0])
    (target,) = pictures_of([replace(ball, positions=moved)], [perspective_view(240, 160)], shading)
    if kind == "weighed":
        weight = np.random.default_rng(0).random((160, 240), dtype=np.float32)
        target = replace(target, weight=weight)
    elif kind == "photo":
        target = replace(target, has_alpha=False)
    areas: list[tuple[int, int]] = []

    def counted(view: View, positions: np.ndarray, margin: float) -> Area:
        area = seen_area(view, positions, margin)
        areas.append(area.shape)
        return area

    sources = "sge_addon.raster.edge_source", "sge_addon.raster.shape_source"
    for aside in ((0.0, 0.0, 0.0), (1.2, -0.5, 0.0)):
        away = replace(ball, positions=ball.positions + np.float32(aside))
        found = []
        for look in (counted, lambda view, *_: whole(view)):
            for source in sources:
                monkeypatch.setattr(f"{source}.seen_area", look)
            setup = Setup([away], [target], shading, estimator=estimator)
            found.append(setup.source.estimate(0, 3, 0.0))
        assert found[0].loss == pytest.approx(found[1].loss, rel=1e-5)
        gradients = [each.gradients["mesh"] for each in found]
        assert gradients[1].any() or kind == "photo"
        np.testing.assert_allclose(*gradients, rtol=1e-5, atol=1e-6 * np.abs(gradients[1]).max())
    assert areas
    assert all(height * width < 160 * 240 / 3 for height, width in areas)


@both_estimators
def test_rasterised_ahead_a_picture_shows_the_parameters_of_one_step_before(estimator: str) -> None:
    ball = surface(*icosphere(1, 0.8))
    references = pictures_of([surface(*icosphere(1, 0.7))], around(2, 32), "normal")
    ahead, plain = (Setup([ball], references, "normal", estimator=estimator) for _ in range(2))
    expected = plain.source.estimate(1, 8, 0.5)
    ahead.source.expect(1, 8, 0.5)
    first = ahead.source.estimate(0, 7, 0.5)
    ahead.blocks[0].step(first.gradients["mesh"], 0.0)
    found = ahead.source.estimate(1, 8, 0.5)
    assert np.array_equal(found.gradients["mesh"], expected.gradients["mesh"])
    assert found.loss == expected.loss
    moved = ahead.source.estimate(1, 8, 0.5)  # nothing was expected now
    assert not np.array_equal(moved.gradients["mesh"], expected.gradients["mesh"])


def test_without_averages_nothing_is_rasterised_ahead_in_the_first_half() -> None:
    ball = surface(*icosphere(1, 0.8))
    references = pictures_of([surface(*icosphere(1, 0.7))], around(2, 32), "normal")
    setup = Setup([ball], references, "normal", estimator="edge")
    setup.source._schedule = replace(setup.schedule, momentum=0.3)
    for progress, is_ahead in ((0.4, False), (0.6, True)):
        setup.source.expect(1, 8, progress)
        setup.source.estimate(0, 7, progress)
        assert bool(setup.source._drawn._ahead) is is_ahead


@pytest.mark.parametrize(("estimator", "full"), [("sge", False), ("sge", True), ("edge", False)])
def test_a_ball_becomes_an_egg(estimator: str, full: bool) -> None:
    points, faces = icosphere(2, 0.7)
    egg = points * np.float32([0.8, 1.25, 1.0]) + np.float32([0.06, 0.0, -0.05])
    references = pictures_of([surface(egg, faces)], around(6, 48), "normal")
    setup = Setup(
        [surface(points, faces)], references, "normal", (1.0, 0.35), full=full, steps=150, estimator=estimator
    )
    losses = [step.loss for step in setup.loop(150)]
    assert np.mean(losses[-12:]) < 0.35 * np.mean(losses[:6])
    # Seen from all sides, the surface lies where the egg's does: radii along each direction agree.
    radius = np.sqrt(np.square((setup.blocks[0].value - [0.06, 0.0, -0.05]) / [0.8, 1.25, 1.0]).sum(axis=1))
    assert np.abs(radius / 0.7 - 1.0).mean() < 0.03


@both_estimators
def test_leaving_out_hidden_back_faces_changes_nothing(estimator: str) -> None:
    """A closed ball, and the same beside a lone triangle of its material, which keeps back faces drawn."""
    points, faces = icosphere(2, 0.8)
    beside = np.asarray([[90, 0, 0], [91, 0, 0], [90, 1, 0]], np.float32)
    kept = np.concatenate([points, beside]), np.concatenate([faces, [[162, 163, 164]]]).astype(np.int32)
    (target,) = pictures_of([surface(*icosphere(1, 0.9))], [perspective_view(64, 64)], "normal")
    estimates = []
    for vertices, triangles in ((points, faces), kept):
        ball = surface(vertices, triangles, "ball", materials=(GREY,))
        estimates.append(
            Setup([ball], [target], "normal", (0.3, 0.3), estimator=estimator).source.estimate(0, 3, 0.0)
        )
    assert estimates[0].loss == estimates[1].loss
    assert estimates[0].gradients["ball"].any()
    assert np.array_equal(estimates[0].gradients["ball"], estimates[1].gradients["ball"][:162])


@both_estimators
def test_a_camera_inside_a_closed_ball_sees_its_back_faces(estimator: str) -> None:
    view = replace(perspective_view(48, 48), camera_to_world=np.eye(4))
    (target,) = pictures_of([surface(*icosphere(1, 30.0))], [perspective_view(48, 48)], "normal")
    around_it = surface(*icosphere(2, 5.0), "ball", materials=(GREY,))
    setup = Setup([around_it], [replace(target, view=view)], "normal", estimator=estimator)
    assert setup.source.estimate(0, 1, 0.0).gradients["ball"].any()


@both_estimators
@pytest.mark.parametrize("has_alpha", [True, False])
@pytest.mark.parametrize("kind", ["transparent", "colour", "random"])
def test_the_loss_before_a_background_is_the_mean_over_weighed_pixels(
    kind: str, has_alpha: bool, estimator: str
) -> None:
    view = perspective_view(37, 29)
    rng = np.random.default_rng(0)
    picture = rng.random((29, 37, 4)).astype(np.float16).astype(np.float32)
    if not has_alpha:
        picture[..., 3] = 1.0
    weight = rng.random((29, 37), dtype=np.float32)
    reference = Reference(view, picture, has_alpha, weight=weight)
    ball = surface(*icosphere(1, 0.8), materials=(WAVES,))
    background = Background(kind, (0.9, 0.1, 0.4))
    setup = Setup([ball], [reference], epsilon=(1e-3, 1e-3), background=background, estimator=estimator)
    image = render(setup.assembly, ball.positions, view, "unlit", SunLights(), sub_pixel_jitter(4))
    behind = background.behind(reference, 4)
    pixels = pixel_loss(reference, image.colour.astype(np.float32), None, MATCH, "l1", behind) * weight
    if not has_alpha and behind is None:
        pixels = pixels * (image.fragments.ids > 0)
    assert setup.source.estimate(0, 4, 0.0).loss == pytest.approx(pixels.mean(), rel=0.01)


@both_estimators
def test_pixels_without_weight_pull_at_nothing(estimator: str) -> None:
    """All that differs from the reference lies in the half that does not count."""
    view = perspective_view(48, 48)
    ball = surface(*icosphere(2, 0.8), materials=(GREY,))
    (same,) = pictures_of([ball], [view], "normal")
    broken = same.colour.copy()
    broken[:, 24:] = np.random.default_rng(0).random((48, 24, 4), dtype=np.float32)
    weight = np.ones((48, 48), np.float32)
    weight[:, 24:] = 0.0
    estimates = [
        Setup(
            [ball], [replace(same, colour=colour, weight=weight)], "normal", estimator=estimator
        ).source.estimate(0, 5, 0.0)
        for colour in (same.colour, broken)
    ]
    assert estimates[0].loss == pytest.approx(estimates[1].loss)
    assert np.array_equal(estimates[0].gradients["mesh"], estimates[1].gradients["mesh"])
    unweighted = Setup([ball], [replace(same, colour=broken)], "normal", estimator=estimator).source.estimate(
        0, 5, 0.0
    )
    assert not np.array_equal(unweighted.gradients["mesh"], estimates[0].gradients["mesh"])


@both_estimators
def test_a_photo_before_a_known_backdrop_tells_the_outline(estimator: str) -> None:
    """One colour on the mesh, another behind it: where the mesh is too large it sees the backdrop."""
    view = perspective_view(48, 48)
    points, faces = icosphere(2, 0.8)
    (target,) = pictures_of([surface(0.7 * points, faces, materials=(GREY,))], [view], "unlit")
    backdrop = np.float32([0.1, 0.4, 0.1])
    colour = np.ones_like(target.colour)
    colour[..., :3] = over(target.colour, backdrop)
    photo = replace(target, colour=colour, has_alpha=False)
    ball = surface(points, faces, materials=(GREY,))
    known = Background("colour", (0.1, 0.4, 0.1))
    total = np.zeros_like(points)
    for seed in range(40):
        total += (
            Setup([ball], [photo], background=known, estimator=estimator)
            .source.estimate(0, seed, 0.0)
            .gradients["mesh"]
        )
    rim = np.abs(points[:, 2]) < 0.3 * 0.8
    outwards = (total * points)[rim].sum(axis=1)
    assert outwards.mean() > 0.0
    assert (outwards > 0.0).sum() > 10 * (outwards < 0.0).sum()
