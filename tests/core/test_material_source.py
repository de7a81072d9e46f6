# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gradients of a material's maps, against differences of a renderer that shades sample by sample."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from sge_addon.core.assembly import Assembly
from sge_addon.core.geometry_buffer import GeometryBuffer, to_eye
from sge_addon.core.map_block import MapBlock
from sge_addon.core.map_group import GroupSums
from sge_addon.core.map_shader import ShadingPoints
from sge_addon.core.material_maps import MAP_KINDS, SHADED_COLUMNS, SHADED_WIDTH, LitMaterial
from sge_addon.core.material_source import MaterialSource
from sge_addon.core.oracle import read_texture
from sge_addon.core.reference import Reference
from sge_addon.core.texture_source import sample_pattern
from sge_addon.core.view import View
from tests.lit_scene import StandInShader, camera, card_assembly, lit_material, oracle_geometry, truth

KINDS = tuple(SHADED_COLUMNS)
STEERED = {kind: 2 if kind == "normal" else MAP_KINDS[kind].channels for kind in KINDS}
PIXELS = 20
SEEDS = range(8)  # patterns of samples over which gradients are averaged


@dataclass(frozen=True, eq=False)
class Scene:
    """What a test renders: every sample shaded on its own, unlike the source's pixels."""

    assembly: Assembly
    materials: tuple[LitMaterial, ...]
    view: View
    background: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @cache  # noqa: B019
    def geometry(self, view=0, offset=(0.0, 0.0)):
        return oracle_geometry(self.assembly, self.view, offset)

    @cache  # noqa: B019
    def weights(self, buffer, index, kind, size) -> np.ndarray:
        """(N, H W) how the samples of a material read the texels of a map, whatever these are."""
        mine = self.shown(buffer) == index
        lookup = buffer.lookup(self.materials[index].maps[kind].uv_transform, size)
        level = lookup.level[mine] - 1  # four samples a pixel
        each_texel = np.eye(size[0] * size[1]).reshape(*size, -1)
        return read_texture(each_texel, lookup.uv[mine].astype(float), level)

    def shown(self, buffer) -> np.ndarray:
        """(H, W) the material that each sample shows, -1 where none."""
        return np.concatenate(([-1], self.assembly.texture_of_triangle))[buffer.ids]

    def shader(self) -> StandInShader:
        return StandInShader(tuple(material.emission_strength for material in self.materials))

    def render(self, number: int, textures: dict[str, np.ndarray]) -> np.ndarray:
        """(B, H, W, 4) premultiplied, float64: the mean over a pattern. textures: by key, B of each in place
        of a map's own: (B, h, w, C)."""
        samples = [self._sample(self.geometry(0, offset), textures) for offset in sample_pattern(number)]
        return np.mean(samples, axis=0)

    def _sample(self, buffer, textures):
        count = max(len(each) for each in textures.values())
        image = np.zeros((count, *buffer.ids.shape, 4))
        shader = self.shader()
        shown = self.shown(buffer)
        for index, material in enumerate(self.materials):
            mine = shown == index
            values = np.zeros((count, mine.sum(), SHADED_WIDTH))
            for kind, columns in SHADED_COLUMNS.items():
                entry = material.maps[kind]
                if entry.texture is None:
                    values[..., columns] = entry.value
                    continue
                texture = textures.get(entry.key, entry.texture[None])
                weights = self.weights(buffer, index, kind, texture.shape[1:3])
                values[..., columns] = weights @ texture.reshape(len(texture), weights.shape[1], -1)
            where = [buffer.position[mine], buffer.normal[mine], buffer.tangent[mine]]
            rows = [np.tile(each, (count, 1)) for each in (*where, to_eye(self.view, where[0]))]
            colour = shader._colour(ShadingPoints(*rows, index), values.reshape(-1, SHADED_WIDTH))
            alpha = values[..., SHADED_COLUMNS["alpha"]]
            image[:, mine, :3] = alpha * colour.reshape(*alpha.shape[:2], 3) + (1 - alpha) * self.background
            image[:, mine, 3] = alpha[..., 0]
        return image


def blocks_of(scene: Scene, *kinds: str) -> dict[str, MapBlock]:
    made = {}
    for material in scene.materials:
        for kind in kinds:
            entry = material.maps[kind]
            texture = np.float32(entry.value).reshape(1, 1, -1) if entry.texture is None else entry.texture
            made[entry.key] = MapBlock(entry.key, kind, texture)
    return made


def source_of(scene: Scene, blocks, references, **options) -> MaterialSource:
    """Differences count as they are, so that slopes are those of the loss."""
    options = {"bright": np.inf} | options
    return MaterialSource(
        references,
        scene.geometry,
        scene.materials,
        blocks,
        scene.assembly.texture_of_triangle,
        scene.shader(),
        **options,
    )


def target_of(scene: Scene, has_alpha=False, seed=5) -> Reference:
    """A picture of other maps, smooth, and full of light where nothing is."""
    wave = truth(scene.view.height, scene.view.width, seed)["base_color"]
    colour = np.concatenate([wave, np.full((*wave.shape[:2], 1), 0.8 if has_alpha else 1.0)], axis=-1)
    return Reference(scene.view, colour.astype(np.float32), has_alpha)


def nudged(kind: str, texture: np.ndarray, index, amount: float) -> np.ndarray:
    """One texel's channel moved; a normal's z follows."""
    moved = texture.astype(np.float64).copy()
    moved[index] += amount
    if kind == "normal":
        y, x = index[:2]
        moved[y, x, 2] = np.sqrt(1 - moved[y, x, 0] ** 2 - moved[y, x, 1] ** 2)
    return moved


