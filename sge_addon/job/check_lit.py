# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What shading 'lit' cannot show or fit of materials and the scene's light, without a fit."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..core.errors import FitError
from ..core.light_parameters import scene_light_parameters
from ..scene.displacement import height_notices, height_problems
from ..scene.light_write_back import fixed_light_notices
from ..scene.lit_materials import lit_material_problems
from ..scene.scene_lights import engine_notices, scene_lights
from .stacks import moved_twice

if TYPE_CHECKING:
    import bpy


def lit_findings(
    scene: bpy.types.Scene,
    objects: Sequence[bpy.types.Object],
    values: Mapping[str, Any],
    engines: Collection[str] = (),
) -> Iterator[FitError | tuple[str, str]]:
    """Every error by material, image, object, light or world; and what will be done differently from what one
    might expect, with the name of the object it is about. values: the settings by field name. engines: what
    rendered the references, as ``Reference.engine``."""
    if values["shading"] != "lit":
        return
    maps = values["maps"] if values["texture"] else ()
    yield from lit_material_problems(objects, maps=maps)
    if "height" in maps:
        yield from height_problems(objects, moved=moved_twice(objects, values), remesh=values["remesh"])
        for obj in objects:
            if obj.type == "MESH":
                yield from ((notice, obj.name) for notice in height_notices(obj))
    if values["light"] == "unknown":
        return
    try:
        lights = scene_lights(scene, whole_world=values["light"] == "fit", engines=engines)
        yield from ((notice, "") for notice in engine_notices(scene, lights, engines))
        if values["light"] == "fit":
            scene_light_parameters(lights)
            yield from ((notice, "") for notice in fixed_light_notices(scene, lights))
    except FitError as error:
        yield error
