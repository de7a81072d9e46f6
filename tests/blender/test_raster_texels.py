# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The paper's texture mode on the GPU: signs, the estimator's mean, cases to be solved by hand, fits.

For the mean, a picture of 15 x 15 cells holds as many copies of some surfaces; each copy reads a tile of
its own in one texture. All tiles have the same colours but signs of their own, so that one pair gives
225 estimates. The number is odd: so the coarsest level has one texel a tile.
"""

from __future__ import annotations

from dataclasses import replace

import bpy
import gpu
import numpy as np
import pytest
from numpy.typing import NDArray

from sge_addon.core.assembly import assemble
from sge_addon.core.colour import log_encoded
from sge_addon.core.fit import LoopSettings, fit
from sge_addon.core.reference import Reference
from sge_addon.core.settings import FitSettings
from sge_addon.core.signs import seed_key, signs
from sge_addon.core.stopwatch import Stopwatch
from sge_addon.core.surface import Material, Surface
from sge_addon.core.texel_signs import TexelPerturbation, texel_sign_gradient
from sge_addon.core.texture_block import TexelAdam, Texture
from sge_addon.core.texture_pyramid import LEVEL_ROUNDING, PyramidLayout, build_levels, pyramid_atlas
from sge_addon.core.view import View
from sge_addon.job import FitJob, make_references, orbit_around
from sge_addon.raster.fitted_surfaces import FittedSurfaces
from sge_addon.raster.program import shader_source
from sge_addon.raster.rasteriser import Rasteriser, TexelPair
from sge_addon.raster.reference_textures import ReferenceTextureCache
from sge_addon.raster.tables import Reader, upload_image
from sge_addon.raster.targets import Target, drawing
from sge_addon.raster.texel_source import EPSILON, TexelSource
from tests.blender.small_world import add_sphere
from tests.blender.test_raster_gradient import LIGHTS, assert_agrees, painting
from tests.meshes import icosphere, orthographic_view, waves

pytestmark = pytest.mark.usefixtures("gpu_ready")

CELLS, TILE = 15, 16  # cells along a side of the picture, texels along a side of a tile
COPIES = CELLS * CELLS
JITTERS = 16
CALLS = 2 * JITTERS  # 7200 estimates
EPS = 1.0 / 32.0


def perturbed_on_the_gpu(texture: NDArray[np.float32], level: int, epsilon: float, seed: int) -> NDArray:
    """Each texel of one level as the shader perturbs it: a pixel at each texel's centre."""
    height, width = texture.shape[0] >> level, texture.shape[1] >> level
    info = gpu.types.GPUShaderCreateInfo()
    info.define("SGE_ATLAS")
    info.define("SGE_LEVEL_ROUNDING", str(LEVEL_ROUNDING))
    info.vertex_in(0, "VEC2", "corner")
    for type_name, name in (("INT", "key"), ("INT", "levels"), ("FLOAT", "epsilon"), ("IVEC2", "size")):
        info.push_constant(type_name, name)
    info.sampler(0, "FLOAT_2D", "atlas")
    info.fragment_out(0, "VEC4", "texel")
    info.vertex_source(shader_source("screen_vert"))
    uv = f"vec2 uv = gl_FragCoord.xy / vec2({width}.0, {height}.0);"
    colour = "sge_texture(atlas, uv, size, levels) + epsilon * sge_texel_signs(uint(key), uv, size, levels)"
    main = f"void main() {{ {uv} texel = vec4({colour}, 1.0); }}"
    info.fragment_source(shader_source("signs", "texture", "texel_signs") + main)
    shader = gpu.shader.create_from_info(info)
    layout = gpu.types.GPUVertFormat()
    layout.attr_add(id="corner", comp_type="F32", len=2, fetch_mode="FLOAT")
    corners = gpu.types.GPUVertBuf(layout, 3)
    corners.attr_fill("corner", np.asarray([[-1, -1], [3, -1], [-1, 3]], np.float32))
    atlas = upload_image(pyramid_atlas(texture))
    target = Target(width, height, {"texel": "RGBA32F"}, depth=False)
    with drawing(target, "NONE"):
        shader.bind()
        shader.uniform_sampler("atlas", atlas)
        shader.uniform_int("key", int(seed_key(seed).view(np.int32)))
        shader.uniform_int("levels", len(build_levels(texture)))
        shader.uniform_int("size", texture.shape[1::-1])
        shader.uniform_float("epsilon", epsilon)
        gpu.types.GPUBatch(type="TRIS", buf=corners).draw(shader)
    return Reader().read(target, 0, 4, "FLOAT")[..., :3].copy()


