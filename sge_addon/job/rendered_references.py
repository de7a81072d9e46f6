# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""References made from an object: what our own rasteriser sees of it from around."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..core.assembly import assemble
from ..core.errors import FitError
from ..core.lights import SunLights
from ..core.orbit import orbit_views
from ..core.reference import Reference
from ..core.settings import FitSettings
from ..core.view import View
from ..raster.context import start_gpu
from ..raster.rasteriser import Rasteriser
from ..scene.lights import sun_lights
from ..scene.materials import materials_of_objects
from ..scene.objects import surface_from_object

if TYPE_CHECKING:
    import bpy


def orbit_around(objects: Sequence[bpy.types.Object], count: int, resolution: int) -> list[View]:
    """``count`` square views from all sides that hold the objects' evaluated geometry."""
    depsgraph = _depsgraph()
    points = np.concatenate([surface_from_object(obj, depsgraph=depsgraph).positions for obj in objects])
    center = 0.5 * (points.min(axis=0) + points.max(axis=0)).astype(np.float64)
    radius = float(np.linalg.norm(points - center, axis=1).max())
    return orbit_views(center, radius, count, resolution, resolution)


def make_references(
    objects: Sequence[bpy.types.Object], views: Sequence[View], settings: FitSettings, scene: bpy.types.Scene
) -> list[Reference]:
    """Colour, alpha and world normal of the evaluated objects through each view, 4 x 4 samples a pixel.

    Nothing of the scene is changed. Colour is shaded as ``settings.shading`` says.
    """
    if not objects:
        raise FitError("No object to make references from: choose one.")
    start_gpu()
    depsgraph = _depsgraph()
    surfaces = [
        surface_from_object(obj, materials, depsgraph=depsgraph)
        for obj, materials in zip(objects, materials_of_objects(objects), strict=True)
    ]
    lights = sun_lights(scene) if settings.shading == "sun" else SunLights()
    rasteriser = Rasteriser(assemble(surfaces), settings.shading, lights)
    references = []
    for view in views:
        picture = rasteriser.render(view, normal=True)
        if not picture.colour[..., 3].any():
            raise FitError(f"Camera '{view.name}' sees nothing of the object to make references from.")
        references.append(Reference(view, picture.colour, has_alpha=True, normal=picture.normal))
    return references


def _depsgraph() -> bpy.types.Depsgraph:
    import bpy

    return bpy.context.evaluated_depsgraph_get()
