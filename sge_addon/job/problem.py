# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be fitted, checked: everything that can be refused is refused here, before any change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from ..core.assembly import Assembly, assemble
from ..core.errors import FitError, Remedy
from ..core.lights import SunLights
from ..core.reference import Reference
from ..core.scene_lights import SceneLights
from ..core.settings import FitSettings
from ..core.surface import Material, Surface
from ..core.view import View
from ..core.visibility import sees_nothing
from ..scene.displaced_surface import DisplacedObject, coarse_notices, displaced_object
from ..scene.displacement import height_notices, height_problems
from ..scene.objects import surface_from_object, target_notices, target_problems
from ..scene.parameter_evaluator import ParameterEvaluator
from ..scene.remesh_check import remesh_notices, remesh_problems
from ..scene.stand_in import Level, stand_in
from .fitted_parameters import parameter_evaluator, parameter_notices
from .moving_surfaces import as_its_own_cage
from .scene_look import scene_look
from .stacks import (
    Stacks,
    goes_through,
    is_evaluated,
    moved_twice,
    stack_of,
    stacked_notices,
    stacked_problems,
)

if TYPE_CHECKING:
    import bpy


@dataclass(frozen=True, eq=False)
class Problem:
    """A checked fit. notices: what will be done differently from what one might expect. displaced: what the
    surfaces were made of, where heights are fitted. stacks: by object, its modifiers where it is seen through
    them, else None. parameters: the objects at any values of what is fitted of them and their modifiers; None
    where that is nothing."""

    objects: tuple[bpy.types.Object, ...]
    surfaces: tuple[Surface, ...]
    assembly: Assembly
    references: tuple[Reference, ...]
    lights: SunLights | SceneLights
    settings: FitSettings
    notices: tuple[str, ...]
    displaced: tuple[DisplacedObject, ...] = ()
    stacks: Stacks = ()
    parameters: ParameterEvaluator | None = None

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
    values = asdict(settings)
    for problem in target_problems(objects, shape=settings.shape, texture=settings.texture):
        raise problem
    for problem in stacked_problems(objects, values):
        raise problem
    notices = stacked_notices(objects, values)
    for obj in objects:
        notices += target_notices(obj, settings.shape, is_evaluated(obj, values))
    for problem in remesh_problems(
        objects, remesh=settings.remesh, texture=settings.texture, vertex_group=settings.vertex_group
    ):
        raise problem
    notices += remesh_notices(objects, settings.remesh)
    facts = [ReferenceFacts.of(reference) for reference in references]
    for problem in reference_problems(facts, settings.match):
        raise problem
    parameters = parameter_evaluator(objects, settings)
    notices += parameter_notices(settings, references)
    engines = {each.engine for each in references if not each.held_out}
    look = scene_look(scene, objects, settings, fitted=True, engines=engines)
    notices += look.notices
    read = _read_surfaces(objects, look.materials, settings, values, parameters)
    if settings.fits_height:
        views = [each.view for each in references if not each.held_out]
        for obj, surface in zip(objects, read.surfaces, strict=True):
            notices += [*height_notices(obj), *coarse_notices(surface, views)]
    assembly = assemble(read.surfaces)
    for problem in blind_views([each.view for each in references], read.surfaces):
        raise problem
    return Problem(
        objects=tuple(objects),
        surfaces=read.surfaces,
        assembly=assembly,
        references=tuple(reference.resized(settings.resolution) for reference in references),
        lights=look.lights,
        settings=settings,
        notices=tuple(notices),
        displaced=read.displaced,
        stacks=read.stacks,
        parameters=parameters,
    )


def _evaluated_surface(obj: bpy.types.Object, materials: tuple[Material, ...], level: Level) -> Surface:
    """What modifiers and shape keys make of an object."""
    with stand_in(obj, level=level) as copy:
        copy.evaluated()
        depsgraph = copy.view_layer.depsgraph
        return surface_from_object(obj, materials, depsgraph=depsgraph, stand_in=copy.object)


@dataclass(frozen=True, eq=False)
class _Read:
    surfaces: tuple[Surface, ...]
    stacks: Stacks
    displaced: tuple[DisplacedObject, ...] = ()