@pytest.mark.parametrize("size", [(64, 32), (16, 128)])
@pytest.mark.parametrize("seed", [0, 1, 0x7FFFFFFF, 0xFFFFFFFF])
def test_texels_of_every_level_are_perturbed_as_by_numpy_bit_for_bit(
    size: tuple[int, int], seed: int
) -> None:
    texture = np.random.default_rng(0).random((*size, 3)).astype(np.float32)
    perturbation = TexelPerturbation(seed, 0.03, (2,))
    level_signs = perturbation.signs(2, PyramidLayout(*size))
    assert len(level_signs) > 4
    # Texel x, y of the texture itself has the signs of parameter y W + x.
    of_texture = signs(perturbation.seed_of(2), size[0] * size[1]).reshape(*size, 3)
    assert (level_signs[0] == of_texture).all()
    for level, (image, sign) in enumerate(zip(build_levels(texture), level_signs, strict=True)):
        for epsilon in (np.float32(0.03), np.float32(-0.03)):
            found = perturbed_on_the_gpu(texture, level, float(epsilon), perturbation.seed_of(2))
            assert (found == image + epsilon * sign).all()


def test_textures_and_vertices_do_not_share_signs() -> None:
    perturbation = TexelPerturbation(5, EPS, (0, 1))
    layout = PyramidLayout(32, 32)
    drawn = [perturbation.signs(number, layout)[0].ravel() for number in (0, 1)]
    drawn += [signs(5, 1024).ravel()]
    for i, one in enumerate(drawn):
        for other in drawn[:i]:
            assert abs((one * other).mean()) < 0.08  # 3072 signs: 4 standard deviations


