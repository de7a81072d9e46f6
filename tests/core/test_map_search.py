# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The search for where a fit of maps begins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sge_addon.core import search_cells
from sge_addon.core.map_block import MapBlock
from sge_addon.core.map_group import map_groups
from sge_addon.core.map_search import search_maps
from sge_addon.core.material_maps import MAP_KINDS, LitMaterial
from sge_addon.core.material_source import MaterialSource
from sge_addon.core.reference import Reference
from sge_addon.core.search_candidates import LONGEST, moves, unit_normal
from sge_addon.core.texture_pyramid import PyramidLayout
from sge_addon.core.texture_source import sample_pattern
from tests.lit_scene import StandInShader, camera, card_assembly, lit_material, oracle_geometry

TEXELS, PIXELS = 16, 32
ASSEMBLY = card_assembly(("card",))
VIEWS = [camera(PIXELS, azimuth, elevation) for azimuth in (-40, -10, 30) for elevation in (-25, 5, 35)]


def true_maps(texels: int = TEXELS) -> dict[str, np.ndarray]:
    """A dent that is shiny metal on the right."""
    y, x = (np.mgrid[0:texels, 0:texels] + 0.5) / texels
    normal = unit_normal((0.45 * np.sin(2 * np.pi * x)).ravel(), (0.45 * np.sin(2 * np.pi * y)).ravel())
    return {
        "base_color": np.stack([0.3 + 0.4 * x, 0.5 + 0 * x, 0.7 - 0.4 * y], axis=-1).astype(np.float32),
        "metallic": (x > 0.5).astype(np.float32)[..., None],
        "roughness": np.full((texels, texels, 1), 0.25, np.float32),
        "normal": normal.T.reshape(texels, texels, 3),
    }


def plain_maps(texels: int = TEXELS) -> dict[str, np.ndarray]:
    """What a fit starts from where an object has no material."""
    return {kind: np.tile(np.float32(MAP_KINDS[kind].initial), (texels, texels, 1)) for kind in true_maps()}


def source_of(material: LitMaterial, blocks: dict[str, MapBlock], references: list[Reference]):
    return MaterialSource(
        references,
        lambda view, offset: oracle_geometry(ASSEMBLY, VIEWS[view], offset),
        [material],
        blocks,
        ASSEMBLY.texture_of_triangle,
        StandInShader(),
    )


def pictures(maps: dict[str, np.ndarray]) -> list[Reference]:
    blank = [Reference(view, np.zeros((PIXELS, PIXELS, 4), np.float32), True) for view in VIEWS]
    source = source_of(lit_material("card", **maps), {}, blank)
    made = []
    for number, view in enumerate(VIEWS):
        mapped = source.map_view(number, [source.geometry(number, each) for each in sample_pattern(0)])
        picture = np.zeros((PIXELS * PIXELS, 4), np.float32)
        picture[mapped.pixels, :3] = source.render(mapped)
        picture[mapped.pixels, 3] = mapped.coverage
        made.append(Reference(view, picture.reshape(PIXELS, PIXELS, 4), True))
    return made


@pytest.fixture(scope="module")
def references() -> list[Reference]:
    return pictures(true_maps())


