# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of objects, modifiers, shape keys and bones that a fit may change: which there are.

A choice is known by OBJECT:PATH, the path being Blender's own (what "Copy Data Path" gives), from the object;
values of shape keys are ``key_blocks["Smile"].value``, those of bones are the armature's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .parameter_obstacles import (
    bone_obstacle,
    bones_held_by_kinematics,
    key_obstacle,
    modifier_obstacle,
    obstacle_of_owner,
    transform_obstacle,
)
from .stand_in import Level

if TYPE_CHECKING:
    import bpy

UNLIMITED = float("inf")
_LARGE = 1e30  # what Blender has for no limit
SMALLEST_SCALE = 1e-3  # of what it was

# The values that say how large something of a modifier is, in the order in which Blender shows them.
_OF_MODIFIERS = {
    "ARRAY": ("relative_offset_displace", "constant_offset_displace"),
    "BEVEL": ("width", "width_pct", "profile"),
    "CAST": ("factor",),
    "CORRECTIVE_SMOOTH": ("factor",),
    "DISPLACE": ("strength", "mid_level"),
    "HOOK": ("strength",),
    "LAPLACIANSMOOTH": ("lambda_factor",),
    "LATTICE": ("strength",),
    "SCREW": ("angle", "screw_offset"),
    "SHRINKWRAP": ("offset",),
    "SIMPLE_DEFORM": ("angle", "factor"),
    "SMOOTH": ("factor",),
    "SOLIDIFY": ("thickness", "offset"),
    "WARP": ("strength",),
    "WAVE": ("height", "width", "narrowness", "start_position_x", "start_position_y"),
    "WIREFRAME": ("thickness", "offset"),
}
_SOCKETS = ("NodeSocketFloat", "NodeSocketVector")


@dataclass(frozen=True)
class ParameterChoice:
    """One value that can be fitted, or could if nothing were in its way.

    owner: name of its object. path: after the colon. label: as people read it. holder, attribute: the path to
    what has the attribute. is_key: it is a custom property of that. of_keys: paths are from the shape keys of
    the object's mesh, not from the object. value: now. free: places in it that may change. minimum, maximum:
    never left. rotation: Blender's rotation mode, or "" of what is no rotation. moves_only: it changes where
    its object is, not its shape. obstacle: why it cannot be fitted, as the end of a sentence, or "".
    """

    owner: str
    path: str
    label: str
    holder: str
    attribute: str
    value: tuple[float, ...]
    free: tuple[int, ...]
    minimum: tuple[float, ...]
    maximum: tuple[float, ...]
    is_key: bool = False
    of_keys: bool = False
    rotation: str = ""
    moves_only: bool = False
    obstacle: str = ""

    @property
    def name(self) -> str:
        """OBJECT:PATH."""
        return f"{self.owner}:{self.path}"


def parameters_of(
    obj: bpy.types.Object, level: Level = "viewport", bones: Collection[str] | None = None
) -> list[ParameterChoice]:
    """What can be fitted of a mesh object: its transform, modifiers, shape keys, the bones that deform it.

    bones: names of those that are asked for, since rigs may have many; None for all.
    """
    found = [*_transform(obj, obj, ""), *_modifiers(obj, level), *_shape_keys(obj)]
    reason = obstacle_of_owner(obj)
    found = [replace(each, obstacle=each.obstacle or reason) for each in found]
    for armature in armatures_of(obj, level):
        reason = obstacle_of_owner(armature)
        found += [replace(each, obstacle=each.obstacle or reason) for each in _bones(armature, bones)]
    return found


def armatures_of(obj: bpy.types.Object, level: Level = "viewport") -> list[bpy.types.Object]:
    """The armatures whose pose deforms the object, each once."""
    owners = [
        modifier.object
        for modifier in obj.modifiers
        if modifier.type == "ARMATURE"
        and (modifier.show_render if level == "render" else modifier.show_viewport)
    ]
    return list({each.name: each for each in owners if each is not None}.values())


def choice_of(
    obj: bpy.types.Object,
    holder: str,
    attribute: str,
    label: str,
    *,
    path: str = "",
    obstacle: str = "",
    of_keys: bool = False,
) -> ParameterChoice:
    """A choice of any property that holds floating-point numbers. path: where it is not simply both."""
    base = obj.data.shape_keys if of_keys else obj
    held = base.path_resolve(holder) if holder else base
    prop = held.bl_rna.properties[attribute]
    value = getattr(held, attribute)
    value = tuple(value) if prop.is_array else (float(value),)
    low, high = limits(prop.hard_min, prop.hard_max)
    return ParameterChoice(
        owner=obj.name,
        path=path or ".".join(filter(None, (holder, attribute))),
        label=label,
        holder=holder,
        attribute=attribute,
        value=value,
        free=tuple(range(len(value))),
        minimum=(low,) * len(value),
        maximum=(high,) * len(value),
        of_keys=of_keys,
        obstacle=obstacle,
    )


def limits(low: float, high: float) -> tuple[float, float]:
    """The same, with infinity where Blender means it."""
    return (low if low > -_LARGE else -UNLIMITED, high if high < _LARGE else UNLIMITED)


