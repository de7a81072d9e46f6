# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects evaluated at any values of their parameters, on copies, so that the objects stay untouched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.parameter_values import ParameterSpace, State
from .object_parameters import ParameterChoice, armatures_of
from .objects import mesh_positions, to_world, world_matrix
from .parameter_values import fitted_parameter, stored_value, write_value
from .stand_in import Level, StandIn, stand_in
from .write_back import Target, object_of, target_of, write_shape

if TYPE_CHECKING:
    import bpy

Array = NDArray[np.float32]
# (V, 3) world of each object; None where one of them gets other vertices than before.
Evaluate = Callable[[State], list[Array] | None]


@dataclass(frozen=True, eq=False)
class FittedObject:
    """An object as it stands in the fit, all in world space at the transform where the fit began.

    positions: (V, 3) of its surface. cage: (N, 3) of its base mesh, where modifiers make the surface of that;
    None where the surface is the base mesh itself, or stays as Blender has it. fewer_levels: taken off every
    subdivision.
    """

    positions: Array
    cage: Array | None = None
    fewer_levels: int = 0


@dataclass(frozen=True, eq=False)
class _Copy:
    """A stand-in, and for each parameter that concerns it the object that takes its values.

    is_evaluated: modifiers and shape keys make its surface; else it is only moved: from ``start``, (V, 3)
    world, by its matrix times ``to_start``, the inverse of what that was when the fit began.
    """

    stand_in: StandIn
    owners: dict[int, bpy.types.Object]
    start: Array
    to_start: NDArray[np.float64]
    is_evaluated: bool


class ParameterEvaluator:
    """The objects of a fit at any values of the parameters.

    choices: in the order of ``space``. Where one changes more of an object than its place, the object's
    surface is what modifiers and shape keys make of it. level: of its modifiers.
    """

    def __init__(
        self,
        objects: Sequence[bpy.types.Object],
        choices: Sequence[ParameterChoice],
        level: Level = "viewport",
    ) -> None:
        self.choices = tuple(choices)
        self.space = ParameterSpace(tuple(fitted_parameter(each) for each in choices))
        self._targets: list[Target] = [target_of(obj) for obj in objects]
        self._to_start = [np.linalg.inv(world_matrix(obj)) for obj in objects]
        self._level = level

    @contextmanager
    def opened(self, objects: Sequence[FittedObject]) -> Iterator[Evaluate]:
        """A function from values to positions, valid within. objects: as the fit stands."""
        with ExitStack() as stack:
            copies = [
                self._copy(stack, index, each) if self._concerning(index) else None
                for index, each in enumerate(objects)
            ]
            last: list[tuple[State, list[Array] | None]] = []

            def evaluate(state: State) -> list[Array] | None:
                for known, positions in last:
                    if all(np.array_equal(a, b) for a, b in zip(known, state, strict=True)):
                        return positions
                found = self._positions(copies, objects, state)
                last[:] = [(state, found)]
                return found

            yield evaluate

    def stored(self, state: State) -> list[tuple[float, ...]]:
        """What Blender stores of each parameter at a state."""
        return [stored_value(each, value) for each, value in zip(self.choices, state, strict=True)]

    def pose(self, index: int, state: State) -> Callable[[StandIn], AbstractContextManager[None]] | None:
        """Sets the values of a state on any stand-in of an object; None where none concerns it."""
        if not self._concerning(index):
            return None

        @contextmanager
        def posed(copy: StandIn) -> Iterator[None]:
            with ExitStack() as stack:
                self._set(self._owners(stack, copy, index), state)
                yield

        return posed

    def matrix(self, index: int, state: State) -> NDArray[np.float64]:
        """(4, 4) in world space: from where an object was when the fit began to where a state puts it."""
        pose = self.pose(index, state)
        if pose is None:
            return np.eye(4)
        with stand_in(object_of(self._targets[index]), level=self._level) as copy, pose(copy):
            return np.array(copy.evaluated().matrix_world, dtype=np.float64) @ self._to_start[index]

    def reshapes(self, index: int) -> bool:
        """Whether some parameter changes more of an object than its place."""
        return any(not self.choices[number].moves_only for number in self._concerning(index))

    def _concerning(self, index: int) -> list[int]:
        """The parameters that change the object's shape or place."""
        obj = object_of(self._targets[index])
        names = {obj.name, *(each.name for each in armatures_of(obj, self._level))}
        return [number for number, each in enumerate(self.choices) if each.owner in names]

    def _copy(self, stack: ExitStack, index: int, fitted: FittedObject) -> _Copy:
        target = self._targets[index]
        options = {"level": self._level, "fewer_levels": fitted.fewer_levels, "own_mesh": True}
        copy = stack.enter_context(stand_in(object_of(target), **options))
        if fitted.cage is not None:
            write_shape(copy.object, target, fitted.cage)
        owners = self._owners(stack, copy, index)
        return _Copy(copy, owners, fitted.positions, self._to_start[index], self.reshapes(index))

    def _owners(self, stack: ExitStack, copy: StandIn, index: int) -> dict[int, bpy.types.Object]:
        """For each parameter that concerns an object, what takes its values beside the object's stand-in."""
        obj, numbers = object_of(self._targets[index]), self._concerning(index)
        by_name = {obj.name: copy.object}
        for armature in armatures_of(obj, self._level):
            if any(self.choices[number].owner == armature.name for number in numbers):
                by_name[armature.name] = stack.enter_context(_posed(copy, armature))
        return {number: by_name[self.choices[number].owner] for number in numbers}

    def _set(self, owners: Mapping[int, bpy.types.Object], state: State) -> None:
        for number, owner in owners.items():
            choice = self.choices[number]
            write_value(owner, choice, stored_value(choice, state[number]))

    def _positions(
        self, copies: Sequence[_Copy | None], objects: Sequence[FittedObject], state: State
    ) -> list[Array] | None:
        found = []
        for copy, fitted in zip(copies, objects, strict=True):
            positions = fitted.positions if copy is None else self._of_copy(copy, state)
            if positions is None:
                return None
            found.append(positions)
        return found

    def _of_copy(self, copy: _Copy, state: State) -> Array | None:
        self._set(copy.owners, state)
        evaluated = copy.stand_in.evaluated()
        matrix = np.array(evaluated.matrix_world, dtype=np.float64)
        if not copy.is_evaluated:
            return to_world(copy.start, matrix @ copy.to_start)
        positions = mesh_positions(evaluated.to_mesh())
        evaluated.to_mesh_clear()
        return to_world(positions, matrix) if len(positions) == len(copy.start) else None


@contextmanager
def _posed(copy: StandIn, armature: bpy.types.Object) -> Iterator[bpy.types.Object]:
    """A copy of an armature, which the stand-in follows instead of the armature itself."""
    import bpy

    posed = armature.copy()
    try:
        posed.hide_viewport = False
        copy.view_layer.id_data.collection.objects.link(posed)
        for bone in posed.pose.bones:
            for constraint in bone.constraints:
                if getattr(constraint, "target", None) == armature:
                    constraint.target = posed
        for modifier in copy.object.modifiers:
            if modifier.type == "ARMATURE" and modifier.object == armature:
                modifier.object = posed
        yield posed
    finally:
        bpy.data.objects.remove(posed)
