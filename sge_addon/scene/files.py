# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mesh files through Blender's own importers and exporters: obj, ply, stl and glb."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import FitError
from .exported_textures import save_textures, saved_textures_shown, texture_paths
from .obj_materials import correct_images, gloss_images, save_gloss, saved_gloss_shown
from .repeated_vertices import clear_custom_normals, join_repeated_vertices

if TYPE_CHECKING:
    import bpy

IMPORTED = (".obj", ".ply", ".stl", ".glb", ".gltf")
EXPORTED = (".obj", ".ply", ".stl", ".glb")
AXES = ("X", "Y", "Z", "-X", "-Y", "-Z")
OBJ_AXES = ("-Z", "Y")  # forward and up of Blender's obj importer; those for ply and stl are Y and Z
DEFAULT_FORWARD, DEFAULT_UP = "Y", "Z"  # of written files; what is read has its format's own defaults
GLTF = (".glb", ".gltf")
SHEAR_TOLERANCE = 1e-5


def import_mesh(
    path: str | os.PathLike[str],
    forward_axis: str | None = None,
    up_axis: str | None = None,
    flat: bool = False,
) -> list[bpy.types.Object]:
    """The mesh objects of a file, added to the active collection.

    forward_axis, up_axis: X, Y, Z, -X, -Y or -Z as in Blender's importers, None for the importer's
    default (see ``axes_of``); glTF defines its own, whatever is given. A mesh whose file says
    nothing of normals or smoothing is set smooth; with ``flat`` every mesh is set flat. Vertices that the
    format had to repeat at seams are joined again. Raises FitError: unknown or missing file, a file
    that Blender cannot read, no mesh in it.
    """
    import bpy

    file = Path(path).expanduser().absolute()
    _check_extension(file, IMPORTED, "read")
    axes = _axes(file, forward_axis, up_axis)
    if not file.is_file():
        raise FitError(f"Mesh file '{file}' does not exist.")
    before = set(bpy.data.objects)
    with _reported(f"Mesh file '{file}' cannot be read"):
        _import(file, axes)
    created = [obj for obj in bpy.data.objects if obj not in before]
    meshes = [obj for obj in created if obj.type == "MESH" and obj.data.polygons]
    if not meshes:
        for obj in created:
            bpy.data.objects.remove(obj)
        raise FitError(f"Mesh file '{file}' holds no faces; export it again with a mesh.")
    if file.suffix.lower() == ".obj":
        correct_images(meshes)
    says_smoothing = _says_smoothing(file)
    for mesh in {obj.data for obj in meshes}:
        if file.suffix.lower() in (".ply", *GLTF) and (mesh.uv_layers or mesh.has_custom_normals):
            join_repeated_vertices(mesh)
        if flat:
            clear_custom_normals(mesh)
            mesh.shade_flat()
        elif not says_smoothing and not mesh.has_custom_normals:
            mesh.shade_smooth()
    bpy.context.view_layer.update()
    return meshes


def export_mesh(
    path: str | os.PathLike[str],
    objects: Sequence[bpy.types.Object],
    forward_axis: str | None = None,
    up_axis: str | None = None,
    reserved: Collection[Path] = (),
) -> list[Path]:
    """Write objects in world space, with modifiers, and the images of their maps beside; all files written.

    Axes as in ``import_mesh``, by default Y forward and Z up (glb: as glTF requires). Every image of a
    material's maps becomes ``<stem>_<image>.png``, colours sRGB-encoded, which an obj's materials refer to
    and which a glb also embeds; see ``obj_materials`` for metallic and roughness of an obj. reserved: files
    beside it that images do not become.
    Raises FitError: no objects, unknown extension, a file that cannot be written.
    """
    import bpy

    if not objects:
        raise FitError("There is no object to export.")
    file = Path(path).expanduser().absolute()
    check_export(file)
    is_gltf = file.suffix.lower() in GLTF
    axes = {} if is_gltf else _axes(file, forward_axis or DEFAULT_FORWARD, up_axis or DEFAULT_UP)
    textures = texture_paths(file, objects, reserved)
    is_obj = file.suffix.lower() == ".obj"
    gloss = gloss_images(file, objects, [*reserved, *textures.values()]) if is_obj else []
    images = [*textures.values(), *(each.path for each in gloss if each.path is not None)]
    for image in images:
        check_writable(image)
    save_textures(objects, textures)
    save_gloss(gloss)
    collection = bpy.data.collections.new("sge_export")
    bpy.context.scene.collection.children.link(collection)
    copies = []
    try:
        for obj in objects:
            exported = obj
            # Blender's exporters leave out what is hidden.
            if not obj.visible_get() or (is_gltf and _is_sheared(obj)):
                exported = _copy_in_world_space(obj)
                copies.append(exported)
            collection.objects.link(exported)
        problem = f"Mesh file '{file}' cannot be written"
        with saved_textures_shown(objects, textures), saved_gloss_shown(gloss), _reported(problem):
            _export(file, collection.name, axes, has_gloss=bool(gloss))
    finally:
        for copy in copies:
            bpy.data.meshes.remove(copy.data)
        bpy.data.collections.remove(collection)
    if not file.is_file():
        raise FitError(f"Mesh file '{file}' was not written; Blender's messages in the terminal say why.")
    return [file, *images]


def axes_of(path: str | os.PathLike[str], forward_axis: str | None, up_axis: str | None) -> tuple[str, str]:
    """The axes with which ``import_mesh`` reads a file: as given, else the importer's own.

    For an export with the axes that a mesh was read with; glTF counts as Y forward and Z up.
    """
    forward, up = OBJ_AXES if Path(path).suffix.lower() == ".obj" else (DEFAULT_FORWARD, DEFAULT_UP)
    return forward_axis or forward, up_axis or up


