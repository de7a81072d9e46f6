# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How near a fit comes to what it was to become: chamfer distance, coverage, texels.

As the test data's README defines them. What a camera sees is read from our own ID buffers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from sge_addon.core.assembly import assemble
from sge_addon.core.lights import SunLights
from sge_addon.core.metrics import psnr
from sge_addon.core.surface import Surface
from sge_addon.core.view import View
from sge_addon.raster.rasteriser import Rasteriser

TARGET_POINTS, FIT_POINTS = 200_000, 60_000  # for accuracy: to and from
COMPLETENESS_POINTS = 120_000  # of the target, about 116 000 of which the data's cameras see
SEEN_TEXEL = 0.25  # of weight, above which a texel counts as seen
_ID_SIZE = 2048  # pixels along a side, several to a triangle of the target


class ChamferDistance:
    """Distance between surfaces, in units of the target's radius about the world's origin.

    views: of the cameras that were trained on; completeness asks only for what one of them sees.
    """

    def __init__(self, target: Surface, views: Sequence[View]) -> None:
        self._tree = cKDTree(surface_points(target, TARGET_POINTS, seed=1)[0])
        points, triangle = surface_points(target, COMPLETENESS_POINTS, seed=2)
        self.seen_points = points[seen_by_any(target, points, triangle, views)]
        self._radius = float(np.linalg.norm(target.positions, axis=1).max())

    def __call__(self, fit: Surface) -> float:
        """Mean of accuracy (fit to target) and completeness (seen target to fit)."""
        points, _ = surface_points(fit, FIT_POINTS, seed=3)
        accuracy = self._tree.query(points, workers=-1)[0].mean()
        completeness = cKDTree(points).query(self.seen_points, workers=-1)[0].mean()
        return float(0.5 * (accuracy + completeness) / self._radius)


def surface_points(surface: Surface, count: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Points (count, 3), uniform over the area, and the triangle (count,) on which each lies."""
    random = np.random.default_rng(seed)
    a, b, c = surface.positions.astype(np.float64)[surface.triangles].transpose(1, 0, 2)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    triangle = random.choice(len(area), count, p=area / area.sum())
    root, v = np.sqrt(random.random(count))[:, None], random.random(count)[:, None]
    points = (1.0 - root) * a[triangle] + root * (1.0 - v) * b[triangle] + root * v * c[triangle]
    return points, triangle


def seen_by_any(
    surface: Surface, points: NDArray[np.float64], triangle: NDArray[np.intp], views: Sequence[View]
) -> NDArray[np.bool_]:
    """Which points of the surface some view sees: (N,).

    A point is seen where its own triangle shows at its place in a fine ID buffer, or next to it,
    since the buffer knows the triangles at the centres of its pixels only.
    """
    rasteriser = Rasteriser(assemble([surface]), "unlit", SunLights())
    seen = np.zeros(len(points), bool)
    for view in views:
        fine = view.resized(_ID_SIZE, _ID_SIZE * view.height // view.width)
        ids = np.pad(rasteriser.uv_buffer(fine, (0.0, 0.0), 1).ids, 1)
        x, y = np.floor(fine.to_pixels(points)).astype(np.int64).T
        inside = np.flatnonzero((x >= 0) & (x < fine.width) & (y >= 0) & (y < fine.height) & ~seen)
        for row in range(3):
            for column in range(3):
                shown = ids[y[inside] + row, x[inside] + column]
                seen[inside] |= shown == triangle[inside] + 1
    return seen


def coverage_iou(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Intersection over union of the pixels with an alpha (H, W) above 0.5; 1 where both are empty."""
    first, second = first > 0.5, second > 0.5
    union = int((first | second).sum())
    return int((first & second).sum()) / union if union else 1.0


def texel_weights(surface: Surface, views: Sequence[View], size: int) -> NDArray[np.float64]:
    """(size, size): the bilinear weights with which 2 x 2 samples a pixel read a texel, each times 1/4,
    summed over the views."""
    rasteriser = Rasteriser(assemble([surface]), "unlit", SunLights())
    weights = np.zeros(size * size)
    for view in views:
        buffer = rasteriser.uv_buffer(view, (0.0, 0.0), 2)
        place = buffer.uv[buffer.ids > 0].astype(np.float64) * size - 0.5  # (N, 2)
        corner = np.floor(place)
        fraction = place - corner
        for row in (0, 1):
            for column in (0, 1):
                weight = np.abs(1 - column - fraction[:, 0]) * np.abs(1 - row - fraction[:, 1])
                index = (corner + (column, row)).astype(np.int64) % size
                weights += np.bincount(index[:, 1] * size + index[:, 0], 0.25 * weight, size * size)
    return weights.reshape(size, size)


def texel_psnr(texture: NDArray[np.float32], truth: NDArray[np.float32], weights: NDArray) -> float:
    """PSNR over the texels that are seen; texture, truth: (H, W, 3) linear."""
    error = np.square(texture - truth).mean(axis=2)
    return psnr(float(error[weights > SEEN_TEXEL].mean(dtype=np.float64)))
