# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fitted light back into Blender's lights and world.

Lights keep their exposure, temperature and nodes: energy and color change, such that the largest channel of
the color is 1. What others use as well is copied first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.scene_lights import Light, SceneLights
from .animation import is_animated
from .scene_lights import light_power
from .world_write_back import UnknownWorldWriter, reason_against_world, write_world

if TYPE_CHECKING:
    import bpy

SAME = 1e-6  # relative: a power that differs by less is left as it is


def fixed_light_notices(scene: bpy.types.Scene, lights: SceneLights) -> list[str]:
    """For each light, and the world, that is fitted but cannot be changed: why not and what to do."""
    notices = []
    for light in lights.lights:
        reason = _reason_against(scene.objects.get(light.name)) if light.power.any() else ""
        if reason:
            notices.append(
                f"Light '{light.name}' is fitted, but stays as it is in the scene: {reason}. The report says "
                "which power was found."
            )
    world = scene.world
    if world is not None and lights.world.gain.any() and reason_against_world(world):
        notices.append(
            f"World '{world.name}' is fitted, but stays as it is: {reason_against_world(world)}. The report "
            "says what was found."
        )
    return notices


class LightWriter:
    """Writes the light of a fit into a scene, as often as asked.

    given: the light before the fit. is_unknown: the fitted light is no light of the scene, but a world of its
    own. notices: to which is added what the user should know.
    """

    def __init__(
        self, scene: bpy.types.Scene, given: SceneLights, is_unknown: bool, notices: list[str]
    ) -> None:
        self._scene = scene
        self._notices = notices
        self._unknown = UnknownWorldWriter(scene, notices) if is_unknown else None
        self._written = given

    def write(self, lights: SceneLights) -> None:
        """Change what has changed since the last time, where it can be changed."""
        if self._unknown is not None:
            self._unknown.write(lights.world)
            return
        for before, after in zip(self._written.lights, lights.lights, strict=True):
            obj = self._scene.objects.get(after.name)
            if _differs(before.power, after.power) and not _reason_against(obj):
                _write_light(obj, after, self._notices)
        before, after = self._written.world, lights.world
        if _differs(before.gain, after.gain) or _differs(before.rotation, after.rotation):
            write_world(self._scene, after, self._notices)
        self._written = lights


def _write_light(obj: bpy.types.Object, light: Light, notices: list[str]) -> None:
    if obj.data.library or obj.data.override_library or obj.data.users - obj.data.use_fake_user > 1:
        shared = obj.data
        obj.data = shared.copy()
        reason = "it is linked from another file" if shared.library else "other lights use it, too"
        notices.append(
            f"Light '{obj.name}': its data '{shared.name}' is copied to '{obj.data.name}': {reason}."
        )
    data = obj.data
    data.color, data.energy = (1.0, 1.0, 1.0), 1.0
    whole = light_power(obj).astype(np.float64)  # what exposure, temperature, size and nodes make of it
    wanted = np.divide(light.power, whole, out=np.zeros(3), where=whole != 0.0)
    largest = float(wanted[np.abs(wanted).argmax()])  # negative where the light takes light away
    data.energy = largest
    if largest != 0.0:
        data.color = np.maximum(wanted / largest, 0.0).tolist()


def _reason_against(obj: bpy.types.Object | None) -> str:
    """Why a light cannot be changed, as the end of a sentence with the remedy; "" where it can."""
    if obj is None or obj.type != "LIGHT":
        return "it is no longer in the scene"
    if obj.library:
        return "it is linked from another file; make it local (Object > Relations > Make Local)"
    if obj.override_library:
        return "it is a library override; make it local (Object > Relations > Make Local)"
    if is_animated(obj.data):
        return f"its data '{obj.data.name}' is animated or driven; clear that animation"
    return ""


def _differs(before: Sequence[float] | NDArray[np.float32], after: NDArray[np.float32]) -> bool:
    return bool(np.abs(np.asarray(before) - after).max() > SAME * max(float(np.abs(before).max()), 1e-12))
