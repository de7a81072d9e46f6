# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Import of references: from File > Import, from the panel, or dropped into a viewport."""

from __future__ import annotations

from typing import ClassVar

import bpy
from bpy.app.translations import pgettext_rpt as rpt_

from ..core.frame import Frames
from ..formats.references import read_references
from ..scene.imported_references import ImportedReferences
from .error_report import reported_errors

SECONDS_PER_TICK = 0.01
USUAL_RESOLUTION = 2048  # long side: what fits use, without the memory of full-size photos


class _Import(bpy.types.Operator):
    """What importing a file and importing a folder share. ``path`` says what is read."""

    bl_options = {"REGISTER", "UNDO"}

    resolution: bpy.props.IntProperty(
        name="Resolution",
        description="Long side in pixels to which larger images are scaled as they are loaded and packed "
        "into the file; 0 keeps their size",
        default=USUAL_RESOLUTION,
        min=0,
        max=65536,
    )

    def path(self) -> str:
        raise NotImplementedError

    def chosen(self) -> bool:
        """Whether it is known already what to read, as after a drop."""
        raise NotImplementedError

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        self._in_slices = True  # a person waits and looks on, unlike where a script calls
        if self.chosen():
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        with reported_errors(self):
            frames = read_references(bpy.path.abspath(self.path()))
            imported = ImportedReferences(context.scene, frames, self.resolution)
            if getattr(self, "_in_slices", False):
                SGE_OT_load_references.waiting = imported
                bpy.ops.sge.load_references("INVOKE_DEFAULT")
                return {"FINISHED"}
            context.window_manager.progress_begin(0, len(frames))
            try:
                for count in imported.load():
                    context.window_manager.progress_update(count)
            finally:
                context.window_manager.progress_end()
            tell_imported(self, frames)
            return {"FINISHED"}
        return {"CANCELLED"}


class SGE_OT_import_references(_Import):
    """Add cameras with background images that a transforms.json describes (NeRF, instant-ngp, nerfstudio), \
or a file of a COLMAP model"""

    bl_idname = "sge.import_references"
    bl_label = "Import References"

    filepath: bpy.props.StringProperty(
        name="File", description="File to read", subtype="FILE_PATH", options={"SKIP_SAVE"}
    )
    filter_glob: bpy.props.StringProperty(default="*.json;*.bin;*.txt", options={"HIDDEN"})

    def path(self) -> str:
        return self.filepath

    def chosen(self) -> bool:
        return bool(self.filepath)


class SGE_OT_import_colmap(_Import):
    """Add cameras with background images from a COLMAP model: a folder with cameras and images, as .bin or \
.txt, or the project's folder above it"""

    bl_idname = "sge.import_colmap"
    bl_label = "Import COLMAP"

    directory: bpy.props.StringProperty(
        name="Folder", description="Folder to read", subtype="DIR_PATH", options={"SKIP_SAVE"}
    )
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    def path(self) -> str:
        return self.directory

    def chosen(self) -> bool:
        return bool(self.directory)


class SGE_OT_load_references(bpy.types.Operator):
    """Load the images of references one after the other. Esc takes back what was loaded"""

    bl_idname = "sge.load_references"
    bl_label = "Load References"
    bl_options = {"INTERNAL", "UNDO"}

    waiting: ClassVar[ImportedReferences | None] = None

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return cls.waiting is not None

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        self._imported = SGE_OT_load_references.waiting
        SGE_OT_load_references.waiting = None
        self._loading = self._imported.load()
        manager = context.window_manager
        manager.progress_begin(0, len(self._imported.frames))
        self._timer = manager.event_timer_add(SECONDS_PER_TICK, window=context.window)
        manager.modal_handler_add(self)
        self._show(context, 0)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if event.type == "ESC" and event.value == "PRESS":
            self._imported.take_back()
            self._end(context)
            self.report({"INFO"}, rpt_("Import was stopped; nothing was added"))
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"RUNNING_MODAL"}  # nothing else until the images are there
        with reported_errors(self):
            count = next(self._loading, None)
            if count is not None:
                self._show(context, count)
                return {"RUNNING_MODAL"}
            self._end(context)
            tell_imported(self, self._imported.frames)
            return {"FINISHED"}
        self._end(context)
        return {"CANCELLED"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator, as when it quits."""
        self._end(context)

    def _show(self, context: bpy.types.Context, count: int) -> None:
        context.window_manager.progress_update(count)
        text = rpt_("SGE: loading image {:d}/{:d} · Esc: stop").format(count, len(self._imported.frames))
        context.workspace.status_text_set(text)

    def _end(self, context: bpy.types.Context) -> None:
        context.window_manager.event_timer_remove(self._timer)
        context.window_manager.progress_end()
        context.workspace.status_text_set(None)


def tell_imported(operator: bpy.types.Operator, frames: Frames) -> None:
    """Say in the status bar how many there are, and which images were missing."""
    text = rpt_("{:d} reference(s) imported").format(len(frames))
    for notice in frames.notices:
        operator.report({"WARNING"}, f"{text}. {notice}")
    if not frames.notices:
        operator.report({"INFO"}, text)


class SGE_FH_references(bpy.types.FileHandler):
    """Files dropped into a viewport."""

    bl_idname = "SGE_FH_references"
    bl_label = "SGE References"
    bl_import_operator = SGE_OT_import_references.bl_idname
    bl_file_extensions = ".json;.bin;.txt"

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        return context.area is not None and context.area.type == "VIEW_3D"


def draw_menu(menu: bpy.types.Menu, _context: bpy.types.Context) -> None:
    """Entries of File > Import."""
    menu.layout.operator("sge.import_references", text="SGE References (transforms.json)")
    menu.layout.operator("sge.import_colmap", text="SGE References (COLMAP Folder)")


def register() -> None:
    """Add the entries to File > Import."""
    bpy.types.TOPBAR_MT_file_import.append(draw_menu)


def unregister() -> None:
    """Undo ``register``."""
    bpy.types.TOPBAR_MT_file_import.remove(draw_menu)
    SGE_OT_load_references.waiting = None


CLASSES = (SGE_OT_import_references, SGE_OT_import_colmap, SGE_OT_load_references, SGE_FH_references)
