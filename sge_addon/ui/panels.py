# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar tab "SGE" of the 3D View."""

from __future__ import annotations

import bpy
from bpy.app.translations import pgettext_iface as iface_

from ..core.material_maps import MAP_NAMES
from ..scene.references import NORMAL_IMAGE
from .check_panel import draw_findings
from .checked import Checked
from .compare_operators import draw_compare_button
from .fit_operators import draw_buttons
from .loss_plot import loss_icon
from .modifier_list import draw_modifiers
from .parameter_list import draw_parameters
from .placement import counts, fields_of, row_fields, source_fields
from .preferences import scene_is_drawn
from .presets import SGE_PT_presets
from .psnr_plot import draw_bars
from .reference_list import shown_image, shown_size
from .running_fit import RunningFit, targets

NAMED_TARGETS = 3  # more are counted


class _Panel(bpy.types.Panel):
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "SGE"

    def settings_layout(self) -> bpy.types.UILayout:
        """A column with Blender's split of name and value; greyed out while a fit runs."""
        column = self.layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.enabled = RunningFit.current is None
        return column


class SGE_PT_main(_Panel):
    bl_idname = "SGE_PT_main"
    bl_label = "SGE Fit"

    def draw_header_preset(self, _context: bpy.types.Context) -> None:
        SGE_PT_presets.draw_panel_header(self.layout)

    def draw(self, context: bpy.types.Context) -> None:
        scene_is_drawn(context.scene)
        stored = context.scene.sge
        options = self.settings_layout()
        _draw_targets(context, options)
        influence = options.column(heading="Fit")
        influence.prop(stored, "shape")
        influence.prop(stored, "texture")
        options.row().prop(stored, "match", expand=True)
        for name in ("shading", "steps", "resolution"):
            options.prop(stored, name)
        self.layout.separator()
        draw_buttons(self.layout)
        running = RunningFit.current
        _draw_losses(self.layout, running.losses if running else [(p.step, p.value) for p in stored.losses])


def _draw_targets(context: bpy.types.Context, layout: bpy.types.UILayout) -> None:
    objects = targets(context)
    row = layout.row()
    if not objects:
        row.label(text="Select a mesh to fit", icon="INFO")
    elif len(objects) <= NAMED_TARGETS:
        names = ", ".join(obj.name for obj in objects)
        row.label(text=names, translate=False, icon="OUTLINER_OB_MESH")
    else:
        text = iface_("{:d} meshes").format(len(objects))
        row.label(text=text, translate=False, icon="OUTLINER_OB_MESH")


def _draw_losses(layout: bpy.types.UILayout, losses: list[tuple[int, float]]) -> None:
    if len(losses) < 2:
        return
    row = layout.row()
    row.label(text=iface_("Loss {:.4f}").format(losses[-1][1]), translate=False)
    row.label(text=iface_("Step {:d}").format(losses[-1][0]), translate=False)
    plots = layout.row()
    plots.template_icon(icon_value=loss_icon(losses), scale=5.5)
    draw_bars(plots, bpy.context.scene.sge)


class SGE_PT_check(_Panel):
    bl_idname = "SGE_PT_check"
    bl_parent_id = "SGE_PT_main"
    bl_label = "Check"

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        if Checked.is_of(context.scene) and Checked.findings:
            self.layout.label(text=str(len(Checked.findings)), translate=False, icon="ERROR")

    def draw(self, context: bpy.types.Context) -> None:
        draw_findings(context, self.settings_layout())


class SGE_PT_references(_Panel):
    bl_idname = "SGE_PT_references"
    bl_parent_id = "SGE_PT_main"
    bl_label = "References"

    def draw(self, context: bpy.types.Context) -> None:
        stored = context.scene.sge
        # Not greyed out while a fit runs: one may look through the cameras meanwhile.
        row = self.layout.row()
        row.template_list("SGE_UL_references", "", stored, "references", stored, "active_reference", rows=4)
        draw_compare_button(self.layout)
        layout = self.settings_layout()
        buttons = row.column(align=True)
        buttons.enabled = layout.enabled
        buttons.operator("sge.add_from_cameras", text="", icon="ADD")
        buttons.operator("sge.remove_reference", text="", icon="REMOVE")
        buttons.operator("sge.clear_references", text="", icon="X")
        if 0 <= stored.active_reference < len(stored.references):
            self._draw_active(layout, stored.references[stored.active_reference])
        column = layout.column(align=True)
        column.operator("sge.import_references", text="Import transforms.json", icon="IMPORT")
        column.operator("sge.import_colmap", text="Import COLMAP", icon="IMPORT")
        column.operator("sge.export_references", text="Export", icon="EXPORT")
        layout.operator("sge.use_image_frames", icon="CON_CAMERASOLVER")

    def _draw_active(self, layout: bpy.types.UILayout, row: bpy.types.PropertyGroup) -> None:
        column = layout.column()
        for name in row_fields():
            column.prop(row, name)
        size = shown_size(row.camera, shown_image(row.camera)) if row.camera is not None else None
        if size is not None:
            column.label(text=iface_("{:d} × {:d} pixels").format(*size), translate=False)
        if row.camera is not None and row.camera.data.get(NORMAL_IMAGE) is not None:
            column.label(text="Has normals to match", icon="NORMALS_FACE")
        if row.measured:
            text = iface_("PSNR {:.2f} dB before, {:.2f} dB after").format(row.psnr_before, row.psnr_after)
            column.label(text=text, translate=False)


