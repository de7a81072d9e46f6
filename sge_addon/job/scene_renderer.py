# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects as they stand in the scene, rendered as a fit renders them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.assembly import assemble
from ..core.settings import FitSettings
from ..core.view import View
from ..raster.context import start_gpu
from ..raster.rasteriser import Rasteriser
from ..scene.objects import surface_from_object
from ..scene.reference_rows import engines_of_scene
from .scene_look import scene_look
from .stacks import goes_through, stack_of

if TYPE_CHECKING:
    import bpy


class SceneRenderer:
    """Holds what it was made of: make a new one when objects have changed.

    Through modifiers or without them, as a fit to the scene's references sees them. Raises FitError for what
    cannot be rasterised.
    """

    def __init__(
        self, scene: bpy.types.Scene, objects: Sequence[bpy.types.Object], settings: FitSettings
    ) -> None:
        start_gpu()
        look = scene_look(scene, objects, settings, fitted=False, engines=engines_of_scene(scene))
        values = asdict(settings)
        surfaces = [
            stack_of(obj, materials, values).surface()
            if goes_through(obj, values)
            else surface_from_object(obj, materials)
            for obj, materials in zip(objects, look.materials, strict=True)
        ]
        self._rasteriser = Rasteriser(assemble(surfaces), settings.shading, look.lights)

    def render(self, view: View) -> NDArray[np.float32]:
        """(H, W, 4) linear premultiplied, 4 x 4 samples a pixel."""
        return self._rasteriser.render(view).colour
