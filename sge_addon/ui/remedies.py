# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Buttons beside what the check has found: each does what the finding's text says to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import bpy

from ..core.errors import FitError, Remedy
from ..scene.materials import used_slots
from ..scene.reference_rows import add_rows_from_cameras, remove_lost_rows, use_image_frames
from ..scene.unwrap import unwrap
from .checked import run_check
from .error_report import reported_errors

UV_MAP = "UVMap"
ISLAND_MARGIN = 0.01  # of the map: 10 texels of 1024, within Blender's usual margin of 16


@dataclass(frozen=True)
class Action:
    """label: on the button. description: its tooltip. apply: takes the context and the finding's subject."""

    label: str
    description: str
    apply: Callable[[bpy.types.Context, str], None]


class SGE_OT_mend(bpy.types.Operator):
    """Do what the check advises"""

    bl_idname = "sge.mend"
    bl_label = "Mend"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    remedy: bpy.props.StringProperty(
        name="Remedy", description="What to do about the finding", options={"HIDDEN", "SKIP_SAVE"}
    )
    subject: bpy.props.StringProperty(
        name="Subject",
        description="Name of the object, camera or image that it is about",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return ACTIONS[Remedy(properties.remedy)].description

    def execute(self, context: bpy.types.Context) -> set[str]:
        with reported_errors(self):
            ACTIONS[Remedy(self.remedy)].apply(context, self.subject)
            run_check(context)
            return {"FINISHED"}
        return {"CANCELLED"}


def _object(context: bpy.types.Context, name: str) -> bpy.types.Object:
    obj = context.scene.objects.get(name)
    if obj is None:
        raise FitError(f"Object '{name}' is no longer in the scene: check again.")
    return obj


def _unwrap(context: bpy.types.Context, subject: str) -> None:
    mesh = _object(context, subject).data
    layer = next((layer for layer in mesh.uv_layers if layer.active_render), None)
    unwrap(mesh, layer.name if layer else UV_MAP, ISLAND_MARGIN)


def _to_object_mode(context: bpy.types.Context, subject: str) -> None:
    context.view_layer.objects.active = _object(context, subject)
    bpy.ops.object.mode_set(mode="OBJECT")


def _make_single_user(context: bpy.types.Context, subject: str) -> None:
    obj = _object(context, subject)
    obj.data = obj.data.copy()


def _apply_scale(context: bpy.types.Context, subject: str) -> None:
    """By Blender's own operator, which minds children; faces of a mirrored mesh are turned outwards again."""
    obj = _object(context, subject)
    if obj.data.users > 1:
        obj.data = obj.data.copy()
    mesh = obj.data
    if obj.scale.x * obj.scale.y * obj.scale.z > 0.0:
        raise FitError(
            f"Object '{obj.name}' is mirrored by its parents, not by its own scale: clear its parent and "
            "keep the transform (Alt+P), then apply the scale."
        )
    winding = tuple(mesh.polygons[0].vertices) if mesh.polygons else ()
    own = {"object": obj, "active_object": obj, "selected_editable_objects": [obj], "selected_objects": [obj]}
    with context.temp_override(**own):
        bpy.ops.object.transform_apply(location=False, rotation=False, scale=True)
    context.view_layer.update()
    if winding and tuple(mesh.polygons[0].vertices) == winding:
        mesh.flip_normals()


def _clear_vertex_group(context: bpy.types.Context, _subject: str) -> None:
    context.scene.sge.vertex_group = ""


def _make_material(context: bpy.types.Context, subject: str) -> None:
    """A new material in every used slot that has none."""
    obj = _object(context, subject)
    for slot in used_slots(obj):
        if slot.material is None:
            material = bpy.data.materials.new(obj.name)
            if material.node_tree is None:
                material.use_nodes = True
            if slot.index < len(obj.material_slots):
                obj.material_slots[slot.index].material = material
            else:
                obj.data.materials.append(material)


def _add_from_cameras(context: bpy.types.Context, _subject: str) -> None:
    add_rows_from_cameras(context.scene)


def _enable_all(context: bpy.types.Context, _subject: str) -> None:
    for row in context.scene.sge.references:
        row.enabled, row.held_out = True, False


def _remove_lost(context: bpy.types.Context, _subject: str) -> None:
    remove_lost_rows(context.scene)


def _switch_off(context: bpy.types.Context, subject: str) -> None:
    _list_cameras(context)
    for row in context.scene.sge.references:
        if row.camera is not None and row.camera.name == subject:
            row.enabled = False


def _clear_background(context: bpy.types.Context, subject: str) -> None:
    for background in _object(context, subject).data.background_images:
        background.offset = (0.0, 0.0)
        background.rotation = 0.0
        background.scale = 1.0
        background.use_flip_x = background.use_flip_y = False


def _use_image_frames(context: bpy.types.Context, _subject: str) -> None:
    _list_cameras(context)
    use_image_frames(context.scene)


def _list_cameras(context: bpy.types.Context) -> None:
    """Give the cameras that count without being listed a row each."""
    if not context.scene.sge.references:
        add_rows_from_cameras(context.scene)


ACTIONS = {
    Remedy.UNWRAP: Action(
        "Unwrap", "Unwrap the object by Smart UV Project, in place of its UV map where it has one", _unwrap
    ),
    Remedy.OBJECT_MODE: Action("Object Mode", "Leave Edit Mode or Sculpt Mode", _to_object_mode),
    Remedy.SINGLE_USER: Action(
        "Make Single User", "Give the object a mesh of its own, a copy of the shared one", _make_single_user
    ),
    Remedy.APPLY_SCALE: Action(
        "Apply Scale", "Apply the object's scale to its mesh; faces keep looking outwards", _apply_scale
    ),
    Remedy.CLEAR_VERTEX_GROUP: Action(
        "Clear Vertex Group", "Let the fit move all vertices, not those of a group only", _clear_vertex_group
    ),
    Remedy.MAKE_MATERIAL: Action(
        "Make Material", "Give the object a new material where it has none", _make_material
    ),
    Remedy.ADD_FROM_CAMERAS: Action(
        "Add from Cameras", "List every camera that has a background image", _add_from_cameras
    ),
    Remedy.ENABLE_ALL: Action(
        "Use All", "Switch on all references in the list, and hold none out", _enable_all
    ),
    Remedy.REMOVE_LOST: Action(
        "Remove Lost", "Remove all rows from the list whose camera is no longer in the scene", _remove_lost
    ),
    Remedy.SWITCH_OFF: Action(
        "Leave Out", "Switch the reference off in the list; its camera stays", _switch_off
    ),
    Remedy.CLEAR_BACKGROUND: Action(
        "Clear Transform",
        "Clear offset, rotation, scale and flips of the camera's background image",
        _clear_background,
    ),
    Remedy.USE_IMAGE_FRAMES: Action(
        "Use Image Frames",
        "Let the image of every reference be its camera's frame, whatever the scene's render resolution is",
        _use_image_frames,
    ),
}

CLASSES = (SGE_OT_mend,)
