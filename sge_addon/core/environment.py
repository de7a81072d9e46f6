# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a surface receives from the world: the slow, exact companion of the shaders (``environment.glsl``).

Constant worlds and harmonics have closed forms; an image is integrated over a lobe in rings of equal
probability, each of which reads the image at the level whose pixels are as large as the ring's cells.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .eevee_probe import blur_cosines, blurs_of, damped, dimmed, harmonics_share
from .equirectangular import lookup, pixel_directions, pyramid, resampled
from .scene_lights import World
from .specular_lobe import lobe_cosines
from .spherical_harmonics import COSINE_BANDS, evaluate, project, specular_bands

Array = NDArray[np.float32]

MAX_ROWS = 1024  # of an image that is prefiltered: a texel of 0.003 radians
RINGS, SPOKES = 48, 48  # of the integral over the lobe


def radiance(world: World, directions: Array) -> Array:
    """(..., 3) linear radiance that comes from unit directions (..., 3) of the world."""
    turned = _turned(world, directions)
    if world.image is not None:
        return np.asarray(lookup(world.image, turned) * world.gain, np.float32)
    return _of_harmonics(world, turned, (1.0, 1.0, 1.0))


def diffuse(world: World, normals: Array) -> Array:
    """(..., 3) irradiance / pi of surfaces with unit normals (..., 3): what a white one radiates."""
    if world.image is not None and not world.as_eevee:
        return specular(world, normals, 1.0)  # whose lobe is Lambert's
    light = _of_harmonics(world, _turned(world, normals), COSINE_BANDS)
    return np.maximum(light, 0.0) if world.as_eevee else light


def specular(world: World, reflected: Array, roughness: float) -> Array:
    """(..., 3) mean radiance over the lobe of a roughness in [0, 1] about unit directions (..., 3)."""
    turned = _turned(world, reflected)
    if world.image is None:
        return _of_harmonics(world, turned, specular_bands(roughness))
    if not world.as_eevee:
        return _over_lobe(world, turned, *lobe_cosines(roughness, RINGS)).astype(np.float32)
    lobes = [
        share * _over_lobe(world, turned, *blur_cosines(width, RINGS)) for width, share in blurs_of(roughness)
    ]
    rough = harmonics_share(roughness)
    return np.asarray((1.0 - rough) * sum(lobes) + rough * diffuse(world, reflected), np.float32)


def reflected_image(world: World) -> Array:
    """(H, W, 3) radiance as mirrors show it."""
    assert world.image is not None
    return dimmed(world.image, world.brightest) if world.as_eevee else world.image


def _over_lobe(
    world: World, turned: Array, cosines: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(..., 3) mean over rings about directions of the image."""
    if cosines.min() > 1.0 - 1e-9:
        return np.asarray(lookup(reflected_image(world), turned) * world.gain, np.float64)
    levels = image_pyramid(reflected_image(world))
    edges = np.concatenate([[1.0], 0.5 * (cosines[1:] + cosines[:-1]), [max(cosines[-1], -1.0)]])
    tangent, bitangent = _frames(turned)
    total = np.zeros(turned.shape, np.float64)
    for ring, (cosine, weight) in enumerate(zip(cosines, weights, strict=True)):
        if weight == 0.0:
            continue
        cell = 2.0 * np.pi / SPOKES * abs(edges[ring] - edges[ring + 1])
        rows = np.pi / np.sqrt(cell)  # of an image whose pixels at the equator are as large
        level = levels[int(np.clip(np.ceil(np.log2(len(levels[0]) / rows)), 0, len(levels) - 1))]
        sine = np.sqrt(max(0.0, 1.0 - cosine * cosine))
        for spoke in range(SPOKES):
            angle = (spoke + 0.5 * (ring % 2)) * (2.0 * np.pi / SPOKES)
            at = cosine * turned + sine * (np.cos(angle) * tangent + np.sin(angle) * bitangent)
            total += lookup(level, at) * (weight / SPOKES)
    return np.asarray(total * world.gain, np.float64)


def image_pyramid(image: Array) -> list[Array]:
    """An equirectangular image at a power of two of rows, twice as many columns, and its halves."""
    rows = 1 << int(np.clip(np.round(np.log2(image.shape[0])), 4, np.log2(MAX_ROWS)))
    fits = image.shape[0] >= rows and image.shape[1] >= 2 * rows
    return pyramid(resampled(image, rows, 2 * rows) if fits else _enlarged(image, rows))


def world_harmonics(world: World) -> Array:
    """(9, 3) harmonics of the world before its gain and rotation, by which surfaces are lit."""
    if world.harmonics is not None:
        return np.asarray(world.harmonics, np.float32)
    if world.image is not None:
        harmonics = project(world.image)
        return damped(harmonics, world) if world.as_eevee else harmonics
    constant = np.zeros((9, 3), np.float32)
    constant[0] = np.sqrt(4.0 * np.pi)
    return constant


def _of_harmonics(world: World, directions: Array, bands: tuple[float, float, float]) -> Array:
    return np.asarray(evaluate(world_harmonics(world), directions, bands) * world.gain, np.float32)


def _turned(world: World, directions: Array) -> Array:
    return np.asarray(np.einsum("ij,...j->...i", world.rotation, np.asarray(directions)), np.float32)


def _frames(directions: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two unit vectors (..., 3) across each direction."""
    helper = np.where(np.abs(directions[..., 2:]) < 0.9, (0.0, 0.0, 1.0), (1.0, 0.0, 0.0))
    tangent = np.cross(helper, directions)
    tangent /= np.linalg.norm(tangent, axis=-1, keepdims=True)
    return tangent, np.cross(directions, tangent)


def _enlarged(image: Array, rows: int) -> Array:
    """(rows, 2 rows, 3) by bilinear lookup."""
    return lookup(image, pixel_directions(rows, 2 * rows))
