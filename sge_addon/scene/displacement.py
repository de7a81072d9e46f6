# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What displaces an object by a height map: a Displace modifier, a Displacement node, or nothing.

Blender's Displace moves each vertex along the object-space normal that the modifiers before it leave, by
strength (height - midlevel); it reads the texture bilinearly at the UV of the vertex's first corner, the mean
of red, green and blue as they are stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..core.errors import FitError, Remedy
from .animation import is_path_animated
from .material_displacement import displacement_node, height_image_node, node_problems, uv_map_of_node
from .materials import check_texture, used_slots

if TYPE_CHECKING:
    import bpy

# What a fitted texture cannot have: its content would no longer be its pixels.
_PLAIN_TEXTURE = {
    "use_flip_axis": False,
    "repeat_x": 1,
    "repeat_y": 1,
    "use_mirror_x": False,
    "use_mirror_y": False,
    "use_color_ramp": False,
    "intensity": 1.0,
    "contrast": 1.0,
    "saturation": 1.0,
    "factor_red": 1.0,
    "factor_green": 1.0,
    "factor_blue": 1.0,
    "use_calculate_alpha": False,
    "invert_alpha": False,
}
_UNEVEN = 0.01  # of the scale


@dataclass(frozen=True, eq=False)
class Displacement:
    """kind: 'modifier', 'node', or 'none' where a Displace modifier is to be made. name: of the modifier or
    the material, or "". strength, midlevel: as Blender means them. in_world_space: of a Displacement node.
    uv_map: through which the texture is read. image: what is read, None where nothing is linked.
    """

    kind: str
    name: str
    strength: float
    midlevel: float
    uv_map: str
    image: bpy.types.Image | None = None
    in_world_space: bool = False


def displacement_of(obj: bpy.types.Object) -> Displacement:
    """What displaces a mesh object. Raises the first of ``displacement_problems``."""
    for problem in displacement_problems(obj):
        raise problem
    uv_map = next(layer.name for layer in obj.data.uv_layers if layer.active_render)
    modifiers = shown_displace_modifiers(obj)
    if modifiers:
        modifier = modifiers[0]
        image = modifier.texture.image if modifier.texture else None
        if modifier.texture is not None:
            uv_map = uv_map_of_modifier(obj, modifier)
        return Displacement("modifier", modifier.name, modifier.strength, modifier.mid_level, uv_map, image)
    material = displaced_material(obj)
    if material is None:
        return Displacement("none", "", 1.0, 0.0, uv_map)
    node = displacement_node(material)
    reader = height_image_node(node)
    return Displacement(
        "node",
        material.name_full,
        node.inputs["Scale"].default_value,
        node.inputs["Midlevel"].default_value,
        (uv_map_of_node(reader) if reader else "") or uv_map,
        reader.image if reader else None,
        node.space == "WORLD",
    )


def height_problems(
    objects: Sequence[bpy.types.Object], *, moved: Collection[str], remesh: str
) -> Iterator[FitError]:
    """Everything that keeps the map 'height' from being fitted to the objects, by name.

    moved: names of objects whose displaced vertices the fit of the shape would move as well.
    """
    for name in moved:
        yield FitError(
            f"Object '{name}': Shape and the map Height would both move the same vertices: give it a "
            "Subdivision Surface modifier and switch Through Modifiers on, so that Shape moves its cage; or "
            "switch Shape off, or leave Height out of Maps.",
            subject=name,
        )
    if remesh != "off":
        yield FitError(
            "Remesh makes another mesh, and the map Height keeps the one there is: set Remesh to off."
        )
    owners: dict[str, str] = {}
    for obj in objects:
        if obj.type != "MESH":
            continue  # said already
        yield from displacement_problems(obj)
        material = displaced_material(obj)
        if material is None or shown_displace_modifiers(obj):
            continue
        other = owners.setdefault(material.name_full, obj.name)
        if other != obj.name:
            yield FitError(
                f"Objects '{other}' and '{obj.name}' are displaced by the same material '{material.name}', "
                "whose height map cannot fit both: give one a copy of the material.",
                subject=obj.name,
            )


def displacement_problems(obj: bpy.types.Object) -> Iterator[FitError]:
    """What keeps a mesh object's height map from being fitted."""
    owner = f"Object '{obj.name}'"
    if not obj.data.uv_layers:
        yield FitError(
            f"{owner} has no UV map to read a height map through: unwrap it (UV > Smart UV Project).",
            subject=obj.name,
            remedy=Remedy.UNWRAP,
        )
        return
    displacing = [modifier for modifier in obj.modifiers if modifier.type == "DISPLACE"]
    for modifier in displacing:
        if modifier.show_render and not modifier.show_viewport:
            yield FitError(
                f"{owner}: its modifier '{modifier.name}' displaces in renders but not in viewports: show it "
                "in both, or remove it.",
                subject=obj.name,
            )
    shown = shown_displace_modifiers(obj)
    material = displaced_material(obj)
    if len(shown) + (material is not None) > 1:
        names = ", ".join(f"modifier '{modifier.name}'" for modifier in shown)
        names += f", material '{material.name}'" if material is not None else ""
        yield FitError(
            f"{owner} is displaced several times ({names}), and one height map is fitted: apply or remove "
            "the others.",
            subject=obj.name,
        )
    elif shown:
        yield from _modifier_problems(obj, shown[0])
    elif material is not None:
        others = [slot.material for slot in used_slots(obj) if slot.material != material]
        if others:
            other = f"'{others[0].name}'" if others[0] else "none"
            yield FitError(
                f"{owner}: only some of its faces are displaced, by material '{material.name}' (others have "
                f"{other}): give all faces one material, or displace by a Displace modifier.",
                subject=obj.name,
            )
        yield from node_problems(material)
        reader = height_image_node(displacement_node(material))
        uv_map = uv_map_of_node(reader) if reader else ""
        if uv_map and uv_map not in obj.data.uv_layers:
            yield FitError(
                f"{owner} has no UV map '{uv_map}', by which material '{material.name}' reads its height: "
                "name another in its UV Map node.",
                subject=obj.name,
            )


