# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that is wrong with a fit before it begins: what, where, and the remedy.

The rules are those by which ``check_problem`` and ``references_of_scene`` refuse; here each is asked for
every object and reference instead of stopping at the first, and no pixels are decoded.
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..core.errors import FitError, Remedy
from ..core.reference import Reference
from ..core.settings import setting_problems
from ..core.surface import Surface
from ..core.uv_coverage import uv_shortcomings
from ..formats.image_size import read_image_size
from ..scene.cameras import check_frame, view_from_camera
from ..scene.displaced_surface import check_displaced
from ..scene.images import check_image, freed_again, is_loaded
from ..scene.masks import check_mask_image, mask_image
from ..scene.materials import base_colour_image, check_texture, used_slots
from ..scene.objects import (
    mobility_of_group,
    surface_from_object,
    target_notices,
    target_problems,
    unmirrored_matrix,
)
from ..scene.reference_rows import check_any_used, engines_of_scene, image_of_row
from ..scene.references import NORMAL_IMAGE, background_image, cameras_with_images
from ..scene.remesh_check import remesh_notices, remesh_problems
from .check_lit import lit_findings
from .fitted_parameters import fitted_parameter_problems
from .problem import ReferenceFacts, blind_views, reference_problems
from .stacks import (
    estimator_notices,
    fits_height,
    goes_through,
    is_evaluated,
    stack_of,
    stacked_notices,
    stacked_problems,
)

if TYPE_CHECKING:
    import bpy

Result = TypeVar("Result")


@dataclass(frozen=True)
class Finding:
    """is_error: a fit is refused; else it is a warning. subject: name of the object, camera or image."""

    is_error: bool
    text: str
    subject: str = ""
    remedy: Remedy = Remedy.NONE

    @classmethod
    def of(cls, error: FitError) -> Finding:
        """What an error says."""
        return cls(True, str(error), error.subject, error.remedy)


def check_scene(
    scene: bpy.types.Scene, objects: Sequence[bpy.types.Object] | None, values: Mapping[str, Any]
) -> list[Finding]:
    """All findings on a fit of the objects to the scene's references, errors first. Nothing is changed.

    objects: None where it is not known which. values: the settings by field name, which may contradict
    each other.
    """
    findings = _Findings()
    findings.collect(setting_problems(values))
    surfaces = _check_objects(findings, scene, objects, values, engines_of_scene(scene))
    references = _check_references(findings, scene)
    if not all(each.held_out for each in references):  # else it is said already
        findings.collect(reference_problems(references, values["match"]))
    _check_together(findings, references, surfaces, values)
    return findings.sorted()


def check_fit(
    scene: bpy.types.Scene,
    objects: Sequence[bpy.types.Object] | None,
    references: Iterable[Reference] | None,
    values: Mapping[str, Any],
) -> list[Finding]:
    """The same for references that are at hand as such. None where it is not known which they are."""
    findings = _Findings()
    findings.collect(setting_problems(values))
    references = None if references is None else list(references)
    engines = {each.engine for each in references or () if not each.held_out}
    surfaces = _check_objects(findings, scene, objects, values, engines)
    if references is not None:
        facts = [ReferenceFacts.of(each) for each in references]
        findings.collect(reference_problems(facts, values["match"]))
        _check_together(findings, facts, surfaces, values)
    return findings.sorted()


class _Findings:
    """What was found so far, each text once."""

    def __init__(self) -> None:
        self._by_text: dict[str, Finding] = {}

    def add(self, finding: Finding) -> None:
        self._by_text.setdefault(finding.text, finding)

    def warn(self, text: str, subject: str = "", remedy: Remedy = Remedy.NONE) -> None:
        self.add(Finding(False, text, subject, remedy))

    def collect(self, problems: Iterable[FitError]) -> None:
        for problem in problems:
            self.add(Finding.of(problem))

    def attempt(self, function: Callable[..., Result], *arguments: Any, **options: Any) -> Result | None:
        """What the function returns; None, and a finding, where it raises FitError."""
        try:
            return function(*arguments, **options)
        except FitError as error:
            self.add(Finding.of(error))
            return None

    def sorted(self) -> list[Finding]:
        return sorted(self._by_text.values(), key=lambda finding: not finding.is_error)