def _read_surfaces(
    objects: Sequence[bpy.types.Object],
    materials: Sequence[tuple[Material, ...]],
    settings: FitSettings,
    values: Mapping[str, Any],
    parameters: ParameterEvaluator | None,
) -> _Read:
    """The surfaces as the fit sees them: through modifiers, with heights, or as base meshes."""
    group = settings.vertex_group if settings.moves_surface else ""
    if settings.fits_height:
        for problem in height_problems(objects, moved=moved_twice(objects, values), remesh=settings.remesh):
            raise problem
        displaced = tuple(
            displaced_object(obj, of_object, texture_size=settings.texture_size, vertex_group=group)
            for obj, of_object in zip(objects, materials, strict=True)
        )
        surfaces = tuple(each.surface for each in displaced)
        if not settings.shape:
            return _Read(surfaces, (None,) * len(objects), displaced)
        stacks: Stacks = tuple(
            stack_of(obj, of_object, values, muted={each.displacement.name})
            for obj, of_object, each in zip(objects, materials, displaced, strict=True)
        )
        surfaces = tuple(
            replace(surface, cage=stack.surface().cage)
            for surface, stack in zip(surfaces, stacks, strict=True)
        )
        return _Read(surfaces, stacks, displaced)
    reshaped = [parameters is not None and parameters.reshapes(index) for index in range(len(objects))]
    stacks = tuple(
        stack_of(obj, of_object, values)
        if goes_through(obj, values) or (settings.shape and is_reshaped)
        else None
        for obj, of_object, is_reshaped in zip(objects, materials, reshaped, strict=True)
    )
    surfaces = []
    for obj, of_object, stack, is_reshaped in zip(objects, materials, stacks, reshaped, strict=True):
        if stack is not None:
            surfaces.append(stack.surface())
        elif is_reshaped:
            surfaces.append(_evaluated_surface(obj, of_object, settings.level))
        else:
            pins = settings.shape and settings.pin_boundary
            surface = surface_from_object(obj, of_object, vertex_group=group, pin_boundary=pins)
            is_moved = settings.shape and parameters is not None
            surfaces.append(as_its_own_cage(surface) if is_moved else surface)
    return _Read(tuple(surfaces), stacks)


@dataclass(frozen=True, eq=False)
class ReferenceFacts:
    """What can be said of a reference without its pixels. has_alpha: it has alpha, or may have."""

    view: View
    held_out: bool
    has_normal: bool
    has_alpha: bool

    @classmethod
    def of(cls, reference: Reference) -> ReferenceFacts:
        """Of a reference whose pixels are there."""
        return cls(reference.view, reference.held_out, reference.has_normal, reference.has_alpha)


def reference_problems(references: Sequence[ReferenceFacts], match: Sequence[str]) -> Iterator[FitError]:
    """What is wrong with the references as a whole."""
    if not references:
        yield FitError(
            "There are no references: give cameras background images and press Add from Cameras, "
            "press Make References from Object, or name a file (--references).",
            remedy=Remedy.ADD_FROM_CAMERAS,
        )
        return
    training = [reference for reference in references if not reference.held_out]
    if not training:
        yield FitError(
            "All references are held out: at least one must be trained on.", remedy=Remedy.ENABLE_ALL
        )
        return
    if tuple(match) == ("normal",) and not any(reference.has_normal for reference in training):
        yield FitError(
            "None of the references has normals to match: make them from an object, or match colour."
        )
    if tuple(match) == ("alpha",) and not any(reference.has_alpha for reference in training):
        yield FitError("None of the references has alpha to match: match colour, or give images with alpha.")


def blind_views(views: Iterable[View], surfaces: Sequence[Surface]) -> Iterator[FitError]:
    """An error for each view that sees nothing of any surface."""
    names = ", ".join(f"'{surface.name}'" for surface in surfaces)
    for view in views:
        if all(sees_nothing(view, surface.positions, surface.triangles) for surface in surfaces):
            yield FitError(
                f"Camera '{view.name}' sees nothing of {names}: turn it, or leave it out of the references.",
                subject=view.name,
                remedy=Remedy.SWITCH_OFF,
            )