def _transform(
    obj: bpy.types.Object, posed: bpy.types.Object | bpy.types.PoseBone, holder: str
) -> Iterator[ParameterChoice]:
    """Location, rotation and scale of an object, or of a bone of it."""
    prefix = f"{posed.name}: " if holder else ""
    rotation = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}.get(
        posed.rotation_mode, "rotation_euler"
    )
    for attribute, locks in (
        ("location", posed.lock_location),
        (rotation, posed.lock_rotation),
        ("scale", posed.lock_scale),
    ):
        label = prefix + attribute.partition("_")[0].title()
        choice = replace(choice_of(obj, holder, attribute, label), moves_only=not holder)
        free = tuple(place for place in range(3) if not locks[place])
        choice = _of_rotation(choice, posed, free) if attribute == rotation else replace(choice, free=free)
        if attribute == "scale":
            choice = replace(
                choice,
                minimum=tuple(SMALLEST_SCALE * v if v > 0.0 else -UNLIMITED for v in choice.value),
                maximum=tuple(SMALLEST_SCALE * v if v < 0.0 else UNLIMITED for v in choice.value),
            )
        reason = transform_obstacle(obj, posed, choice.path, choice.free)
        yield replace(choice, obstacle=reason)


def _of_rotation(
    choice: ParameterChoice, posed: bpy.types.Object | bpy.types.PoseBone, free: tuple[int, ...]
) -> ParameterChoice:
    """With some angles locked, those that are free are numbers of their own; else it turns as a whole."""
    if len(free) == 3:
        return replace(choice, rotation=posed.rotation_mode)
    is_euler = len(choice.value) == 3
    return replace(choice, free=free if is_euler else ())


def _modifiers(obj: bpy.types.Object, level: Level) -> Iterator[ParameterChoice]:
    for modifier in obj.modifiers:
        holder = modifier_path(modifier)
        if modifier.type == "NODES":
            yield from _sockets(obj, modifier, level)
        for attribute in _OF_MODIFIERS.get(modifier.type, ()):
            if attribute not in modifier.bl_rna.properties or not _counts(modifier, attribute):
                continue
            label = f"{modifier.name}: {modifier.bl_rna.properties[attribute].name}"
            choice = choice_of(obj, holder, attribute, label)
            yield replace(choice, obstacle=modifier_obstacle(obj, modifier, choice.path, level))


def modifier_path(modifier: bpy.types.Modifier) -> str:
    """From its object."""
    escaped = modifier.name.replace("\\", "\\\\").replace('"', '\\"')
    return f'modifiers["{escaped}"]'


def _counts(modifier: bpy.types.Modifier, attribute: str) -> bool:
    """Whether a value has an effect as the modifier is set."""
    match modifier.type, attribute:
        case "ARRAY", "relative_offset_displace":
            return modifier.use_relative_offset
        case "ARRAY", "constant_offset_displace":
            return modifier.use_constant_offset
        case "BEVEL", "width" | "width_pct":
            return (attribute == "width_pct") == (modifier.offset_type == "PERCENT")
        case "SIMPLE_DEFORM", "angle" | "factor":
            return (attribute == "angle") == (modifier.deform_method in {"TWIST", "BEND"})
    return True


def _sockets(
    obj: bpy.types.Object, modifier: bpy.types.NodesModifier, level: Level
) -> Iterator[ParameterChoice]:
    """The inputs of a node group that are floats or vectors."""
    items = modifier.node_group.interface.items_tree if modifier.node_group else ()
    for item in items:
        if item.item_type != "SOCKET" or item.in_out != "INPUT" or item.socket_type not in _SOCKETS:
            continue
        label = f"{modifier.name}: {item.name}"
        holder, identifier = modifier_path(modifier), item.identifier
        if hasattr(modifier, "properties"):  # from Blender 5.2 on
            socket = f"{holder}.properties.inputs.{identifier}"
            choice = choice_of(obj, socket, "value", label)
            is_attribute = getattr(modifier.properties.inputs, identifier).type == "ATTRIBUTE"
        else:
            given = modifier.get(identifier)
            if given is None:
                continue
            value = (float(given),) if item.socket_type == "NodeSocketFloat" else tuple(map(float, given))
            path = f'{holder}["{identifier}"]'
            none = (-UNLIMITED,) * len(value), (UNLIMITED,) * len(value)
            places = tuple(range(len(value)))
            choice = ParameterChoice(
                obj.name, path, label, holder, identifier, value, places, *none, is_key=True
            )
            is_attribute = bool(modifier.get(f"{identifier}_use_attribute"))
        low, high = limits(item.min_value, item.max_value)
        reason = modifier_obstacle(obj, modifier, choice.path, level)
        if is_attribute:
            reason = reason or "an attribute of the mesh gives it; type a number instead"
        yield replace(
            choice,
            minimum=tuple(min(low, v) for v in choice.value),
            maximum=tuple(max(high, v) for v in choice.value),
            obstacle=reason,
        )


def _shape_keys(obj: bpy.types.Object) -> Iterator[ParameterChoice]:
    keys = obj.data.shape_keys if obj.type == "MESH" else None
    for key in keys.key_blocks if keys is not None and keys.use_relative else ():
        if key == keys.reference_key:
            continue
        escaped = key.name.replace("\\", "\\\\").replace('"', '\\"')
        choice = choice_of(
            obj, f'key_blocks["{escaped}"]', "value", f"Shape Key {key.name}: Value", of_keys=True
        )
        low, high = min(key.slider_min, key.value), max(key.slider_max, key.value)
        yield replace(choice, minimum=(low,), maximum=(high,), obstacle=key_obstacle(obj, key, choice.path))


def _bones(armature: bpy.types.Object, names: Collection[str] | None) -> Iterator[ParameterChoice]:
    held = bones_held_by_kinematics(armature)
    for bone in armature.pose.bones:
        if not bone.bone.use_deform or (names is not None and bone.name not in names):
            continue
        escaped = bone.name.replace("\\", "\\\\").replace('"', '\\"')
        for choice in _transform(armature, bone, f'pose.bones["{escaped}"]'):
            if choice.attribute == "location" and bone.bone.use_connect:
                continue  # Blender holds it at its parent's tip
            yield replace(choice, obstacle=choice.obstacle or bone_obstacle(armature, bone, held))
