# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the colour of a pixel changes with what it reads of each map.

A slope is (3, P) over colour channels; of a channel of a colour, which bears on that channel alone, (P,).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .map_group import GroupChannels
from .map_shader import Shaded
from .material_maps import SHADED_COLUMNS

Array = NDArray[np.float32]


def slopes_of_map(
    kind: str, shaded: Shaded, values: Array, emission_strength: float, background: Array
) -> list[Array]:
    """Of each steered channel of a map. values: (P, 12) that were shaded. background: (3,) linear."""
    alpha = values[:, SHADED_COLUMNS["alpha"].start]
    if kind == "base_color":
        return list(shaded.base_color.T * alpha)
    if kind == "emission":
        return [alpha * np.float32(emission_strength)] * 3
    if kind == "alpha":
        return [shaded.colour.T - background[:, None]]
    if kind == "normal":
        return list(steered_normal(shaded, values) * alpha)
    slope: Array = {"metallic": shaded.metallic, "roughness": shaded.roughness}[kind]
    return [slope.T * alpha]


def steered_normal(shaded: Shaded, values: Array) -> Array:
    """(2, 3, P): derivatives of the colour to x and y of a unit normal whose z follows.

    The shading knows the normal's direction only: with f its colour, n . df/dn = 0.
    """
    x, y, z = values[:, SHADED_COLUMNS["normal"]].T
    along_x, along_y = shaded.normal_x.T, shaded.normal_y.T  # (3, P)
    inner = (x * along_x + y * along_y) / np.maximum(z * z, np.float32(1e-4))
    return np.stack([along_x + x * inner, along_y + y * inner])


def slope_columns(slopes: Sequence[Array], channels: GroupChannels, residual: Array) -> list[Array]:
    """Of each channel the residual (3, P) times its slope, summed over colours: (P,)."""
    return [
        _dot(slope * residual if colour is None else slope * residual[colour])
        for slope, colour in zip(slopes, channels.colours, strict=True)
    ]


def curvature_columns(slopes: Sequence[Array], channels: GroupChannels, trust: Array) -> Array:
    """(T, P): of each pair of channels the product of their slopes, weighed and summed over colours.

    trust: (P,) or (3, P).
    """
    colours = channels.colours
    by_colour = np.broadcast_to(trust, (3, trust.shape[-1]))
    weighed = [
        slope * (by_colour if colour is None else by_colour[colour])
        for slope, colour in zip(slopes, colours, strict=True)
    ]
    columns = np.empty((len(channels.pairs), trust.shape[-1]), np.float32)
    for column, (a, b) in zip(columns, channels.pairs, strict=True):
        first, second = weighed[a], slopes[b]
        if colours[a] is None and colours[b] is not None:
            first = first[colours[b]]
        elif colours[a] is not None and colours[b] is None:
            second = second[colours[a]]
        column[:] = _dot(first * second)
    return columns


def _dot(product: Array) -> Array:
    """(3, P) summed over colours; (P,) as it is."""
    return product if product.ndim == 1 else product[0] + product[1] + product[2]
