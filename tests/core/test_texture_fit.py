# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fits of a texture on a flat card that fills the view: solvable by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from sge_addon.core.colour import linear_to_srgb
from sge_addon.core.footprint import Footprint, TexelSums
from sge_addon.core.lookups import UVBuffer, drawn_lookups
from sge_addon.core.picture_area import Area
from sge_addon.core.reference import Reference
from sge_addon.core.texel_steps import coarse_to_fine_step, sharpened
from sge_addon.core.texture_block import TexelAdam, Texture, TextureBlock
from sge_addon.core.texture_pyramid import PyramidLayout
from sge_addon.core.texture_source import CENTRE, FilteredTextureSource, sample_pattern
from sge_addon.core.view import View, perspective

SIZE = 16
ALL = np.zeros(1, np.int32)


def card(offset=(0.0, 0.0), columns=SIZE, ids=1) -> UVBuffer:
    """One triangle number over the leftmost ``columns``; texel = pixel at offset 0."""
    place = np.arange(SIZE) + 0.5
    uv = np.stack(np.meshgrid((place + offset[0]) / SIZE, (place + offset[1]) / SIZE), axis=-1)
    shown = np.zeros((SIZE, SIZE), np.uint32)
    shown[:, :columns] = ids
    return UVBuffer(shown, uv.astype(np.float32), np.zeros((SIZE, SIZE), np.float32), 1)


def drawn_card(view, offset) -> Callable[[], UVBuffer]:
    """The same as sources have it drawn."""
    return partial(card, offset)


def with_slopes(buffer: UVBuffer) -> UVBuffer:
    slopes = np.broadcast_to(np.float32([1.0, 0.0, 0.0, 1.0]) / SIZE, (SIZE, SIZE, 4))
    return replace(buffer, slopes=slopes.copy())


class Drawings:
    """Draws cards, with slopes at the centres; log: what was drawn and read, in order."""

    def __init__(self) -> None:
        self.log: list[tuple[str, int, tuple[float, float]]] = []

    def __call__(self, view, offset):
        self.log.append(("draw", view, offset))

        def read() -> UVBuffer:
            self.log.append(("read", view, offset))
            return with_slopes(card(offset)) if offset == CENTRE else card(offset)

        return read


def reference(rgb, alpha=None) -> Reference:
    view = View("Camera", np.eye(4), perspective(SIZE, SIZE, SIZE / 2, SIZE / 2, SIZE, SIZE), SIZE, SIZE)
    colour = np.ones((SIZE, SIZE, 4), np.float32)
    colour[..., :3] = rgb
    if alpha is not None:
        colour *= alpha[..., None]
    return Reference(view, colour, alpha is not None)


def grey(height=SIZE, width=SIZE):
    return np.full((height, width, 3), 0.5, np.float32)


def fit(block, source, views, steps):
    losses = []
    for step in range(steps):
        estimate = source.estimate(step % views, step, step / steps)
        block.step(estimate.gradients[block.name], step / steps)
        losses.append(estimate.loss)
    block.finish()
    return losses