def check_export(path: str | os.PathLike[str]) -> None:
    """Raise FitError, before work starts, where ``export_mesh`` could not write a file."""
    _check_extension(Path(path), EXPORTED, "written")
    check_writable(path)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise FitError where a file cannot be written; nothing is changed and no file is left."""
    file = Path(path).expanduser().absolute()
    if not file.parent.is_dir():
        raise FitError(f"Cannot write '{file}': the folder '{file.parent}' does not exist.")
    existed = file.exists()
    try:
        with file.open("ab"):
            pass
        if not existed:
            file.unlink()
    except OSError as error:
        raise FitError(f"Cannot write '{file}': {error.strerror}.") from error


def _check_extension(file: Path, known: tuple[str, ...], verb: str) -> None:
    if file.suffix.lower() not in known:
        raise FitError(
            f"Mesh file '{file}': files of type '{file.suffix}' are not {verb}; use {', '.join(known)}."
        )


def _axes(file: Path, forward: str | None, up: str | None) -> dict[str, str]:
    """The axes as Blender's operators take them."""
    for label, axis in (("forward axis", forward), ("up axis", up)):
        if axis is not None and axis not in AXES:
            raise FitError(f"The {label} '{axis}' is not one of {', '.join(AXES)}.")
    if forward and up and forward[-1] == up[-1]:
        raise FitError(f"Forward axis {forward} and up axis {up} lie on one line; choose two different axes.")
    if file.suffix.lower() in GLTF:
        return {}
    given = {"forward_axis": forward, "up_axis": up}
    return {name: axis.replace("-", "NEGATIVE_") for name, axis in given.items() if axis}


def _import(file: Path, axes: dict[str, str]) -> None:
    import bpy

    suffix = file.suffix.lower()
    if suffix in GLTF:
        with _quiet_gltf():
            bpy.ops.import_scene.gltf(filepath=str(file))
        return
    operators = bpy.ops.wm
    operator = {".obj": operators.obj_import, ".ply": operators.ply_import, ".stl": operators.stl_import}[
        suffix
    ]
    operator(filepath=str(file), **axes)


def _export(file: Path, collection: str, axes: dict[str, str], *, has_gloss: bool) -> None:
    """has_gloss: images say what is metallic or rough, which obj files need their extensions for."""
    import bpy

    suffix = file.suffix.lower()
    common: dict[str, Any] = {"filepath": str(file), "collection": collection, "check_existing": False}
    if suffix in GLTF:
        with _quiet_gltf():
            bpy.ops.export_scene.gltf(
                export_format="GLB",
                export_apply=True,
                export_animations=False,
                export_current_frame=True,
                **common,
            )
    elif suffix == ".obj":
        bpy.ops.wm.obj_export(path_mode="RELATIVE", export_pbr_extensions=has_gloss, **axes, **common)
    elif suffix == ".ply":
        bpy.ops.wm.ply_export(export_colors="NONE", **axes, **common)
    else:
        bpy.ops.wm.stl_export(**axes, **common)


@contextmanager
def _quiet_gltf() -> Iterator[None]:
    """Blender's glTF add-on, printing errors only. (Its own log level option fails in 4.5 and 5.2.)"""
    import bpy

    if not hasattr(bpy.types, "IMPORT_SCENE_OT_gltf"):
        raise FitError("Blender's glTF add-on is switched off: enable it in Preferences > Add-ons.")
    previous, bpy.app.debug_value = bpy.app.debug_value, 2
    try:
        yield
    finally:
        bpy.app.debug_value = previous


@contextmanager
def _reported(problem: str) -> Iterator[None]:
    """What an operator reports, which Blender raises as RuntimeError, as a FitError."""
    try:
        yield
    except RuntimeError as error:
        lines = [line for line in str(error).strip().splitlines() if not line.startswith("Location:")]
        raise FitError(f"{problem}: {lines[-1].removeprefix('Error: ')}") from error


def _is_sheared(obj: bpy.types.Object) -> bool:
    """Whether the object's axes are not at right angles, which a node of glTF cannot be."""
    axes = np.array(obj.matrix_world, dtype=np.float64)[:3, :3]
    axes /= np.maximum(np.linalg.norm(axes, axis=0), 1e-12)
    return bool(np.abs(axes.T @ axes - np.diag(np.diag(axes.T @ axes))).max() > SHEAR_TOLERANCE)


def _copy_in_world_space(obj: bpy.types.Object) -> bpy.types.Object:
    """A new object without transform whose mesh, modifiers applied, has the object's world coordinates."""
    import bpy

    depsgraph = bpy.context.evaluated_depsgraph_get()
    mesh = bpy.data.meshes.new_from_object(obj.evaluated_get(depsgraph), depsgraph=depsgraph)
    mesh.transform(obj.matrix_world)
    if obj.matrix_world.determinant() < 0.0:
        mesh.flip_normals()
    return bpy.data.objects.new(obj.name, mesh)


def _says_smoothing(file: Path) -> bool:
    """Whether a file states how it is shaded.

    STL always has one normal a facet, which says nothing of shading. In glTF, no normals means flat.
    """
    suffix = file.suffix.lower()
    if suffix == ".obj":
        with file.open("rb") as lines:
            return any(line.startswith((b"vn ", b"s ")) for line in lines)
    return suffix in GLTF
