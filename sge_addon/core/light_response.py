# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Light of one lamp over a cosine (diffuse) or over a lobe of GGX (specular), as EEVEE integrates it.

Both are cosines after a linear map of directions (Heitz et al. 2016, Real-Time Polygonal-Light Shading with
Linearly Transformed Cosines), so that a light is its transformed shape over a cosine. What of the shape is
below the horizon is cut off as if it were a ball of the same form factor in the same direction (Hill, Heitz
2016, Real-Time Area Lighting: a Journey from Research to Production).

Everything is float64 over P points.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .ggx_polynomials import MIN_ROUGHNESS, GgxLobe
from .light_rows import cone_edge, half_sides, light_radiance, light_size
from .scene_lights import Light

Array = NDArray[np.float64]


def cosine_frame(normals: Array) -> Array:
    """(P, 3, 3) matrices from world directions to those whose z is the normal."""
    return _frame(normals, normals)


def lobe_frame(ggx: GgxLobe, roughness: Array, normals: Array, to_eye: Array) -> Array:
    """(P, 3, 3) matrices from world directions to those over which the lobe of GGX is a cosine about z."""
    alpha = np.clip(roughness, MIN_ROUGHNESS, 1.0) ** 2
    x, y, _ = np.moveaxis(_frame(normals, to_eye), 1, 0)
    mirrored = 2.0 * _dot(normals, to_eye)[:, None] * normals - to_eye
    z = _unit(normals + ggx.lean[:, None] * (mirrored - normals))
    x = np.cross(y, z)
    rows = (
        x - ggx.shear[:, None] * z,
        (ggx.width / ggx.height)[:, None] * y,
        (ggx.width * alpha)[:, None] * z,
    )
    return np.stack(rows, axis=1)


def light_over(light: Light, positions: Array, normals: Array, frames: Array) -> Array:
    """(P, 3): mean radiance over the cosines that ``frames`` make, without diffuse and specular factors."""
    radiance = np.asarray(light_radiance(light), np.float64)
    size = light_size(light)
    if light.kind == "sun":
        towards = np.broadcast_to(np.asarray(light.axes[2], np.float64), positions.shape)
        form = _disc(frames, towards, np.full(len(positions), size))
        return (_facing(size, towards, normals) * form)[:, None] * radiance
    centre = np.asarray(light.position, np.float64) - positions
    distance2 = np.maximum(_dot(centre, centre), 1e-12)
    towards = centre / np.sqrt(distance2)[:, None]
    strength = _facing(size / np.sqrt(distance2), towards, normals)
    strength *= np.clip(1.0 - distance2**2 * light.reach**-4.0, 0.0, 1.0) ** 2
    shining = towards @ np.asarray(light.axes[2], np.float64)
    factor, summand = cone_edge(light)
    edge = np.clip(shining * factor + summand, 0.0, 1.0)
    strength *= edge**2 * (3.0 - 2.0 * edge)
    if light.kind == "area":
        form = _area(light, frames, centre)
    else:
        hidden = 0.0 if light.soft_falloff else size**2
        form = _disc(frames, towards, size / np.sqrt(np.maximum(distance2 - hidden, 1e-8)))
    return (strength * form)[:, None] * radiance


def clipped_ball(cosine: Array, facing: Array) -> Array:
    """Irradiance / pi from the part above the horizon of a ball of radiance 1.

    cosine: to its middle. facing: irradiance / pi if it were at the zenith: squared sine of its half angle.
    Snyder 1996, Area Light Sources for Real-Time Graphics.
    """
    c, facing = np.broadcast_arrays(np.clip(cosine, -1.0, 1.0), facing)
    cut = facing - c**2
    sine = np.sqrt(np.maximum(1.0 - c**2, 1e-12))
    rest, root = np.sqrt(1.0 - facing), np.sqrt(facing)
    with np.errstate(divide="ignore", invalid="ignore"):
        visible = np.arccos(np.clip(-c * rest / (root * sine), -1.0, 1.0))
        partly = facing * c * visible - np.sqrt(np.maximum(cut, 0.0)) * rest
        partly = (partly + np.arctan2(np.sqrt(np.maximum(cut, 0.0)), rest)) / np.pi
    whole = np.maximum(c, 0.0) * facing
    return np.where((cut <= 0.0) | (facing >= 1.0), whole, np.maximum(partly, 0.0))


