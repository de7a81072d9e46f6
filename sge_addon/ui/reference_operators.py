# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators on the list of references."""

from __future__ import annotations

import bpy
from bpy.app.translations import pgettext_rpt as rpt_

from ..core.errors import FitError
from ..scene.reference_rows import (
    add_rows_from_cameras,
    references_of_scene,
    use_image_frames,
)
from .error_report import reported_errors

FULL_SIZE = 2**16  # pixels: larger than any image


class SGE_OT_add_from_cameras(bpy.types.Operator):
    """Add every camera that has a background image to the list of references"""

    bl_idname = "sge.add_from_cameras"
    bl_label = "Add from Cameras"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        with reported_errors(self):
            count = add_rows_from_cameras(context.scene)
            self.report({"INFO"}, rpt_("{:d} reference(s) added").format(count))
            return {"FINISHED"}
        return {"CANCELLED"}


class SGE_OT_remove_reference(bpy.types.Operator):
    """Remove the selected reference from the list. Its camera stays"""

    bl_idname = "sge.remove_reference"
    bl_label = "Remove Reference"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return 0 <= context.scene.sge.active_reference < len(context.scene.sge.references)

    def execute(self, context: bpy.types.Context) -> set[str]:
        stored = context.scene.sge
        stored.references.remove(stored.active_reference)
        stored.active_reference = min(stored.active_reference, max(0, len(stored.references) - 1))
        return {"FINISHED"}


class SGE_OT_clear_references(bpy.types.Operator):
    """Remove all references from the list. Their cameras stay"""

    bl_idname = "sge.clear_references"
    bl_label = "Remove All References"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return len(context.scene.sge.references) > 0

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.scene.sge.references.clear()
        context.scene.sge.active_reference = 0
        return {"FINISHED"}


class SGE_OT_use_image_frames(bpy.types.Operator):
    """Let each reference's image be its camera's frame, where the scene's render has another shape. Photos \
of several shapes then go together"""

    bl_idname = "sge.use_image_frames"
    bl_label = "Use Image Frames"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return len(context.scene.sge.references) > 0

    def execute(self, context: bpy.types.Context) -> set[str]:
        with reported_errors(self):
            count = use_image_frames(context.scene)
            self.report({"INFO"}, rpt_("{:d} camera(s) changed").format(count))
            return {"FINISHED"}
        return {"CANCELLED"}


class SGE_OT_export_references(bpy.types.Operator):
    """Write the references into a folder, as images and a transforms.json that other tools read"""

    bl_idname = "sge.export_references"
    bl_label = "Export References"
    bl_options = {"REGISTER"}

    directory: bpy.props.StringProperty(
        name="Folder",
        description="Folder to write into; it is made where it does not exist",
        subtype="DIR_PATH",
    )
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        from ..formats import transforms_json
        from ..scene.references import export_references

        with reported_errors(self):
            if not self.directory:
                raise FitError("No folder to write the references to: choose one.")
            references = references_of_scene(context.scene, FULL_SIZE)
            path = export_references(bpy.path.abspath(self.directory), references, transforms_json.write)
            text = rpt_("{:d} reference(s) written, described by '{:s}'")
            self.report({"INFO"}, text.format(len(references), str(path)))
            return {"FINISHED"}
        return {"CANCELLED"}


CLASSES = (
    SGE_OT_add_from_cameras,
    SGE_OT_remove_reference,
    SGE_OT_clear_references,
    SGE_OT_use_image_frames,
    SGE_OT_export_references,
)
