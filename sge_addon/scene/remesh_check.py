# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be given another topology, by name, before a fit; and what remeshing loses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..core.errors import FitError
from .materials import base_colour_image, used_slots

if TYPE_CHECKING:
    import bpy


def remesh_problems(
    objects: Sequence[bpy.types.Object], *, remesh: str, texture: bool, vertex_group: str
) -> Iterator[FitError]:
    """What ``remesh`` cannot work on, by name: shape keys, modifiers, a mesh that others use; for voxels also
    an open mesh, a vertex group, a texture that is not fitted or that two objects share."""
    if remesh == "off":
        return
    for obj in objects:
        if obj.type != "MESH":
            continue
        yield from _topology_problems(obj)
        if remesh == "voxel":
            yield from _voxel_problems(obj, texture, vertex_group)
    if remesh == "voxel" and texture:
        yield from _shared_textures([obj for obj in objects if obj.type == "MESH"])


def remesh_notices(objects: Sequence[bpy.types.Object], remesh: str) -> list[str]:
    """What gets lost."""
    if remesh != "voxel":
        return []
    return [notice for obj in objects if obj.type == "MESH" for notice in _losses(obj)]


def _topology_problems(obj: bpy.types.Object) -> Iterator[FitError]:
    import bpy

    keep = "or set Remesh to off"
    if obj.data.shape_keys:
        yield FitError(
            f"Object '{obj.name}' has shape keys, which do not survive remeshing: remove them "
            f"(Object Data > Shape Keys), {keep}.",
            subject=obj.name,
        )
    if obj.modifiers:
        names = ", ".join(modifier.name for modifier in obj.modifiers)
        yield FitError(
            f"Object '{obj.name}' has modifiers ({names}), which are made for the mesh as it is: apply or "
            f"remove them, {keep}.",
            subject=obj.name,
        )
    others = [other.name for other in bpy.data.objects if other.data == obj.data and other != obj]
    if others:
        yield FitError(
            f"Objects '{obj.name}' and '{others[0]}' share the mesh '{obj.data.name}', which remeshing would "
            f"replace for both: Object > Relations > Make Single User > Object & Data, {keep}.",
            subject=obj.name,
        )


def _voxel_problems(obj: bpy.types.Object, texture: bool, vertex_group: str) -> Iterator[FitError]:
    instead = "or set Remesh to subdivide"
    if vertex_group:
        yield FitError(
            f"Object '{obj.name}': voxels replace the whole mesh, also outside the vertex group "
            f"'{vertex_group}': clear Vertex Group, {instead}.",
            subject=obj.name,
        )
    count = open_edges(obj.data)
    if count:
        yield FitError(
            f"Object '{obj.name}' is not closed ({count} edges without exactly two faces), and voxels fill "
            f"only what is: close it (Mesh > Clean Up > Fill Holes), {instead}.",
            subject=obj.name,
        )
    images = [] if texture else [base_colour_image(slot.material) for slot in used_slots(obj)]
    for image in images:
        if image is not None:
            yield FitError(
                f"Object '{obj.name}' shows the image '{image.name}', which does not fit the UV map of a new "
                f"mesh: switch Texture on, {instead}.",
                subject=obj.name,
            )


def _shared_textures(objects: Sequence[bpy.types.Object]) -> Iterator[FitError]:
    owners: dict[str, bpy.types.Object] = {}
    for obj in objects:
        for slot in used_slots(obj):
            other = owners.setdefault(slot.key, obj)
            if other != obj:
                yield FitError(
                    f"Objects '{other.name}' and '{obj.name}' share a texture, on which the UV maps of their "
                    "new meshes would overlap: give each an image of its own, or set Remesh to subdivide.",
                    subject=obj.name,
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