def height_notices(obj: bpy.types.Object) -> list[str]:
    """What will be done differently from what one might expect."""
    material = displaced_material(obj)
    if shown_displace_modifiers(obj):
        return []
    if material is not None:
        return _material_notices(obj, material)
    notices = [
        f"Object '{obj.name}': nothing displaces it, so that it gets a Displace modifier, which every "
        "viewport and every renderer shows."
    ]
    notices += [
        f"Material '{slot.material.name}': its Displacement is Bump Only and moves no surface; it stays."
        for slot in used_slots(obj)
        if slot.material is not None and displacement_node(slot.material) is not None
    ]
    return notices


def _material_notices(obj: bpy.types.Object, material: bpy.types.Material) -> list[str]:
    node = displacement_node(material)
    scale = np.linalg.norm(np.array(obj.matrix_world)[:3, :3], axis=0)
    is_even = scale.max() <= (1.0 + _UNEVEN) * scale.min()
    if is_even or node.bl_idname != "ShaderNodeDisplacement" or node.space == "WORLD":
        return []
    return [
        f"Object '{obj.name}': its scale differs between axes, with which EEVEE displaces by material "
        f"'{material.name}' otherwise than Cycles and the fit do: apply the scale (Ctrl+A > Scale), or "
        "choose World Space in its Displacement node."
    ]


def shown_displace_modifiers(obj: bpy.types.Object) -> list[bpy.types.Modifier]:
    """The Displace modifiers that viewports show."""
    return [each for each in obj.modifiers if each.type == "DISPLACE" and each.show_viewport]


def displaced_material(obj: bpy.types.Object) -> bpy.types.Material | None:
    """The first material on the object's faces whose displacement moves the surface, not shading alone."""
    for slot in used_slots(obj):
        material = slot.material
        if (
            material is not None
            and material.displacement_method != "BUMP"
            and displacement_node(material) is not None
        ):
            return material
    return None


def uv_map_of_modifier(obj: bpy.types.Object, modifier: bpy.types.DisplaceModifier) -> str:
    """The map that the modifier reads: the one it names, else the active one (not the render's)."""
    layers = obj.data.uv_layers
    return modifier.uv_layer if modifier.uv_layer in layers else layers.active.name


def _modifier_problems(obj: bpy.types.Object, modifier: bpy.types.DisplaceModifier) -> Iterator[FitError]:
    owner = f"Object '{obj.name}': its modifier '{modifier.name}'"
    if modifier.direction != "NORMAL":
        direction = modifier.bl_rna.properties["direction"].enum_items[modifier.direction].name
        yield FitError(
            f"{owner} displaces along {direction}; a height map is fitted along Normal: choose that as its "
            "Direction.",
            subject=obj.name,
        )
    if modifier.vertex_group:
        yield FitError(
            f"{owner} is weighted by the vertex group '{modifier.vertex_group}': clear it there (the "
            "fit's own Vertex Group limits what moves).",
            subject=obj.name,
        )
    if modifier.strength == 0.0:
        yield FitError(
            f"{owner} has the strength 0, with which no height shows: set another, for example 1.",
            subject=obj.name,
        )
    for name in ("strength", "mid_level"):
        if is_path_animated(obj, modifier.path_from_id(name)):
            yield FitError(
                f"{owner}: its {modifier.bl_rna.properties[name].name} is animated, so that what a fit "
                "writes there would not stay: remove its keyframes or driver.",
                subject=obj.name,
            )
    texture = modifier.texture
    if texture is None:
        return
    if texture.type != "IMAGE":
        kind = texture.bl_rna.properties["type"].enum_items[texture.type].name
        yield FitError(
            f"{owner} shows the texture '{texture.name}' of type {kind}; a height map is an image: choose "
            "Image or Movie as its type, or clear the modifier's texture.",
            subject=obj.name,
        )
        return
    if modifier.texture_coords != "UV":
        yield FitError(
            f"{owner} reads its texture by {modifier.texture_coords.title()} coordinates: choose UV.",
            subject=obj.name,
        )
    for name, plain in _PLAIN_TEXTURE.items():
        if getattr(texture, name) != plain:
            label = texture.bl_rna.properties[name].name
            yield FitError(
                f"{owner}: the texture '{texture.name}' is changed by its setting {label}: reset it to "
                f"{plain}.",
                subject=obj.name,
            )
    if texture.image is not None:
        try:
            check_texture(texture.image)
        except FitError as error:
            yield error
