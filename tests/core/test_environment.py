# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Light from everywhere: harmonics, images, and what EEVEE makes of them, against sums over the sphere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sge_addon.core.eevee_probe import (
    blur_level,
    blur_widths,
    blurs_of,
    damped,
    dimmed,
    harmonics_share,
    without_sun,
)
from sge_addon.core.environment import diffuse, image_pyramid, radiance, specular
from sge_addon.core.equirectangular import direction_uv, lookup, pixel_directions, resampled, solid_angles
from sge_addon.core.scene_lights import World
from sge_addon.core.specular_lobe import lobe_density
from sge_addon.core.spherical_harmonics import basis, evaluate, project, specular_bands
from tests.skies import SUN, rotation, sky

ONE = np.ones(3, np.float32)
ROWS = 128
SPHERE = pixel_directions(ROWS, 2 * ROWS).reshape(-1, 3)
SOLID_ANGLE = np.repeat(solid_angles(ROWS, 2 * ROWS), 2 * ROWS)
BAND_LIMITED = np.random.default_rng(3).normal(size=(9, 3)).astype(np.float32)


@pytest.fixture
def directions() -> np.ndarray:
    vectors = np.random.default_rng(4).normal(size=(24, 3))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def summed(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Mean of an image (ROWS, 2 ROWS, 3) under kernels (P, pixels) that need not be normalised."""
    weights = kernel * SOLID_ANGLE
    return weights @ image.reshape(-1, 3) / weights.sum(1, keepdims=True)


# --- Where Blender looks


@pytest.mark.parametrize(
    ("direction", "uv"),
    [
        ((1, 0, 0), (0.5, 0.5)),
        ((0, 1, 0), (0.25, 0.5)),
        ((0, -1, 0), (0.75, 0.5)),
        ((0, 0, 1), (0.5, 1.0)),
        ((0, 0, -1), (0.5, 0.0)),
        ((np.sqrt(0.5), 0, np.sqrt(0.5)), (0.5, 0.75)),
    ],
)
def test_positions_by_hand(direction: tuple, uv: tuple) -> None:
    np.testing.assert_allclose(direction_uv(np.array(direction)), uv, atol=1e-12)


def test_pixels_are_found_at_their_centres_and_the_seam_is_closed() -> None:
    image = np.random.default_rng(0).random((8, 16, 3)).astype(np.float32)
    np.testing.assert_allclose(lookup(image, pixel_directions(8, 16)), image, atol=1e-5)
    seam = np.array([[-1.0, 1e-9, 0.0], [-1.0, -1e-9, 0.0]])
    np.testing.assert_allclose(*lookup(image, seam), atol=1e-6)
    assert solid_angles(8, 16).sum() * 16 == pytest.approx(4.0 * np.pi)


@pytest.mark.parametrize("size", [(64, 128), (50, 90), (37, 128)])
def test_coarser_images_keep_the_light(size: tuple[int, int]) -> None:
    image = sky(contrast=300.0, rows=ROWS)
    total = (image * solid_angles(ROWS, 2 * ROWS)[:, None, None]).sum((0, 1))
    coarse = resampled(image, *size)
    np.testing.assert_allclose((coarse * solid_angles(*size)[:, None, None]).sum((0, 1)), total, rtol=2e-3)


def test_a_pyramid_of_any_image_has_powers_of_two_of_rows() -> None:
    assert [len(level) for level in image_pyramid(sky(rows=50))] == [64, 32, 16, 8, 4]
    assert len(image_pyramid(sky(rows=8))[0]) == 16


# --- Harmonics


def test_the_basis_is_orthonormal() -> None:
    values = basis(SPHERE)
    gram = np.einsum("pi,pj,p->ij", values, values, SOLID_ANGLE)
    np.testing.assert_allclose(gram, np.eye(9), atol=2e-4)


def test_a_band_limited_image_comes_back() -> None:
    image = evaluate(BAND_LIMITED, SPHERE, (1, 1, 1)).reshape(ROWS, 2 * ROWS, 3)
    np.testing.assert_allclose(project(image), BAND_LIMITED, atol=3e-4)


def test_a_constant_world_lights_all_sides_alike(directions: np.ndarray) -> None:
    gain = np.float32([0.2, 0.5, 1.5])
    for world in (World(gain=gain), World(gain=gain, image=np.ones((64, 128, 3), np.float32))):
        for eevee in (False, True):
            lit = replace(world, as_eevee=eevee)
            for found in (
                radiance(lit, directions),
                diffuse(lit, directions),
                specular(lit, directions, 0.4),
                specular(lit, directions, 0.85),
            ):
                np.testing.assert_allclose(found, np.broadcast_to(gain, (24, 3)), rtol=2e-3)


def test_irradiance_is_the_cosine_weighted_sum(directions: np.ndarray) -> None:
    """Of harmonics, and of a sky with a soft sun."""
    kernel = np.maximum(directions @ SPHERE.T, 0.0)
    image = evaluate(BAND_LIMITED, SPHERE, (1, 1, 1)).reshape(ROWS, 2 * ROWS, 3)
    exact = summed(image, kernel)
    np.testing.assert_allclose(diffuse(World(ONE, harmonics=BAND_LIMITED), directions), exact, atol=2e-3)
    bright = sky(rows=ROWS)
    exact = summed(bright, kernel)
    assert np.abs(diffuse(World(ONE, image=bright), directions) - exact).max() < 0.01 * exact.max()


@pytest.mark.parametrize("roughness", [0.3, 0.5, 0.7, 1.0])
def test_the_specular_lobe_is_the_weighted_sum(directions: np.ndarray, roughness: float) -> None:
    bright = sky(rows=ROWS)
    expected = summed(bright, lobe_density(directions.astype(np.float64) @ SPHERE.T, roughness))
    found = specular(World(ONE, image=bright), directions, roughness)
    assert np.abs(found - expected).max() < 0.01 * expected.max()


@pytest.mark.parametrize("roughness", [0.1, 0.35, 0.6, 0.8, 1.0])
def test_harmonics_and_their_image_agree(directions: np.ndarray, roughness: float) -> None:
    image = evaluate(BAND_LIMITED, SPHERE, (1, 1, 1)).reshape(ROWS, 2 * ROWS, 3)
    by_image = specular(World(ONE, image=image), directions, roughness)
    by_bands = specular(World(ONE, harmonics=BAND_LIMITED), directions, roughness)
    np.testing.assert_allclose(by_image, by_bands, atol=0.01)


def test_the_widest_lobe_is_lamberts_and_the_narrowest_a_mirror(directions: np.ndarray) -> None:
    np.testing.assert_allclose(specular_bands(1.0), (1.0, 2.0 / 3.0, 1.0 / 4.0), atol=1e-3)
    np.testing.assert_allclose(specular_bands(0.0), (1.0, 1.0, 1.0), atol=1e-3)
    world = World(ONE, image=sky(rows=ROWS))
    np.testing.assert_allclose(specular(world, directions, 0.0), radiance(world, directions), rtol=1e-6)


@pytest.mark.parametrize("as_eevee", [False, True])
def test_reflections_keep_the_mean(as_eevee: bool) -> None:
    """A lobe only moves light about: its mean over all directions is the image's."""
    world = World(ONE, image=sky(rows=32), as_eevee=as_eevee)
    around, share = pixel_directions(12, 24).reshape(-1, 3), np.repeat(solid_angles(12, 24), 24)
    expected = (world.image * solid_angles(32, 64)[:, None, None]).sum((0, 1))
    found = (specular(world, around.astype(np.float32), 0.6) * share[:, None]).sum(0)
    np.testing.assert_allclose(found, expected, rtol=0.01)


def test_a_turned_world_is_seen_turned(directions: np.ndarray) -> None:
    turn = rotation(0.4, -0.3, 1.1)
    for plain in (World(ONE, image=sky(rows=32)), World(ONE, harmonics=BAND_LIMITED)):
        turned = replace(plain, rotation=turn)
        before = directions @ turn.T
        for light in (radiance, diffuse, lambda world, d: specular(world, d, 0.5)):
            np.testing.assert_allclose(light(turned, directions), light(plain, before), rtol=1e-3, atol=1e-4)


# --- As EEVEE


def test_blurs_follow_roughness() -> None:
    assert [blur_level(0.0), blur_level(0.7), blur_level(1.0)] == pytest.approx([0.0, 4.0, 4.0])
    widths = blur_widths()
    assert widths[0] == 0.0
    assert (np.diff(widths) > 0.0).all()
    # Where the image is hardly blurred, the width is roughness squared: nothing was blurred before.
    first = next(r for r in np.linspace(0.1, 0.12, 2001) if blur_level(r) >= 1.0)
    assert widths[1] == pytest.approx(first**2, rel=1e-3)
    (low, share), (high, rest) = blurs_of(0.4)
    assert share + rest == pytest.approx(1.0)
    assert low < 0.4**2 < high
    assert [harmonics_share(r) for r in (0.7, 0.8, 0.9, 1.0)] == pytest.approx([0.0, 0.25, 1.0, 1.0])


def test_damped_harmonics_light_nothing_less_than_black() -> None:
    harmonics = project(sky(contrast=500.0, rows=ROWS, width=0.1))
    before = World(ONE, damps_by_axes=True)
    found = damped(harmonics, before)
    assert (found[4:] == 0.0).all()
    np.testing.assert_array_equal(found[0], harmonics[0])
    axes = np.concatenate([np.eye(3), -np.eye(3)])
    assert -1e-5 < evaluate(found, axes, (1, 1, 1)).min() < 0.01
    now = damped(harmonics, World(ONE))
    assert np.linalg.norm(now[1:4]) < np.linalg.norm(harmonics[1:4])
    lit = evaluate(now, SPHERE, (1, 2 / 3, 0))
    assert 0.0 < lit.min() < 0.15 * lit.mean()
    dim = np.zeros((9, 3), np.float32)
    dim[0], dim[2] = 1.0, 0.1
    for world in (before, World(ONE)):
        np.testing.assert_array_equal(damped(dim, world), dim)


def test_the_sun_drawn_out_of_an_image_and_the_rest_are_the_image() -> None:
    turn = rotation(0.0, 0.0, 0.7)
    world = World(2.0 * ONE, image=sky(contrast=400.0, rows=ROWS, width=0.05), rotation=turn)
    rest, sun = without_sun(world, 10.0, 0.01, "Sky")
    assert sun is not None
    assert rest.image.max() == pytest.approx(5.0)
    assert (sun.kind, sun.name, sun.radius) == ("sun", "Sky", 0.005)
    np.testing.assert_allclose(sun.axes[2], turn.T @ (SUN / np.linalg.norm(SUN)), atol=2e-3)
    np.testing.assert_allclose(sun.axes @ sun.axes.T, np.eye(3), atol=1e-6)
    area = solid_angles(ROWS, 2 * ROWS)[:, None, None]
    missing = ((world.image - rest.image) * area).sum((0, 1)) * 2.0
    np.testing.assert_allclose(sun.power, missing, rtol=1e-4)
    for threshold in (0.0, 1e6):
        assert without_sun(world, threshold, 0.01, "Sky") == (world, None)


def test_dimmed_pixels_keep_their_hue() -> None:
    image = np.float32([[[8.0, 4.0, 2.0], [1.0, 2.0, 3.0]]])
    np.testing.assert_allclose(dimmed(image, 4.0), [[[4.0, 2.0, 1.0], [1.0, 2.0, 3.0]]])
    assert dimmed(image, 8.0) is image
