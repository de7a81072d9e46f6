# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be given another topology, refused by name before a fit; and what remeshing loses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..core.errors import FitError
from ..core.settings import FitSettings
from .materials import base_colour_image, used_slots

if TYPE_CHECKING:
    import bpy


def check_remesh(objects: Sequence[bpy.types.Object], settings: FitSettings) -> list[str]:
    """Refuse by name what ``settings.remesh`` cannot work on; notices on what gets lost.

    Raises FitError: shape keys, modifiers, a mesh that others use; for voxels also an open mesh, a vertex
    group, a texture that is not fitted or that two objects share.
    """
    if settings.remesh == "off":
        return []
    notices: list[str] = []
    for obj in objects:
        _check_topology_is_free(obj)
        if settings.remesh == "voxel":
            _check_voxels(obj, settings)
            notices += _losses(obj)
    if settings.remesh == "voxel" and settings.texture:
        _check_textures_are_own(objects)
    return notices


def _check_topology_is_free(obj: bpy.types.Object) -> None:
    import bpy

    keep = "or set Remesh to off"
    if obj.data.shape_keys:
        raise FitError(
            f"Object '{obj.name}' has shape keys, which do not survive remeshing: remove them "
            f"(Object Data > Shape Keys), {keep}."
        )
    if obj.modifiers:
        names = ", ".join(modifier.name for modifier in obj.modifiers)
        raise FitError(
            f"Object '{obj.name}' has modifiers ({names}), which are made for the mesh as it is: apply or "
            f"remove them, {keep}."
        )
    others = [other.name for other in bpy.data.objects if other.data == obj.data and other != obj]
    if others:
        raise FitError(
            f"Objects '{obj.name}' and '{others[0]}' share the mesh '{obj.data.name}', which remeshing would "
            f"replace for both: Object > Relations > Make Single User > Object & Data, {keep}."
        )


def _check_voxels(obj: bpy.types.Object, settings: FitSettings) -> None:
    instead = "or set Remesh to subdivide"
    if settings.vertex_group:
        raise FitError(
            f"Object '{obj.name}': voxels replace the whole mesh, also outside the vertex group "
            f"'{settings.vertex_group}': clear Vertex Group, {instead}."
        )
    count = open_edges(obj.data)
    if count:
        raise FitError(
            f"Object '{obj.name}' is not closed ({count} edges without exactly two faces), and voxels fill "
            f"only what is: close it (Mesh > Clean Up > Fill Holes), {instead}."
        )
    if settings.texture:
        return
    for slot in used_slots(obj):
        image = base_colour_image(slot.material)
        if image is not None:
            raise FitError(
                f"Object '{obj.name}' shows the image '{image.name}', which does not fit the UV map of a new "
                f"mesh: switch Texture on, {instead}."
            )


def _check_textures_are_own(objects: Sequence[bpy.types.Object]) -> None:
    owners: dict[str, bpy.types.Object] = {}
    for obj in objects:
        for slot in used_slots(obj):
            other = owners.setdefault(slot.key, obj)
            if other != obj:
                raise FitError(
                    f"Objects '{other.name}' and '{obj.name}' share a texture, on which the UV maps of their "
                    "new meshes would overlap: give each an image of its own, or set Remesh to subdivide."
                )


def _losses(obj: bpy.types.Object) -> list[str]:
    """What voxels do not keep, in one notice, or none."""
    mesh = obj.data
    maps = [layer.name for layer in mesh.uv_layers if not layer.active_render]
    lost = [f"UV map '{name}'" for name in maps]
    lost += [f"color attribute '{attribute.name}'" for attribute in mesh.color_attributes]
    if not lost:
        return []
    return [f"Object '{obj.name}': its new mesh comes without {', '.join(lost)}."]


def open_edges(mesh: bpy.types.Mesh) -> int:
    """Edges that do not have exactly two faces."""
    of_corner = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("edge_index", of_corner)
    return int((np.bincount(of_corner, minlength=len(mesh.edges)) != 2).sum())
