# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fit through modifiers that Blender evaluates in every step, in the window, and its undo."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager

import bpy
import numpy as np
from window_session import Play
from window_stage import MODULE, Stage

SHOWN = ("SGE_PT_modifiers", "SGE_PT_parameters")
HIDDEN = (
    "SGE_PT_check",
    "SGE_PT_references",
    "SGE_PT_make_references",
    "SGE_PT_shape",
    "SGE_PT_texture",
    "SGE_PT_stages",
    "SGE_PT_comparison",
    "SGE_PT_cameras",
    "SGE_PT_optimizer",
    "SGE_PT_advanced",
)


class Modifiers(Stage):
    """A small cage of its own takes the place of the cage for a while."""

    def fit_modifiers(self) -> Play:
        session = self.session
        before = bpy.data.objects["Cage"]
        before.name, before.hide_viewport = "Put Away", True
        bpy.ops.object.select_all(action="DESELECT")
        bpy.ops.mesh.primitive_ico_sphere_add(subdivisions=2, radius=1.0)
        cage = bpy.context.object
        cage.name = cage.data.name = "Cage"
        cage.modifiers.new("Subdivision", "SUBSURF").levels = 2
        cage.modifiers.new("Shell", "SOLIDIFY").thickness = 0.05
        self.sge.shape, self.sge.texture, self.sge.shading = True, False, "unlit"
        self.sge.match = {"alpha"}
        bpy.ops.ed.undo_push(message="Small cage")
        start, scenes = self.positions(), len(bpy.data.scenes)
        with self._panels_shown():
            yield 1.0
            session.screenshot("14_modifiers_before")
        yield from self.begin(steps=60)
        yield 1.0
        session.screenshot("15_modifiers_during")
        self.check("nothing of the fit's own is in the file", len(bpy.data.scenes) == scenes)
        yield from self.ended()
        session.screenshot("16_modifiers_after")
        self.check("the cage has moved", not np.array_equal(self.positions(), start))
        self.check("the stack stays", [each.name for each in cage.modifiers] == ["Subdivision", "Shell"])
        session.key("Z", ctrl=True)
        yield 1.0
        self.check("one Ctrl-Z brings the cage back", np.array_equal(self.positions(), start))
        bpy.data.objects.remove(bpy.data.objects["Cage"])
        before = bpy.data.objects["Put Away"]
        before.name, before.hide_viewport = "Cage", False
        self.sge.texture, self.sge.match = True, {"colour", "alpha"}

    @staticmethod
    @contextmanager
    def _panels_shown() -> Iterator[None]:
        """Draw open what is closed by default, and not what would push it off the screen."""
        panels = importlib.import_module(f"{MODULE}.ui.panels")
        # Blender keeps by name which panels are closed.
        opened = [
            type(f"{name}_open", (getattr(panels, name),), {"bl_idname": f"{name}_open", "bl_options": set()})
            for name in SHOWN
        ]
        hidden = [getattr(panels, name) for name in HIDDEN]
        for panel in reversed(hidden):
            bpy.utils.unregister_class(panel)
        for panel in opened:
            bpy.utils.register_class(panel)
        yield
        for panel in opened:
            bpy.utils.unregister_class(panel)
        for panel in hidden:
            bpy.utils.register_class(panel)