def searched(
    references: list[Reference], start: dict[str, np.ndarray], fitted: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """By kind what the search leaves; all of ``start``, of which some are fitted."""
    material = lit_material("card", **start)
    blocks = {
        material.maps[kind].key: MapBlock(material.maps[kind].key, kind, start[kind]) for kind in fitted
    }
    groups = map_groups([material], blocks, len(references))
    fractions = list(search_maps(source_of(material, blocks, references), groups))
    assert fractions == sorted(fractions)
    assert not fractions or fractions[-1] == pytest.approx(1.0)
    return {block.kind: block.value for block in blocks.values()}


def test_dents_metals_and_roughness_are_found(references: list[Reference]) -> None:
    truth, start = true_maps(), plain_maps()
    found = searched(references, start, tuple(truth))
    angle = np.degrees(np.arccos(np.clip((found["normal"] * truth["normal"]).sum(axis=-1), -1, 1)))
    flat = np.degrees(np.arccos(truth["normal"][..., 2]))
    assert angle.mean() < 0.35 * flat.mean()
    is_metal = found["metallic"] > 0.5
    assert (is_metal == (truth["metallic"] > 0.5)).mean() > 0.9
    assert np.abs(found["roughness"] - truth["roughness"]).mean() < 0.1
    assert np.abs(found["base_color"] - truth["base_color"]).mean() < 0.08


def test_cells_of_several_texels_are_spread_over_them(
    references: list[Reference], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_cells, "MOST_CELLS", TEXELS // 2)
    truth = true_maps()
    normal = searched(references, plain_maps(), tuple(truth))["normal"]
    angle = np.degrees(np.arccos(np.clip((normal * truth["normal"]).sum(axis=-1), -1, 1)))
    assert angle.mean() < 0.6 * np.degrees(np.arccos(truth["normal"][..., 2])).mean()
    assert np.abs(np.diff(normal[..., 0], axis=1)).max() < 0.5


@pytest.mark.parametrize(
    ("size", "grid"),
    [
        ((512, 512), (128, 128)),
        ((1000, 1000), (125, 125)),
        ((200, 600), (25, 75)),
        ((150, 150), (75, 75)),
        ((64, 64), (64, 64)),
        ((1023, 1023), None),
        ((1, 1), None),
    ],
)
def test_a_grid_is_the_first_level_that_is_small_enough(
    size: tuple[int, int], grid: tuple[int, int] | None
) -> None:
    assert search_cells.cell_grid(PyramidLayout(*size)) == grid


def test_maps_that_explain_the_views_stay(references: list[Reference]) -> None:
    truth = true_maps()
    start = {kind: MapBlock(kind, kind, value).value for kind, value in truth.items()}
    for kind, value in searched(references, truth, tuple(truth)).items():
        np.testing.assert_array_equal(value, start[kind])


def test_what_is_not_fitted_counts_as_it_is(references: list[Reference]) -> None:
    """With the true normals, colour and roughness it is known which part is metal."""
    truth = true_maps()
    start = truth | {"metallic": np.full((TEXELS, TEXELS, 1), 0.5, np.float32)}
    found = searched(references, start, ("metallic",))["metallic"]
    assert ((found > 0.5) == (truth["metallic"] > 0.5)).mean() > 0.95
    start = truth | {"normal": plain_maps()["normal"]}
    normal = searched(references, start, ("normal",))["normal"]
    angle = np.degrees(np.arccos(np.clip((normal * truth["normal"]).sum(axis=-1), -1, 1)))
    assert angle.mean() < 6.0


def test_closed_before_the_end_it_changes_nothing(references: list[Reference]) -> None:
    start = plain_maps()
    material = lit_material("card", **start)
    blocks = {
        material.maps[kind].key: MapBlock(material.maps[kind].key, kind, value)
        for kind, value in start.items()
    }
    before = {key: block.value.copy() for key, block in blocks.items()}
    groups = map_groups([material], blocks, len(references))
    search = search_maps(source_of(material, blocks, references), groups)
    while next(search) < 0.9:
        pass
    search.close()
    for key, block in blocks.items():
        np.testing.assert_array_equal(block.value, before[key])


def test_views_that_tell_nothing_change_nothing(references: list[Reference]) -> None:
    start = plain_maps()
    blind = [replace(each, colour=np.zeros_like(each.colour)) for each in references]
    for kind, value in searched(blind, start, tuple(start)).items():
        np.testing.assert_array_equal(value, start[kind])


def test_base_colour_alone_and_constants_are_left_to_the_steps(references: list[Reference]) -> None:
    start = plain_maps()
    material = lit_material("card", **start)
    for kind, texture in (("base_color", start["base_color"]), ("metallic", np.full((1, 1, 1), 0.5))):
        key = material.maps[kind].key
        blocks = {key: MapBlock(key, kind, texture.astype(np.float32))}
        groups = map_groups([material], blocks, len(references))
        assert list(search_maps(source_of(material, blocks, references), groups)) == []


def test_candidates_stay_within_their_bounds() -> None:
    grid = (2, 2)
    best = {
        "normal": unit_normal(np.float32([0.9, -0.9, 0.0, 0.5]), np.float32([0.0, 0.0, 0.9, 0.5])),
        "roughness": np.float32([[0.05, 1.0, 0.5, 0.2]]),
    }
    tried = [move(best) for move in moves(("normal", "roughness", "metallic", "base_color"), grid)]
    low, high = MAP_KINDS["roughness"].low, MAP_KINDS["roughness"].high
    for candidate in tried:
        np.testing.assert_allclose(np.linalg.norm(candidate["normal"], axis=0), 1.0, atol=1e-6)
        assert np.hypot(*candidate["normal"][:2]).max() <= LONGEST + 1e-6
        assert low <= candidate["roughness"].min() <= candidate["roughness"].max() <= high
    assert len(moves(("metallic",), grid)) == 1
