# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that are seen through their modifiers: which they are, and how their surfaces follow from cages."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..core.cage import Cage, TopologyChanged
from ..core.errors import FitError
from ..core.stack_probing import NotLinear, probed_map, probing
from ..core.surface import Material, Surface
from ..scene.modifier_stack import described_stack
from ..scene.stack_evaluator import ModifierStack
from ..scene.stack_rules import stack_notices, stack_problems
from ..scene.traces import Traces, digest

if TYPE_CHECKING:
    import bpy

# What leaves room for heights between the vertices of a cage.
_SUBDIVIDING = ("SUBSURF", "MULTIRES", "NODES")

Stacks = tuple[ModifierStack | None, ...]


def goes_through(obj: bpy.types.Object, values: Mapping[str, Any]) -> bool:
    """Whether a fit with these settings, by field name, sees an object through its modifiers."""
    if not values["through_modifiers"] or obj.type != "MESH":
        return False
    return any(each.kind != "hidden" for each in described_stack(obj, values["level"]))


def stack_of(
    obj: bpy.types.Object,
    materials: tuple[Material, ...],
    values: Mapping[str, Any],
    muted: Collection[str] = (),
) -> ModifierStack:
    """The modifiers of an object that ``goes_through``. muted: names of those that are left out."""
    return ModifierStack(
        obj,
        materials,
        level=values["level"],
        muted=frozenset(muted),
        vertex_group=values["vertex_group"] if values["shape"] else "",
        pin_boundary=values["pin_boundary"],
    )


def is_evaluated(obj: bpy.types.Object, values: Mapping[str, Any]) -> bool:
    """Whether modifiers take part in what a fit sees of an object; under height maps they always do."""
    return fits_height(values) or goes_through(obj, values)


def fits_height(values: Mapping[str, Any]) -> bool:
    """As FitSettings.fits_height, of values that may contradict each other."""
    return values["texture"] and values["shading"] == "lit" and "height" in values["maps"]


def moved_twice(objects: Sequence[bpy.types.Object], values: Mapping[str, Any]) -> list[str]:
    """The names of objects of which a fit of shape and heights would move the same vertices by both: those
    that modifiers do not make finer."""
    if not (values["shape"] and fits_height(values)):
        return []
    return [
        obj.name
        for obj in objects
        if obj.type == "MESH"
        and not (
            values["through_modifiers"]
            and any(modifier.type in _SUBDIVIDING and modifier.show_viewport for modifier in obj.modifiers)
        )
    ]


def stacked_problems(objects: Sequence[bpy.types.Object], values: Mapping[str, Any]) -> Iterator[FitError]:
    """Everything that keeps objects from being fitted through their modifiers, by name."""
    through = [obj for obj in objects if goes_through(obj, values)]
    if fits_height(values) and values["level"] == "render":
        for obj in through:
            yield FitError(
                f"Object '{obj.name}': the map Height displaces what modifiers make in viewports: choose the "
                "Level Viewport, or leave Height out of Maps.",
                subject=obj.name,
            )
    yield from stack_problems(through, values["level"], texture=values["texture"])


def stacked_notices(objects: Sequence[bpy.types.Object], values: Mapping[str, Any]) -> list[str]:
    """What the modifiers make slow, or different from what one might expect; which of them are hidden."""
    return stack_notices(objects, values["level"]) if values["through_modifiers"] else []


def estimator_notices(objects: Sequence[bpy.types.Object], values: Mapping[str, Any]) -> list[str]:
    """Which modifiers are known to keep a fit from the estimator that was chosen."""
    if values["estimator"] != "edge" or not values["shape"] or fits_height(values):
        return []
    through = [obj for obj in objects if goes_through(obj, values)]
    reasons = {obj.name: reason_against_map(obj, values["level"], ()) for obj in through}
    return [instead_of_edge(name) for name, reason in reasons.items() if reason]


def instead_of_edge(name: str) -> str:
    """What is done where Blender alone knows how an object's surface follows from its base mesh."""
    return (
        f"Object '{name}': the Estimator 'edge' does not know how its modifiers move the surface, since not "
        "all of them are linear: the whole fit takes 'sge'. Apply them or switch them off to fit with 'edge'."
    )


