# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar tab "SGE" of the 3D View."""

from __future__ import annotations

from dataclasses import fields

import bpy

from ..core.settings import FitSettings
from ..scene.references import NORMAL_IMAGE
from .fit_operators import draw_buttons
from .loss_plot import loss_icon
from .running_fit import RunningFit, targets

IN_SHAPE = ("vertex_group",)
IN_TEXTURE = ("texture_size", "margin")
IN_MAIN = ("shape", "texture", "match", "shading", "steps", "resolution")
NAMED_TARGETS = 3  # more are counted


class SGE_UL_references(bpy.types.UIList):
    """References: use, camera, figure of the last fit, held out."""

    def draw_item(self, _context, layout, _data, item, _icon, _active_data, _active_property) -> None:
        layout.use_property_split = False
        row = layout.row(align=True)
        row.prop(item, "enabled", text="")
        if item.camera is None:
            row.label(text="Camera is lost", icon="ERROR")
            return
        row.label(text=item.camera.name, icon="OUTLINER_OB_CAMERA")
        images = [background.image for background in item.camera.data.background_images if background.image]
        if not images:
            row.label(text="No image", icon="ERROR")
        if item.measured:
            figure = row.row()
            figure.alignment = "RIGHT"
            figure.label(text=f"{item.psnr_after:.1f} dB")
        row.prop(item, "held_out", text="", icon="HIDE_ON" if item.held_out else "HIDE_OFF", emboss=False)


class _Panel(bpy.types.Panel):
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "SGE"

    def settings_layout(self) -> bpy.types.UILayout:
        """The layout with Blender's split of name and value; greyed out while a fit runs."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.enabled = RunningFit.current is None
        return layout


class SGE_PT_main(_Panel):
    bl_idname = "SGE_PT_main"
    bl_label = "SGE Fit"

    def draw(self, context: bpy.types.Context) -> None:
        stored = context.scene.sge
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        options = layout.column()
        options.enabled = RunningFit.current is None
        self._draw_targets(context, options)
        influence = options.column(heading="Fit")
        influence.prop(stored, "shape")
        influence.prop(stored, "texture")
        options.row().prop(stored, "match", expand=True)
        options.prop(stored, "shading")
        options.prop(stored, "steps")
        options.prop(stored, "resolution")
        layout.separator()
        running = RunningFit.current
        draw_buttons(layout)
        self._draw_losses(layout, running.losses if running else [(p.step, p.value) for p in stored.losses])

    def _draw_targets(self, context: bpy.types.Context, layout: bpy.types.UILayout) -> None:
        objects = targets(context)
        row = layout.row()
        if not objects:
            row.label(text="Select a mesh to fit", icon="INFO")
        elif len(objects) <= NAMED_TARGETS:
            row.label(text=", ".join(obj.name for obj in objects), icon="OUTLINER_OB_MESH")
        else:
            row.label(text=f"{len(objects)} meshes", icon="OUTLINER_OB_MESH")

    def _draw_losses(self, layout: bpy.types.UILayout, losses: list[tuple[int, float]]) -> None:
        if len(losses) < 2:
            return
        row = layout.row()
        row.label(text=f"Loss {losses[-1][1]:.4f}")
        row.label(text=f"Step {losses[-1][0]}")
        layout.template_icon(icon_value=loss_icon(losses), scale=6.0)


class SGE_PT_references(_Panel):
    bl_idname = "SGE_PT_references"
    bl_parent_id = "SGE_PT_main"
    bl_label = "References"

    def draw(self, context: bpy.types.Context) -> None:
        stored = context.scene.sge
        layout = self.settings_layout()
        row = layout.row()
        row.template_list("SGE_UL_references", "", stored, "references", stored, "active_reference", rows=4)
        column = row.column(align=True)
        column.operator("sge.remove_reference", text="", icon="REMOVE")
        column.operator("sge.clear_references", text="", icon="X")
        if 0 <= stored.active_reference < len(stored.references):
            self._draw_active(layout, stored.references[stored.active_reference])
        layout.operator("sge.add_from_cameras", icon="CAMERA_DATA")
        layout.operator("sge.use_image_frames", icon="CON_CAMERASOLVER")
        column = layout.column()
        column.prop(stored, "source")
        column.prop(stored, "view_count")
        column.operator("sge.make_references", icon="RENDER_STILL")
        row = layout.row(align=True)
        row.operator("sge.import_references", text="Import", icon="IMPORT")
        row.operator("sge.export_references", text="Export", icon="EXPORT")

    def _draw_active(self, layout: bpy.types.UILayout, row: bpy.types.PropertyGroup) -> None:
        column = layout.column()
        column.prop(row, "camera")
        if row.camera is not None and NORMAL_IMAGE in row.camera.data:
            column.label(text="Has normals to match", icon="NORMALS_FACE")
        if row.measured:
            column.label(text=f"PSNR {row.psnr_before:.2f} dB before, {row.psnr_after:.2f} dB after")


class SGE_PT_shape(_Panel):
    bl_idname = "SGE_PT_shape"
    bl_parent_id = "SGE_PT_main"
    bl_label = "Shape"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.settings_layout()
        layout.active = context.scene.sge.shape
        active = context.active_object
        if active is not None and active.type == "MESH":
            layout.prop_search(context.scene.sge, "vertex_group", active, "vertex_groups")
        else:
            layout.prop(context.scene.sge, "vertex_group")


class SGE_PT_texture(_Panel):
    bl_idname = "SGE_PT_texture"
    bl_parent_id = "SGE_PT_main"
    bl_label = "Texture"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.settings_layout()
        layout.active = context.scene.sge.texture
        for name in IN_TEXTURE:
            layout.prop(context.scene.sge, name)


class SGE_PT_advanced(_Panel):
    """Every setting that has no place above, so that a new one is never forgotten."""

    bl_idname = "SGE_PT_advanced"
    bl_parent_id = "SGE_PT_main"
    bl_label = "Advanced"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.settings_layout()
        for item in fields(FitSettings):
            if item.name not in (*IN_MAIN, *IN_SHAPE, *IN_TEXTURE):
                layout.prop(context.scene.sge, item.name)


def draw_import(menu: bpy.types.Menu, _context: bpy.types.Context) -> None:
    """The entry of File > Import."""
    menu.layout.operator("sge.import_references", text="SGE References (transforms.json)")


CLASSES = (
    SGE_UL_references,
    SGE_PT_main,
    SGE_PT_references,
    SGE_PT_shape,
    SGE_PT_texture,
    SGE_PT_advanced,
)
