# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maps that step together: bounds, what is unseen, and maps found again from pictures of them."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core.footprint import CornerSums
from sge_addon.core.map_block import MapBlock
from sge_addon.core.map_group import GroupSums, MapGroup, map_groups
from sge_addon.core.material_maps import MAP_KINDS, MaterialMap
from sge_addon.core.material_source import MaterialSource
from sge_addon.core.reference import Reference
from sge_addon.core.texture_source import sample_pattern
from tests.lit_scene import StandInShader, camera, card_assembly, lit_material, oracle_geometry, truth

SIZE = 8


def flat(kind: str, size: int = SIZE) -> np.ndarray:
    """A texture of the kind's initial value."""
    initial = np.float32(MAP_KINDS[kind].initial)
    return np.broadcast_to(initial, (size, size, len(initial))).copy()


def one_view(group: MapGroup, slope: float, curvature: float = 1.0, columns: int = SIZE) -> GroupSums:
    """A view that shows the leftmost columns: all channels alike, each on its own."""
    channels = len(group.channels.colours)
    rows, texels = np.divmod(np.flatnonzero(np.arange(SIZE * SIZE) % SIZE < columns), SIZE)
    layout = group.blocks[0].layout
    corners = np.zeros((4, len(rows), channels + 1), np.float32)
    corners[0, :, :-1], corners[0, :, -1] = slope, 1.0
    cells = np.flatnonzero(np.arange(16) % 4 < columns // 2)
    sums = np.zeros((len(cells), 1 + len(group.channels.pairs)), np.float32)
    sums[:, 0] = 4.0
    for column, (a, b) in enumerate(group.channels.pairs, start=1):
        sums[:, column] = 4.0 * curvature if a == b else 0.0
    return GroupSums(
        (CornerSums(rows * layout.stride + texels, corners, layout.stride, 1),), ((cells, sums),)
    )


@pytest.mark.parametrize("kind", [kind for kind in MAP_KINDS if kind != "height"])
@pytest.mark.parametrize("slope", [-50.0, 50.0])
def test_values_stay_within_bounds(kind, slope):
    start = flat(kind) if kind == "normal" else np.full_like(flat(kind), 0.5)
    block = MapBlock("map", kind, start)
    group = MapGroup([block], view_count=1)
    for _ in range(20):
        group.step(one_view(group, slope), 1.0)
    low, high = MAP_KINDS[kind].low, MAP_KINDS[kind].high
    assert (block.value >= low).all()
    assert (block.value <= high).all()
    assert not np.array_equal(block.value, start)
    if kind == "normal":
        np.testing.assert_allclose(np.linalg.norm(block.value, axis=-1), 1.0, atol=1e-5)
        assert (block.value[..., 2] > 0.3).all()


def test_a_start_that_no_map_may_have_is_brought_within_bounds():
    assert MapBlock("map", "roughness", np.zeros((1, 1, 1))).value[0, 0, 0] == pytest.approx(0.05)
    below = MapBlock("map", "normal", np.float32([[[0.0, 0.6, -0.8]]])).value[0, 0]
    assert np.linalg.norm(below) == pytest.approx(1.0, abs=1e-5)
    assert below[2] > 0.3


def test_unseen_texels_follow_coarse_values_until_a_view_shows_them():
    block = MapBlock("map", "base_color", flat("base_color"))
    group = MapGroup([block], view_count=1)
    group.step(one_view(group, 0.1, columns=4), 1.0)
    assert block.value[:, :4].min() > 0.57
    assert block.value[:, 6:].min() > 0.55
    assert block.seen[:, :4].all()
    assert not block.seen[:, 4:].any()


def test_what_no_pixel_tells_does_not_drift():
    """Black or unlit texels: no slope and no curvature."""
    blocks = [MapBlock(kind, kind, flat(kind)) for kind in ("metallic", "roughness")]
    group = MapGroup(blocks, view_count=2)
    for _ in range(50):
        group.step(one_view(group, 0.0, 0.0), 1.0)
    for block in blocks:
        np.testing.assert_allclose(block.value, flat(block.kind), atol=1e-5)


def test_finish_steps_by_what_was_gathered_and_keeps_the_sums():
    block = MapBlock("map", "metallic", flat("metallic"))
    group = MapGroup([block], view_count=16)
    for _ in range(3):  # steps after the first and the second
        group.step(one_view(group, 0.01), 1.0)
    group.step(one_view(group, 0.05), 1.0)
    group.step(one_view(group, 0.05), 1.0)
    before, state = block.value.copy(), {name: np.copy(each) for name, each in vars(group).items()}
    group.finish()
    after = block.value.copy()
    assert not np.array_equal(before, after)
    for name in ("_sums", "_gathered", "_curvature"):
        np.testing.assert_array_equal(getattr(group, name), state[name])
    group.finish()
    np.testing.assert_array_equal(block.value, after)


class Pictures:
    """Views of a bent card with known maps, each pixel the mean of its samples' colours."""

    def __init__(self, maps, names=("one",), views=10, size=40, mirrored=False, **card):
        self.assembly = card_assembly(names, mirrored=mirrored, **card)
        turns = np.linspace(0, 2 * np.pi, views, endpoint=False)
        self.views = [
            camera(size, 45 * np.cos(turn), 35 * np.sin(turn), 2.2, f"view {number}")
            for number, turn in enumerate(turns)
        ]
        self.materials = [lit_material(name, **maps[name]) for name in names]
        self.shader = StandInShader((1.0,) * len(names))
        true = self.source({}, self.materials, [None] * views)
        self.references = []
        for number, view in enumerate(self.views):
            mapped = true.map_view(number, [self.geometry(number, at) for at in sample_pattern(2)])
            colour = np.zeros((size * size, 4), np.float32)
            colour[mapped.pixels, :3] = true.render(mapped)
            colour[mapped.pixels, 3] = mapped.coverage
            self.references.append(Reference(view, colour.reshape(size, size, 4), True))

    def geometry(self, view, offset):
        return oracle_geometry(self.assembly, self.views[view], offset)

    def source(self, blocks, materials, references) -> MaterialSource:
        if references[0] is None:
            references = [
                Reference(v, np.zeros((v.height, v.width, 4), np.float32), True) for v in self.views
            ]
        return MaterialSource(
            references,
            self.geometry,
            materials,
            blocks,
            self.assembly.texture_of_triangle,
            self.shader,
            loss="l1",
        )

    def fit(self, kinds, steps, start=None):
        """The blocks by key, and the losses. start: textures by kind, in place of the initial ones."""
        blocks = {}
        for material in self.materials:
            for kind in kinds:
                entry = material.maps[kind]
                size = (1, 1) if entry.texture is None else entry.texture.shape[:2]
                initial = np.float32(MAP_KINDS[kind].initial)
                texture = (start or {}).get(kind, np.broadcast_to(initial, (*size, len(initial))))
                blocks[entry.key] = MapBlock(entry.key, kind, texture)
        source = self.source(blocks, self.materials, self.references)
        groups = map_groups(self.materials, blocks, len(self.views))
        losses = []
        for step in range(steps):
            estimate = source.estimate(step % len(self.views), step, step / steps)
            for group in groups:
                if group.name in estimate.gradients:
                    group.step(estimate.gradients[group.name], step / steps)
            losses.append(estimate.loss)
        for group in groups:
            group.finish()
        return blocks, losses


FOUR = ("base_color", "metallic", "roughness", "normal")


def opaque(height, width, seed=0):
    maps = truth(height, width, seed)
    return {kind: maps[kind] for kind in FOUR}


def mean_error(block, expected):
    return float(np.abs(block.value - expected)[block.weight > 1.0].mean())


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    return Pictures({"one": opaque(16, 16)})


@pytest.mark.parametrize("kind", ["base_color", "metallic", "roughness"])
def test_a_map_is_found_again_where_the_others_are_known(pictures, kind):
    blocks, losses = pictures.fit((kind,), 60)
    assert losses[-1] < 0.2 * losses[0]
    assert mean_error(blocks[f"one {kind}"], pictures.materials[0].maps[kind].texture) < 0.015


def test_all_maps_are_found_again_together(pictures):
    """The start errs by 0.25, 0.35, 0.16 and 23 degrees."""
    maps = pictures.materials[0].maps
    blocks, losses = pictures.fit(FOUR, 200)
    assert losses[-1] < 0.03 * losses[0]
    for kind, bound in (("base_color", 0.05), ("metallic", 0.06), ("roughness", 0.06)):
        assert mean_error(blocks[f"one {kind}"], maps[kind].texture) < bound
    assert normal_error(blocks["one normal"], maps["normal"].texture) < 5.0


def normal_error(block, expected):
    """Mean over seen texels, in degrees."""
    cosine = (block.value * expected).sum(axis=-1)[block.weight > 1.0]
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean())


