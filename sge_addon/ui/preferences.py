# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's preferences: settings of new scenes, live view, and what there is of solver and GPU."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from dataclasses import fields

import bpy
from bpy.app.translations import pgettext_iface as iface_
from bpy.app.translations import pgettext_rpt as rpt_

from ..core.settings import FitSettings
from ..scene.stored_settings import setting_property
from .live_rate import LIVE_SHARE
from .placement import SECTIONS, portable_fields

PACKAGE = __package__.rpartition(".")[0]  # as Blender knows the extension
SOLVER = "cholespy"


class SGE_AP_preferences(bpy.types.AddonPreferences):
    """Settings of new scenes (added below), and the share of time that live view may take."""

    bl_idname = PACKAGE

    live_share: bpy.props.FloatProperty(
        name="Live View",
        description="Share of the time that showing the fit while it runs may take. With less, the view "
        "changes more rarely and the fit ends sooner",
        subtype="FACTOR",
        default=LIVE_SHARE,
        min=0.01,
        max=0.5,
        precision=2,
    )

    def draw(self, _context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(self, "live_share")
        layout.label(text="New Scenes Begin With")
        column = layout.column()
        for name in ordered_fields():
            if name == "match":
                column.row().prop(self, name, expand=True)
            else:
                column.prop(self, name)
        row = layout.row()
        row.operator("sge.take_defaults", icon="IMPORT")
        row.operator("sge.reset_defaults", icon="LOOP_BACK")
        layout.label(text="Installation")
        column = layout.column(align=True)
        for text, is_good in installation():
            column.label(text=text, translate=False, icon="CHECKMARK" if is_good else "ERROR")


SGE_AP_preferences.__annotations__.update(
    {item.name: setting_property(item) for item in fields(FitSettings) if item.name in portable_fields()}
)


def ordered_fields() -> list[str]:
    """Those of the main panel first."""
    names = portable_fields()
    main = [name for name in SECTIONS["main"] if name in names]
    return main + [name for name in names if name not in main]


def preferences() -> SGE_AP_preferences | None:
    """None where the package runs without being an installed add-on, as in a script."""
    addon = bpy.context.preferences.addons.get(PACKAGE)
    return addon.preferences if addon else None


def live_share() -> float:
    """The share of the time that showing the fit may take."""
    stored = preferences()
    return stored.live_share if stored else LIVE_SHARE


def installation() -> Iterator[tuple[str, bool]]:
    """What there is of solver and GPU, as sentences, and whether it is as it should be."""
    try:
        yield iface_("Solver: {:s} {:s}").format(SOLVER, importlib.metadata.version(SOLVER)), True
    except importlib.metadata.PackageNotFoundError:
        yield (
            iface_("Solver: {:s} is missing, shapes take much longer. Reinstall the extension").format(
                SOLVER
            ),
            False,
        )
    from ..raster.context import gpu_name  # late: imports gpu

    try:
        yield iface_("GPU: {:s}").format(gpu_name()), True
    except SystemError:  # in background, before the first fit
        yield str(iface_("GPU: none is in use yet")), False


class SGE_OT_take_defaults(bpy.types.Operator):
    """Let new scenes begin with the present scene's settings"""

    bl_idname = "sge.take_defaults"
    bl_label = "Take from Scene"
    bl_options = {"REGISTER", "INTERNAL"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return preferences() is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        for name in portable_fields():
            setattr(preferences(), name, getattr(context.scene.sge, name))
        context.preferences.is_dirty = True
        return {"FINISHED"}


class SGE_OT_reset_defaults(bpy.types.Operator):
    """Let new scenes begin with the settings that the extension comes with"""

    bl_idname = "sge.reset_defaults"
    bl_label = "Reset to Factory Settings"
    bl_options = {"REGISTER", "INTERNAL"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return preferences() is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        for name in portable_fields():
            preferences().property_unset(name)
        context.preferences.is_dirty = True
        return {"FINISHED"}


class SGE_OT_reset_settings(bpy.types.Operator):
    """Set all settings of this scene back to those of new scenes, as the preferences say"""

    bl_idname = "sge.reset_settings"
    bl_label = "Reset Settings"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        for item in fields(FitSettings):
            context.scene.sge.property_unset(item.name)
        apply_defaults(context.scene)
        self.report({"INFO"}, rpt_("Settings are as in a new scene"))
        return {"FINISHED"}


def apply_defaults(scene: bpy.types.Scene) -> None:
    """Give a scene the settings of the preferences."""
    stored = preferences()
    for name in portable_fields() if stored else ():
        if stored.is_property_set(name):
            setattr(scene.sge, name, getattr(stored, name))


def is_untouched(scene: bpy.types.Scene) -> bool:
    """Whether nothing was ever set, listed or fitted in a scene."""
    return not any(
        scene.sge.is_property_set(item.identifier)
        for item in scene.sge.bl_rna.properties
        if not item.is_readonly
    ) and not (scene.sge.references or scene.sge.losses)


@bpy.app.handlers.persistent
def begin_new_file(*_arguments: object) -> None:
    """Scenes of a new file begin with the preferences' settings; those of a file on disk stay as they are."""
    if not bpy.data.filepath:
        for scene in bpy.data.scenes:
            if is_untouched(scene):
                apply_defaults(scene)


def begin_new_scene() -> None:
    """The window shows another scene: give a new one the preferences' settings."""
    scene = bpy.context.scene
    if scene is not None and scene.library is None and is_untouched(scene):
        apply_defaults(scene)


_OWNER = object()  # of the subscription


@bpy.app.handlers.persistent
def _subscribe(*_arguments: object) -> None:
    """Ask to be told of new scenes; loading a file forgets it."""
    bpy.msgbus.clear_by_owner(_OWNER)
    bpy.msgbus.subscribe_rna(key=(bpy.types.Window, "scene"), owner=_OWNER, args=(), notify=begin_new_scene)


def register() -> None:
    """Ask Blender to be told of new files and scenes."""
    bpy.app.handlers.load_post.append(begin_new_file)
    bpy.app.handlers.load_post.append(_subscribe)
    _subscribe()


def unregister() -> None:
    """Undo ``register``."""
    bpy.msgbus.clear_by_owner(_OWNER)
    bpy.app.handlers.load_post.remove(_subscribe)
    bpy.app.handlers.load_post.remove(begin_new_file)


CLASSES = (SGE_AP_preferences, SGE_OT_take_defaults, SGE_OT_reset_defaults, SGE_OT_reset_settings)
