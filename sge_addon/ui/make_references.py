# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""References from an object, one after the other, while Blender stays alive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import bpy
from bpy.app.translations import pgettext_rpt as rpt_

from ..core.errors import FitError
from ..core.pixel_store import PixelStore
from ..core.reference import Reference
from ..core.reference_options import ReferenceOptions
from ..scene.objects import parts_with_faces
from ..scene.reference_rows import store_made_references
from ..scene.references import temporary_folder
from ..scene.stored_settings import settings_from_scene, stored_reference_values
from .error_report import reported_errors
from .running_fit import targets

SECONDS_PER_TICK = 0.01


class SGE_OT_make_references(bpy.types.Operator):
    """Render references from cameras placed around the source object. They replace those made from \
it before. Esc stops and leaves everything as it was"""

    bl_idname = "sge.make_references"
    bl_label = "Make References from Object"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.scene.sge.source is None:
            cls.poll_message_set("Choose a source object")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        manager = context.window_manager
        with reported_errors(self):
            making = self._begin(context)
            manager.progress_begin(0, self._total)
            try:
                for count, reference in enumerate(making):
                    self._made.append(reference.stored(self._pixels))
                    manager.progress_update(count + 1)
            finally:
                manager.progress_end()
            self._store(context)
            return {"FINISHED"}
        return {"CANCELLED"}

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        with reported_errors(self):
            self._making = self._begin(context)
            manager = context.window_manager
            manager.progress_begin(0, self._total)
            self._timer = manager.event_timer_add(SECONDS_PER_TICK, window=context.window)
            manager.modal_handler_add(self)
            self._show(context)
            return {"RUNNING_MODAL"}
        return {"CANCELLED"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if event.type == "ESC" and event.value == "PRESS":
            self._end(context)
            self.report({"INFO"}, rpt_("Making references was stopped; nothing was changed"))
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"RUNNING_MODAL"}  # nothing else until the references are there
        with reported_errors(self):
            reference = next(self._making, None)
            if reference is not None:
                self._made.append(reference.stored(self._pixels))
                self._show(context)
                return {"RUNNING_MODAL"}
            self._end(context)
            self._store(context)
            return {"FINISHED"}
        self._end(context)
        return {"CANCELLED"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator, as when it quits."""
        self._end(context)

    def _begin(self, context: bpy.types.Context) -> Iterator[Reference]:
        """The references to come; raises FitError where there can be none."""
        from ..job import place_views, references_one_by_one  # late: with it comes the rasteriser

        scene = context.scene
        settings = settings_from_scene(scene)
        options = ReferenceOptions(**stored_reference_values(scene))
        source = scene.sge.source
        parts = parts_with_faces(source)
        if not parts:
            raise FitError(f"Source '{source.name}' has no faces, nor have its children: choose a mesh.")
        views = [
            replace(view, name=f"{source.name}_{index:03}")
            for index, view in enumerate(
                place_views(parts, options, scene, settings.resolution, scene.sge.path_camera)
            )
        ]
        self._made: list[Reference] = []
        self._pixels = PixelStore(folder=temporary_folder())
        self._total = len(views)
        hidden: list[Any] = [obj for obj in targets(context) if obj not in parts]
        return references_one_by_one(parts, views, settings, scene, options, hidden)

    def _store(self, context: bpy.types.Context) -> None:
        source = context.scene.sge.source
        if source is None:
            raise FitError("The source object was deleted while references were made from it.")
        store_made_references(context.scene, source, self._made)
        self.report({"INFO"}, rpt_("{:d} references made from '{:s}'").format(len(self._made), source.name))

    def _show(self, context: bpy.types.Context) -> None:
        context.window_manager.progress_update(len(self._made))
        text = rpt_("SGE: making reference {:d}/{:d} · Esc: stop").format(len(self._made), self._total)
        context.workspace.status_text_set(text)

    def _end(self, context: bpy.types.Context) -> None:
        self._making.close()
        context.window_manager.event_timer_remove(self._timer)
        context.window_manager.progress_end()
        context.workspace.status_text_set(None)


CLASSES = (SGE_OT_make_references,)
