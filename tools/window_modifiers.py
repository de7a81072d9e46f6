# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fit through modifiers that Blender evaluates in every step, in the window, and its undo."""

from __future__ import annotations

import importlib

import bpy
import numpy as np
from window_session import Play
from window_stage import MODULE, Stage

PANELS = ("SGE_PT_modifiers", "SGE_PT_parameters")


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
        self._show_panels()
        yield 1.0
        start, scenes = self.positions(), len(bpy.data.scenes)
        yield from self.begin(steps=60)
        yield 1.0
        session.screenshot("14_modifiers_during")
        self.check("nothing of the fit's own is in the file", len(bpy.data.scenes) == scenes)
        yield from self.ended()
        session.screenshot("15_modifiers_after")
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
    def _show_panels() -> None:
        """Draw what is closed by default open, and first."""
        panels = importlib.import_module(f"{MODULE}.ui.panels")
        for name in PANELS:
            panel = getattr(panels, name)
            bpy.utils.unregister_class(panel)
            panel.bl_options, panel.bl_order = set(), -1
            bpy.utils.register_class(panel)