class SGE_PT_make_references(_Panel):
    bl_idname = "SGE_PT_make_references"
    bl_parent_id = "SGE_PT_references"
    bl_label = "From Object"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        stored = context.scene.sge
        layout = self.settings_layout()
        for name in source_fields():
            row = layout.row()
            row.active = counts(stored, name)
            row.prop(stored, name)
        layout.operator("sge.make_references", icon="RENDER_STILL")


class _SettingsPanel(_Panel):
    """A closed panel of settings. section: of ``placement``. needs: a setting without which it is pale."""

    bl_parent_id = "SGE_PT_main"
    bl_options = {"DEFAULT_CLOSED"}
    section = ""
    needs = ""

    def draw(self, context: bpy.types.Context) -> None:
        self.draw_section(context)

    def draw_section(self, context: bpy.types.Context) -> None:
        """The settings of the section, one a row."""
        stored = context.scene.sge
        layout = self.settings_layout()
        layout.active = not self.needs or getattr(stored, self.needs)
        for name in fields_of(self.section):
            row = layout.row()
            row.active = counts(stored, name)
            if name == "vertex_group" and context.active_object and context.active_object.type == "MESH":
                row.prop_search(stored, name, context.active_object, "vertex_groups")
            else:
                row.prop(stored, name)


class SGE_PT_shape(_SettingsPanel):
    bl_idname = "SGE_PT_shape"
    bl_label = "Shape"
    section = needs = "shape"


class SGE_PT_modifiers(_SettingsPanel):
    bl_idname = "SGE_PT_modifiers"
    bl_label = "Modifiers"
    section = "modifiers"

    def draw(self, context: bpy.types.Context) -> None:
        self.draw_section(context)
        draw_modifiers(targets(context), self.layout, context.scene.sge)


class SGE_PT_parameters(_SettingsPanel):
    bl_idname = "SGE_PT_parameters"
    bl_label = "Parameters"
    section = "parameters"

    def draw(self, context: bpy.types.Context) -> None:
        column = self.settings_layout()
        column.use_property_split = False
        draw_parameters(context.scene, targets(context), column)
        column.prop(context.scene.sge, self.section, text="", icon="RNA")


class SGE_PT_texture(_SettingsPanel):
    bl_idname = "SGE_PT_texture"
    bl_label = "Texture"
    section = needs = "texture"


class SGE_PT_material(_Panel):
    """There for shading 'lit' only, then open: what it says is what that shading is chosen for."""

    bl_idname = "SGE_PT_material"
    bl_parent_id = "SGE_PT_main"
    bl_label = "Material"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.scene.sge.shading == "lit"

    def draw(self, context: bpy.types.Context) -> None:
        stored = context.scene.sge
        layout = self.settings_layout()
        layout.prop(stored, "light")
        maps = layout.column(align=True, heading="Maps")
        maps.active = stored.texture
        for name in MAP_NAMES:
            row = maps.row(align=True)
            row.prop_enum(stored, "maps", name)
            constant = row.row(align=True)
            constant.active = name in stored.maps
            constant.prop_enum(stored, "constant_maps", name, text="", icon="DOT")
        search = layout.column()
        search.active = counts(stored, "search")
        search.prop(stored, "search")


class SGE_PT_stages(_SettingsPanel):
    bl_idname = "SGE_PT_stages"
    bl_label = "Stages"
    section = "stages"


class SGE_PT_comparison(_SettingsPanel):
    bl_idname = "SGE_PT_comparison"
    bl_label = "Comparison"
    section = "comparison"


class SGE_PT_cameras(_SettingsPanel):
    bl_idname = "SGE_PT_cameras"
    bl_label = "Camera Refinement"
    section = "cameras"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return bool(fields_of(cls.section))


class SGE_PT_optimizer(_SettingsPanel):
    bl_idname = "SGE_PT_optimizer"
    bl_label = "Optimizer"
    section = "optimizer"


class SGE_PT_advanced(_SettingsPanel):
    bl_idname = "SGE_PT_advanced"
    bl_label = "Advanced"
    section = "advanced"

    def draw(self, context: bpy.types.Context) -> None:
        self.draw_section(context)
        self.layout.operator("sge.reset_settings", icon="LOOP_BACK")


CLASSES = (
    SGE_PT_main,
    SGE_PT_check,
    SGE_PT_references,
    SGE_PT_make_references,
    SGE_PT_shape,
    SGE_PT_modifiers,
    SGE_PT_parameters,
    SGE_PT_material,
    SGE_PT_texture,
    SGE_PT_stages,
    SGE_PT_comparison,
    SGE_PT_cameras,
    SGE_PT_optimizer,
    SGE_PT_advanced,
)
