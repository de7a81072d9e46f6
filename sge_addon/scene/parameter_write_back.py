# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fitted values back into modifiers, objects, shape keys and bones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..core.errors import TargetLost
from .object_parameters import ParameterChoice
from .parameter_values import read_value, write_value
from .traces import Traces, digest

if TYPE_CHECKING:
    import bpy

Values = Sequence[tuple[float, ...]]


class ParameterWriter:
    """Writes values as often as asked. Owners are remembered by name and session id: pointers die with undo.

    Values that have not changed since the last time are left alone, to their very bits.
    """

    def __init__(self, choices: Sequence[ParameterChoice]) -> None:
        """Of choices as they are now."""
        import bpy

        self._choices = tuple(choices)
        self._owners = {each.owner: bpy.data.objects[each.owner].session_uid for each in choices}
        self._written: list[tuple[float, ...]] = [each.value for each in choices]

    def check(self) -> None:
        """Raises TargetLost for the first value that is no longer there to be written."""
        for choice in self._choices:
            if read_value(self._owner(choice), choice) is None:
                raise _lost(choice)

    def write(self, values: Values) -> None:
        """Write every value that is still there, each as Blender stores it; then raise TargetLost for the
        first that is not."""
        lost: list[TargetLost] = []
        for index, (choice, value) in enumerate(zip(self._choices, values, strict=True)):
            if value == self._written[index]:
                continue
            try:
                if not write_value(self._owner(choice), choice, value):
                    raise _lost(choice)
            except TargetLost as error:
                lost.append(error)
            else:
                self._written[index] = value
        if lost:
            raise lost[0]

    def traces(self) -> Traces:
        """What is in the scene of these values."""
        return {f"'{each.name}'": digest(read_value(self._owner(each), each)) for each in self._choices}

    def _owner(self, choice: ParameterChoice) -> bpy.types.Object:
        import bpy

        uid = self._owners[choice.owner]
        obj = bpy.data.objects.get(choice.owner)
        if obj is None or obj.session_uid != uid:  # renamed, or another took its name
            obj = next((each for each in bpy.data.objects if each.session_uid == uid), None)
        if obj is None:
            raise TargetLost(f"Object '{choice.owner}' was deleted while its values were being fitted.")
        return obj


def _lost(choice: ParameterChoice) -> TargetLost:
    return TargetLost(f"'{choice.name}' was removed while it was being fitted.")
