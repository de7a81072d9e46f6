# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Light from everywhere as nine spherical harmonics, and what a surface makes of it.

The basis is real, orthonormal, z up, without the Condon-Shortley sign, in the order (0, 0) (1, -1) (1, 0)
(1, 1) (2, -2) ... (2, 2): 1, y, z, x, xy, yz, 3 z^2 - 1, xz, x^2 - y^2, each with its factor. A lobe that is
round about its axis scales the bands and no more (Ramamoorthi, Hanrahan: An Efficient Representation for
Irradiance Environment Maps, 2001), so that every lobe is three factors, and a rotation is one of directions.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .specular_lobe import lobe_cosines

Array = NDArray[np.float32]

# Of the polynomials above, so that the square of each has the integral 1 over the sphere.
_FACTORS = np.sqrt(np.array([1, 3, 3, 3, 15, 15, 5 / 4, 15, 15 / 4]) / (4.0 * np.pi))  # (9,)
_BAND = np.array([0, 1, 1, 1, 2, 2, 2, 2, 2])
# Irradiance / pi: a cosine lobe of integral 1.
COSINE_BANDS = (1.0, 2.0 / 3.0, 1.0 / 4.0)


def basis(directions: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """(..., 9) values of the basis at unit directions (..., 3)."""
    x, y, z = np.moveaxis(np.asarray(directions, np.float64), -1, 0)
    one = np.ones_like(x)
    return np.stack([one, y, z, x, x * y, y * z, 3.0 * z * z - 1.0, x * z, x * x - y * y], -1) * _FACTORS


def evaluate(
    harmonics: NDArray[np.floating[Any]],
    directions: NDArray[np.floating[Any]],
    bands: tuple[float, float, float],
) -> Array:
    """(..., 3): what a lobe with the given factors of bands makes of (9, 3) about directions (..., 3)."""
    scaled = np.asarray(harmonics, np.float64) * np.asarray(bands)[_BAND, None]
    return np.asarray(np.einsum("...k,kc->...c", basis(directions), scaled), np.float32)


def project(image: Array) -> Array:
    """(9, 3) harmonics of an equirectangular image (H, W, 3), row 0 at the bottom.

    Columns first, by sines and cosines of the azimuth, then rows: exact but for pixels being constant, and a
    pixel costs five products a channel.
    """
    height, width = image.shape[:2]
    azimuth = (0.5 - (np.arange(width) + 0.5) / width) * (2.0 * np.pi)
    waves = np.stack(
        [np.ones(width), np.sin(azimuth), np.cos(azimuth), np.sin(2 * azimuth), np.cos(2 * azimuth)], -1
    ).astype(np.float32)
    rows = np.einsum("hwc,wk->hkc", image, waves).astype(np.float64)  # (H, 5, 3)
    edges = np.sin((np.arange(height + 1) / height - 0.5) * np.pi)
    solid_angle = np.diff(edges) * (2.0 * np.pi / width)  # of a pixel, (H,)
    elevation = ((np.arange(height) + 0.5) / height - 0.5) * np.pi
    z, across = np.sin(elevation), np.cos(elevation)
    one = np.ones(height)
    profiles = (  # of each basis function: its dependence on the row, its wave over columns
        (one, 0),
        (across, 1),
        (z, 0),
        (across, 2),
        (across * across / 2.0, 3),  # xy = across^2 sin(2 azimuth) / 2
        (across * z, 1),
        (3.0 * z * z - 1.0, 0),
        (across * z, 2),
        (across * across, 4),
    )
    sums = [np.einsum("h,hc->c", profile * solid_angle, rows[:, wave]) for profile, wave in profiles]
    return np.asarray(np.stack(sums) * _FACTORS[:, None], np.float32)


def shader_rows(harmonics: NDArray[np.floating[Any]]) -> Array:
    """(9, 3): with each basis function's factor, so that the shader multiplies by 1, y, z, x, xy, yz,
    3 z^2 - 1, xz, x^2 - y^2."""
    return np.asarray(np.asarray(harmonics, np.float64) * _FACTORS[:, None], np.float32)


@cache
def specular_polynomials(degree: int = 6) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Of bands 1 and 2: coefficients, constant first, of polynomials in the roughness that are the factors of
    the specular lobe; within 0.001 of the integrals that they are fitted to."""
    roughness = np.linspace(0.0, 1.0, 65)
    means = np.array([_legendre_means(each) for each in roughness])
    fitted = np.linalg.lstsq(np.vander(roughness, degree + 1, increasing=True), means, rcond=None)[0]
    first, second = (tuple(float(c) for c in column) for column in fitted.T)
    return first, second


def specular_bands(roughness: float) -> tuple[float, float, float]:
    """Factors of the three bands for the normalised specular lobe of a roughness in [0, 1]."""
    powers = roughness ** np.arange(len(specular_polynomials()[0]))
    first, second = (float((powers * each).sum()) for each in specular_polynomials())
    return 1.0, first, second


def _legendre_means(roughness: float) -> tuple[float, float]:
    """Of the first two Legendre polynomials over the lobe: what it leaves of bands 1 and 2 (Funk, Hecke)."""
    cosine, weight = lobe_cosines(roughness, 4096)
    return float((weight * cosine).sum()), float((weight * (1.5 * cosine * cosine - 0.5)).sum())
