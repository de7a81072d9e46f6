# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an object's modifiers depend on beside its mesh: other objects, and the frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .animation import is_animated, moving_paths
from .node_groups import ids_read, reads_time
from .stand_in import WITHOUT_EFFECT, Level, is_shown

if TYPE_CHECKING:
    import bpy

# Properties, some of one type of modifiers only, of which the object's place counts and not its shape.
_PLACES = {
    "mirror_object",
    "offset_object",
    "origin",
    "object_from",
    "object_to",
    "texture_coords_object",
    "mask_tex_map_object",
    "start_position_object",
    ("HOOK", "object"),
    ("CAST", "object"),
    ("SCREW", "object"),
    ("NORMAL_EDIT", "target"),
}


@dataclass(frozen=True, eq=False)
class Dependency:
    """object: what the modifier named ``modifier`` reads. by_shape: its shape counts, not its place alone."""

    modifier: str
    object: bpy.types.Object
    by_shape: bool


def dependencies(obj: bpy.types.Object, level: Level) -> Iterator[Dependency]:
    """All that the shown modifiers of an object read, directly or through the modifiers of what they read."""
    for modifier in shown_modifiers(obj, level):
        seen = {obj.name_full}
        waiting = list(_read_by(modifier))
        while waiting:
            other, by_shape = waiting.pop(0)
            yield Dependency(modifier.name, other, by_shape)
            if by_shape and other.name_full not in seen:
                seen.add(other.name_full)
                waiting += [each for further in shown_modifiers(other, level) for each in _read_by(further)]


def frame_reasons(obj: bpy.types.Object, level: Level) -> Iterator[tuple[str, str]]:
    """(name, why) of each shown modifier that does something else at another frame, simulations apart."""
    paths = moving_paths(obj)
    for modifier in shown_modifiers(obj, level):
        owner = f'modifiers["{_escaped(modifier.name)}"]'
        moving = sorted(path.removeprefix(owner).lstrip(".") for path in paths if path.startswith(owner))
        if moving:
            yield modifier.name, f"{_labels(modifier, moving)} animated"
        elif modifier.type in {"WAVE", "OCEAN"}:
            yield modifier.name, "it moves with time"
        elif modifier.type == "NODES" and modifier.node_group is not None and reads_time(modifier.node_group):
            yield modifier.name, "its nodes read the Scene Time"
        else:
            animated = sorted({other.name for other, _ in _read_by(modifier) if is_animated(other)})
            if animated:
                listed = " and ".join(f"'{name}'" for name in animated)
                yield modifier.name, f"it reads {listed}, animated"


def shown_modifiers(obj: bpy.types.Object, level: Level) -> list[bpy.types.Modifier]:
    """Those that take part."""
    return [each for each in obj.modifiers if is_shown(each, level) and each.type not in WITHOUT_EFFECT]


def _read_by(modifier: bpy.types.Modifier) -> Iterator[tuple[bpy.types.Object, bool]]:
    for each in modifier.bl_rna.properties:
        if each.type == "POINTER" and each.fixed_type.identifier in {"Object", "Collection"}:
            by_shape = each.identifier not in _PLACES and (modifier.type, each.identifier) not in _PLACES
            yield from ((other, by_shape) for other in _objects_of(getattr(modifier, each.identifier)))
    if modifier.type == "NODES":
        yield from ((other, True) for each in ids_read(modifier) for other in _objects_of(each))


def _objects_of(each: bpy.types.Object | bpy.types.Collection | None) -> list[bpy.types.Object]:
    """The object itself, or those of a collection."""
    import bpy

    if isinstance(each, bpy.types.Collection):
        return list(each.all_objects)
    return [] if each is None else [each]


def _labels(modifier: bpy.types.Modifier, paths: list[str]) -> str:
    """'its Strength is', by Blender's name of the property where it has one."""
    known = modifier.bl_rna.properties
    names = [known[path].name if path in known else "input" for path in paths]
    if len(set(names)) == 1:
        return f"its {names[0]} is"
    return f"its {', '.join(sorted(set(names)))} are"


def _escaped(name: str) -> str:
    """As data paths quote a name."""
    return name.replace("\\", "\\\\").replace('"', '\\"')
