# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene's sun lights and world colour, for the shading 'sun'."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..core.errors import FitError
from ..core.lights import SunLights

if TYPE_CHECKING:
    import bpy


def sun_lights(scene: bpy.types.Scene) -> SunLights:
    """Suns that renders see, and the world's constant colour.

    Raises FitError where there is neither a sun nor a lit world: everything would be black.
    """
    suns = [
        obj for obj in scene.objects if obj.type == "LIGHT" and obj.data.type == "SUN" and not obj.hide_render
    ]
    world = _world_colour(scene.world)
    if not suns and not world.any():
        raise FitError(
            f"Shading 'sun': scene '{scene.name}' has no sun light and a black world, so everything would be "
            "black. Add a sun (Add > Light > Sun), or choose shading 'unlit'."
        )
    directions = [
        np.asarray(obj.matrix_world.col[2][:3], np.float32) for obj in suns
    ]  # light shines along -Z
    return SunLights(
        world=world,
        directions=np.asarray(
            [direction / np.linalg.norm(direction) for direction in directions], np.float32
        ).reshape(-1, 3),
        irradiance=np.asarray(
            [np.asarray(obj.data.color[:]) * obj.data.energy for obj in suns], np.float32
        ).reshape(-1, 3),
    )


def _world_colour(world: bpy.types.World | None) -> np.ndarray:
    """Linear radiance (3,): the Background node's colour times strength, where it is constant."""
    if world is None:
        return np.zeros(3, np.float32)
    if world.node_tree is None:
        return np.asarray(world.color[:], np.float32)
    output = world.node_tree.get_output_node("ALL") or world.node_tree.get_output_node("EEVEE")
    socket = output.inputs["Surface"] if output else None
    node = socket.links[0].from_node if socket is not None and socket.is_linked else None
    if node is None or node.bl_idname != "ShaderNodeBackground":
        return np.zeros(3, np.float32)
    if node.inputs["Color"].is_linked:
        raise FitError(
            f"Shading 'sun': world '{world.name}' is lit by an image or a procedure, which this shading does "
            "not know. Unlink the Background node's Color, or choose shading 'unlit'."
        )
    return (
        np.asarray(node.inputs["Color"].default_value[:3], np.float32) * node.inputs["Strength"].default_value
    )
