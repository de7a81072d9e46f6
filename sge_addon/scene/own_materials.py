# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials that a fit may change: those that nobody else uses, copies of the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .materials import Slot

if TYPE_CHECKING:
    import bpy


def own_material(slot: Slot, slots: Sequence[Slot], notices: list[str]) -> bpy.types.Material:
    """The slot's material where only ``slots`` use it, else a copy; a new one where there is none."""
    import bpy

    material = slot.material
    if material is None:
        return bpy.data.materials.new(slot.owner.name)
    inside = {(other.owner, other.index) for other in slots}
    others = sorted({owner.name for owner, index in _users(material) if (owner, index) not in inside})
    if material.library is None and material.override_library is None and not others:
        return material
    copy = material.copy()
    reason = f"'{others[0]}' uses it too" if others else "it is linked from another file"
    notices.append(f"Material '{material.name}': {reason}, so the fitted objects get the copy '{copy.name}'.")
    return copy


def assign_material(slot: Slot, material: bpy.types.Material) -> None:
    """Put a material into a slot; make the slot where there is none."""
    if slot.material == material:
        return
    if slot.owner.id_type == "OBJECT":
        slot.owner.material_slots[slot.index].material = material
    elif slot.index < len(slot.owner.materials):
        slot.owner.materials[slot.index] = material
    else:
        slot.owner.materials.append(material)


def with_nodes(material: bpy.types.Material) -> bpy.types.NodeTree:
    """The material's node tree, made where there is none."""
    if material.node_tree is None:
        material.use_nodes = True
    return material.node_tree


def new_shader(tree: bpy.types.NodeTree) -> bpy.types.Node:
    """A Principled BSDF at the output of a tree that shows no shader."""
    output = tree.get_output_node("ALL") or tree.nodes.new("ShaderNodeOutputMaterial")
    shader = tree.nodes.new("ShaderNodeBsdfPrincipled")
    shader.location = output.location.x - 320.0, output.location.y
    tree.links.new(shader.outputs["BSDF"], output.inputs["Surface"])
    return shader


def _users(material: bpy.types.Material) -> list[tuple[bpy.types.ID, int]]:
    """(owner, slot index) of every slot of the file's objects that holds the material."""
    import bpy

    users = []
    for obj in bpy.data.objects:
        for index, slot in enumerate(obj.material_slots):
            if slot.material == material:
                users.append((obj if slot.link == "OBJECT" else obj.data, index))
    return users
