# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of parameters as the fit steps them, and as Blender stores them: read and written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.camera_parameters import rotation_matrix
from ..core.parameter_values import FittedParameter
from .object_parameters import ParameterChoice

if TYPE_CHECKING:
    import bpy

Array = NDArray[np.float64]

_GUESS = 0.01  # of a change that can be seen: radians, or a part of the value, at least of 1


def fitted_parameter(choice: ParameterChoice) -> FittedParameter:
    """The value as the fit steps it."""
    if choice.rotation:
        none = np.full(3, np.inf)
        return FittedParameter(choice.name, np.zeros(3), (0, 1, 2), -none, none, _GUESS, is_rotation=True)
    return FittedParameter(
        choice.name,
        np.array(choice.value, np.float64),
        choice.free,
        np.array(choice.minimum, np.float64),
        np.array(choice.maximum, np.float64),
        _GUESS * max(1.0, *(abs(value) for value in choice.value)),
    )


def stored_value(choice: ParameterChoice, value: Array) -> tuple[float, ...]:
    """What Blender stores where the fit stands at ``value``: for a rotation, in its own mode."""
    if not choice.rotation:
        return tuple(float(each) for each in value)
    if not value.any():
        return choice.value
    from mathutils import Matrix

    start = _rotation(choice)
    turned = Matrix(rotation_matrix(value).tolist()) @ start.to_matrix()
    if choice.rotation == "AXIS_ANGLE":
        axis, angle = turned.to_quaternion().to_axis_angle()
        return (angle, *axis)
    if choice.rotation == "QUATERNION":
        found = turned.to_quaternion()
        found.make_compatible(start)
        return tuple(found)
    return tuple(turned.to_euler(choice.rotation, start))


def _rotation(choice: ParameterChoice) -> Any:
    """Where the fit began: a mathutils Quaternion or Euler."""
    from mathutils import Euler, Quaternion

    if choice.rotation == "AXIS_ANGLE":
        angle, *axis = choice.value
        return Quaternion(axis, angle)
    if choice.rotation == "QUATERNION":
        return Quaternion(choice.value).normalized()
    return Euler(choice.value, choice.rotation)


def read_value(obj: bpy.types.Object, choice: ParameterChoice) -> tuple[float, ...] | None:
    """What the object, or a copy of it, has now; None where it has no such value any more."""
    held = _holder(obj, choice)
    if held is None:
        return None
    value = held.get(choice.attribute) if choice.is_key else getattr(held, choice.attribute, None)
    if value is None:
        return None
    return tuple(map(float, value)) if hasattr(value, "__len__") else (float(value),)


def write_value(obj: bpy.types.Object, choice: ParameterChoice, value: tuple[float, ...]) -> bool:
    """Write into the object, or into a copy of it; False where it has no such value any more."""
    held = _holder(obj, choice)
    if held is None:
        return False
    whole: Any = value if len(value) > 1 else value[0]
    if choice.is_key:
        held[choice.attribute] = whole
    else:
        setattr(held, choice.attribute, whole)
    obj.update_tag()  # inputs of node groups do not tell that they have changed
    return True


def _holder(obj: bpy.types.Object, choice: ParameterChoice) -> Any:
    base = obj.data.shape_keys if choice.of_keys else obj
    if base is None or not choice.holder:
        return base
    try:
        return base.path_resolve(choice.holder)
    except ValueError:
        return None
