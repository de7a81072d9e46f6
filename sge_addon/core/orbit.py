# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras spread over a sphere around an object, for references that are rendered from it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import FitError
from .view import View, perspective

GOLDEN_ANGLE = math.pi * (3.0 - math.sqrt(5.0))
RING = 0.05  # height of a band, of the sphere's radius, below which it counts as a ring
STEEPEST = math.sin(math.radians(80.0))  # higher up, "world Z up" would no longer say which way is up


def orbit_views(
    center: ArrayLike,
    radius: float,
    count: int,
    width: int,
    height: int,
    *,
    lens: float = 50.0,
    sensor: float = 36.0,
    margin: float = 0.05,
    prefix: str = "view",
    elevations: tuple[float, float] = (-90.0, 90.0),
) -> list[View]:
    """``count`` cameras on a Fibonacci spiral, looking at ``center``, world Z up.

    center: (3,) world. radius: of the bounding sphere, which fits into the frame with ``margin``
    (a fraction of the radius) to spare. lens, sensor: millimetres, the sensor along the longer side.
    elevations: lowest and highest, in degrees above the horizon.
    Deterministic: the same arguments give the same cameras.
    """
    middle = np.asarray(center, dtype=np.float64)
    if count < 1:
        raise FitError(f"Number of views is {count}; at least 1 is needed.")
    if not (math.isfinite(radius) and radius > 0.0 and np.isfinite(middle).all()):
        raise FitError(f"Cannot place cameras around a sphere of radius {radius}: the object has no extent.")
    focal = lens / sensor * max(width, height)  # pixels
    half_angle = math.atan(0.5 * min(width, height) / focal)
    distance = radius * (1.0 + margin) / math.sin(half_angle)
    projection = perspective(
        focal, focal, 0.5 * width, 0.5 * height, width, height, near=0.05 * distance, far=4.0 * distance
    )
    digits = max(3, len(str(count - 1)))
    return [
        View(
            name=f"{prefix}_{index:0{digits}d}",
            camera_to_world=look_at(middle + distance * direction, middle),
            projection=projection,
            width=width,
            height=height,
        )
        for index, direction in enumerate(sphere_directions(count, elevations))
    ]


def sphere_directions(count: int, elevations: tuple[float, float] = (-90.0, 90.0)) -> NDArray[np.float64]:
    """(count, 3) unit vectors, each standing for about the same area; the poles are avoided.

    elevations: lowest and highest, in degrees; where they are one, the vectors form an even ring.
    """
    index = np.arange(count)
    low, high = (math.sin(math.radians(degrees)) for degrees in elevations)
    z = np.clip(high - (2.0 * index + 1.0) / count * (0.5 * (high - low)), -STEEPEST, STEEPEST)
    # The golden angle spreads points over a band that is high enough; on a mere ring it leaves gaps.
    azimuth = index * (GOLDEN_ANGLE if high - low > RING else 2.0 * math.pi / count)
    across = np.sqrt(1.0 - z * z)
    return np.stack([across * np.cos(azimuth), across * np.sin(azimuth), z], axis=1)


def look_at(position: ArrayLike, target: ArrayLike) -> NDArray[np.float64]:
    """Camera-to-world (4, 4) at ``position``, looking at ``target``, world Z up in the image.

    Raises FitError where the line of sight is vertical.
    """
    eye = np.asarray(position, dtype=np.float64)
    backward = eye - np.asarray(target, dtype=np.float64)
    right = np.cross((0.0, 0.0, 1.0), backward)
    length = np.linalg.norm(right)
    if length <= 1e-9 * np.linalg.norm(backward):
        raise FitError("A camera that looks straight up or down has no upward direction.")
    backward = backward / np.linalg.norm(backward)
    right = right / length
    matrix = np.eye(4)
    matrix[:3, 0] = right
    matrix[:3, 1] = np.cross(backward, right)
    matrix[:3, 2] = backward
    matrix[:3, 3] = eye
    return matrix
