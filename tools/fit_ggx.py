# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the coefficients of sge_addon/core/ggx_polynomials.py: prints them. Needs SciPy; 20 seconds.

.venv/bin/python tools/fit_ggx.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sge_addon.core.ggx_polynomials import (
    COSINE_DEGREE,
    MIN_ROUGHNESS,
    ROUGHNESS_DEGREE,
    monomials,
)

ETA = 1.5  # of what refracts
SIDE = 60  # visible facets along a side of the grid that integrals are sums over
WIDE = 600  # directions over the whole hemisphere that fits look at, besides those of the lobe


def visible_facets(alpha: float, eye: np.ndarray) -> np.ndarray:
    """(SIDE^2, 3) normals of equal probability of being seen (Heitz 2018, Sampling the GGX Distribution)."""
    grid = (np.arange(SIDE) + 0.5) / SIDE
    first, second = (each.ravel() for each in np.meshgrid(grid, grid, indexing="ij"))
    stretched = eye * (alpha, alpha, 1.0)
    stretched /= np.linalg.norm(stretched)
    z = (1.0 - first) * (1.0 + stretched[2]) - stretched[2]
    ring = np.sqrt(np.clip(1.0 - z * z, 0.0, 1.0))
    angle = 2.0 * np.pi * second
    half = np.stack([ring * np.cos(angle), ring * np.sin(angle), z], axis=-1) + stretched
    half = np.stack([alpha * half[:, 0], alpha * half[:, 1], np.maximum(half[:, 2], 0.0)], axis=-1)
    return half / np.linalg.norm(half, axis=-1, keepdims=True)


def unshadowed(alpha: float, cosine: np.ndarray) -> np.ndarray:
    """Smith's G1."""
    c2 = np.clip(cosine, 1e-6, 1.0) ** 2
    return np.where(cosine > 1e-6, 2.0 / (1.0 + np.sqrt(1.0 + alpha**2 * (1.0 - c2) / c2)), 0.0)


def fitted_row(roughness: float, cosine: float, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns of GgxLobe as they are fitted (facing as its fourth root), and where the next fit may start."""
    alpha = roughness**2
    eye = np.array([np.sqrt(1.0 - cosine**2), 0.0, cosine])
    half = visible_facets(alpha, eye)
    facet = half @ eye
    light = 2.0 * facet[:, None] * half - eye
    weight = unshadowed(alpha, light[:, 2])
    albedo, facing = weight.mean(), (weight * (1.0 - facet) ** 5).mean()
    mean = (weight[:, None] * light).mean(axis=0)
    tangent = -mean[0] / mean[2]
    lean = tangent / max(eye[0] + tangent * (1.0 - cosine), 1e-9) if eye[0] > 1e-6 else np.nan
    axis = np.array([-np.sin(np.arctan(tangent)), 0.0, np.cos(np.arctan(tangent))])
    directions = np.concatenate([light[weight > 0][::3], spread_directions()])
    density = reflected_density(alpha, eye, directions) / albedo

    def error(logs: np.ndarray) -> float:
        width, height = np.exp(logs[0]), np.exp(logs[1])
        fit = cosine_density(width, height, logs[2], axis, directions)
        return float(np.mean(np.abs(density - fit) ** 3 / (density + fit + 0.05)))

    steps = np.array([[0.0, 0.0, 0.0], [0.1, 0.0, 0.0], [0.0, 0.1, 0.0], [0.0, 0.0, 0.05 * roughness]])
    if cosine == 1.0:  # round
        best = minimize(lambda x: error(np.array([x[0], x[0], 0.0])), start[:1], method="Nelder-Mead").x
        logs = np.array([best[0], best[0], 0.0])
    else:
        options = {"initial_simplex": start + steps, "xatol": 1e-4, "fatol": 1e-10, "maxiter": 400}
        logs = minimize(error, start, method="Nelder-Mead", options=options).x
    width, height = np.exp(logs[:2]) / alpha
    row = (width, height, logs[2], lean, albedo, facing**0.25, passed(alpha, eye, half, facet, weight))
    return np.asarray(row), logs


def spread_directions() -> np.ndarray:
    k = np.arange(WIDE) + 0.5
    z, angle = 1.0 - k / WIDE, np.pi * (1.0 + 5.0**0.5) * k
    ring = np.sqrt(1.0 - z * z)
    return np.stack([ring * np.cos(angle), ring * np.sin(angle), z], axis=-1)


def reflected_density(alpha: float, eye: np.ndarray, light: np.ndarray) -> np.ndarray:
    """GGX times cosine, of facets that reflect everything."""
    half = light + eye
    half /= np.linalg.norm(half, axis=-1, keepdims=True)
    facets = alpha**2 / (np.pi * (half[:, 2] ** 2 * (alpha**2 - 1.0) + 1.0) ** 2)
    seen = unshadowed(alpha, eye[2:]) * unshadowed(alpha, light[:, 2])
    return facets * seen / (4.0 * eye[2])


def cosine_density(
    width: float, height: float, shear: float, axis: np.ndarray, light: np.ndarray
) -> np.ndarray:
    """Of a cosine, linearly transformed: stretched by width and height, sheared, and turned to ``axis``."""
    across = np.array([axis[2], 0.0, -axis[0]])
    z = light @ axis
    x, y = (light @ across - shear * z) / width, light[:, 1] / height
    return np.maximum(z, 0.0) / (np.pi * (x * x + y * y + z * z) ** 2 * width * height)


def passed(alpha: float, eye: np.ndarray, half: np.ndarray, facet: np.ndarray, weight: np.ndarray) -> float:
    """Share of light that a dielectric reflects or lets through, once."""
    inner = np.sqrt(1.0 - (1.0 - facet**2) / ETA**2)
    across = (facet - ETA * inner) / (facet + ETA * inner)
    along = (ETA * facet - inner) / (ETA * facet + inner)
    fresnel = 0.5 * (across**2 + along**2)
    below = -eye / ETA + (facet / ETA - inner)[:, None] * half
    return float(np.mean(fresnel * weight + (1.0 - fresnel) * unshadowed(alpha, -below[:, 2])))


def main() -> None:
    """Fit lobes on a grid, from rough to smooth and from straight on to grazing, then polynomials to them."""
    roughnesses = np.concatenate([np.linspace(1.0, 0.12, 23), [0.08, 0.05, MIN_ROUGHNESS]])
    cosines = np.clip(1.0 - np.linspace(0.0, 1.0, 26) ** 2, 2e-3, 1.0)
    rows = []
    first = np.zeros(3)
    for roughness in roughnesses:
        logs = first
        for cosine in cosines:
            row, logs = fitted_row(roughness, cosine, logs)
            if cosine == 1.0:
                first = logs
            rows.append(row)
    table = np.asarray(rows).reshape(len(roughnesses), len(cosines), -1)
    table[:, 0, 3] = table[:, 1, 3]  # seen straight on, leaning means nothing
    r, c = (each.ravel() for each in np.meshgrid(roughnesses, cosines, indexing="ij"))
    weight = np.sqrt(np.clip(c, 0.01, 1.0))[:, None]  # what faces away covers few pixels
    values = table.reshape(len(r), -1)
    found = np.linalg.lstsq(monomials(r, c) * weight, values * weight, rcond=None)[0]
    powers = [(i, j) for i in range(ROUGHNESS_DEGREE + 1) for j in range(COSINE_DEGREE + 1)]
    for (i, j), row in zip(powers, found, strict=True):
        print("        (" + ", ".join(f"{value:.5g}" for value in row) + f", 0.0),  # r^{i} c^{j}")


if __name__ == "__main__":
    main()
