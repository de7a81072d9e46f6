# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of references: what each row shows, in which order, and the way to its camera."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

import bpy

from ..core.errors import FitError
from .checked import Checked
from .error_report import reported_errors
from .running_fit import RunningFit

ORDERS = (
    ("LIST", "As Listed", "In the order in which they were added"),
    ("NAME", "Name", "By the names of the cameras"),
    ("PSNR", "PSNR", "Worst first, as the last fit left them; those that were not measured come last"),
)


WIDE = 380.0  # pixels at the usual size of the interface; the sidebar begins with fewer


class SGE_UL_references(bpy.types.UIList):
    """Rows: use, image, camera, size where there is room, PSNR in dB after the last fit, look through, held
    out."""

    order: bpy.props.EnumProperty(name="Order", description="How the references are sorted", items=ORDERS)

    def draw_item(self, context, layout, _data, item, _icon, _active_data, _active_property, index) -> None:
        layout.use_property_split = False
        row = layout.row(align=True)
        use = row.row(align=True)
        use.enabled = RunningFit.current is None
        use.prop(item, "enabled", text="")
        camera = item.camera
        if camera is None or context.scene.objects.get(camera.name) != camera:
            row.label(text="Camera is lost", icon="ERROR")
            return
        image = shown_image(camera)
        size = shown_size(camera, image) if is_wide(context) else None
        texts = [f"{size[0]} × {size[1]}"] if size else []
        texts += [f"{item.psnr_after:.1f}"] if item.measured else []
        split = row.split(factor=(1.0, 0.7, 0.5)[len(texts)], align=True) if texts else row
        names = split.row(align=True)
        names.active = item.enabled
        if image is None:
            names.label(text=camera.name, translate=False, icon="OUTLINER_OB_CAMERA")
            names.label(text="No image", icon="ERROR")
        else:
            names.label(text=camera.name, translate=False, icon_value=layout.icon(image))
        if camera.name in Checked.subjects and Checked.is_of(context.scene):
            names.label(text="", icon="ERROR")
        for text in texts:
            figure = split.row()
            figure.alignment = "RIGHT"
            figure.label(text=text, translate=False)
        row.operator("sge.look_through", text="", icon="VIEW_CAMERA", emboss=False).index = index
        held_out = row.row(align=True)
        held_out.enabled = RunningFit.current is None
        icon = "HIDE_ON" if item.held_out else "HIDE_OFF"
        held_out.prop(item, "held_out", text="", icon=icon, emboss=False)

    def draw_filter(self, _context, layout) -> None:
        row = layout.row(align=True)
        row.prop(self, "filter_name", text="", icon="VIEWZOOM")
        row.prop(self, "use_filter_invert", text="", icon="ARROW_LEFTRIGHT")
        layout.row(align=True).prop(self, "order", expand=True)

    def filter_items(self, _context, data, name) -> tuple[list[int], list[int]]:
        rows = getattr(data, name)
        names = [row.camera.name if row.camera else "" for row in rows]
        flags = [self.bitflag_filter_item if match else 0 for match in matches(names, self.filter_name)]
        figures = [row.psnr_after if row.measured else None for row in rows]
        return flags, places(names, figures, self.order)


def is_wide(context: bpy.types.Context) -> bool:
    """Whether there is room for more than a name and a figure."""
    region = context.region
    return region is not None and region.width >= WIDE * (context.preferences.system.ui_scale or 1.0)


def matches(names: Sequence[str], wanted: str) -> list[bool]:
    """Whether each name holds the wanted text, in which * and ? stand for anything; case does not count."""
    pattern = f"*{wanted.lower()}*"
    return [fnmatchcase(name.lower(), pattern) for name in names]


def places(names: Sequence[str], figures: Sequence[float | None], order: str) -> list[int]:
    """For each row the place where it is shown. figures: PSNR in decibels, None where not measured.

    order: one of ORDERS. An empty list where nothing moves, as Blender expects it.
    """
    if order == "LIST":
        return []
    keys: list[Any] = [name.lower() for name in names]
    if order == "PSNR":
        keys = [(figure is None, figure or 0.0, key) for figure, key in zip(figures, keys, strict=True)]
    result = [0] * len(keys)
    for place, index in enumerate(sorted(range(len(keys)), key=keys.__getitem__)):
        result[index] = place
    return result


def shown_image(camera: bpy.types.Object) -> bpy.types.Image | None:
    """The first background image, whether or not a fit would take it: drawing must not fail."""
    return next((each.image for each in camera.data.background_images if each.image is not None), None)


def shown_size(camera: bpy.types.Object, image: bpy.types.Image | None) -> tuple[int, int] | None:
    """Width and height, as far as they are known without loading the image for the sake of drawing."""
    if image is not None and image.has_data:
        return tuple(image.size)
    stored = camera.data.get("sge_lens")
    return (round(stored[8]), round(stored[9])) if stored is not None and len(stored) == 10 else None


class SGE_OT_look_through(bpy.types.Operator):
    """Look through the reference's camera, which becomes the scene's active one"""

    bl_idname = "sge.look_through"
    bl_label = "Look Through"
    bl_options = {"INTERNAL"}  # looking is no step of undo, so that it can be done while a fit runs

    index: bpy.props.IntProperty(
        name="Reference", description="Place in the list of references", options={"HIDDEN", "SKIP_SAVE"}
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        stored = context.scene.sge
        with reported_errors(self):
            if not 0 <= self.index < len(stored.references):
                raise FitError(f"There is no reference {self.index}: the list has {len(stored.references)}.")
            camera = stored.references[self.index].camera
            if camera is None or context.scene.objects.get(camera.name) != camera:
                raise FitError("The reference has lost its camera: remove its row, or choose a camera.")
            stored.active_reference = self.index
            context.scene.camera = camera
            space = context.space_data
            if space is not None and space.type == "VIEW_3D":
                space.use_local_camera = False
                space.region_3d.view_perspective = "CAMERA"
            return {"FINISHED"}
        return {"CANCELLED"}


CLASSES = (SGE_UL_references, SGE_OT_look_through)
