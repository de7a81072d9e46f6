# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""References made from an object: what our own rasteriser, EEVEE or Cycles see of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..core.assembly import assemble
from ..core.errors import FitError
from ..core.orbit import orbit_views
from ..core.reference import Reference
from ..core.reference_options import ReferenceOptions
from ..core.settings import FitSettings
from ..core.view import View
from ..raster.context import start_gpu
from ..raster.rasteriser import Rasteriser
from ..scene.camera_path import camera_path_views
from ..scene.objects import surface_from_object
from ..scene.rendered_images import render_view
from .scene_look import scene_look

if TYPE_CHECKING:
    import bpy

_BLACK = 1e-6  # linear colour that no picture shows


def orbit_around(
    objects: Sequence[bpy.types.Object],
    count: int,
    resolution: int,
    elevations: tuple[float, float] = (-90.0, 90.0),
) -> list[View]:
    """``count`` square views from all sides that hold the objects' evaluated geometry.

    elevations: lowest and highest, in degrees above the horizon.
    """
    depsgraph = _depsgraph()
    points = np.concatenate([surface_from_object(obj, depsgraph=depsgraph).positions for obj in objects])
    center = 0.5 * (points.min(axis=0) + points.max(axis=0)).astype(np.float64)
    radius = float(np.linalg.norm(points - center, axis=1).max())
    return orbit_views(center, radius, count, resolution, resolution, elevations=elevations)


def place_views(
    objects: Sequence[bpy.types.Object],
    options: ReferenceOptions,
    scene: bpy.types.Scene,
    resolution: int,
    path_camera: bpy.types.Object | None = None,
) -> list[View]:
    """Views of the objects as ``options`` say. resolution: of the fit. path_camera: None for the scene's."""
    size = options.size(resolution)
    if options.placement == "path":
        return camera_path_views(scene, path_camera, options.view_count, size)
    return orbit_around(objects, options.view_count, size, options.elevations)


def make_references(
    objects: Sequence[bpy.types.Object], views: Sequence[View], settings: FitSettings, scene: bpy.types.Scene
) -> list[Reference]:
    """Colour, alpha and world normal of the evaluated objects through each view, 4 x 4 samples a pixel.

    Nothing of the scene is changed. Colour is shaded as ``settings.shading`` says.
    """
    return list(references_one_by_one(objects, views, settings, scene))


def references_one_by_one(
    objects: Sequence[bpy.types.Object],
    views: Sequence[View],
    settings: FitSettings,
    scene: bpy.types.Scene,
    options: ReferenceOptions | None = None,
    hidden: Collection[bpy.types.Object] = (),
) -> Iterator[Reference]:
    """As ``make_references``, one at a time, in color by the renderer that ``options`` name.

    hidden: objects that EEVEE and Cycles never see, as those that are to be fitted. Between two references,
    and when the iterator is closed, the scene is as it was. Raises FitError where nothing is to be seen.
    """
    if not objects:
        raise FitError("No object to make references from: choose one.")
    options = options or ReferenceOptions()
    start_gpu()
    depsgraph = _depsgraph()
    look = scene_look(scene, objects, settings, fitted=False)
    surfaces = [
        surface_from_object(obj, materials, depsgraph=depsgraph)
        for obj, materials in zip(objects, look.materials, strict=True)
    ]
    rasteriser = Rasteriser(assemble(surfaces), settings.shading, look.lights)
    brightest = 0.0
    for number, view in enumerate(views):
        picture = rasteriser.render(view, normal=True)
        if not picture.colour[..., 3].any():
            raise FitError(f"Camera '{view.name}' sees nothing of the object to make references from.")
        reference = Reference(view, picture.colour, has_alpha=True, normal=picture.normal)
        if options.render_engine != "sge":
            reference = _rendered(reference, objects, scene, options, hidden)
        brightest = max(brightest, float(reference.colour[..., :3].max()))
        if number == len(views) - 1 and options.render_engine != "sge" and brightest < _BLACK:
            raise FitError(
                f"{options.render_engine.title()} shows '{objects[0].name}' black from everywhere: add a "
                "light, or give the World a color."
            )
        yield reference


def _rendered(
    own: Reference,
    objects: Sequence[bpy.types.Object],
    scene: bpy.types.Scene,
    options: ReferenceOptions,
    hidden: Collection[bpy.types.Object],
) -> Reference:
    """Our own picture with the colours of EEVEE or Cycles in their place; normals where all of it is ours."""
    colour = render_view(
        scene,
        own.view,
        objects,
        engine=options.render_engine,
        samples=options.render_samples,
        keep_others=options.keep_others,
        hidden=hidden,
    )
    if not colour[..., 3].any():
        raise FitError(
            f"Camera '{own.view.name}': {options.render_engine.title()} shows nothing of "
            f"'{objects[0].name}': show its collection in renders, and in the view layer."
        )
    normal = None if options.keep_others else own.normal
    return replace(own, colour=colour, normal=normal, engine=options.render_engine)


def _depsgraph() -> bpy.types.Depsgraph:
    import bpy

    return bpy.context.evaluated_depsgraph_get()
