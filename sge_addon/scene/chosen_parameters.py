# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values that a fit was told to change, found by OBJECT:PATH, or refused by name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..core.errors import FitError
from .object_parameters import ParameterChoice, armatures_of, choice_of, parameters_of
from .parameter_obstacles import modifier_obstacle
from .stand_in import Level

if TYPE_CHECKING:
    import bpy

_NAMED = 6  # of what there is; more are counted
_BONE = re.compile(r'^pose\.bones\["(.*)"\]\.\w+(?:\[\d+\])?$')
_SINGLE = re.compile(r"^(.*[\w\]])\[(\d+)\]$")
_SOCKET = re.compile(r'^(modifiers\[".*"\])(?:\["(\w+)"\]|\.properties\.inputs\.(\w+)\.value)$')


def chosen_parameters(
    objects: Sequence[bpy.types.Object], names: Sequence[str], level: Level = "viewport"
) -> list[ParameterChoice]:
    """The choices of these names. Raises FitError for the first that is not to be fitted."""
    for problem in parameter_problems(objects, names, level):
        raise problem
    return [find_parameter(objects, name, level) for name in names]


def parameter_problems(
    objects: Sequence[bpy.types.Object], names: Sequence[str], level: Level = "viewport"
) -> Iterator[FitError]:
    """Every error that ``chosen_parameters`` could raise, and values that are given twice."""
    taken: dict[tuple[str, str, str], str] = {}
    for name in names:
        try:
            choice = find_parameter(objects, name, level)
        except FitError as error:
            yield error
            continue
        key = (choice.owner, choice.holder, choice.attribute)
        if key in taken:
            yield FitError(
                f"Parameters: '{taken[key]}' and '{name}' are the same value: leave one out.",
                subject=choice.owner,
            )
        taken[key] = name


def find_parameter(
    objects: Sequence[bpy.types.Object], name: str, level: Level = "viewport"
) -> ParameterChoice:
    """The value that is called OBJECT:PATH, of the objects or of an armature that deforms one of them.

    A place of a vector may be named alone, as ``Cup:location[2]``. Raises FitError that names what there is,
    or says why the value cannot be fitted.
    """
    owners = {obj.name: obj for obj in objects if obj.type == "MESH"}
    owners |= {rig.name: rig for obj in list(owners.values()) for rig in armatures_of(obj, level)}
    owner = next((own for own in sorted(owners, key=len, reverse=True) if name.startswith(f"{own}:")), None)
    if owner is None:
        listed = ", ".join(f"'{own}'" for own in owners) or "none"
        raise FitError(
            f"Parameters: '{name}' names no object of the fit, as OBJECT:PATH does (objects: {listed})."
        )
    obj, path = owners[owner], name[len(owner) + 1 :].strip()
    bone = _BONE.match(path)
    known = _known(objects, owner, level, {re.sub(r"\\(.)", r"\1", bone[1])} if bone else ())
    choice = _among(known, path) or _by_path(obj, path, level)
    single = _SINGLE.match(path)
    if choice is None and single:
        whole = _among(known, single[1]) or _by_path(obj, single[1], level)
        choice = whole and _at_place(whole, int(single[2]), name)
    if choice is None:
        known = _known(objects, owner, level, None)
        raise FitError(
            f"Object '{owner}' has no value '{path}' to fit (it has: {_listed(known)}).", subject=owner
        )
    choice = replace(choice, path=path)
    if choice.obstacle:
        raise FitError(f"'{choice.name}' cannot be fitted: {choice.obstacle}.", subject=owner)
    return choice


def _known(
    objects: Sequence[bpy.types.Object], owner: str, level: Level, bones: Collection[str] | None
) -> list[ParameterChoice]:
    """All choices of one owner. bones: as ``parameters_of``."""
    meshes = [each for each in objects if each.type == "MESH"]
    return [each for of in meshes for each in parameters_of(of, level, bones) if each.owner == owner]


def _among(known: Sequence[ParameterChoice], path: str) -> ParameterChoice | None:
    """By its path, or by either of the paths that inputs of node groups have in Blender's versions."""
    wanted = _socket(path)
    return next(
        (each for each in known if each.path == path or (wanted and _socket(each.path) == wanted)), None
    )


def _socket(path: str) -> tuple[str, str] | None:
    found = _SOCKET.match(path)
    return (found[1], found[2] or found[3]) if found else None


def _at_place(whole: ParameterChoice, place: int, name: str) -> ParameterChoice:
    if len(whole.value) == 4:
        raise FitError(
            f"'{name}': a rotation of four numbers turns as a whole: name it without [{place}].",
            subject=whole.owner,
        )
    if place not in range(len(whole.value)):
        raise FitError(f"'{name}': it has {len(whole.value)} places, from [0] on.", subject=whole.owner)
    reason = "" if place in whole.free else "it is locked; unlock it (Item > Transform, in the sidebar)"
    return replace(whole, free=(place,), rotation="", obstacle=whole.obstacle or reason)


def _by_path(obj: bpy.types.Object, path: str, level: Level) -> ParameterChoice | None:
    """Of any other value of a modifier. Raises FitError where it is not made of floating-point numbers."""
    if not path.startswith("modifiers["):
        return None
    holder, _, attribute = path.rpartition(".")
    socket = _socket(path)
    try:
        held = obj.path_resolve(socket[0] if socket else holder)
    except ValueError:
        return None
    modifier = next((each for each in obj.modifiers if each == held), None)
    if modifier is None:
        return None
    if socket:
        _refuse_socket(obj, modifier, socket[1], path)
        return None
    prop = held.bl_rna.properties.get(attribute)
    if prop is None:
        return None
    if prop.type != "FLOAT" or prop.is_readonly:
        kind = {"INT": "whole numbers", "BOOLEAN": "a switch", "ENUM": "a choice"}.get(prop.type, "no number")
        _refuse_kind(obj, path, kind)
    choice = choice_of(obj, holder, attribute, f"{modifier.name}: {prop.name}")
    return replace(choice, obstacle=modifier_obstacle(obj, modifier, choice.path, level))


def _refuse_socket(obj: bpy.types.Object, modifier: bpy.types.Modifier, identifier: str, path: str) -> None:
    """An input that is there, but neither float nor vector."""
    items = (
        modifier.node_group.interface.items_tree if modifier.type == "NODES" and modifier.node_group else ()
    )
    item = next((each for each in items if getattr(each, "identifier", "") == identifier), None)
    if item is not None:
        kinds = {"NodeSocketInt": "whole numbers", "NodeSocketBool": "a switch"}
        _refuse_kind(obj, path, kinds.get(item.socket_type, "neither a float nor a vector"))


def _refuse_kind(obj: bpy.types.Object, path: str, kind: str) -> None:
    raise FitError(
        f"'{obj.name}:{path}' is {kind}, which a fit cannot change bit by bit: leave it out.",
        subject=obj.name,
    )


def _listed(known: Sequence[ParameterChoice]) -> str:
    free = [each.path for each in known if not each.obstacle]
    more = f" and {len(free) - _NAMED} more" if len(free) > _NAMED else ""
    return ", ".join(free[:_NAMED]) + more or "none"
