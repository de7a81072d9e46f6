# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Compare shows: a reference, the render through its camera, and their difference.

All three are kept on the GPU and made anew only when something has changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
import gpu
import numpy as np

from ..core.difference_map import difference, displayed, fitting_scale, in_colours
from ..core.errors import FitError
from ..core.metrics import psnr, squared_errors
from ..core.reference import Reference
from ..raster.tables import upload_image, with_alpha
from ..scene.reference_rows import reference_of_row
from ..scene.stored_settings import settings_from_scene
from .running_fit import RunningFit, targets

_BACKDROP = np.full(3, 0.03, np.float32)  # linear: behind what is transparent


@dataclass(frozen=True, eq=False)
class Pictures:
    """Textures in display space, row 0 at the bottom. psnr: over the object, in dB. scale: the difference
    that the brightest colour stands for."""

    reference: Reference
    textures: dict[str, gpu.types.GPUTexture]
    psnr: float
    scale: float


class PictureSource:
    """Makes the pictures of one row, and says when they would be others now."""

    def __init__(self, context: bpy.types.Context) -> None:
        self._objects = [obj.session_uid for obj in targets(context)]
        if not self._objects and RunningFit.current is None:
            raise FitError("Nothing to compare: select the mesh whose fit you want to see.")
        self._renderer: Any = None
        self._reference: tuple[int, Reference] | None = None
        self._pictures: Pictures | None = None
        self._state: tuple[Any, ...] = ()
        self._changes = 0

    def scene_changed(self) -> None:
        """An object, material or image is not what it was."""
        self._changes += 1

    def is_stale(self, row: int) -> bool:
        """Whether ``pictures`` would make something new."""
        return self._state != self._now(row)

    def pictures(self, scene: bpy.types.Scene, row: int) -> Pictures:
        """The pictures of a row of the list. Raises FitError where it lost its camera or its image."""
        state = self._now(row)
        if self._pictures is None or self._state != state:
            if not 0 <= row < len(scene.sge.references):
                raise FitError("There is no reference to compare with: add some to the list, and select one.")
            reference = self._reference_of(scene, row)
            colour = self._render(scene, reference)
            self._pictures = _pictures(reference, colour, self._pictures)
            self._state = state
        return self._pictures

    def _now(self, row: int) -> tuple[Any, ...]:
        fit = RunningFit.current
        if fit is None:
            return row, self._changes
        return row, id(fit), fit.rate.shown  # once for each time that the fit shows itself

    def _reference_of(self, scene: bpy.types.Scene, row: int) -> Reference:
        key = (row, self._changes if RunningFit.current is None else -1)
        if self._reference is None or self._reference[0] != key:
            resolution = settings_from_scene(scene).resolution
            self._reference = key, reference_of_row(scene, scene.sge.references[row], resolution)
        return self._reference[1]

    def _render(self, scene: bpy.types.Scene, reference: Reference) -> Any:
        fit = RunningFit.current
        colour = None if fit is None else fit.render(reference.view)
        if colour is not None:
            self._renderer = None
            return colour
        if self._renderer is None or self._renderer[0] != self._changes:
            from ..job import SceneRenderer  # late: with it comes the rasteriser

            objects = [obj for obj in scene.objects if obj.session_uid in self._objects]
            if not objects:
                raise FitError("What was compared is gone: select a mesh and press Compare again.")
            self._renderer = self._changes, SceneRenderer(scene, objects, settings_from_scene(scene))
        return self._renderer[1].render(reference.view)


def _pictures(reference: Reference, colour: Any, before: Pictures | None) -> Pictures:
    """The difference's scale stays while the view does, so that its colours can be compared over time."""
    apart = difference(reference, colour)
    scale = fitting_scale(apart)
    if before is not None and before.reference is reference:
        scale = max(scale, before.scale)
        texture = before.textures["reference"]
    else:
        texture = upload_image(with_alpha(displayed(reference.colour, _BACKDROP)))
    shown = {"render": displayed(colour, _BACKDROP), "difference": in_colours(apart, scale)}
    textures = {name: upload_image(with_alpha(image)) for name, image in shown.items()}
    figure = psnr(squared_errors(reference, colour)[0])
    return Pictures(reference, {"reference": texture, **textures}, figure, scale)
