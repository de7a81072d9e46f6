# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The light of a fit: what may change of it, what it is fitted to, who shades by it, what is told of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..core.light_block import LightBlock
from ..core.light_parameters import LightParameters, scene_light_parameters, unknown_light_parameters
from ..core.light_source import LightSource
from ..core.map_block import MapBlock
from ..core.material_pixels import MaterialPixels
from ..core.material_source import MaterialSource
from ..core.scene_lights import SceneLights, World
from ..core.settings import FitSettings
from ..core.stopwatch import Stopwatch
from ..raster.rasteriser import Rasteriser


def light_parameters(settings: FitSettings, lights: SceneLights | None) -> LightParameters | None:
    """What of the light is fitted; None where it stays as it is. Raises FitError where none can be.

    lights: of the scene; of no account where the light is unknown.
    """
    if settings.shading != "lit" or settings.light == "scene":
        return None
    if settings.light == "unknown":
        return unknown_light_parameters()
    return scene_light_parameters(lights or SceneLights())


def light_block(
    parameters: LightParameters | None,
    shown: Sequence[Mapping[str, MapBlock]],
    before: LightBlock | None,
) -> LightBlock | None:
    """The light as a block. shown: by material, the maps that are fitted. before: of the stage before, from
    which it goes on."""
    if parameters is None:
        return None
    base_colours, roughnesses = (_of_kind(shown, kind) for kind in ("base_color", "roughness"))
    if any("base_color" not in maps for maps in shown):
        base_colours = []
    if not parameters.is_unknown:
        roughnesses = []
    if before is not None:
        return before.at(base_colours, roughnesses)
    return LightBlock(parameters, base_colours, roughnesses)


def _of_kind(shown: Sequence[Mapping[str, MapBlock]], kind: str) -> list[MapBlock]:
    """The fitted maps of a kind, each once."""
    return list({maps[kind].name: maps[kind] for maps in shown if kind in maps}.values())


def light_source(
    block: LightBlock,
    maps: MaterialSource,
    rasteriser: Rasteriser,
    settings: FitSettings,
    stopwatch: Stopwatch,
) -> LightSource:
    """The source of the block's changes, which reach the rasteriser and the maps' shader from now on.

    maps: the source of the fitted maps; where none is fitted, it serves to read those that there are.
    """
    block.on_change = [rasteriser.set_lights, maps.shader.set_lights]
    block.announce()
    return LightSource(
        block,
        MaterialPixels(maps),
        maps.shader,
        len(maps.references),
        settings.loss,
        settings.seed,
        stopwatch,
    )


def light_report(before: SceneLights, after: SceneLights) -> dict[str, Any]:
    """JSON-ready: powers (linear RGB; watts, of suns watts per square metre) and the world, before and after.

    A fitted unknown light has no lights after, and harmonics in its world.
    """
    found = {light.name: light for light in after.lights}
    return {
        "lights": [
            {
                "name": light.name,
                "power_before": _numbers(light.power),
                "power_after": _numbers(found[light.name].power),
            }
            for light in before.lights
            if light.name in found
        ],
        "world": {
            "gain_before": _numbers(before.world.gain),
            "gain_after": _numbers(after.world.gain),
            "turned_degrees": _turned_degrees(before.world, after.world),
            "harmonics": (
                None if after.world.harmonics is None else [_numbers(row) for row in after.world.harmonics]
            ),
        },
    }


def _numbers(values: np.ndarray) -> list[float]:
    return [float(value) for value in values]


def _turned_degrees(before: World, after: World) -> float:
    """About Z, anticlockwise from above."""
    turn = before.rotation.T @ after.rotation
    return math.degrees(math.atan2(float(turn[0, 1]), float(turn[0, 0])))
