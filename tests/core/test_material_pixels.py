# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the light is fitted to: pixels with the values that the maps' own source reads there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sge_addon.core.light_block import LightBlock, LightChange
from sge_addon.core.light_parameters import scene_light_parameters, unknown_light_parameters
from sge_addon.core.light_source import LightSchedule, LightSource
from sge_addon.core.lit_pixels import MOST_VIEWS, LitPixels, pixels_of_views
from sge_addon.core.map_block import MapBlock
from sge_addon.core.material_pixels import MaterialPixels
from sge_addon.core.material_source import MaterialSource
from sge_addon.core.reference import Reference
from sge_addon.core.scene_lights import SceneLights, World
from sge_addon.core.stopwatch import Stopwatch
from sge_addon.core.texture_source import sample_pattern
from tests.core.plain_shader import PlainShader, point_light
from tests.lit_scene import camera, card_assembly, lit_material, oracle_geometry, truth

SIZE = 24
LIGHTS = SceneLights(
    (
        point_light("Key", (1.5, 0.5, 1.5), (6.0, 5.0, 4.0)),
        point_light("Fill", (-1.5, -0.5, 1.0), (1.0, 2.0, 3.0)),
    ),
    World(np.float32([0.3, 0.2, 0.1])),
)
VIEWS = [camera(SIZE, azimuth, 10.0) for azimuth in (-20.0, 15.0)]
ASSEMBLY = card_assembly(("one", "two"))
MATERIALS = [
    lit_material(name, **{kind: value for kind, value in truth(16, 16, seed).items() if kind != "alpha"})
    for seed, name in enumerate(("one", "two"))
]


def source(references: list[Reference]) -> MaterialSource:
    return MaterialSource(
        references,
        lambda view, offset: oracle_geometry(ASSEMBLY, references[view].view, offset),
        MATERIALS,
        {},
        ASSEMBLY.texture_of_triangle,
        PlainShader(),
    )


def blank() -> list[Reference]:
    return [
        Reference(view, np.full((SIZE, SIZE, 4), (0.1, 0.2, 0.3, 1.0), np.float32), True) for view in VIEWS
    ]


def test_chosen_pixels_read_what_all_pixels_read() -> None:
    maps = source(blank())
    whole = maps.map_view(0, [maps.geometry(0, offset) for offset in sample_pattern(0)])
    by_position = {}
    for part, values in zip(whole.parts, maps.read(whole), strict=True):
        for position, row in zip(part.prepared.position, values, strict=True):
            by_position[position.tobytes()] = (part.material, row)
    found = MaterialPixels(maps).lit_pixels(0, 150, seed=3)
    assert [each.points.material for each in found] == [0, 1]
    assert 100 < sum(len(each.values) for each in found) <= 150
    for each in found:
        for position, row in zip(each.points.position, each.values, strict=True):
            material, expected = by_position[position.tobytes()]
            assert material == each.points.material
            assert np.allclose(row, expected, atol=1e-6)


def test_pixels_that_do_not_count_or_show_something_else_are_left_out() -> None:
    references = blank()
    mask = np.ones((SIZE, SIZE), np.float32)
    mask[:, : SIZE // 2] = 0.0
    colour = references[0].colour.copy()
    colour[: SIZE // 2, :, 3] = 0.5
    references[0] = replace(references[0], colour=colour, weight=mask)
    found = MaterialPixels(source(references)).lit_pixels(0, 10_000, seed=3)
    assert len(found) == 1
    assert len(found[0].values) <= SIZE * SIZE // 4


def test_the_same_seed_chooses_the_same_pixels_and_another_one_others() -> None:
    maps = source(blank())
    first, again, other = (MaterialPixels(maps).lit_pixels(0, 60, seed) for seed in (3, 3, 4))
    assert np.array_equal(first[0].points.position, again[0].points.position)
    assert not np.array_equal(first[0].points.position, other[0].points.position)


def test_pixels_follow_a_camera_that_moves() -> None:
    references = blank()
    reader = MaterialPixels(source(references))
    before = reader.lit_pixels(0, 60, seed=3)
    assert reader.lit_pixels(0, 60, seed=3)[0].points.position is before[0].points.position
    references[0] = replace(references[0], view=camera(SIZE, -25.0, 10.0))
    after = reader.lit_pixels(0, 60, seed=3)
    assert not np.array_equal(after[0].points.to_eye, before[0].points.to_eye)


def test_the_light_of_rendered_views_is_found() -> None:
    maps = source(blank())
    references = []
    for index, view in enumerate(VIEWS):
        mapped = maps.map_view(index, [maps.geometry(index, offset) for offset in sample_pattern(0)])
        image = np.zeros((SIZE * SIZE, 4), np.float32)
        for part, values in zip(mapped.parts, maps.read(mapped), strict=True):
            seen = PlainShader().colour(part.prepared, values, LIGHTS)
            image[mapped.pixels[part.place], :3] += seen * part.coverage[:, None]
            image[mapped.pixels[part.place], 3] += part.coverage
        references.append(Reference(view, image.reshape(SIZE, SIZE, 4), True))
    given = SceneLights(
        tuple(replace(light, power=np.full(3, 2.0, np.float32)) for light in LIGHTS.lights),
        World(np.full(3, 0.5, np.float32)),
    )
    block = LightBlock(scene_light_parameters(given))
    reader = MaterialPixels(source(references))
    light = LightSource(block, reader, PlainShader(), len(VIEWS), "l1", 0, Stopwatch())
    block.step(light.estimate(0, 0, 0.0).gradients["light"], 0.0)
    for found, true in zip(block.lights.lights, LIGHTS.lights, strict=True):
        assert np.allclose(found.power, true.power, rtol=0.01)
    assert np.allclose(block.lights.world.gain, LIGHTS.world.gain, rtol=0.02)


def test_base_colours_of_maps_take_what_the_light_gives() -> None:
    map_block = MapBlock("one base_color", "base_color", np.full((4, 4, 3), 0.4, np.float32))
    block = LightBlock(scene_light_parameters(LIGHTS), [map_block])
    block.step(LightChange(block.state, np.array([0.5, 1.0, 2.0])), 0.0)
    assert np.allclose(map_block.value, np.float32([0.2, 0.4, 0.8]))


def test_roughness_goes_a_little_towards_the_middle_with_each_change_of_an_unknown_light() -> None:
    roughness = MapBlock("one roughness", "roughness", np.float32([[[0.1], [0.5], [0.9]]]))
    block = LightBlock(unknown_light_parameters(), [], [roughness])
    for _ in range(LightSchedule().refits):
        block.step(LightChange(block.state, np.ones(3)), 0.0)
    low, middle, high = roughness.value[0, :, 0]
    assert middle == pytest.approx(0.5)
    assert (low, high) == (pytest.approx(0.25, abs=0.03), pytest.approx(0.75, abs=0.03))


def test_of_many_views_some_are_looked_through_from_the_first_to_the_last() -> None:
    asked: list[tuple[int, int]] = []

    class Reader:
        def lit_pixels(self, view: int, count: int, seed: int) -> list[LitPixels]:
            asked.append((view, count))
            return []

    pixels_of_views(Reader(), 200, 3200, seed=0)
    views = [view for view, _ in asked]
    assert (views[0], views[-1], len(views)) == (0, 199, MOST_VIEWS)
    assert max(np.diff(views)) <= 7
    assert {count for _, count in asked} == {3200 // MOST_VIEWS}
