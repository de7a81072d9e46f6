# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place where a FitError becomes a message of Blender's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import bpy

from ..core.errors import FitError


@contextmanager
def reported_errors(operator: bpy.types.Operator) -> Iterator[None]:
    """Report a FitError of the block in the operator's name. What follows the block runs after one."""
    try:
        yield
    except FitError as error:
        operator.report({"ERROR"}, str(error))
