# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fit of a lit material's maps in the window, and its undo."""

from __future__ import annotations

from typing import Any

import bpy
from window_session import Play
from window_stage import Stage

LINKED = ("Base Color", "Metallic", "Roughness", "Normal")


class Maps(Stage):
    """The cage's material is fitted under a sun, its shape as it stands."""

    def fit_maps(self) -> Play:
        session = self.session
        bpy.context.scene.collection.objects.link(
            bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
        )
        self.sge.shading, self.sge.shape, self.sge.match = "lit", False, {"colour"}
        self.sge.texture_size = 128
        bpy.ops.ed.undo_push(message="Light")
        session.viewport.tag_redraw()
        yield 1.0
        before, energy = self._linked(), self._energy()
        self.check("the maps are not there yet", "Roughness" not in before, before)
        self.sge.light = "fit"
        yield from self.begin(steps=60)
        yield 1.0
        session.screenshot("12_maps_during")
        yield from self.ended()
        session.screenshot("13_maps_after")
        self.check("every map is wired", set(LINKED) <= self._linked(), self._linked())
        self.check("the light is fitted", self._energy() != energy, self._energy())
        session.key("Z", ctrl=True)
        yield 1.0
        self.check("one Ctrl-Z unwires them", self._linked() == before, self._linked())
        self.check("and brings the light back", self._energy() == energy, self._energy())
        self.sge.light = "scene"

    def _energy(self) -> float:
        return bpy.data.lights["Sun"].energy

    def _linked(self) -> set[str]:
        """Inputs of the cage's shader that something is linked to."""
        tree: Any = bpy.data.objects["Cage"].data.materials[0].node_tree
        shader = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
        return {socket.name for socket in shader.inputs if socket.is_linked}