def test_mirrored_uvs_find_their_normals():
    maps = opaque(16, 8)
    blocks, _ = Pictures({"one": maps}, mirrored=True).fit(("normal",), 60)
    assert normal_error(blocks["one normal"], maps["normal"]) < 2.0


def test_constants_and_textures_of_two_materials_are_found_together():
    """The second material's roughness is one value; its colour is read through a Mapping node."""
    first, second = opaque(8, 8), opaque(8, 8, 1)
    moved = MaterialMap(
        "two base_color",
        (0.5, 0.5, 0.5),
        second["base_color"],
        np.float32([[2.0, 0.0, 0.25], [0.0, -1.0, 0.5]]),
    )
    rough = MaterialMap("two roughness", (0.35,))
    maps = {"one": first, "two": {**second, "base_color": moved, "roughness": rough}}
    pictures = Pictures(maps, ("one", "two"))
    blocks, losses = pictures.fit(("base_color", "roughness"), 80)
    assert losses[-1] < 0.1 * losses[0]
    assert blocks["two roughness"].value[0, 0, 0] == pytest.approx(0.35, abs=0.02)
    assert mean_error(blocks["one base_color"], first["base_color"]) < 0.03
    assert mean_error(blocks["two base_color"], second["base_color"]) < 0.03


def test_maps_of_one_key_share_one_texture():
    shared = MaterialMap("shared", (0.5, 0.5, 0.5), opaque(8, 8)["base_color"])
    maps = {"one": {"base_color": shared}, "two": {"base_color": shared}}
    blocks, _ = Pictures(maps, ("one", "two")).fit(("base_color",), 40)
    assert list(blocks) == ["shared"]
    assert mean_error(blocks["shared"], shared.texture) < 0.02


