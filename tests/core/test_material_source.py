# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gradients of a material's maps, against differences of a renderer that shades sample by sample."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from sge_addon.core.assembly import Assembly
from sge_addon.core.geometry_buffer import to_eye
from sge_addon.core.map_block import MapBlock
from sge_addon.core.map_group import GroupSums
from sge_addon.core.map_shader import ShadingPoints
from sge_addon.core.material_maps import MAP_KINDS, SHADED_COLUMNS, SHADED_WIDTH, LitMaterial
from sge_addon.core.material_source import PATTERNS, MaterialSource
from sge_addon.core.oracle import read_texture
from sge_addon.core.reference import Reference
from sge_addon.core.texture_source import sample_pattern
from sge_addon.core.view import View
from tests.lit_scene import StandInShader, camera, card_assembly, lit_material, oracle_geometry, truth

KINDS = tuple(SHADED_COLUMNS)
STEERED = {kind: 2 if kind == "normal" else MAP_KINDS[kind].channels for kind in KINDS}
PIXELS = 20


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

    def shader(self) -> StandInShader:
        return StandInShader(tuple(material.emission_strength for material in self.materials))

    def render(self, number: int, textures: dict[str, np.ndarray]) -> np.ndarray:
        """(H, W, 4) premultiplied, float64: the mean over a pattern. textures: by key, in place of maps'."""
        total = np.zeros((self.view.height, self.view.width, 4))
        for offset in sample_pattern(number):
            total += self._sample(self.geometry(0, offset), textures)
        return total / 4

    def _sample(self, buffer, textures):
        image = np.zeros((*buffer.ids.shape, 4))
        shader = self.shader()
        shown = np.concatenate(([-1], self.assembly.texture_of_triangle))[buffer.ids]
        for index, material in enumerate(self.materials):
            mine = shown == index
            values = np.zeros((mine.sum(), SHADED_WIDTH))
            for kind, columns in SHADED_COLUMNS.items():
                entry = material.maps[kind]
                texture = textures.get(entry.key, entry.texture)
                if texture is None:
                    values[:, columns] = entry.value
                    continue
                lookup = buffer.lookup(entry.uv_transform, texture.shape[:2])
                level = lookup.level[mine] - 1  # four samples a pixel
                values[:, columns] = read_texture(texture, lookup.uv[mine].astype(float), level)
            position = buffer.position[mine]
            points = ShadingPoints(
                position, buffer.normal[mine], buffer.tangent[mine], to_eye(self.view, position), index
            )
            alpha = values[:, SHADED_COLUMNS["alpha"]]
            colour = shader._colour(points, values)
            image[mine, :3] = alpha * colour + (1 - alpha) * self.background
            image[mine, 3] = alpha[:, 0]
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
    """Half the negative gradient of the sum of squares, by central differences, mean over the patterns."""
    texture = block.value
    steered = 2 if kind == "normal" else texture.shape[-1]
    slope = np.zeros((steered, *texture.shape[:2]))
    scales = np.array([1, 1, 1, alpha_weight])

    def half_square(number, value):
        return 0.5 * (scales * (target - scene.render(number, {block.name: value})) ** 2).sum()

    for channel, row, column in np.ndindex(slope.shape):
        index = (row, column, channel)
        above, below = (nudged(kind, texture, index, amount) for amount in (1e-3, -1e-3))
        slope[channel, row, column] = sum(
            (half_square(number, below) - half_square(number, above)) / 2e-3 for number in range(PATTERNS)
        )
    return slope / PATTERNS


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


def mean_slope(source: MaterialSource, key: str) -> np.ndarray:
    """Half the negative gradient to a map, over all patterns of the only view."""
    slopes = []
    for seed in range(PATTERNS):
        for name, sums in source.estimate(0, seed, 0.0).gradients.items():
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