class Tiles:
    """Copies of some surfaces in cells of ``side`` pixels of one picture, each with its own tile."""

    def __init__(self, surfaces: list[Surface], side: int, shading: str, loss: str) -> None:
        copies = []
        colours = np.tile(waves(TILE, TILE), (CELLS, CELLS, 1))
        self.material = Material("tiles", texture=colours, fitted=True)
        for row in range(CELLS):
            for column in range(CELLS):
                centre = np.float32([column + 0.5 - CELLS / 2, row + 0.5 - CELLS / 2, 0.0])
                copies += [
                    replace(
                        each,
                        positions=each.positions + centre,
                        uvs=((each.uvs + np.float32([column, row])) / CELLS).astype(np.float32),
                        materials=(self.material,),
                    )
                    for each in surfaces
                ]
        self.assembly = assemble(copies)
        self.view = orthographic_view(side * CELLS, side * CELLS, 1.0 / side)
        picture = np.tile(painting(side, side), (CELLS, CELLS, 1))
        references = [Reference(self.view, picture, True)]
        self.reference = ReferenceTextureCache(references, ("colour",), loss, fold=False).get(0)
        self.rasteriser = Rasteriser(self.assembly, shading, LIGHTS)
        self.side, self.loss = side, loss
        self.layout = PyramidLayout(*colours.shape[:2])

    def pair(self, call: int, epsilon: float) -> TexelPair:
        """Jitters cover the pixel evenly, and are the same for estimates and central differences."""
        place = call % JITTERS
        jitter = ((place % 4 + 0.5) / 4.0 - 0.5, (place // 4 + 0.5) / 4.0 - 0.5)
        perturbation = TexelPerturbation(call, epsilon, (0,))
        return self.rasteriser.texel_pair(
            self.view, jitter, perturbation, self.reference, self.loss, Stopwatch()
        )

    def estimate(self) -> NDArray[np.float64]:
        """The mean gradient of a tile, flat; of the loss summed over a cell."""
        total = np.zeros((TILE, TILE, 3))
        for call in range(CALLS):
            pair = self.pair(call, EPS)
            gradient = texel_sign_gradient(
                pair.loss_plus - pair.loss_minus,
                [pair.seen],
                self.assembly.texture_of_triangle,
                0,
                self.layout,
                TexelPerturbation(call, EPS, (0,)).signs(0, self.layout),
                EPS,
            )
            total += by_cell(gradient, TILE).mean(axis=(0, 1))
        return total.ravel() / CALLS

    def central_differences(self) -> NDArray[np.float64]:
        """The same: each copy moves one texel up and down, the others by random signs alike in both."""
        texels = TILE * TILE
        total, copies = np.zeros((texels, 3)), np.arange(COPIES)
        rounds = -(-texels // COPIES)
        count = np.zeros(texels)
        for call in range(JITTERS * rounds):
            offset = EPS * signs(1000 + call, COPIES * texels).reshape(COPIES, texels, 3)
            # Every texel meets every jitter. Which way a copy starts is random, so that what a
            # neighbour's texel does at the border of a cell cancels.
            texel = (copies + call // JITTERS * COPIES) % texels
            way = signs(5000 + call, COPIES)  # (copies, 3)
            losses = []
            for sign in (1.0, -1.0):
                offset[copies, texel] = sign * EPS * way
                moved = offset.reshape(CELLS, CELLS, TILE, TILE, 3).transpose(0, 2, 1, 3, 4)
                self.rasteriser.set_texture(
                    0, self.material.texture + moved.reshape(self.material.texture.shape)
                )
                loss = by_cell(self.pair(call, 0.0).loss_plus.astype(np.float64), self.side)
                losses.append(loss.sum(axis=(2, 3)).reshape(COPIES, 3))
            np.add.at(total, texel, way * (losses[0] - losses[1]) / (2.0 * EPS))
            np.add.at(count, texel, 1)
        return (total / count[:, None]).ravel()


def by_cell(image: NDArray, side: int) -> NDArray:
    """(CELLS side, CELLS side, C) to (CELLS, CELLS, side, side, C)."""
    return image.reshape(CELLS, side, CELLS, side, -1).transpose(0, 2, 1, 3, 4)


def ball(radius: float, subdivisions: int, centre: tuple[float, float, float], spread: float) -> Surface:
    """Its UVs are the positions around ``centre`` seen from the front; ``spread`` in tiles a unit."""
    points, faces = icosphere(subdivisions, radius)
    uvs = (points[:, :2] * np.float32(spread) + np.float32(0.5))[faces]
    return Surface("ball", points + np.float32(centre), faces, faces, uvs)


def silhouette() -> list[Surface]:
    return [ball(0.36, 1, (0.0, 0.0, 0.0), 1.1)]


def one_before_another() -> list[Surface]:
    """Both read the same texels, so that some are seen twice and some are hidden once."""
    return [ball(0.33, 1, (-0.03, 0.0, 0.0), 1.2), ball(0.2, 1, (0.14, 0.1, 0.7), 2.2)]


SCENES = {
    "silhouette": (silhouette(), 16, {0}),
    "occlusion": (one_before_another(), 16, {0, 1}),
    "minified": (one_before_another(), 8, {1, 2}),
}


@pytest.mark.parametrize("scene", SCENES)
def test_the_scenes_are_what_they_are_for(scene: str) -> None:
    surfaces, side, levels = SCENES[scene]
    seen = Tiles(surfaces, side, "unlit", "l2").pair(0, 0.0).seen
    covered = seen.ids > 0
    level = np.maximum(np.floor(seen.level[covered] + LEVEL_ROUNDING), 0.0)
    assert set(level.astype(int)) == levels
    assert 0.2 < covered.mean() < 0.6
    if len(surfaces) > 1:
        faces = [len(each.triangles) for each in surfaces]
        before = (seen.ids[covered].astype(int) - 1) % sum(faces) >= faces[0]
        assert 0.2 < before.mean() < 0.5


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize(("shading", "loss"), [("unlit", "l1"), ("sun", "l2")])
def test_the_mean_is_the_central_difference(scene: str, shading: str, loss: str) -> None:
    """Of the loss, by one texel at a time, averaged over the other texels' signs and the jitter."""
    surfaces, side, _ = SCENES[scene]
    tiles = Tiles(surfaces, side, shading, loss)
    found = tiles.estimate()
    assert_agrees(found, tiles.central_differences())


def card(name: str, material: Material, left: float, right: float, uv_right: float = 1.0) -> Surface:
    """An upright rectangle facing the camera, 1 high, with the whole height of its texture on it."""
    points = np.float32([[left, -0.5, 0], [right, -0.5, 0], [right, 0.5, 0], [left, 0.5, 0]])
    faces = np.int32([[0, 1, 2], [0, 2, 3]])
    uvs = np.float32([[0, 0], [uv_right, 0], [uv_right, 1], [0, 1]])[faces]
    return Surface(name, points, faces, faces, uvs, materials=(material,))


def source_of(
    surfaces: list[Surface],
    references: list[Reference],
    fitted: set[str],
    shading: str = "unlit",
    loss: str = "l1",
) -> tuple[TexelSource, dict[str, Texture]]:
    """A source, and the textures by material; those in ``fitted`` are blocks."""
    assembly = assemble(surfaces)
    textures = [
        None
        if material.texture is None
        else (TexelAdam if material.key in fitted else Texture)(material.key, material.texture)
        for material in assembly.materials
    ]
    rasteriser = Rasteriser(assembly, shading, LIGHTS)
    shown = FittedSurfaces(rasteriser, [], textures, Stopwatch())
    source = TexelSource(shown, assembly, references, textures, loss, Stopwatch())
    return source, {texture.name: texture for texture in textures if texture is not None}


def photo(view: View, colour: NDArray[np.float32], has_alpha: bool = False) -> Reference:
    """A reference of one colour."""
    pixels = np.ones((view.height, view.width, 4), np.float32)
    pixels[..., :3] = colour
    return Reference(view, pixels, has_alpha)


@pytest.mark.parametrize("has_alpha", [False, True])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shading", ["unlit", "sun"])
def test_one_texel_over_the_whole_view_is_solved_by_hand(shading: str, seed: int, has_alpha: bool) -> None:
    """With one parameter a channel there is no noise: every seed gives the central difference itself."""
    base, target = np.float32([0.5, 0.25, 0.75]), np.float32([0.25, 1.0, 0.125])
    shade = LIGHTS.shade(np.float32([0, 0, 1])) if shading == "sun" else np.ones(3, np.float32)
    view = orthographic_view(24, 16, 1.0 / 16.0)
    flat = card("card", Material("one", texture=base.reshape(1, 1, 3)), -0.75, 0.75)
    flat = replace(flat, positions=1.25 * flat.positions)  # jitter bares no edge
    difference = shade * base - target
    assert (np.abs(difference) > EPSILON[0] * shade).all()
    plus, minus = (
        np.abs(log_encoded(shade * (base + side * EPSILON[0])) - log_encoded(target)) for side in (1, -1)
    )
    for loss, slope, value in (
        ("l1", np.sign(difference) * shade, np.abs(difference)),
        ("l2", 2.0 * difference * shade, difference**2 + (EPSILON[0] * shade) ** 2),
        ("log_l1", (plus - minus) / (2.0 * EPSILON[0]), 0.5 * (plus + minus)),
    ):
        source, _ = source_of([flat], [photo(view, target, has_alpha)], {"one"}, shading, loss)
        estimate = source.estimate(0, seed, 0.0)
        np.testing.assert_allclose(estimate.gradients["one"], slope.reshape(1, 1, 3) / 3.0, rtol=1e-4)
        assert estimate.loss == pytest.approx(value.mean(), rel=1e-4)


def test_only_fitted_textures_and_texels_that_are_seen_have_gradients() -> None:
    view = orthographic_view(48, 16, 1.0 / 16.0)
    fitted, other, fixed = (Material(key, texture=waves(8, 8)) for key in ("fitted", "other", "fixed"))
    surfaces = [
        card("a", fitted, -1.5, -0.5, uv_right=0.5),
        card("b", other, -0.5, 0.0),
        card("c", fixed, 0.0, 0.5),
        card("d", Material("constant", (0.1, 0.9, 0.3)), 0.5, 1.5),
    ]
    source, _ = source_of(surfaces, [photo(view, np.float32([0.5, 0.5, 0.5]))], {"fitted", "other"})
    gradients = source.estimate(0, 1, 0.5).gradients
    assert set(gradients) == {"fitted", "other"}
    assert (gradients["other"] != 0.0).any(axis=(0, 2)).all()
    # The left half is shown; bilinear reads reach one texel further, to the left around the edge.
    assert (gradients["fitted"][:, :4] != 0.0).any(axis=(0, 2)).all()
    assert not gradients["fitted"][:, 5:7].any()


def test_a_fit_explains_its_picture_and_is_the_same_bit_for_bit() -> None:
    view = orthographic_view(32, 32, 1.0 / 32.0)
    shown = card("card", Material("waves", texture=waves(16, 16)), -0.5, 0.5)
    picture = Rasteriser(assemble([shown]), "unlit", LIGHTS).render(view, 4).colour
    grey = card("card", Material("waves", texture=np.full((16, 16, 3), 0.5, np.float32)), -0.5, 0.5)

    def run(seed: int) -> NDArray[np.float32]:
        source, textures = source_of([grey], [Reference(view, picture, True)], {"waves"})
        list(fit([source], list(textures.values()), LoopSettings(150, 1, seed), Stopwatch()))
        return textures["waves"].value

    one = run(0)
    error = np.abs(one - waves(16, 16)).mean()
    assert error < 0.02
    assert np.abs(0.5 - waves(16, 16)).mean() > 0.25
    assert (run(0).view(np.uint32) == one.view(np.uint32)).all()
    assert (run(1) != one).any()


@pytest.mark.parametrize("shape", [False, True])
def test_the_setting_reaches_the_fit(shape: bool) -> None:
    """With and without the shape."""
    source = add_sphere("Source", (0.8, 0.8, 0.8), colour=waves(16, 16))
    start = add_sphere("Start", (0.8, 0.8, 0.8 if not shape else 0.75))
    settings = FitSettings(
        shape=shape, steps=120, resolution=48, texture_size=16, texture_estimator="texel", margin=0
    )
    references = make_references([source], orbit_around([source], 5, 48), settings, bpy.context.scene)
    job = FitJob(bpy.context.scene, [start], references, settings, live=False)
    for _ in job.run():
        pass
    figures = job.report["psnr"]["object"]
    assert figures["after"] > figures["before"] + 6.0
