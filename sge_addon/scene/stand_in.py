# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of an object in a scene of its own, evaluated there while the object itself stays untouched."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from .unwrap import scratch_scene

if TYPE_CHECKING:
    import bpy

Level = Literal["viewport", "render"]

# What a modifier takes in viewports, and what in renders.
_IN_RENDERS = {
    "SUBSURF": ("levels", "render_levels"),
    "MULTIRES": ("levels", "render_levels"),
    "SCREW": ("steps", "render_steps"),
}
# What leaves the mesh as it is, and may take long.
WITHOUT_EFFECT = ("COLLISION", "PARTICLE_SYSTEM", "SURFACE")
_SUBDIVIDING = ("SUBSURF", "MULTIRES")


@dataclass(frozen=True, eq=False)
class StandIn:
    """object: the copy. view_layer: the one that evaluates it."""

    object: bpy.types.Object
    view_layer: bpy.types.ViewLayer

    def evaluated(self) -> bpy.types.Object:
        """The copy as it is now, with its modifiers."""
        self.view_layer.update()
        return self.object.evaluated_get(self.view_layer.depsgraph)

    def show_only(self, names: Collection[str]) -> None:
        """Show the modifiers of these names, and no other."""
        for modifier in self.object.modifiers:
            modifier.show_viewport = modifier.name in names


@contextmanager
def stand_in(
    obj: bpy.types.Object,
    *,
    muted: Collection[str] = (),
    level: Level = "viewport",
    fewer_levels: int = 0,
    own_mesh: bool = False,
) -> Iterator[StandIn]:
    """A copy of the object at its home scene's frame; it and its scene go again at the end.

    Nothing is to be restored afterwards, and no undo step and no saved file sees it.
    muted: names of modifiers to leave out. level: whether modifiers are as in viewports or as in renders,
    Simplify included. fewer_levels: taken off every subdivision, down to one. own_mesh: its mesh is a copy,
    too. Not evaluated yet.
    """
    import bpy

    with scratch_scene() as scene:
        home = home_scene(obj)
        _follow(scene, home, level)
        copy, mesh = obj.copy(), None
        try:
            if own_mesh:
                mesh = copy.data = obj.data.copy()
            copy.hide_viewport = False
            cap = scene.render.simplify_subdivision if scene.render.use_simplify else None
            for modifier in copy.modifiers:
                left_out = modifier.name in muted or modifier.type in WITHOUT_EFFECT
                modifier.show_viewport = is_shown(modifier, level) and not left_out
                _set_levels(modifier, level, fewer_levels, cap)
            scene.collection.objects.link(copy)
            yield StandIn(copy, scene.view_layers[0])
        finally:
            bpy.data.objects.remove(copy)
            if mesh is not None:
                bpy.data.meshes.remove(mesh)


def home_scene(obj: bpy.types.Object) -> bpy.types.Scene:
    """The scene that the object is looked at in: the window's, or the first that has it."""
    import bpy

    homes = obj.users_scene
    return bpy.context.scene if not homes or bpy.context.scene in homes else homes[0]


def is_shown(modifier: bpy.types.Modifier, level: Level) -> bool:
    """Whether the modifier takes part."""
    return modifier.show_render if level == "render" else modifier.show_viewport


def _follow(scene: bpy.types.Scene, home: bpy.types.Scene, level: Level) -> None:
    """Make a scene evaluate an object as its home scene does."""
    scene.frame_current, scene.frame_subframe = home.frame_current, home.frame_subframe
    scene.camera = home.camera  # Geometry Nodes can ask for it
    own, render = scene.render, home.render
    own.fps, own.fps_base = render.fps, render.fps_base
    own.use_simplify = render.use_simplify
    own.simplify_subdivision = (
        render.simplify_subdivision_render if level == "render" else render.simplify_subdivision
    )


def _set_levels(modifier: bpy.types.Modifier, level: Level, fewer: int, cap: int | None) -> None:
    if level == "render" and modifier.type in _IN_RENDERS:
        shown, rendered = _IN_RENDERS[modifier.type]
        setattr(modifier, shown, getattr(modifier, rendered))
    if fewer and modifier.type in _SUBDIVIDING:
        levels = modifier.levels if cap is None else min(modifier.levels, cap)
        modifier.levels = max(min(levels, 1), levels - fewer)  # a bare cage is larger than what it controls
