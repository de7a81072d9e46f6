# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps objects from being fitted through their modifiers, and what is to be known before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..core.errors import FitError
from .modifier_stack import described_stack
from .stack_dependencies import Dependency, dependencies, frame_reasons, shown_modifiers
from .stack_losses import evaluation_time, stack_losses, type_label
from .stand_in import Level, home_scene

if TYPE_CHECKING:
    import bpy

SLOW = 1000.0  # milliseconds
_SUBDIVIDING = {"SUBSURF": "render_levels", "MULTIRES": "render_levels"}


def stack_problems(
    objects: Sequence[bpy.types.Object], level: Level, *, texture: bool = False
) -> Iterator[FitError]:
    """Every error, object by object, by the modifier's name. texture: whether UV maps are needed.

    Simulations and caches, shapes of other objects that are fitted too, a shape key that does not show,
    modifiers that leave no faces, no origin of faces, or no UV map. Evaluates the modifiers.
    """
    for obj in objects:
        if obj.type != "MESH" or obj.mode == "EDIT" or not shown_modifiers(obj, level):
            continue  # said already, or nothing to go through
        found = [*_unsupported(obj, level), *_entangled(obj, objects, level), *_unseen_key(obj)]
        yield from found
        if not found:  # else it might take long, or fail for the same reason
            yield from stack_losses(obj, level, texture=texture)


def stack_notices(objects: Sequence[bpy.types.Object], level: Level) -> list[str]:
    """What will be done differently from what one might expect. Evaluates the modifiers.

    Modifiers and levels of subdivision that differ between viewports and renders, a scene that simplifies
    them, what changes with the frame, places of other fitted objects, and slow evaluation.
    """
    notices: list[str] = []
    for obj in objects:
        if obj.type != "MESH" or obj.mode == "EDIT":
            continue
        notices += _differing_levels(obj, level)
        if shown_modifiers(obj, level):
            notices += _simplified(obj, level)
            notices += _framed(obj, level)
            notices += _placed(obj, objects, level)
            if not any(each.kind == "unsupported" for each in described_stack(obj, level)):
                notices += _slow(obj, level)
    return notices


def _unsupported(obj: bpy.types.Object, level: Level) -> Iterator[FitError]:
    for each in described_stack(obj, level):
        if each.kind == "unsupported":
            yield FitError(
                f"Object '{obj.name}': no fit goes through its modifier '{each.name}' "
                f"({type_label(obj.modifiers[each.name])}): {each.reason}. Apply it, or switch it off in "
                f"{level}s.",
                subject=obj.name,
            )


def _entangled(
    obj: bpy.types.Object, objects: Sequence[bpy.types.Object], level: Level
) -> Iterator[FitError]:
    for modifier, other in _fitted_too(obj, objects, level, by_shape=True):
        yield FitError(
            f"Object '{obj.name}': its modifier '{modifier}' depends on the shape of '{other}', which is "
            "fitted at the same time: fit one after the other, or apply the modifier.",
            subject=obj.name,
        )


def _unseen_key(obj: bpy.types.Object) -> Iterator[FitError]:
    key = obj.active_shape_key if obj.data.shape_keys else None
    if key is None or key == obj.data.shape_keys.reference_key or obj.show_only_shape_key:
        return
    if key.mute or (key.value == 0.0 and obj.data.shape_keys.use_relative):
        why = "is muted" if key.mute else "has the value 0"
        yield FitError(
            f"Object '{obj.name}': its active shape key '{key.name}' {why}, so that moving it does not show: "
            f"{'unmute it' if key.mute else 'give it the value 1'}, choose another, or pin it (Solo).",
            subject=obj.name,
        )


def _differing_levels(obj: bpy.types.Object, level: Level) -> Iterator[str]:
    other = "viewport" if level == "render" else "render"
    for modifier in obj.modifiers:
        owner = f"Object '{obj.name}': its modifier '{modifier.name}'"
        if modifier.show_viewport != modifier.show_render:
            shown = "viewport" if modifier.show_viewport else "render"
            hidden = "render" if modifier.show_viewport else "viewport"
            taken = "leaves it out" if level == hidden else "goes through it"
            yield (
                f"{owner} is switched on in {shown}s and off in {hidden}s, and a fit at the Level "
                f"{level.title()} {taken}: choose the Level {other.title()}, or switch it alike in both."
            )
        elif modifier.show_viewport and modifier.type in _SUBDIVIDING:
            counts = {"viewport": modifier.levels, "render": modifier.render_levels}
            if counts["viewport"] != counts["render"]:
                yield (
                    f"{owner} subdivides {counts['viewport']} times in viewports and {counts['render']} "
                    f"times in renders, and a fit at the Level {level.title()} {counts[level]} times: choose "
                    f"the Level {other.title()}, or set both to the same."
                )


def _simplified(obj: bpy.types.Object, level: Level) -> Iterator[str]:
    scene = home_scene(obj)
    render = scene.render
    if not render.use_simplify:
        return
    cap = render.simplify_subdivision_render if level == "render" else render.simplify_subdivision
    for modifier in shown_modifiers(obj, level):
        if modifier.type in _SUBDIVIDING:
            levels = modifier.render_levels if level == "render" else modifier.levels
            if levels > cap:
                yield (
                    f"Object '{obj.name}': scene '{scene.name}' simplifies its modifier '{modifier.name}' to "
                    f"{cap} of {levels} levels, and the fit takes those: switch Simplify off (Render "
                    "properties) for all."
                )


def _framed(obj: bpy.types.Object, level: Level) -> Iterator[str]:
    frame = home_scene(obj).frame_current
    for name, why in frame_reasons(obj, level):
        yield (
            f"Object '{obj.name}': its modifier '{name}' changes with the frame ({why}); it is fitted as it "
            f"is at frame {frame}: go to the frame that the references show, or switch it off."
        )


def _placed(obj: bpy.types.Object, objects: Sequence[bpy.types.Object], level: Level) -> Iterator[str]:
    for modifier, other in _fitted_too(obj, objects, level, by_shape=False):
        yield (
            f"Object '{obj.name}': its modifier '{modifier}' depends on the place of '{other}', which is "
            "fitted at the same time: its shape may be, its location, rotation and scale must not."
        )


def _slow(obj: bpy.types.Object, level: Level) -> Iterator[str]:
    milliseconds, slowest = evaluation_time(obj, level)
    if milliseconds > SLOW:
        yield (
            f"Object '{obj.name}': its modifiers take {milliseconds:.0f} ms to evaluate, most of it "
            f"'{slowest}', and all but linear ones are evaluated twice in each step: lower its levels or its "
            "resolution, switch it off for the fit, or apply it."
        )


def _fitted_too(
    obj: bpy.types.Object, objects: Sequence[bpy.types.Object], level: Level, *, by_shape: bool
) -> list[tuple[str, str]]:
    """(modifier, object) of what the object's modifiers read among those that are fitted, each once."""
    found: list[Dependency] = [
        each
        for each in dependencies(obj, level)
        if each.by_shape == by_shape and each.object != obj and each.object in objects
    ]
    return list(dict.fromkeys((each.modifier, each.object.name) for each in found))
