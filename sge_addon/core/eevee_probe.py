# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What EEVEE makes of an image world, where it is not what physics makes of it.

Diffuse light comes from harmonics up to degree 1 alone, damped until they are nowhere negative; reflections
come from five blurs of the image, Gaussian in the half vector, and on rough surfaces from the harmonics;
what is brighter than the world's Sun Threshold is a sun. Pictures agree with Blender's to about 40 dB.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .equirectangular import pixel_directions, solid_angles
from .scene_lights import Light, World

Array = NDArray[np.float32]

BLURS = 4  # beside the image itself
ROUGHEST_BLUR = 0.7
HARMONICS_FROM, HARMONICS_ALONE = 0.7, 0.9  # roughness
# Of the ratio of a roughness to the roughest blur's; the rest goes by its square root.
_LINEAR_SHARE = 0.6

_LEVEL, _SLOPE = np.sqrt(0.25 / np.pi), np.sqrt(0.75 / np.pi)  # of the harmonics of degree 0 and 1
_SPARE_SLOPE = 0.05


def blur_level(roughness: float) -> float:
    """Position among the blurs, from 0, the image, to BLURS."""
    ratio = min(max(roughness / ROUGHEST_BLUR, 0.0), 1.0)
    return BLURS * (_LINEAR_SHARE * ratio + (1.0 - _LINEAR_SHARE) * float(np.sqrt(ratio)))


def blur_widths() -> tuple[float, ...]:
    """(BLURS + 1,) width m of exp(2 (n . h - 1) / m^2), of the image 0.

    Each is made from the one before, by the roughness whose cube is the difference of the cubes; variances,
    the squares of m = roughness^2, add up.
    """
    shares = np.arange(BLURS + 1) / BLURS
    rest = 1.0 - _LINEAR_SHARE
    roots = (np.sqrt(rest**2 + 4.0 * _LINEAR_SHARE * shares) - rest) / (2.0 * _LINEAR_SHARE)
    cubes = (roots**2 * ROUGHEST_BLUR) ** 3
    steps = np.diff(cubes, prepend=0.0) ** (1.0 / 3.0)
    return tuple(float(width) for width in np.sqrt(np.cumsum(steps**4)))


def blurs_of(roughness: float) -> tuple[tuple[float, float], ...]:
    """(width, share) of the two blurs that a roughness mixes."""
    level = blur_level(roughness)
    low = min(int(level), BLURS - 1)
    widths = blur_widths()
    return (widths[low], 1.0 - (level - low)), (widths[low + 1], level - low)


def blur_cosines(width: float, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rings of equal probability of the half vector's cosine: cosines to the axis, and weights of sum 1."""
    share = (np.arange(count) + 0.5) / count
    half = 1.0 + 0.5 * width**2 * np.log(1.0 - share)
    weight = np.maximum(half, 0.0)
    return 2.0 * half * half - 1.0, weight / weight.sum()


def harmonics_share(roughness: float) -> float:
    """How much of a reflection comes from the harmonics."""
    share = (roughness - HARMONICS_FROM) / (HARMONICS_ALONE - HARMONICS_FROM)
    return min(max(share, 0.0), 1.0) ** 2


def damped(harmonics: Array, world: World) -> Array:
    """(9, 3) harmonics of an image without degree 2, degree 1 damped.

    Until what it lights is nowhere negative and a bit more; before Blender 5.2, until the light itself is not
    negative along any axis of the world. By the channel that needs it most.
    """
    result = np.array(harmonics, np.float64)
    result[4:] = 0.0
    constant, first = _LEVEL * np.abs(result[0] * world.gain), result[[3, 1, 2]] * world.gain
    if world.damps_by_axes:
        along = np.einsum("ji,jc->ic", np.asarray(world.rotation, np.float64), first)
        largest = _SLOPE * np.abs(along).max(0)
    else:
        largest = (_SLOPE * 2.0 / 3.0 + _SPARE_SLOPE) * np.linalg.norm(first, axis=0)
    result[1:4] *= min(float((constant / np.maximum(largest, 1e-8)).min()), 1.0)
    return np.asarray(result, np.float32)


def dimmed(image: Array, limit: float) -> Array:
    """(H, W, 3) with the largest channel of each pixel at ``limit`` at most."""
    brightest = image.max(axis=-1, keepdims=True)
    if not brightest.max(initial=0.0) > limit:
        return image
    return np.asarray(image * np.minimum(1.0, limit / np.maximum(brightest, 1e-8)), np.float32)


def without_sun(world: World, threshold: float, angle: float, name: str) -> tuple[World, Light | None]:
    """An image world without what is brighter than ``threshold``, and that as a sun of a full angle."""
    if world.image is None or threshold <= 0.0 or not world.gain.any():
        return world, None
    rest = dimmed(world.image, threshold / float(world.gain.max()))
    if rest is world.image:
        return world, None
    height, width = rest.shape[:2]
    excess = (world.image - rest).astype(np.float64) * solid_angles(height, width)[:, None, None]
    power = excess.sum((0, 1)) * world.gain
    towards = np.einsum("hwc,hw->c", pixel_directions(height, width), np.linalg.norm(excess, axis=-1))
    z = world.rotation.T.astype(np.float64) @ towards
    z /= max(float(np.linalg.norm(z)), 1e-30)
    x = np.cross((0.0, 0.0, 1.0) if abs(z[2]) < 0.9 else (1.0, 0.0, 0.0), z)
    x /= np.linalg.norm(x)
    axes = np.stack([x, np.cross(z, x), z]).astype(np.float32)
    sun = Light("sun", name, np.zeros(3, np.float32), axes, power.astype(np.float32), radius=angle / 2.0)
    return replace(world, image=rest), sun
