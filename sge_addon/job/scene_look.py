# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the scene's objects look under a shading: their materials and the lights."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.light_parameters import unknown_light
from ..core.lights import SunLights
from ..core.scene_lights import SceneLights
from ..core.settings import FitSettings
from ..core.surface import Material
from ..scene.lights import sun_lights
from ..scene.lit_materials import lit_materials_of_objects
from ..scene.materials import materials_of_objects
from ..scene.scene_lights import engine_notices, scene_lights

if TYPE_CHECKING:
    import bpy


@dataclass(frozen=True, eq=False)
class SceneLook:
    """materials: of each object, one a slot. notices: what is shown differently from the scene."""

    materials: list[tuple[Material, ...]]
    lights: SunLights | SceneLights
    notices: tuple[str, ...] = ()


def scene_look(
    scene: bpy.types.Scene,
    objects: Sequence[bpy.types.Object],
    settings: FitSettings,
    *,
    fitted: bool,
    engines: Collection[str] = (),
) -> SceneLook:
    """What ``settings.shading`` shows of the objects. fitted: with what ``settings`` fit of their materials.
    engines: what rendered the references, as ``Reference.engine``.

    Raises FitError by name of the material, image, light or world that it cannot show.
    """
    if settings.shading == "lit":
        fits = fitted and settings.texture
        materials, notices = lit_materials_of_objects(
            objects,
            maps=settings.maps if fits else (),
            size=settings.texture_size,
            constants=settings.constant_maps,
        )
        if fitted and settings.light == "unknown":
            lights = unknown_light()
        else:
            whole = fitted and settings.light == "fit"
            lights = scene_lights(scene, whole_world=whole, engines=engines)
            notices += engine_notices(scene, lights, engines)
        return SceneLook(materials, lights, tuple(notices))
    size = settings.texture_size if fitted and settings.texture else 0
    lights = sun_lights(scene) if settings.shading == "sun" else SunLights()
    return SceneLook(materials_of_objects(objects, fitted_size=size), lights)
