# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A view: where a camera stands and how it projects, independent of any render setting.

Conventions (one for the whole project): camera-to-world with +X right, +Y up, looking along -Z;
OpenGL clip space; row 0 of an image array is the bottom row; pixel centres lie at +0.5.
Intrinsics fx, fy, cx, cy are in pixels with the principal point measured from the image's *top
left* corner, as in the files of other tools.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .errors import FitError


@dataclass(frozen=True, eq=False)
class View:
    """One camera.

    camera_to_world: (4, 4) float64, rigid. projection: (4, 4) float64, camera space to clip space.
    width, height: image size in pixels.
    """

    name: str
    camera_to_world: NDArray[np.float64]
    projection: NDArray[np.float64]
    width: int
    height: int

    def __post_init__(self) -> None:
        for label in ("camera_to_world", "projection"):
            matrix = np.asarray(getattr(self, label), dtype=np.float64)
            if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
                raise FitError(f"Camera '{self.name}': its {label} is not a finite 4 x 4 matrix.")
            object.__setattr__(self, label, matrix)
        if self.width < 1 or self.height < 1:
            raise FitError(f"Camera '{self.name}': image size {self.width} x {self.height} is empty.")
        if abs(_cofactors(self.camera_to_world)[1]) < 1e-12:
            raise FitError(f"Camera '{self.name}': its matrix cannot be inverted (scale of zero?).")

    @property
    def is_perspective(self) -> bool:
        """Whether clip w is the distance along the viewing axis (else w is constant 1)."""
        return bool(self.projection[3, 3] == 0.0)

    @property
    def near(self) -> float:
        """Distance of the near plane along the viewing axis."""
        p = self.projection
        if self.is_perspective:
            return float(p[2, 3] / (p[2, 2] - 1.0))
        return float((p[2, 3] + 1.0) / p[2, 2])

    @cached_property
    def world_to_clip(self) -> NDArray[np.float64]:
        """(4, 4): column vectors in world space to clip space."""
        cofactors, determinant = _cofactors(self.camera_to_world)
        turn = cofactors / determinant
        inverse = np.eye(4)
        inverse[:3, :3] = turn
        inverse[:3, 3] = -(turn * self.camera_to_world[:3, 3]).sum(axis=1)
        return np.einsum("ij,jk->ik", self.projection, inverse)

    @property
    def world_per_pixel(self) -> float:
        """Length of one pixel, vertically, where clip w = 1; times w: at that depth.

        Perspective: z / f_y with w = z. Orthographic: scale / image height with w = 1.
        """
        return 2.0 / (self.height * self.projection[1, 1])

    @cached_property
    def distance_row(self) -> NDArray[np.float64]:
        """(4,): times a world position and 1, its distance along the viewing axis."""
        backwards, eye = self.camera_to_world[:3, 2], self.camera_to_world[:3, 3]
        return np.r_[-backwards, (backwards * eye).sum()]

    def resized(self, width: int, height: int) -> View:
        """The same camera with another number of pixels over the same field of view."""
        return replace(self, width=width, height=height)

    def clip_range(self) -> tuple[float, float]:
        """Near and far planes: distances along the viewing axis."""
        a, b = self.projection[2, 2], self.projection[2, 3]
        if self.is_perspective:
            return float(b / (a - 1.0)), float(b / (a + 1.0))
        return float((b + 1.0) / a), float((b - 1.0) / a)

    def tile(self, x: int, y: int, width: int, height: int) -> View:
        """The part of the image whose bottom left pixel is (x, y), as a view of its own."""
        crop = np.diag([self.width / width, self.height / height, 1.0, 1.0])
        crop[0, 3] = (self.width - 2.0 * x - width) / width
        crop[1, 3] = (self.height - 2.0 * y - height) / height
        return replace(self, projection=crop @ self.projection, width=width, height=height)

    def with_clip_range(self, near: float, far: float) -> View:
        """The same camera with other near and far planes (distances along the viewing axis)."""
        projection = self.projection.copy()
        if self.is_perspective:
            projection[2, 2] = -(far + near) / (far - near)
            projection[2, 3] = -2.0 * far * near / (far - near)
        else:
            projection[2, 2] = -2.0 / (far - near)
            projection[2, 3] = -(far + near) / (far - near)
        return replace(self, projection=projection)

    def to_pixels(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """World points (N, 3) to pixel coordinates (N, 2), origin at the bottom left corner."""
        clip = np.c_[points, np.ones(len(points))] @ self.world_to_clip.T  # (N, 4)
        ndc = clip[:, :2] / clip[:, 3:]
        return (0.5 * ndc + 0.5) * (self.width, self.height)

    def intrinsics(self) -> tuple[float, float, float, float]:
        """fx, fy, cx, cy in pixels, principal point from the top left corner."""
        p = self.projection
        sign = -1.0 if self.is_perspective else 1.0
        center_x = (1.0 + sign * p[0, 2 if self.is_perspective else 3]) * 0.5 * self.width
        center_y = (1.0 + sign * p[1, 2 if self.is_perspective else 3]) * 0.5 * self.height
        return (
            float(0.5 * p[0, 0] * self.width),
            float(0.5 * p[1, 1] * self.height),
            float(center_x),
            float(self.height - center_y),
        )


def perspective(
    focal_x: float,
    focal_y: float,
    center_x: float,
    center_y: float,
    width: int,
    height: int,
    near: float = 0.01,
    far: float = 1000.0,
) -> NDArray[np.float64]:
    """Projection (4, 4) of a pinhole: focal lengths and principal point in pixels, from the top left."""
    projection = np.zeros((4, 4))
    projection[0, 0] = 2.0 * focal_x / width
    projection[1, 1] = 2.0 * focal_y / height
    projection[0, 2] = 1.0 - 2.0 * center_x / width
    projection[1, 2] = 2.0 * center_y / height - 1.0
    projection[2, 2] = -(far + near) / (far - near)
    projection[2, 3] = -2.0 * far * near / (far - near)
    projection[3, 2] = -1.0
    return projection


def orthographic(
    pixel_size: float,
    center_x: float,
    center_y: float,
    width: int,
    height: int,
    near: float = 0.01,
    far: float = 1000.0,
) -> NDArray[np.float64]:
    """Projection (4, 4) without perspective. pixel_size: side of a pixel in world units; principal
    point in pixels, from the top left."""
    projection = np.eye(4)
    projection[0, 0] = 2.0 / (pixel_size * width)
    projection[1, 1] = 2.0 / (pixel_size * height)
    projection[0, 3] = 2.0 * center_x / width - 1.0
    projection[1, 3] = 1.0 - 2.0 * center_y / height
    projection[2, 2] = -2.0 / (far - near)
    projection[2, 3] = -(far + near) / (far - near)
    return projection


def _cofactors(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """(3, 3) the inverse of an affine (4, 4) matrix's linear part, times its determinant, and that: views are
    made while a fit runs, and threads of LAPACK would spin on the rasteriser's cores."""
    following, last = [1, 2, 0], [2, 0, 1]
    columns = matrix[:3, :3].T
    a, b = columns[following], columns[last]
    cofactors = a[:, following] * b[:, last] - a[:, last] * b[:, following]  # their cross products
    return cofactors, float((cofactors[0] * columns[0]).sum())


def jittered(matrix: NDArray[np.float64], x: float, y: float, width: int, height: int) -> NDArray[np.float64]:
    """The projection, or world-to-clip matrix, with the image moved by (x, y) pixels: clip position plus
    2 (x, y) / size times w."""
    moved = matrix.copy()
    moved[0] += (2.0 * x / width) * matrix[3]
    moved[1] += (2.0 * y / height) * matrix[3]
    return moved


def fitted_size(width: int, height: int, long_side: int) -> tuple[int, int]:
    """Width and height scaled so that the longer is at most ``long_side``; never enlarged."""
    scale = min(1.0, long_side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))
