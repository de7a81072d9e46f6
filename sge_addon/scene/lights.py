# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene's sun lights and world colour, for the shading 'sun'."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..core.errors import FitError
from ..core.lights import SunLights
from .scene_lights import light_power, object_axes, seen_lights
from .world import read_world

if TYPE_CHECKING:
    import bpy


def sun_lights(scene: bpy.types.Scene) -> SunLights:
    """Suns that renders see, and the world's constant colour.

    Raises FitError where there is neither a sun nor a lit world: everything would be black.
    """
    suns = [obj for obj in seen_lights(scene) if obj.data.type == "SUN"]
    world = read_world(scene.world, "sun").gain
    if not suns and not world.any():
        raise FitError(
            f"Shading 'sun': scene '{scene.name}' has no sun light and a black world, so everything would be "
            "black. Add a sun (Add > Light > Sun), or choose shading 'unlit'."
        )
    directions = [object_axes(obj)[0][2] for obj in suns]  # light shines along -Z
    return SunLights(
        world=world,
        directions=np.asarray(directions, np.float32).reshape(-1, 3),
        irradiance=np.asarray([light_power(obj) for obj in suns], np.float32).reshape(-1, 3),
    )
