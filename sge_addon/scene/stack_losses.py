# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modifiers lose of a mesh that a fit cannot do without, and which of them loses it."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.errors import FitError
from .stand_in import Level, StandIn, stand_in
from .uv_maps import rendered_uv_map

if TYPE_CHECKING:
    import bpy

_MARKS = "sge_base_face"


def mark_faces(mesh: bpy.types.Mesh) -> str:
    """Give every face its number, from 1 on, as an attribute of a new name, which is returned.

    Faces that modifiers add from elsewhere have 0 in it.
    """
    attribute = mesh.attributes.new(_MARKS, "INT", "FACE")  # Blender changes the name where it is taken
    attribute.data.foreach_set("value", np.arange(1, len(mesh.polygons) + 1, dtype=np.int32))
    return attribute.name


def marks_of_faces(mesh: bpy.types.Mesh, marks: str) -> NDArray[np.int32] | None:
    """(P,) of an evaluated mesh: the base face from which each face came, -1 for those from elsewhere.

    None where the mesh does not tell: no faces, no such attribute, or none that came from a base face.
    """
    attribute = mesh.attributes.get(marks)
    if attribute is None or attribute.domain != "FACE" or attribute.data_type != "INT":
        return None
    numbers = np.zeros(len(mesh.polygons), np.int32)
    attribute.data.foreach_get("value", numbers)
    return numbers - 1 if numbers.any() else None


@dataclass(frozen=True)
class _Left:
    """What there is of a mesh after its modifiers."""

    faces: bool
    origins: bool
    uvs: bool


def stack_losses(
    obj: bpy.types.Object, level: Level, muted: Collection[str] = (), *, texture: bool = False
) -> Iterator[FitError]:
    """What a fit through the object's modifiers lacks: faces, their origin, with ``texture`` a UV map. The
    modifier that loses it is found by evaluating with ever more of them."""
    with stand_in(obj, muted=muted, level=level, own_mesh=True) as copy:
        marks = mark_faces(copy.object.data)
        left = _left(copy, marks)
        shown = [modifier.name for modifier in copy.object.modifiers if modifier.show_viewport]
        missing = next((each for each in ("faces", "origins") if not getattr(left, each)), None)
        if missing is None and texture and not left.uvs and obj.data.uv_layers:
            missing = "uvs"
        if missing is None:
            return
        name = _culprit(copy, marks, shown, missing)
    if name:
        what = {"faces": _no_faces, "origins": _no_origins, "uvs": _no_uvs}[missing](obj, name)
    else:
        what = "its base mesh has no faces to fit: apply the modifiers that make some."
    yield FitError(f"Object '{obj.name}': {what}", subject=obj.name)


def evaluation_time(obj: bpy.types.Object, level: Level) -> tuple[float, str]:
    """(milliseconds, name): how long one evaluation of the object's modifiers takes, once all around them is
    there, and which of them takes longest."""
    with stand_in(obj, level=level, own_mesh=True) as copy:
        copy.evaluated()
        copy.object.data.update_tag()
        began = time.perf_counter()
        evaluated = copy.evaluated()
        evaluated.to_mesh()  # a Subdivision Surface that comes last is put off until then
        taken = time.perf_counter() - began
        evaluated.to_mesh_clear()
        shown = [each for each in evaluated.modifiers if each.show_viewport]
        seconds = {each.name: each.execution_time for each in shown}
        if shown and shown[-1].type == "SUBSURF":
            seconds[shown[-1].name] = taken - sum(each.execution_time for each in shown[:-1])
    return 1000.0 * taken, max(seconds, key=seconds.__getitem__, default="")


def _left(copy: StandIn, marks: str) -> _Left:
    evaluated = copy.evaluated()
    mesh = evaluated.to_mesh()
    try:
        faces = len(mesh.polygons) > 0
        return _Left(faces, marks_of_faces(mesh, marks) is not None, bool(rendered_uv_map(mesh)))
    finally:
        evaluated.to_mesh_clear()


def _culprit(copy: StandIn, marks: str, shown: list[str], missing: str) -> str:
    """The last modifier of the shortest stack after which it is missing, "" where that is the empty one."""
    for count in range(len(shown)):
        copy.show_only(shown[:count])
        if not getattr(_left(copy, marks), missing):
            return shown[count - 1] if count else ""
    return shown[-1]


def _no_faces(obj: bpy.types.Object, name: str) -> str:
    if obj.modifiers[name].type == "NODES":
        return (
            f"its modifier '{name}' leaves no faces to rasterise (instances do not count): add a Realize "
            "Instances node before its output, or switch it off."
        )
    return f"its modifier '{name}' leaves no faces to rasterise: change its settings, or switch it off."


def _no_origins(obj: bpy.types.Object, name: str) -> str:
    return (
        f"its modifier '{name}' ({type_label(obj.modifiers[name])}) makes faces that do not tell from which "
        "face of the base mesh they come, so that a fit cannot go back through it: apply it, or switch it "
        "off."
    )


def _no_uvs(obj: bpy.types.Object, name: str) -> str:
    return (
        f"its modifier '{name}' ({type_label(obj.modifiers[name])}) leaves no UV map to fit a texture in: "
        "apply it and unwrap (UV > Smart UV Project), or switch Texture off."
    )


def type_label(modifier: bpy.types.Modifier) -> str:
    """What Blender calls the modifier's type."""
    return modifier.bl_rna.properties["type"].enum_items[modifier.type].name
