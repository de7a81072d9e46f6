# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender objects as surfaces in world space, and the checks that come before a fit changes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.errors import FitError, Remedy
from ..core.surface import Material, Surface
from .mesh_boundary import on_boundary
from .normal_groups import normal_groups
from .uv_maps import corner_uvs, rendered_uv_map, uv_maps_of_slots

if TYPE_CHECKING:
    import bpy


TYPES_WITH_FACES = ("MESH", "CURVE", "SURFACE", "FONT", "META")


def parts_with_faces(source: bpy.types.Object) -> list[bpy.types.Object]:
    """What references are made from: the source and all its children, as far as they can have faces."""
    return [obj for obj in (source, *source.children_recursive) if obj.type in TYPES_WITH_FACES]


def target_problems(objects: Sequence[bpy.types.Object], *, shape: bool, texture: bool) -> Iterator[FitError]:
    """Everything that keeps objects from being fitted, object by object.

    Nothing selected, not a mesh, linked or overridden data, Edit or Sculpt Mode, with ``shape`` two objects
    that share one mesh, with ``texture`` a mesh without a UV map.
    """
    if not objects:
        yield FitError("No object to fit: select at least one mesh.")
    owners: dict[str, str] = {}
    for obj in objects:
        yield from _obstacles(obj)
        if obj.type != "MESH":
            continue
        mesh = obj.data
        if shape and mesh.name_full in owners:
            yield FitError(
                f"Objects '{owners[mesh.name_full]}' and '{obj.name}' share the mesh '{mesh.name}', which "
                "cannot fit both: Object > Relations > Make Single User > Object & Data.",
                subject=obj.name,
                remedy=Remedy.SINGLE_USER,
            )
        owners[mesh.name_full] = obj.name
        if texture and mesh.polygons and not mesh.uv_layers:
            yield FitError(
                f"Object '{obj.name}' has no UV map to fit a texture in: unwrap it "
                "(UV > Smart UV Project), or switch Texture off.",
                subject=obj.name,
                remedy=Remedy.UNWRAP,
            )


def surface_from_object(
    obj: bpy.types.Object,
    materials: tuple[Material, ...] = (),
    *,
    vertex_group: str = "",
    pin_boundary: bool = False,
    depsgraph: bpy.types.Depsgraph | None = None,
    stand_in: bpy.types.Object | None = None,
) -> Surface:
    """The object's triangles in world space.

    Without ``depsgraph``: its base mesh, or its active shape key; vertex i is the mesh's vertex i.
    With it: the evaluated geometry, modifiers included, of any object that has faces; of ``stand_in``, where
    a copy with other modifiers is meant.
    materials: one per material slot. vertex_group: limits mobility, where not empty. pin_boundary: those on
    open edges have none (base mesh only).
    Raises FitError by the object's name: no mesh, no faces or only zero-area ones, NaN positions,
    a mirrored or non-invertible transform (base mesh only), a missing vertex group or UV map.
    Corners take the UV map that renders use; with lit materials, that of their material's images.
    """
    if depsgraph is not None:
        return _evaluated_surface(obj, materials, depsgraph, stand_in or obj)
    if obj.type != "MESH":
        raise FitError(f"Object '{obj.name}' is a {obj.type.lower()}, not a mesh: convert it to a mesh.")
    if obj.mode == "EDIT":
        obj.update_from_editmode()
    matrix = unmirrored_matrix(obj)
    mobility = mobility_of_group(obj, vertex_group) if vertex_group else None
    if pin_boundary:
        free = (~on_boundary(obj.data)).astype(np.float32)
        mobility = free if mobility is None else mobility * free
    uv_maps = _uv_maps(obj, obj.data, materials)
    return _surface(obj.name, obj.data, matrix, base_positions(obj), materials, mobility, uv_maps)


def base_positions(obj: bpy.types.Object) -> NDArray[np.float32]:
    """(V, 3) float32 in object space: of the active shape key where there are any, else of the mesh."""
    mesh = obj.data
    key = obj.active_shape_key if mesh.shape_keys else None
    if key is None:
        return mesh_positions(mesh)
    positions = np.empty((len(mesh.vertices), 3), np.float32)
    key.points.foreach_get("co", positions.ravel())
    return positions


def world_matrix(obj: bpy.types.Object) -> NDArray[np.float64]:
    """matrix_world as (4, 4) float64. Raises FitError where it cannot be inverted."""
    matrix = np.array(obj.matrix_world, dtype=np.float64)
    size = np.abs(matrix[:3, :3]).max()
    if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix[:3, :3])) <= 1e-12 * size**3:
        raise FitError(
            f"Object '{obj.name}': its transform cannot be inverted (scale {tuple(obj.scale)}): "
            "give it a scale other than zero.",
            subject=obj.name,
        )
    return matrix