def _disc(frames: Array, towards: Array, size: Array) -> Array:
    """A disc of radius ``size`` at distance 1 that faces the point."""
    # Of its half axes A, B: A A' + B B' = size^2 (I - L L') with the direction L.
    centre = np.einsum("pij,pj->pi", frames, towards)
    spread = np.einsum("pik,pjk->pij", frames, frames) - _outer(centre, centre)
    return _cone(size[:, None, None] ** 2 * spread - _outer(centre, centre), centre)


def _area(light: Light, frames: Array, centre: Array) -> Array:
    width, height = half_sides(light)
    middle = np.einsum("pij,pj->pi", frames, centre)
    right = frames @ (np.asarray(light.axes[0], np.float64) * width)
    up = frames @ (np.asarray(light.axes[1], np.float64) * height)
    if light.is_ellipse:
        return _cone(_outer(right, right) + _outer(up, up) - _outer(middle, middle), middle)
    corners = [_unit(middle + a * right + b * up) for a, b in ((1, -1), (1, 1), (-1, 1), (-1, -1))]
    edges = [_edge(corners[k], corners[(k + 1) % 4]) for k in range(4)]
    total = np.sum(edges, axis=0)
    length = np.maximum(np.linalg.norm(total, axis=1), 1e-12)
    # Which way the corners turn depends on the side that the light is seen from.
    cosine = total[:, 2] / length * np.sign(_dot(total, middle))
    return clipped_ball(cosine, np.minimum(length / (2.0 * np.pi), 1.0))


def _cone(cones: Array, centre: Array) -> Array:
    """Of an ellipse with middle C and half axes A, B: cones (P, 3, 3) are A A' + B B' - C C'.

    Directions x that meet it have x' cone^-1 x <= 0. About the vector of the one negative eigenvalue the same
    cone is that of an ellipse which faces the apex: its form factor is the ball's.
    """
    values, vectors = np.linalg.eigh(cones)  # ascending
    low, middle, high = np.moveaxis(values, -1, 0)
    axis = vectors[..., 0] * np.sign(_dot(vectors[..., 0], centre))[:, None]
    facing = np.sqrt(np.maximum(middle * high, 0.0) / ((middle - low) * (high - low)))
    return clipped_ball(axis[:, 2], np.minimum(facing, 1.0))


def _edge(a: Array, b: Array) -> Array:
    """Cross product of unit vectors, as long as the angle between them."""
    across = np.cross(a, b)
    sine = np.linalg.norm(across, axis=1)
    angle = np.arctan2(sine, _dot(a, b))
    return across * np.where(sine > 1e-9, angle / np.maximum(sine, 1e-9), 1.0)[:, None]


def _facing(extent: Array | float, towards: Array, normals: Array) -> Array:
    """Lights below the horizon fade out, since lobes reach below it. extent: sine from middle to rim."""
    return np.clip(10.0 * (extent + _dot(towards, normals)) + 1.0, 0.0, 1.0)


def _frame(normals: Array, to_eye: Array) -> Array:
    """(P, 3, 3) rows x, y, z: z the normal, x in the plane of normal and eye; any, where they are one."""
    along = to_eye - _dot(normals, to_eye)[:, None] * normals
    zero = np.zeros(len(normals))
    flat = np.stack([normals[:, 1], -normals[:, 0], zero], axis=1)
    steep = np.stack([zero, normals[:, 2], -normals[:, 1]], axis=1)
    anything = np.where(np.abs(normals[:, 2:]) < 0.9, flat, steep)
    x = _unit(np.where(_dot(along, along)[:, None] > 1e-10, along, anything))
    return np.stack([x, np.cross(normals, x), normals], axis=1)


def _unit(v: Array) -> Array:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-30)


def _dot(a: Array, b: Array) -> Array:
    return np.einsum("pc,pc->p", a, b)


def _outer(a: Array, b: Array) -> Array:
    return a[:, :, None] * b[:, None, :]
