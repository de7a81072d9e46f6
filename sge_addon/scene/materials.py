# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base colour of Blender materials: what feeds it, and its pixels as linear arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.colour import straight
from ..core.errors import FitError
from ..core.reference import resize_area
from ..core.surface import Material
from .images import check_image, image_to_array

if TYPE_CHECKING:
    import bpy

GREY = 0.5  # linear: where a fitted texture starts from nothing
COLOUR_SOCKETS = {
    "ShaderNodeBsdfPrincipled": "Base Color",
    "ShaderNodeEmission": "Color",
    "ShaderNodeBsdfDiffuse": "Color",
}


@dataclass(frozen=True)
class Slot:
    """A material slot that faces use.

    owner: what holds the material, the mesh or the object itself. uv_map: name of the UV map that
    renders use, or "". key: names what the slot's base colour comes from; slots of the same key share
    one fitted texture: those that show the same image, and without an image those of one owner with
    the same material.
    """

    owner: bpy.types.ID
    index: int
    material: bpy.types.Material | None
    uv_map: str
    key: str


def used_slots(obj: bpy.types.Object) -> list[Slot]:
    """The slots that a mesh's faces use; faces beyond the last slot use the last one. Of other kinds
    of objects (curves, text) all."""
    count = max(1, len(obj.material_slots))
    if obj.type != "MESH":
        return [_slot(obj, index) for index in range(count)]
    indices = np.zeros(len(obj.data.polygons), np.int32)
    obj.data.polygons.foreach_get("material_index", indices)
    return [_slot(obj, int(index)) for index in np.unique(np.clip(indices, 0, count - 1))]


def _slot(obj: bpy.types.Object, index: int) -> Slot:
    slot = obj.material_slots[index] if index < len(obj.material_slots) else None
    owner = obj if slot and slot.link == "OBJECT" else obj.data
    material = slot.material if slot else None
    image = base_colour_image(material)
    if image is not None:
        key = f"image {image.name_full}"
    else:
        of_owner = material.name_full if material else index
        key = f"{owner.id_type.lower()} {owner.name_full}, material {of_owner}"
    layers = obj.data.uv_layers if obj.type == "MESH" else ()
    uv_map = next((layer.name for layer in layers if layer.active_render), "")
    return Slot(owner, index, material, uv_map, key)


def materials_of_objects(
    objects: Sequence[bpy.types.Object], *, fitted_size: int = 0
) -> list[tuple[Material, ...]]:
    """For each object, a Material per slot (one where it has no slot).

    fitted_size: where above 0, the textures of slots that faces use are parameters of the fit, of
    ``fitted_size`` x ``fitted_size`` texels; they start from the image there is, else from mid-grey.
    Raises FitError for a missing or unsupported image.
    """
    made: dict[str, Material] = {"unused": Material("unused")}
    result = []
    for obj in objects:
        of_object = [made["unused"]] * max(1, len(obj.material_slots))
        for slot in used_slots(obj):
            if slot.key not in made:
                made[slot.key] = _material(slot, fitted_size)
            of_object[slot.index] = made[slot.key]
        result.append(tuple(of_object))
    return result


def _material(slot: Slot, fitted_size: int) -> Material:
    image = base_colour_image(slot.material)
    texture = straight_pixels(image) if image is not None else None
    if not fitted_size:
        return Material(slot.key, base_colour_constant(slot.material), texture)
    if texture is None:
        # One number, seen as many: who changes a texture copies it.
        texture = np.broadcast_to(np.float32(GREY), (fitted_size, fitted_size, 3))
    return Material(slot.key, texture=resize_area(texture, fitted_size, fitted_size), fitted=True)


def straight_pixels(image: bpy.types.Image) -> NDArray[np.float32]:
    """(H, W, 3) linear, not multiplied by alpha: what a shader's Color output gives."""
    check_texture(image)
    return np.ascontiguousarray(straight(image_to_array(image))[..., :3])


def check_texture(image: bpy.types.Image) -> None:
    """Raise FitError where a base colour image cannot be read. Loads its file, decodes nothing."""
    if image.source == "TILED":
        raise FitError(
            f"Image '{image.name}' is made of UDIM tiles; join them into a single image.", subject=image.name
        )
    check_image(image)


def base_colour_constant(material: bpy.types.Material | None) -> tuple[float, float, float]:
    """Linear colour of a material without an image; what cannot be read (procedures) counts as grey."""
    if material is None:
        return (0.8, 0.8, 0.8)  # Blender's own default surface
    if material.node_tree is None:
        return tuple(material.diffuse_color[:3])
    socket = base_colour_socket(material)
    if socket is None or socket.is_linked:
        return (GREY, GREY, GREY)
    return tuple(socket.default_value[:3])


def base_colour_image(material: bpy.types.Material | None) -> bpy.types.Image | None:
    """The image whose texture feeds the base colour directly, or None."""
    node = image_node(material) if material is not None else None
    return node.image if node is not None else None


def image_node(material: bpy.types.Material) -> bpy.types.ShaderNodeTexImage | None:
    """The Image Texture node linked straight to the base colour, with an image in it."""
    socket = base_colour_socket(material)
    source = source_node(socket) if socket is not None else None
    if source is None or source.bl_idname != "ShaderNodeTexImage" or source.image is None:
        return None
    return source


def source_node(socket: bpy.types.NodeSocket) -> bpy.types.Node | None:
    """The node whose output feeds an input, through reroutes; None where nothing is linked."""
    while socket.is_linked:
        node = socket.links[0].from_node
        if node.bl_idname != "NodeReroute":
            return node
        socket = node.inputs[0]
    return None


def base_colour_socket(material: bpy.types.Material) -> bpy.types.NodeSocket | None:
    """The colour input of the first Principled, Diffuse or Emission shader behind the surface output."""
    if material.node_tree is None:
        return None
    output = material.node_tree.get_output_node("ALL") or material.node_tree.get_output_node("EEVEE")
    queue = [source_node(output.inputs["Surface"])] if output else []
    seen = set()
    while queue:
        node = queue.pop(0)
        if node is None or node.name in seen:
            continue
        seen.add(node.name)
        if node.bl_idname in COLOUR_SOCKETS:
            return node.inputs[COLOUR_SOCKETS[node.bl_idname]]
        queue += [source_node(socket) for socket in node.inputs if socket.type == "SHADER"]
    return None


def uses_uv_map(node: bpy.types.Node, uv_map: str) -> bool:
    """Whether a node's Vector input is the UV map ``uv_map``, which renders use, and nothing else."""
    socket = node.inputs["Vector"]
    source = source_node(socket)
    if source is None:
        return node.bl_idname == "ShaderNodeTexImage"  # an image texture's own default
    if source.bl_idname == "ShaderNodeUVMap":
        return source.uv_map in ("", uv_map)
    if source.bl_idname == "ShaderNodeTexCoord":
        return socket.links[0].from_socket.name == "UV"
    return source.bl_idname == "ShaderNodeMapping" and _is_identity(source) and uses_uv_map(source, uv_map)


def _is_identity(mapping: bpy.types.Node) -> bool:
    values = {"Location": 0.0, "Rotation": 0.0, "Scale": 1.0}
    return all(
        not mapping.inputs[name].is_linked and all(v == value for v in mapping.inputs[name].default_value)
        for name, value in values.items()
        if name in mapping.inputs  # a mapping of type Normal or Vector has no location
    )
