# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The surfaces of a fit of which some are what Blender's modifiers make of a cage, at any parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .assembly import Assembly, assemble
from .cage import Cage, Stack
from .cage_support import RINGS, cage_support, joined_supports
from .protocols import SurfaceBlock
from .support import Support, full_support, narrow_support
from .surface import Surface

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Shape:
    """All surfaces of a fit as they stand.

    assembly: of their topology. positions: (V, 3) float32 world, its vertices.
    element_of_id: (F + 1,) uint32, for each ID (triangle + 1, 0 for none) the ID of the element that a
    support goes by: a face of the base mesh where a stack is asked, else a triangle of the surface.
    evaluated: by surface, what its stack made; None where none was asked.
    """

    assembly: Assembly
    positions: Array
    element_of_id: NDArray[np.uint32]
    evaluated: tuple[Surface | None, ...]


class StackedSurfaces:
    """Surfaces, each with the stack that makes it of its cage's positions, or None where the surface's own
    positions are the parameters.

    assembly: of the surfaces, as the fit begins.
    """

    def __init__(
        self, surfaces: Sequence[Surface], stacks: Sequence[Stack | None], assembly: Assembly
    ) -> None:
        self.surfaces = tuple(surfaces)
        self.start = assembly
        self._stacks = tuple(stacks)
        self._latest = (self.surfaces, assembly, _element_of_id(self.surfaces, self._stacks, assembly))
        self._first = self._latest

    @property
    def cages(self) -> list[Cage | None]:
        """By surface: the cage whose positions are its parameters."""
        return [
            None if stack is None else surface.cage
            for surface, stack in zip(self.surfaces, self._stacks, strict=True)
        ]

    def parameters(self, blocks: Sequence[SurfaceBlock]) -> list[Array]:
        """By surface: the positions that ``at`` takes. Blocks replace these arrays when they step."""
        return [
            block.shown if stack is None else block.value
            for block, stack in zip(blocks, self._stacks, strict=True)
        ]

    def at(self, parameters: Sequence[Sequence[Array]]) -> list[Shape]:
        """The shape of each set of positions, by surface: (N, 3) float32 world. Raises what stacks raise."""
        made = [
            self._surface_at(number, [each[number] for each in parameters])
            for number in range(len(self.surfaces))
        ]
        return [self._shape([of_surface[index] for of_surface in made]) for index in range(len(parameters))]

    def surfaces_at(self, parameters: Sequence[Array]) -> tuple[Surface, ...]:
        """The surfaces of one set of positions, by surface, with the materials of the start."""
        made = [self._surface_at(number, [value])[0] for number, value in enumerate(parameters)]
        return tuple(
            replace(surface, positions=positions, materials=start.materials)
            for (surface, positions), start in zip(made, self.surfaces, strict=True)
        )

    def support(self, kind: str) -> Support:
        """Of all elements and all parameters' vertices. kind: as in FitSettings."""
        of_triangles = {"narrow": narrow_support, "full": full_support}[kind]
        return joined_supports(
            [
                of_triangles(assemble([surface]))
                if cage is None
                else cage_support(cage, RINGS[kind], surface.triangles)
                for surface, cage in zip(self.surfaces, self.cages, strict=True)
            ]
        )

    def movable(self) -> NDArray[np.bool_]:
        """By vertex of all parameters: whether the fit may move it."""
        parts = []
        for surface, cage in zip(self.surfaces, self.cages, strict=True):
            owner = surface if cage is None else cage
            weights = np.ones(len(owner.positions)) if owner.mobility is None else owner.mobility
            parts.append(weights > 0.0)
        return np.concatenate(parts)

    def _surface_at(self, number: int, values: list[Array]) -> list[tuple[Surface, Array]]:
        """One surface at each of the values, with its positions."""
        surface, stack = self.surfaces[number], self._stacks[number]
        if stack is None:
            return [(surface, value) for value in values]
        return [(each, each.positions) for each in stack.evaluate(values)]

    def _shape(self, parts: list[tuple[Surface, Array]]) -> Shape:
        positions = np.concatenate([positions for _, positions in parts])
        evaluated = tuple(
            None if stack is None else made for stack, (made, _) in zip(self._stacks, parts, strict=True)
        )
        for known in (self._first, self._latest):
            surfaces, assembly, elements = known
            if all(a.triangles is b.triangles for a, (b, _) in zip(surfaces, parts, strict=True)):
                return Shape(assembly, positions, elements, evaluated)
        # Materials as they were at the start: their textures may be fitted by now, their order stays.
        surfaces = tuple(
            replace(made, materials=surface.materials)
            for (made, _), surface in zip(parts, self.surfaces, strict=True)
        )
        assembly = assemble(surfaces)
        self._latest = (surfaces, assembly, _element_of_id(surfaces, self._stacks, assembly))
        return Shape(assembly, positions, self._latest[2], evaluated)


def _element_of_id(
    surfaces: Sequence[Surface], stacks: Sequence[Stack | None], assembly: Assembly
) -> NDArray[np.uint32]:
    """(F + 1,) as Shape has it; 0 for triangles that came from no face of a base mesh."""
    parts, count = [], 0
    for surface, stack in zip(surfaces, stacks, strict=True):
        if stack is None or surface.cage is None:
            # As ``assemble`` sorts them where the surface is alone.
            element = np.argsort(assemble([surface]).order)
            number = len(element)
        else:
            element = surface.cage.face_of_triangle.astype(np.int64)
            number = len(surface.cage.face_offsets) - 1
        parts.append(np.where(element >= 0, element + count + 1, 0))
        count += number
    return np.concatenate([[0], np.concatenate(parts)[assembly.order]]).astype(np.uint32)