def _check_objects(
    findings: _Findings,
    scene: bpy.types.Scene,
    objects: Sequence[bpy.types.Object] | None,
    values: Mapping[str, Any],
    engines: Collection[str],
) -> list[Surface]:
    """Surfaces of the objects that have one. engines: what rendered the references."""
    if objects is None:
        return []
    shape, texture = values["shape"], values["texture"]
    findings.collect(target_problems(objects, shape=shape, texture=texture))
    remeshing = {"remesh": values["remesh"], "texture": texture, "vertex_group": values["vertex_group"]}
    findings.collect(remesh_problems(objects, **remeshing))
    findings.collect(fitted_parameter_problems(objects, values))
    for notice in remesh_notices(objects, values["remesh"]):
        findings.warn(notice)
    for found in lit_findings(scene, objects, values, engines):
        if isinstance(found, FitError):
            findings.add(Finding.of(found))
        else:
            findings.warn(*found)
    findings.collect(stacked_problems(objects, values))
    for notice in [*stacked_notices(objects, values), *estimator_notices(objects, values)]:
        findings.warn(notice)
    surfaces = []
    for obj in objects:
        if obj.type != "MESH":
            continue
        for notice in target_notices(obj, shape, is_evaluated(obj, values)):
            findings.warn(notice, obj.name)
        findings.attempt(unmirrored_matrix, obj)
        if shape and values["vertex_group"]:
            findings.attempt(mobility_of_group, obj, values["vertex_group"])
        if fits_height(values):
            surface = findings.attempt(check_displaced, obj, vertex_group=values["vertex_group"])
        elif goes_through(obj, values):
            surface = findings.attempt(lambda each=obj: stack_of(each, (), values).surface())
        else:
            surface = findings.attempt(surface_from_object, obj)
        if surface is not None:
            surfaces.append(surface)
        if surface is not None and texture:
            for shortcoming in uv_shortcomings(surface):
                findings.warn(shortcoming, obj.name, Remedy.UNWRAP)
        _check_materials(findings, obj, texture, values["shading"] == "lit")
    if shape and importlib.util.find_spec("cholespy") is None:
        findings.warn(
            "The sparse solver cholespy is missing, so that fitting shapes takes much longer: reinstall the "
            "extension (Edit > Preferences > Get Extensions)."
        )
    return surfaces


def _check_materials(findings: _Findings, obj: bpy.types.Object, texture: bool, is_lit: bool) -> None:
    for slot in used_slots(obj):
        image = None if is_lit else base_colour_image(slot.material)
        if image is not None:
            findings.attempt(check_texture, image)
        elif slot.material is None and texture:
            findings.warn(
                f"Object '{obj.name}' has faces without a material: the fit will make one.",
                obj.name,
                Remedy.MAKE_MATERIAL,
            )


def _check_references(findings: _Findings, scene: bpy.types.Scene) -> list[ReferenceFacts]:
    """What can be said of the scene's references that have a view."""
    findings.attempt(check_any_used, scene)
    facts = []
    for row in scene.sge.references:
        found = findings.attempt(image_of_row, scene, row) if row.enabled else None
        if found is not None:
            mask = row.mask_image if row.mask_mode != "none" else None
            facts += _facts(findings, scene, *found, mask, row.held_out)
    for camera in () if scene.sge.references else cameras_with_images(scene):
        image = findings.attempt(background_image, camera)
        if image is not None:
            facts += _facts(findings, scene, camera, image, mask_image(camera), False)
    for name, count in Counter(fact.view.name for fact in facts).items():
        if count > 1:
            findings.warn(f"Camera '{name}' is in the list {count} times and counts as often.", name)
    return facts


def _facts(
    findings: _Findings,
    scene: bpy.types.Scene,
    camera: bpy.types.Object,
    image: bpy.types.Image,
    mask: bpy.types.Image | None,
    held_out: bool,
) -> list[ReferenceFacts]:
    """Of one camera; none where it has no view."""
    size = findings.attempt(_size, image, camera.name)
    if size is None:
        return []
    findings.attempt(check_frame, scene, camera, image, size)
    if mask is not None:
        with freed_again(mask):
            findings.attempt(check_mask_image, mask, camera.name, size)
    view = findings.attempt(view_from_camera, camera, *size)
    if view is None:
        return []
    return [ReferenceFacts(view, held_out, camera.data.get(NORMAL_IMAGE) is not None, has_alpha=True)]


def _size(image: bpy.types.Image, camera: str) -> tuple[int, int]:
    """(width, height), from the file's header where the image is not in memory."""
    import bpy

    if not is_loaded(image) and image.packed_file is None:
        try:
            return read_image_size(Path(bpy.path.abspath(image.filepath, library=image.library)))
        except FitError:
            pass  # missing, or of another format: Blender may know better, and says it
    with freed_again(image):
        check_image(image, camera)
        width, height = image.size
    return width, height


def _check_together(
    findings: _Findings,
    references: Sequence[ReferenceFacts],
    surfaces: Sequence[Surface],
    values: Mapping[str, Any],
) -> None:
    if surfaces:
        findings.collect(blind_views((each.view for each in references), surfaces))
    training = [each for each in references if not each.held_out]
    without = [each.view.name for each in training if not each.has_normal]
    if "normal" in values["match"] and 0 < len(without) < len(training):
        findings.warn(
            f"{len(without)} of {len(training)} references have no normals to match ('{without[0]}')."
        )
    if len(training) == 1:
        findings.warn("There is one reference to train on: what it does not show will not be fitted.")
