# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Points on a ball, values of their maps, and lights, all made from arrays."""

from __future__ import annotations

import numpy as np

from sge_addon.core.map_shader import ShadingPoints
from sge_addon.core.scene_lights import Light


def unit(v):
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def axes_along(z):
    z = unit(np.asarray(z, float))
    x = unit(np.cross([0.3, 0.5, 0.1], z))
    return np.stack([x, np.cross(z, x), z]).astype(np.float32)


def light(kind, place=(0.0, 0.0, 0.0), towards=(0.0, 0.0, 1.0), **rest):
    power = np.array(rest.pop("power", (1.0, 2.0, 3.0)), np.float32)
    return Light(kind, kind, np.asarray(place, np.float32), axes_along(towards), power, **rest)


def points(count, seed=0):
    """On a ball of radius 1; eyes on the normals' side."""
    rng = np.random.default_rng(seed)
    normal = unit(rng.normal(size=(count, 3)))
    tangent = unit(np.cross(normal, (0.2, 0.3, 0.9)))
    eye = unit(normal + 0.8 * unit(rng.normal(size=(count, 3))))
    tangents = np.concatenate([tangent, np.sign(rng.normal(size=(count, 1)))], axis=1)
    return ShadingPoints(*(a.astype(np.float32) for a in (normal, normal, tangents, eye)), material=0)


def values(count, seed=1, **constants):
    """(P, 12) in the order of SHADED_COLUMNS."""
    rng = np.random.default_rng(seed)
    found = rng.uniform(0.1, 0.9, (count, 12))
    found[:, 4:7] = unit(0.2 * rng.normal(size=(count, 3)) + (0.0, 0.0, 1.0))
    columns = {
        "base_color": np.s_[:3],
        "metallic": 3,
        "normal": np.s_[4:7],
        "roughness": 7,
        "emission": np.s_[8:11],
    }
    for name, value in constants.items():
        found[:, columns[name]] = value
    return found.astype(np.float32)
