# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's preferences: settings of new scenes, live view, and what there is of solver and GPU."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from dataclasses import fields
from typing import ClassVar

import bpy
from bpy.app.translations import pgettext_iface as iface_
from bpy.app.translations import pgettext_rpt as rpt_

from ..core.settings import FitSettings
from ..scene.stored_settings import setting_property
from .live_rate import LIVE_SHARE
from .placement import SECTIONS, portable_fields
from .redraw import redraw_regions

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
    for item in scene.sge.bl_rna.properties:
        if item.identifier == "rna_type":
            continue
        if item.type in {"POINTER", "COLLECTION"}:  # which count as set once they were looked at
            if getattr(scene.sge, item.identifier):
                return False
        elif scene.sge.is_property_set(item.identifier):
            return False
    return True


class KnownScenes:
    """Session ids of the scenes that are not new any more."""

    ids: ClassVar[set[int]] = set()


def begin_new_scene(scene: bpy.types.Scene) -> None:
    """Give a scene that is seen for the first time the preferences' settings."""
    if scene.session_uid not in KnownScenes.ids:
        KnownScenes.ids.add(scene.session_uid)
        if scene.library is None and is_untouched(scene):
            apply_defaults(scene)


def scene_is_drawn(scene: bpy.types.Scene) -> None:
    """To be called where panels draw, which is before anyone can touch a new scene's settings. Drawing may
    change nothing, so it is done right after."""
    if scene.session_uid not in KnownScenes.ids:
        bpy.app.timers.register(_begin_shown_scenes, first_interval=0.0)


def _begin_shown_scenes() -> None:
    manager = bpy.context.window_manager
    for window in manager.windows:
        begin_new_scene(window.scene)
    redraw_regions(manager, "UI")


@bpy.app.handlers.persistent
def begin_new_file(*_arguments: object) -> None:
    """Scenes of a new file are new; those of a file on disk stay as they are."""
    KnownScenes.ids.clear()
    for scene in bpy.data.scenes:
        if bpy.data.filepath:
            KnownScenes.ids.add(scene.session_uid)
        else:
            begin_new_scene(scene)


def register() -> None:
    """Ask Blender to be told of new files."""
    bpy.app.handlers.load_post.append(begin_new_file)


def unregister() -> None:
    """Undo ``register``."""
    bpy.app.handlers.load_post.remove(begin_new_file)
    if bpy.app.timers.is_registered(_begin_shown_scenes):
        bpy.app.timers.unregister(_begin_shown_scenes)
    KnownScenes.ids.clear()


CLASSES = (SGE_AP_preferences, SGE_OT_take_defaults, SGE_OT_reset_defaults, SGE_OT_reset_settings)
