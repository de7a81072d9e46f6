# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""New UV maps by Blender's Smart UV Project, without a look at what the user has selected."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import bpy

ANGLE_LIMIT = 66.0  # degrees, Blender's own default


def unwrap(mesh: bpy.types.Mesh, name: str, margin: float) -> None:
    """Give a mesh a new active UV map ``name`` without overlaps; one of that name is overwritten.

    margin: between islands, as a fraction of the map. The mesh must not be in Edit Mode.
    """
    import bpy

    layer = mesh.uv_layers.get(name) or mesh.uv_layers.new(name=name)
    layer.active = layer.active_render = True
    with scratch_scene() as scene:
        obj = bpy.data.objects.new("sge_unwrap", mesh)
        try:
            scene.collection.objects.link(obj)
            layers = scene.view_layers[0]
            layers.objects.active = obj
            obj.select_set(True, view_layer=layers)
            own = {"scene": scene, "view_layer": layers, "object": obj, "active_object": obj}
            with bpy.context.temp_override(**own, selected_objects=[obj]):
                bpy.ops.object.mode_set(mode="EDIT")
                with bpy.context.temp_override(edit_object=obj):
                    bpy.ops.mesh.select_all(action="SELECT")
                    bpy.ops.uv.smart_project(angle_limit=math.radians(ANGLE_LIMIT), island_margin=margin)
                bpy.ops.object.mode_set(mode="OBJECT")
        finally:
            bpy.data.objects.remove(obj)


@contextmanager
def scratch_scene() -> Iterator[bpy.types.Scene]:
    """A scene of our own, to evaluate and to edit in; it goes again at the end."""
    import bpy

    scene = bpy.data.scenes.new("sge_scratch")
    try:
        yield scene
    finally:
        bpy.data.scenes.remove(scene)
