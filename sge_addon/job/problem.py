# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be fitted, checked: everything that can be refused is refused here, before any change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.assembly import Assembly, assemble
from ..core.errors import FitError
from ..core.lights import SunLights
from ..core.reference import Reference
from ..core.settings import FitSettings
from ..core.surface import Surface
from ..core.visibility import sees_nothing
from ..scene.lights import sun_lights
from ..scene.materials import materials_of_objects
from ..scene.objects import check_targets, surface_from_object

if TYPE_CHECKING:
    import bpy


@dataclass(frozen=True, eq=False)
class Problem:
    """A checked fit. notices: what will be done differently from what one might expect."""

    objects: tuple[bpy.types.Object, ...]
    surfaces: tuple[Surface, ...]
    assembly: Assembly
    references: tuple[Reference, ...]
    lights: SunLights
    settings: FitSettings
    notices: tuple[str, ...]

    @property
    def training(self) -> list[Reference]:
        """The references that are trained on."""
        return [reference for reference in self.references if not reference.held_out]


def check_problem(
    scene: bpy.types.Scene,
    objects: Sequence[bpy.types.Object],
    references: Sequence[Reference],
    settings: FitSettings,
) -> Problem:
    """Read and check everything. Raises FitError by name of the object, image or camera."""
    notices = check_targets(objects, shape=settings.shape, texture=settings.texture)
    _check_references(references, settings)
    fitted_size = settings.texture_size if settings.texture else 0
    materials = materials_of_objects(objects, fitted_size=fitted_size)
    group = settings.vertex_group if settings.shape else ""
    surfaces = tuple(
        surface_from_object(obj, of_object, vertex_group=group)
        for obj, of_object in zip(objects, materials, strict=True)
    )
    assembly = assemble(surfaces)
    for reference in references:
        if sees_nothing(reference.view, assembly.positions, assembly.triangles):
            names = ", ".join(f"'{obj.name}'" for obj in objects)
            raise FitError(
                f"Camera '{reference.view.name}' sees nothing of {names}: turn it, or leave it out of the "
                "references."
            )
    return Problem(
        objects=tuple(objects),
        surfaces=surfaces,
        assembly=assembly,
        references=tuple(reference.resized(settings.resolution) for reference in references),
        lights=sun_lights(scene) if settings.shading == "sun" else SunLights(),
        settings=settings,
        notices=tuple(notices),
    )


def _check_references(references: Sequence[Reference], settings: FitSettings) -> None:
    if not references:
        raise FitError(
            "There are no references: give cameras background images and press Add from Cameras, "
            "press Make References from Object, or name a file (--references)."
        )
    training = [reference for reference in references if not reference.held_out]
    if not training:
        raise FitError("All references are held out: at least one must be trained on.")
    if settings.match == ("normal",) and all(reference.normal is None for reference in training):
        raise FitError(
            "None of the references has normals to match: make them from an object, or match colour."
        )
    if settings.match == ("alpha",) and not any(reference.has_alpha for reference in training):
        raise FitError("None of the references has alpha to match: match colour, or give images with alpha.")
