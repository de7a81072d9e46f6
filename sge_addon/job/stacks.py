# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that are seen through their modifiers: which they are, and how their surfaces follow from cages."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..core.errors import FitError
from ..core.stack_probing import NotLinear, probed_map
from ..core.surface import Material, Surface
from ..scene.modifier_stack import described_stack
from ..scene.stack_evaluator import ModifierStack

if TYPE_CHECKING:
    import bpy

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


def unfit_for_stacks(
    objects: Sequence[bpy.types.Object], values: Mapping[str, Any]
) -> Iterator[FitError]:
    """Settings that contradict fits through modifiers."""
    for obj in objects:
        if values["remesh"] != "off" and values["shape"] and goes_through(obj, values):
            yield FitError(
                f"Object '{obj.name}' is fitted through its modifiers, and Remesh would replace the mesh "
                "under them: set Remesh to off, or switch Through Modifiers off.",
                subject=obj.name,
            )


def mapped(
    surfaces: Sequence[Surface], stacks: Stacks, notices: list[str]
) -> Generator[float, None, list[Surface]]:
    """The surfaces whose cages move, each with the map from its cage where that is linear; yields the
    fraction done. notices: to which is added which are not, and why.

    Raises FitError where heights are fitted on a surface without such a map.
    """
    made: list[Surface] = []
    for number, (surface, stack) in enumerate(zip(surfaces, stacks, strict=True)):
        cage = surface.cage
        if cage is not None and stack is not None:
            reason = stack.reason_against_linear
            if not reason:
                try:
                    found = probed_map(cage, surface, stack)
                    surface = replace(surface, cage=replace(cage, map=found))
                except NotLinear as error:
                    reason = str(error)
            if reason and surface.height is not None:
                raise FitError(
                    f"Object '{surface.name}': Shape and the map Height are fitted together only where the "
                    f"modifiers are linear ({reason}): switch Shape off, or leave Height out of Maps.",
                    subject=surface.name,
                )
            if reason:
                notices.append(
                    f"Object '{surface.name}': Blender evaluates its modifiers twice in every step, which is "
                    f"slower than a linear map: {reason}."
                )
        made.append(surface)
        yield (number + 1) / len(surfaces)
    return made