def differences(scene: Scene, kind: str, block: MapBlock, target: np.ndarray, alpha_weight=0.0) -> np.ndarray:
    """Half the negative gradient of the sum of squares, by central differences, mean over the seeds."""
    texture = block.value
    steered = 2 if kind == "normal" else texture.shape[-1]
    slope = np.zeros((steered, *texture.shape[:2]))
    scales = np.array([1, 1, 1, alpha_weight])

    def half_squares(number, channel, amount):
        moved = [nudged(kind, texture, (*place, channel), amount) for place in np.ndindex(texture.shape[:2])]
        rendered = scene.render(number, {block.name: np.stack(moved)})
        return 0.5 * (scales * (target - rendered) ** 2).sum(axis=(1, 2, 3)).reshape(texture.shape[:2])

    for channel in range(steered):
        for number in SEEDS:
            below, above = (half_squares(number, channel, amount) for amount in (-1e-3, 1e-3))
            slope[channel] += (below - above) / 2e-3
    return slope / len(SEEDS)


def assert_agree(found: np.ndarray, expected: np.ndarray) -> None:
    """Direction and length of two gradients."""
    a, b = found.ravel().astype(float), expected.ravel()
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    assert cosine >= 0.99
    assert np.linalg.norm(a) / np.linalg.norm(b) == pytest.approx(1.0, abs=0.05)


def by_texel(sums: GroupSums, source: MaterialSource) -> np.ndarray:
    """(C + 1, H, W) of a view's sums, all maps being of one size."""
    layout = source.readings[0][0].layout
    rows = np.zeros((layout.length, sums.texels[0].corners.shape[-1]), np.float32)
    for texels in sums.texels:
        texels.add_to(rows)
    return np.stack([layout.unpack_sums(plane) for plane in rows.T.copy()])


def buffers_of(source: MaterialSource, seed: int) -> list[GeometryBuffer]:
    """What the only view sees through the samples of a pattern."""
    return [source.geometry(0, offset) for offset in sample_pattern(seed)]


def mean_slope(source: MaterialSource, key: str) -> np.ndarray:
    """Half the negative gradient to a map, mean over the seeds, of the only view."""
    slopes = []
    for seed in SEEDS:
        for name, sums in source.estimate_from(0, buffers_of(source, seed)).gradients.items():
            start = 0
            for each in name.split(" + "):
                stop = start + STEERED[each.split(" ", 1)[1]]
                if each == key:
                    slopes.append(by_texel(sums, source)[start:stop])
                start = stop
    return np.mean(slopes, axis=0)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene(
        card_assembly(),
        (lit_material("one", 2.0, **truth(5, 7)),),
        camera(PIXELS, 20, 10, 1.6),
        (0.1, 0.2, 0.3),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_each_map_agrees_with_differences_of_the_rendered_loss(scene, kind):
    target = target_of(scene)
    blocks = blocks_of(scene, *KINDS)
    source = source_of(scene, blocks, [target], loss="l2", background=np.float32(scene.background))
    key = scene.materials[0].maps[kind].key
    colour = target.colour.astype(float)
    assert_agree(mean_slope(source, key), differences(scene, kind, blocks[key], colour))


def test_differences_count_relative_to_the_brightness(scene):
    """As if the reference weighed its pixels so; evidence is how well a texel has been seen all the same."""
    target = target_of(scene)
    blocks = blocks_of(scene, *KINDS)
    relative = source_of(scene, blocks, [target], loss="l2", bright=0.3)
    mapped = relative.map_view(0, buffers_of(relative, 0))
    shown = np.maximum(relative.render(mapped), target.colour.reshape(-1, 4)[mapped.pixels, :3])
    weight = np.zeros(target.colour.shape[0] * target.colour.shape[1], np.float32)
    weight[mapped.pixels] = 1.0 / (1.0 + (shown.max(axis=1) / 0.3) ** 2)
    weighed = replace(target, weight=weight.reshape(target.colour.shape[:2]))
    plain = source_of(scene, blocks, [target], loss="l2")
    (found,), (expected,), (unweighed,) = (
        [by_texel(sums, each) for sums in each.estimate_from(0, buffers_of(each, 0)).gradients.values()]
        for each in (relative, source_of(scene, blocks, [weighed], loss="l2"), plain)
    )
    np.testing.assert_allclose(found[:-1], expected[:-1], rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(found[-1], unweighed[-1])
    assert np.abs(found[:-1] - unweighed[:-1]).max() > 0.1 * np.abs(unweighed[:-1]).max()


def test_given_samples_say_what_the_sources_own_say(scene):
    """A joint fit passes the buffers of its pair: same loss, same sums, bit for bit; and nothing is kept."""
    target = target_of(scene)
    options = {"background": np.float32(scene.background)}
    own, given = (source_of(scene, blocks_of(scene, *KINDS), [target], **options) for _ in range(2))
    losses = []
    for seed in range(2):  # a source goes through its patterns in turn
        expected = own.estimate(0, seed, 0.0)
        found = given.estimate_from(0, buffers_of(given, seed))
        assert found.loss == expected.loss
        assert found.gradients.keys() == expected.gradients.keys() != set()
        for name, sums in expected.gradients.items():
            assert np.array_equal(by_texel(found.gradients[name], given), by_texel(sums, own))
            for (cells, rows), (own_cells, own_rows) in zip(
                found.gradients[name].curvature, sums.curvature, strict=True
            ):
                assert np.array_equal(cells, own_cells)
                assert np.array_equal(rows, own_rows)
        losses.append(found.loss)
    assert losses[0] != losses[1], "patterns are told apart"
    assert own.maps.nbytes > 0
    assert given.maps.nbytes == 0