def test_alpha_and_emission_are_found():
    maps = truth(8, 8)
    maps = {"base_color": maps["base_color"], "alpha": maps["alpha"], "emission": maps["emission"]}
    pictures = Pictures({"one": maps}, views=6)
    pictures.references = [
        Reference(each.view, with_alpha(pictures, number, each.colour), True)
        for number, each in enumerate(pictures.references)
    ]
    blocks, losses = pictures.fit(("alpha", "emission"), 90)
    assert losses[-1] < 0.1 * losses[0]
    assert mean_error(blocks["one alpha"], maps["alpha"]) < 0.04
    assert mean_error(blocks["one emission"], maps["emission"]) < 0.04


def with_alpha(pictures, view, colour):
    """The picture with the alpha that the material's map gives it."""
    source = pictures.source({}, pictures.materials, pictures.references)
    mapped = source.map_view(view, [pictures.geometry(view, at) for at in sample_pattern(2)])
    values = source.read(mapped)[0]
    made = colour.copy().reshape(-1, 4)
    made[mapped.pixels, 3] = values[:, 11] * mapped.coverage
    return made.reshape(colour.shape)


def test_the_same_steps_give_the_same_bits():
    pictures = Pictures({"one": opaque(8, 4)}, views=3, size=16)
    first, second = (pictures.fit(FOUR, 7)[0] for _ in range(2))
    for key, block in first.items():
        np.testing.assert_array_equal(block.value, second[key].value)