def unmirrored_matrix(obj: bpy.types.Object) -> NDArray[np.float64]:
    """``world_matrix`` of an object that may be fitted. Raises FitError where it mirrors."""
    matrix = world_matrix(obj)
    if np.linalg.det(matrix[:3, :3]) < 0.0:
        raise FitError(
            f"Object '{obj.name}' is mirrored by a negative scale: apply the scale (Ctrl+A > Scale) "
            "and recalculate its normals (Mesh > Normals > Recalculate Outside).",
            subject=obj.name,
            remedy=Remedy.APPLY_SCALE,
        )
    return matrix


def _obstacles(obj: bpy.types.Object) -> Iterator[FitError]:
    """What keeps an object from being changed."""
    if obj.type != "MESH":
        yield FitError(
            f"Object '{obj.name}' is a {obj.type.lower()}, not a mesh: convert it, or deselect it.",
            subject=obj.name,
        )
        return
    for data, kind in ((obj, "object"), (obj.data, "mesh")):
        if data.library is not None:
            yield FitError(
                f"Object '{obj.name}': its {kind} is linked from '{data.library.filepath}' and cannot be "
                "changed: Object > Relations > Make Local > Selected Objects and Data.",
                subject=obj.name,
            )
        if data.override_library is not None:
            yield FitError(
                f"Object '{obj.name}': its {kind} is a library override and cannot be changed: "
                "Object > Relations > Make Local > Selected Objects and Data.",
                subject=obj.name,
            )
    if obj.mode in {"EDIT", "SCULPT"}:
        yield FitError(
            f"Object '{obj.name}' is in {obj.mode.title()} Mode: switch to Object Mode.",
            subject=obj.name,
            remedy=Remedy.OBJECT_MODE,
        )


def target_notices(obj: bpy.types.Object, shape: bool, evaluated: bool = False) -> list[str]:
    """What will be done differently from what one might expect. evaluated: modifiers take part."""
    notices = []
    if obj.modifiers and not evaluated:
        names = ", ".join(modifier.name for modifier in obj.modifiers)
        notices.append(f"Object '{obj.name}': its base mesh is fitted, without its modifiers ({names}).")
    if shape and obj.data.shape_keys and obj.active_shape_key:
        notices.append(f"Object '{obj.name}': its active shape key '{obj.active_shape_key.name}' is fitted.")
    if shape and obj.data.users > 1:
        notices.append(
            f"Object '{obj.name}': other objects share its mesh '{obj.data.name}' and change with it."
        )
    return notices


def _evaluated_surface(
    obj: bpy.types.Object,
    materials: tuple[Material, ...],
    depsgraph: bpy.types.Depsgraph,
    stand_in: bpy.types.Object,
) -> Surface:
    evaluated = stand_in.evaluated_get(depsgraph)
    if obj.type not in TYPES_WITH_FACES:
        raise FitError(f"Object '{obj.name}' is a {obj.type.lower()}, which has no faces: choose a mesh.")
    mesh = evaluated.to_mesh()
    try:
        return surface_of_mesh(obj, mesh, world_matrix(evaluated), materials)
    finally:
        evaluated.to_mesh_clear()


def surface_of_mesh(
    obj: bpy.types.Object,
    mesh: bpy.types.Mesh,
    matrix: NDArray[np.float64],
    materials: tuple[Material, ...] = (),
) -> Surface:
    """The triangles of an evaluated mesh of the object. matrix: (4, 4), to world space."""
    uv_maps = _uv_maps(obj, mesh, materials)
    return _surface(obj.name, mesh, matrix, mesh_positions(mesh), materials, None, uv_maps)


def mesh_positions(mesh: bpy.types.Mesh) -> NDArray[np.float32]:
    """(V, 3) float32 in object space: of the mesh itself, whatever its shape keys are."""
    positions = np.empty((len(mesh.vertices), 3), np.float32)
    _read_positions(mesh, positions)
    return positions