def mapped(
    objects: Sequence[bpy.types.Object], surfaces: Sequence[Surface], stacks: Stacks, level: str
) -> Generator[float, None, tuple[list[Surface], list[str]]]:
    """The surfaces whose cages move, each with the map from its cage where that is linear, and notices on
    those where it is not; yields the fraction done.

    Raises FitError where heights are fitted on a surface without such a map.
    """
    made, notices = [], []
    for number, (obj, surface, stack) in enumerate(zip(objects, surfaces, stacks, strict=True)):
        reason = ""
        if stack is not None and surface.cage is not None:
            reason = reason_against_map(obj, level, stack.muted)
            if not reason:
                try:
                    share = 1.0 / len(surfaces)
                    surface = yield from _with_map(surface, surface.cage, stack, number * share, share)
                except NotLinear as error:
                    reason = error.reason
        if reason and surface.height is not None:
            raise FitError(
                f"Object '{surface.name}': Shape and the map Height are fitted together only where its "
                f"modifiers are linear, but {reason}: switch Shape off, or leave Height out of Maps.",
                subject=surface.name,
            )
        if reason:
            notices.append(
                f"Object '{surface.name}': Blender evaluates its modifiers in every step, slower than where "
                f"they are linear: {reason}."
            )
        made.append(surface)
        yield (number + 1) / len(surfaces)
    return made, notices


def _with_map(
    surface: Surface, cage: Cage, stack: ModifierStack, begin: float, share: float
) -> Generator[float, None, Surface]:
    """The surface with the map from its cage; yields fractions from ``begin`` on. Raises NotLinear."""
    steps = probing(cage, surface, stack)
    while True:
        try:
            yield begin + share * next(steps)
        except StopIteration as end:
            return replace(surface, cage=replace(cage, map=end.value))


def at_level(
    surfaces: Sequence[Surface], whole: Sequence[Surface], stacks: Stacks, fewer: int
) -> tuple[tuple[Surface, ...], Stacks]:
    """The surfaces with cages and materials as ``surfaces`` have them, but with so many levels of subdivision
    less than ``whole``; and the stacks that make them. All by surface."""
    made, used = [], []
    for surface, full, stack in zip(surfaces, whole, stacks, strict=True):
        if stack is None or surface.cage is None or full.cage is None:
            made.append(surface)
        elif fewer == 0 and full.cage.map is not None:
            cage = replace(full.cage, positions=surface.cage.positions)
            positions = full.cage.map.apply(cage.positions)
            made.append(replace(full, positions=positions, cage=cage, materials=surface.materials))
        else:
            stack = stack.with_fewer_levels(fewer)
            (found,) = stack.evaluate([surface.cage.positions])
            if full.cage.map is not None and found.cage is not None:
                found = _with_map_if_linear(found, found.cage, stack)
            made.append(replace(found, materials=surface.materials))
        used.append(stack)
    return tuple(made), tuple(used)


def _with_map_if_linear(surface: Surface, cage: Cage, stack: ModifierStack) -> Surface:
    try:
        return replace(surface, cage=replace(cage, map=probed_map(cage, surface, stack)))
    except NotLinear:
        return surface


def stack_traces(stacks: Stacks) -> Traces:
    """What modifiers make of the base meshes with which the fit began: other settings make something else."""
    traces: Traces = {}
    for stack in stacks:
        if stack is None:
            continue
        try:
            made: tuple[Any, ...] = (stack.positions([stack.start])[0],)
        except (TopologyChanged, FitError) as error:
            made = (str(error),)
        finally:
            stack.release()
        traces[f"Object '{stack.name}': its modifiers"] = digest(*made)
    return traces


def reason_against_map(obj: bpy.types.Object, level: str, muted: Collection[str]) -> str:
    """Which modifier is known not to be linear, and why; "" where none is. muted: names that do not count."""
    for each in described_stack(obj, level):
        if each.kind == "black box" and each.name not in muted:
            return f"'{each.name}' {each.reason}" if each.reason else f"'{each.name}' is not"
    return ""
