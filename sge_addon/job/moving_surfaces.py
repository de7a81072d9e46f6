# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Surfaces whose shape moves while values of their modifiers and objects are fitted, too.

What the shape moves stays in the world as it was where the fit began, which is where it is written back from;
parameters change what follows from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.cage import Cage, CageMap
from ..core.cage_block import CageBlock
from ..core.errors import FitError
from ..core.moved_map import MovedMap
from ..core.parameter_values import State
from ..core.stack_probing import NotLinear, probed_map
from ..core.surface import Surface
from ..scene.parameter_evaluator import FittedObject
from ..scene.stack_evaluator import ModifierStack

if TYPE_CHECKING:
    from .problem import Problem
    from .shape_fit import ShapeFit

Array = NDArray[np.float32]


def as_its_own_cage(surface: Surface) -> Surface:
    """The surface with a cage that is the surface itself, so that it can be moved after its shape."""
    count = len(surface.triangles)
    cage = Cage(
        positions=surface.positions,
        triangles=surface.triangles,
        face_offsets=np.arange(0, 3 * count + 1, 3, dtype=np.int64),
        face_vertices=np.ascontiguousarray(surface.triangles.ravel()),
        face_of_triangle=np.arange(count, dtype=np.int32),
        mobility=surface.mobility,
        map=MovedMap(np.eye(4)),
    )
    return replace(surface, cage=cage)


class MovingSurfaces:
    """The blocks of a shape fit under parameters. problem: with its parameters."""

    def __init__(self, problem: Problem, shape: ShapeFit) -> None:
        if problem.parameters is None:
            raise ValueError("no parameters are fitted")
        self._evaluator = problem.parameters
        self._blocks = shape.blocks
        self._surfaces = problem.surfaces
        self._stacks = problem.stacks

    def objects(self, shown: Sequence[Array], state: State) -> list[FittedObject]:
        """Each object as it stands at a state. shown: (V, 3) world, its surface."""
        found = []
        for index, (block, positions) in enumerate(zip(self._blocks, shown, strict=True)):
            back = np.linalg.inv(self._evaluator.matrix(index, state))
            cage, stack = None, self._stacks[index]
            if self._evaluator.reshapes(index):
                cage = block.value
            fewer = 0 if stack is None else stack.fewer_levels
            found.append(FittedObject(MovedMap(back).apply(positions), cage, fewer))
        return found

    def show(self, state: State) -> None:
        """Let all blocks show what their values are at a state."""
        for index, (surface, block) in enumerate(zip(self._surfaces, self._blocks, strict=True)):
            pose, stack = self._evaluator.pose(index, state), self._stacks[index]
            if pose is None or surface.cage is None:
                continue
            if stack is not None:
                stack.pose(pose)
            if surface.cage.map is None or not isinstance(block, CageBlock):
                continue  # Blender is asked anew in each step
            if stack is not None:
                block.remap(_probed(stack, block.value))
            else:
                block.remap(MovedMap(self._evaluator.matrix(index, state)))


def _probed(stack: ModifierStack, cage: Array) -> CageMap:
    """How a surface follows from its cage with the values that the stack has now."""
    (surface,) = stack.evaluate([cage])
    try:
        return probed_map(surface.cage, surface, stack)
    except NotLinear as error:
        raise FitError(
            f"Object '{surface.name}': with the values that the fit has found, its modifiers are no longer "
            f"linear in its vertices: {error.reason}. Fit Parameters alone first, with Shape off.",
            subject=surface.name,
        ) from error