def _surface(
    name: str,
    mesh: bpy.types.Mesh,
    matrix: NDArray[np.float64],
    positions: NDArray[np.float32],
    materials: tuple[Material, ...],
    mobility: NDArray[np.float32] | None,
    uv_maps: list[str],
) -> Surface:
    mesh.calc_loop_triangles()
    count = len(mesh.loop_triangles)
    if count == 0:
        raise FitError(
            f"Object '{name}' has no faces: there is nothing to rasterise; leave it out.", subject=name
        )
    corners = np.empty((count, 3), np.int32)  # (F, 3) into the mesh's loops
    mesh.loop_triangles.foreach_get("loops", corners.ravel())
    polygons = np.empty(count, np.int32)
    mesh.loop_triangles.foreach_get("polygon_index", polygons)
    groups = normal_groups(mesh, corners, polygons)
    if np.linalg.det(matrix[:3, :3]) < 0.0:
        corners, groups = corners[:, ::-1], groups[:, ::-1]  # keeps triangles counter-clockwise
    triangles = np.ascontiguousarray(_corner_integers(mesh, "vertex_index")[corners])
    world = to_world(positions, matrix)
    slots = _material_indices(mesh)[polygons]
    surface = Surface(
        name=name,
        positions=world,
        triangles=triangles,
        normal_groups=np.ascontiguousarray(groups),
        uvs=_uvs(mesh, corners, slots, uv_maps),
        material_indices=slots,
        materials=materials,
        mobility=mobility,
        polygons=polygons,
    )
    a, b, c = (world[triangles[:, corner]] for corner in range(3))
    if not np.any(np.cross(b - a, c - a)):
        raise FitError(
            f"Object '{name}': all of its faces have zero area: there is nothing to rasterise.", subject=name
        )
    return surface


def to_world(positions: NDArray[np.float32], matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    """Object space to world space, (V, 3) float32."""
    with np.errstate(invalid="ignore"):  # infinite positions, which a Surface refuses
        return (positions @ matrix[:3, :3].T + matrix[:3, 3]).astype(np.float32)


def _read_positions(mesh: bpy.types.Mesh, out: NDArray[np.float32]) -> None:
    attribute = mesh.attributes.get("position")  # absent in Edit Mode
    if attribute is not None:
        attribute.data.foreach_get("vector", out.ravel())
    else:
        mesh.vertices.foreach_get("co", out.ravel())


def _corner_integers(mesh: bpy.types.Mesh, name: str) -> NDArray[np.int32]:
    values = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get(name, values)
    return values


def _uv_maps(obj: bpy.types.Object, mesh: bpy.types.Mesh, materials: tuple[Material, ...]) -> list[str]:
    """By material slot; one for all where shading asks for none in particular."""
    if any(material.lit is not None for material in materials):
        return uv_maps_of_slots(obj, mesh)
    return [rendered_uv_map(mesh)]


def _uvs(
    mesh: bpy.types.Mesh, corners: NDArray[np.int32], slots: NDArray[np.int32], uv_maps: list[str]
) -> NDArray[np.float32] | None:
    """(F, 3, 2) of the UV map of each triangle's material slot, or None where the mesh has none."""
    if not rendered_uv_map(mesh):
        return None
    uvs = corner_uvs(mesh, uv_maps[0])[corners]
    for index, uv_map in enumerate(uv_maps[1:], start=1):
        if uv_map != uv_maps[0]:
            of_slot = np.minimum(slots, len(uv_maps) - 1) == index
            uvs[of_slot] = corner_uvs(mesh, uv_map)[corners[of_slot]]
    return uvs


def _material_indices(mesh: bpy.types.Mesh) -> NDArray[np.int32]:
    indices = np.zeros(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("material_index", indices)
    return np.maximum(indices, 0)


def mobility_of_group(
    obj: bpy.types.Object, name: str, mesh: bpy.types.Mesh | None = None
) -> NDArray[np.float32]:
    """(V,) weights of a vertex group; 0 for vertices outside it. Raises FitError where there are none.

    mesh: the object's own, or an evaluated one of it.
    """
    mesh = mesh or obj.data
    group = obj.vertex_groups.get(name)
    if group is None:
        known = ", ".join(f"'{group.name}'" for group in obj.vertex_groups) or "none"
        raise FitError(
            f"Object '{obj.name}' has no vertex group '{name}' (it has {known}): choose another.",
            subject=obj.name,
            remedy=Remedy.CLEAR_VERTEX_GROUP,
        )
    index = group.index
    weights = np.zeros(len(mesh.vertices), np.float32)
    for vertex in mesh.vertices:
        for element in vertex.groups:
            if element.group == index:
                weights[vertex.index] = element.weight
    if not weights.any():
        raise FitError(
            f"Object '{obj.name}': its vertex group '{name}' is empty: assign vertices to it.",
            subject=obj.name,
            remedy=Remedy.CLEAR_VERTEX_GROUP,
        )
    return weights