def test_patterns_are_centred_round_and_point_symmetric():
    for number in range(4):
        offsets = np.array(sample_pattern(number))
        np.testing.assert_allclose(offsets.sum(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(offsets.T @ offsets, 2 * 0.4**2 * np.eye(2), atol=1e-12)
        assert np.abs(offsets).max() < 0.5


@pytest.mark.parametrize("loss", ["l1", "l2", "log_l1"])
def test_one_step_reaches_a_constant_colour(loss):
    colour = np.array([0.52, 0.46, 0.5], np.float32)
    block = TextureBlock("texture", grey(), view_count=1)
    source = FilteredTextureSource([reference(colour)], drawn_card, [block], ALL, loss=loss)
    losses = fit(block, source, 1, 1)
    np.testing.assert_allclose(block.value, np.broadcast_to(colour, block.value.shape), atol=1e-4)
    error = {
        "l1": np.abs(colour - 0.5),
        "l2": (colour - 0.5) ** 2,
        "log_l1": np.abs(linear_to_srgb(np.log1p(colour)) - linear_to_srgb(np.log1p(np.float32(0.5)))),
    }
    assert losses[0] == pytest.approx(error[loss].mean(), rel=1e-3)


@pytest.mark.parametrize("loss", ["l1", "l2", "log_l1"])
def test_a_long_fit_explains_its_references(loss):
    wave = 0.5 + 0.3 * np.sin(np.arange(SIZE) * 2 * np.pi / SIZE)
    image = np.stack([np.tile(wave, (SIZE, 1)), np.tile(wave[:, None], SIZE), np.full((SIZE, SIZE), 0.2)], -1)
    block = TextureBlock("texture", grey(), view_count=2)
    references = [reference(image), reference(image)]
    source = FilteredTextureSource(references, drawn_card, [block], ALL, loss=loss)
    losses = fit(block, source, 2, 400)
    assert losses[-1] < 0.02 * losses[0]
    rendered = source.read(source.drawn_map(0, source.centre_map(card()), 0))
    assert np.abs(rendered.reshape(SIZE, SIZE, 3) - image).max() < 0.01


@pytest.mark.parametrize(("level", "outlier"), [(0.02, 5.0), (3.0, 300.0), (40.0, 0.0)])
def test_log_loss_leaves_outliers_out_at_any_brightness(level, outlier):
    """Four views agree to within a tenth, one shows something quite different."""
    levels = [0.95 * level, level, 1.02 * level, 1.05 * level, outlier]
    references = [reference(np.full(3, each, np.float32)) for each in levels]
    block = TextureBlock("texture", grey(), view_count=5)
    source = FilteredTextureSource(references, drawn_card, [block], ALL, loss="log_l1")
    fit(block, source, 5, 200)
    np.testing.assert_allclose(block.value, level, rtol=0.2)


@pytest.mark.parametrize("loss", ["l1", "l2", "log_l1"])
@pytest.mark.parametrize("has_alpha", [False, True])
def test_pixels_without_weight_say_nothing(loss, has_alpha):
    """The right half of the reference is glaring, and does not count; half weights change nothing."""
    image = np.full((SIZE, SIZE, 3), 0.3, np.float32)
    image[:, SIZE // 2 :] = 7.0
    weight = np.zeros((SIZE, SIZE), np.float32)
    weight[:, : SIZE // 2] = 1.0
    weight[::2] *= 0.5
    target = replace(reference(image, np.ones((SIZE, SIZE)) if has_alpha else None), weight=weight)
    block = TextureBlock("texture", grey(), view_count=1)
    source = FilteredTextureSource([target], drawn_card, [block], ALL, loss=loss)
    losses = fit(block, source, 1, 3)
    assert losses[-1] < 1e-3
    np.testing.assert_allclose(block.value[:, 1 : SIZE // 2 - 1], 0.3, atol=2e-3)
    assert not block.seen[:, SIZE // 2 + 1 : -1].any()


def test_texels_that_lost_their_evidence_stay_within_their_range():
    texture = np.random.default_rng(0).random((16, 16, 3)).astype(np.float32)
    block = TextureBlock("texture", texture, view_count=1)
    nothing = np.zeros((16, 16, 3), np.float32)
    block.step(TexelSums(nothing, np.ones((16, 16), np.float32)), 0.0)
    weight = np.zeros((16, 16), np.float32)
    weight[:, :2] = 1.0
    for _ in range(400):
        block.step(TexelSums(nothing, weight), 0.0)
    block.finish()
    assert block.value.max() <= 1.0


def test_the_gathered_step_does_not_depend_on_the_order_of_views():
    rng = np.random.default_rng(0)
    sums = [
        TexelSums(
            rng.standard_normal((8, 8, 3)).astype(np.float32) * 0.1,
            rng.random((8, 8)).astype(np.float32) + 0.5,
        )
        for _ in range(3)
    ]
    results = []
    for order in ((0, 1, 2), (2, 0, 1)):
        block = TextureBlock("texture", grey(8, 8), view_count=3)
        for step in range(6):
            block.step(sums[step % 3], 0.0)
        before = block.value.copy()
        for view in order[:2]:
            block.step(sums[view], 0.0)
            np.testing.assert_array_equal(block.value, before)
        block.step(sums[order[2]], 0.0)
        assert not np.array_equal(block.value, before)
        results.append(block.value)
    np.testing.assert_allclose(results[0], results[1], atol=1e-6)


@pytest.mark.parametrize("steps", [1, 3, 7, 8, 9, 13])
def test_any_number_of_steps_improves_and_leaves_nothing_gathered(steps):
    colour = np.array([0.9, 0.1, 0.4], np.float32)
    block = TextureBlock("texture", grey(), view_count=4)
    source = FilteredTextureSource([reference(colour)] * 4, drawn_card, [block], ALL, loss="l2")
    fit(block, source, 4, steps)
    assert np.abs(block.value - colour).max() < 0.01
    settled = block.value.copy()
    block.finish()
    np.testing.assert_array_equal(block.value, settled)


def test_unseen_texels_follow_coarse_colour_until_a_view_shows_them():
    halves = [reference((0.8, 0.2, 0.2)), reference((0.2, 0.2, 0.8))]
    block = TextureBlock("texture", grey(), view_count=2)
    source = FilteredTextureSource(
        halves, lambda view, at: partial(card, at, columns=SIZE // 2, ids=1), [block], ALL, loss="l2"
    )
    block.step(source.estimate(0, 0, 0.0).gradients["texture"], 0.0)
    np.testing.assert_allclose(block.value[:, 12], np.tile([0.8, 0.2, 0.2], (SIZE, 1)), atol=0.05)
    assert not block.seen[:, 12].any()
    assert block.seen[:, :8].all()


def test_texels_that_another_view_showed_are_not_repainted():
    block = TextureBlock("texture", grey(8, 8), view_count=4)
    left = np.zeros((8, 8), np.float32)
    left[:, :4] = 1.0
    block.step(TexelSums(left[..., None] * np.float32([0.3, 0, 0]), left), 0.0)
    kept = block.value[:, :4].copy()
    right = 1.0 - left
    block.step(TexelSums(right[..., None] * np.float32([0, 0, 0.3]), right), 0.0)
    np.testing.assert_array_equal(block.value[:, :4], kept)


def test_colour_never_becomes_negative_and_may_exceed_one():
    block = TextureBlock("texture", grey(4, 4), view_count=1)
    ones = np.ones((4, 4), np.float32)
    block.step(TexelSums(ones[..., None] * np.float32([-2.0, 5.0, 0.0]), ones), 0.0)
    assert (block.value[..., 0] == 0).all()
    assert (block.value[..., 1] > 5).all()


def test_coarse_to_fine_step_of_full_evidence_is_the_quotient():
    rng = np.random.default_rng(0)
    residual = rng.standard_normal((8, 4, 3)).astype(np.float32) * 1000
    weight = np.full((8, 4, 1), 1000, np.float32)
    np.testing.assert_allclose(coarse_to_fine_step(residual, weight), residual / weight, atol=1e-3)


def test_sharpening_leaves_constants_and_what_nobody_sees_as_they_are():
    ones, seen = np.ones((8, 8, 3), np.float32), np.zeros((8, 8, 1), np.float32)
    seen[:, :4] = 100.0
    step = coarse_to_fine_step(0.25 * ones * seen, seen)
    np.testing.assert_allclose(sharpened(step, ones[..., 0]), 0.25, atol=1e-3)
    fine = np.where(np.indices((8, 8)).sum(axis=0)[..., None] % 2, np.float32(0.1), np.float32(-0.1))
    step = sharpened(coarse_to_fine_step(fine * ones * 100, 100 * ones[..., :1]), 0.25 * ones[..., 0])
    np.testing.assert_allclose(step, 1.5 * fine * ones, atol=1e-3)


def test_a_step_is_nought_where_it_is_not_wanted():
    rng = np.random.default_rng(0)
    residual = rng.standard_normal((8, 16, 3)).astype(np.float32)
    weight, wanted = rng.random((8, 16, 1), dtype=np.float32), rng.random((8, 16)) < 0.5
    everywhere = coarse_to_fine_step(residual, weight)
    here = coarse_to_fine_step(residual, weight, wanted)
    np.testing.assert_allclose(here, everywhere * wanted[..., None], rtol=1e-6)
    alone = coarse_to_fine_step(residual[:, :5], weight[:, :5], wanted[:, :5])  # has one level
    np.testing.assert_allclose(alone[~wanted[:, :5]], 0.0)


@pytest.mark.parametrize("height", [5, 64, 130])
def test_sharpening_adds_the_difference_to_the_neighbours_mean(height: int):
    rng = np.random.default_rng(0)
    image = np.moveaxis(rng.random((3, height, 7), dtype=np.float32), 0, -1)
    share = rng.random((height, 7), dtype=np.float32)
    mean = 0.25 * sum(np.roll(image, way, axis) for axis in (0, 1) for way in (1, -1))
    expected = image + share[..., None] * (image - mean)
    np.testing.assert_allclose(sharpened(image, share), expected, atol=1e-6)


def test_what_is_seen_for_the_first_time_is_no_outlier():
    """A residual of 0.5 beside none: at the first visit both count alike, later it counts little."""
    image = np.full((SIZE, SIZE, 3), 0.25, np.float32)
    image[:, : SIZE // 2] = 0.75
    block = TextureBlock("texture", np.full((SIZE, SIZE, 3), 0.25, np.float32), view_count=1)
    source = FilteredTextureSource([reference(image)], drawn_card, [block], ALL)
    counted = [source.estimate(0, 0, 0.0).gradients["texture"].weight[2, [2, -3]] for _ in range(3)]
    shares = [new / old for new, old in counted]
    np.testing.assert_allclose(shares, [1.0, 0.03, 0.1], rtol=0.05)


def test_the_more_views_are_known_the_sharper_a_new_one_is_weighed():
    image = np.full((SIZE, SIZE, 3), 0.25, np.float32)
    image[:, : SIZE // 2] = 0.75
    block = TextureBlock("texture", np.full((SIZE, SIZE, 3), 0.25, np.float32), view_count=12)
    source = FilteredTextureSource([reference(image)] * 12, drawn_card, [block], ALL)
    counted = [source.estimate(view, 0, 0.0).gradients["texture"].weight[2, 2] for view in range(12)]
    assert counted[0] == pytest.approx(1.0, abs=0.01)
    assert np.all(np.diff(counted[2:]) < 0.0)
    assert counted[11] == pytest.approx(0.04 + 4.0 * np.exp(-5.5), rel=0.05)


def test_partly_covered_pixels_compare_colour_not_coverage():
    # The reference's edge pixels are 30 % covered, ours 100 %: its colour is still the card's colour.
    alpha = np.ones((SIZE, SIZE), np.float32)
    alpha[:, 0] = 0.5
    block = TextureBlock("texture", np.full((SIZE, SIZE, 3), 0.7, np.float32), view_count=1)
    source = FilteredTextureSource([reference((0.7, 0.7, 0.7), alpha)], drawn_card, [block], ALL)
    fit(block, source, 1, 1)
    np.testing.assert_allclose(block.value, 0.7, atol=1e-5)


def test_a_frozen_texture_and_a_constant_colour_are_rendered_but_do_not_step():
    def half_and_half(view, at):
        buffer = card(at)
        buffer.ids[:, 8:12] = 2
        buffer.ids[:, 12:] = 3
        return lambda: buffer

    frozen = Texture("frozen", np.full((4, 4, 3), 0.25, np.float32))
    block = TextureBlock("texture", grey(), view_count=1)
    fixed = np.tile(np.float32([0.1, 0.2, 0.3]), (3, 1))
    image = np.full((SIZE, SIZE, 3), 0.5)
    image[:, 8:12] = 0.25
    image[:, 12:] = (0.1, 0.2, 0.3)
    source = FilteredTextureSource(
        [reference(image)], half_and_half, [block, frozen], np.array([0, 1, -1], np.int32), fixed
    )
    estimate = source.estimate(0, 0, 0.0)
    assert set(estimate.gradients) == {"texture"}
    assert estimate.loss == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("slopes", [False, True])
def test_pictures_read_in_part_give_the_same_bits_as_whole_ones(slopes):
    """Columns 3 to 12 and rows 2 to 11 show the card; with slopes the first visit follows them."""
    image = np.random.default_rng(0).random((SIZE, SIZE, 3))
    area = Area(2, 1, 12, 13, SIZE)

    def drawn(view, offset, in_part):
        def read() -> UVBuffer:
            each = card(offset)
            each.ids[:2], each.ids[12:], each.ids[:, :3], each.ids[:, 13:] = 0, 0, 0, 0
            if slopes and offset == CENTRE:
                each = with_slopes(each)
            if not in_part:
                return each
            parts = {name: area.part(getattr(each, name)) for name in ("ids", "uv", "level")}
            cut = None if each.slopes is None else area.part(each.slopes)
            return UVBuffer(**parts, samples=1, slopes=cut, area=area)

        return read

    values = []
    for in_part in (False, True):
        block = TextureBlock("texture", grey(), view_count=1)
        rasterise = partial(drawn, in_part=in_part)
        source = FilteredTextureSource([reference(image)], rasterise, [block], ALL)
        losses = fit(block, source, 1, 5)
        assert losses[-1] < 0.25 * losses[0]
        values.append(block.value)
    np.testing.assert_array_equal(values[0], values[1])


def test_cached_maps_give_the_same_bits_as_fresh_ones():
    image = np.random.default_rng(0).random((SIZE, SIZE, 3))
    values = []
    for cache_bytes in (0, 1 << 20):
        drawn = []
        block = TextureBlock("texture", grey(), view_count=1)

        def rasterise(view, at, drawn=drawn):
            drawn.append(at)
            return drawn_card(view, at)

        source = FilteredTextureSource([reference(image)], rasterise, [block], ALL, cache_bytes=cache_bytes)
        fit(block, source, 1, 12)
        values.append(block.value)
        assert len(drawn) == (60 if cache_bytes == 0 else 13)  # five a step, or five and two sets of four
    np.testing.assert_array_equal(values[0], values[1])


def new_source(drawings: Drawings, views: int = 3) -> FilteredTextureSource:
    block = TextureBlock("texture", grey(), view_count=views)
    colours = np.random.default_rng(2).random((views, SIZE, SIZE, 3))
    return FilteredTextureSource([reference(each) for each in colours], drawings, [block], ALL)


def test_the_samples_of_a_map_are_read_while_the_next_are_drawn():
    drawings = Drawings()
    source = new_source(drawings)
    source.drawn_map(0, source.centre_map(card()), 1)
    first, second, third, fourth = sample_pattern(1)
    assert drawings.log == [
        ("draw", 0, first),
        ("draw", 0, second),
        ("read", 0, first),
        ("draw", 0, third),
        ("read", 0, second),
        ("draw", 0, fourth),
        ("read", 0, third),
        ("read", 0, fourth),
    ]


def test_a_new_view_that_is_expected_is_drawn_before_this_one_is_estimated():
    ahead, alone = Drawings(), Drawings()
    sources = new_source(ahead), new_source(alone)
    for view, following in ((0, 1), (1, 2), (2, 0), (0, 1)):
        sources[0].expect(following, 0, 0.0)
        expected, plain = (source.estimate(view, 0, 0.0) for source in sources)
        np.testing.assert_array_equal(
            expected.gradients["texture"].residual, plain.gradients["texture"].residual
        )
    centres = [(done, view) for done, view, offset in ahead.log if offset == CENTRE]
    assert centres == [("draw", 0), ("read", 0), ("draw", 1), ("read", 1), ("draw", 2), ("read", 2)]
    assert len(ahead.log) == len(alone.log)
    assert ahead.log.index(("draw", 1, CENTRE)) == ahead.log.index(("read", 0, CENTRE)) + 1


@pytest.mark.parametrize("change", ["camera", "order", "maps"])
def test_what_was_drawn_ahead_serves_that_view_through_that_camera_alone(change):
    drawings = Drawings()
    source = new_source(drawings)
    source.expect(1, 0, 0.0)
    source.estimate(0, 0, 0.0)
    if change == "camera":
        moved = replace(source.references[1].view, camera_to_world=np.diag([1.0, 1.0, -1.0, 1.0]))
        source.references[1] = replace(source.references[1], view=moved)
    elif change == "maps":
        source.clear_maps()
    source.estimate(2 if change == "order" else 1, 0, 0.0)
    seen = 2 if change == "order" else 1
    assert drawings.log[-2:] == [("draw", seen, CENTRE), ("read", seen, CENTRE)]


def test_weight_of_one_view_is_its_samples_share():
    lookups = drawn_lookups([card()], np.arange(SIZE * SIZE))
    footprint = Footprint(lookups, ALL, 0, PyramidLayout(SIZE, SIZE))
    sums = footprint.scatter(np.zeros((SIZE * SIZE, 3), np.float32), footprint.row_sums())
    np.testing.assert_allclose(sums.weight, 1.0, atol=1e-5)


def test_adam_moves_only_texels_with_a_gradient():
    block = TexelAdam("texture", grey(4, 4), lr=(0.1, 0.1))
    gradient = np.zeros((4, 4, 3), np.float32)
    gradient[1, 2] = (3.0, -0.5, 0.0)
    block.step(gradient, 0.0)
    np.testing.assert_allclose(block.value[1, 2], [0.4, 0.6, 0.5], atol=1e-6)
    assert block.seen.sum() == 1
    assert (np.delete(block.value.reshape(16, 3), 6, axis=0) == 0.5).all()
