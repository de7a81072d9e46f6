# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every stage of the window test looks at and does: the scene, the fit, its beginning and end."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from window_session import Play, Session

MODULE = "bl_ext.user_default.sge_fit"
STEPS = 400


class Stage:
    """archive: the built zip. folder: where pictures and the record of checks go."""

    def __init__(self, archive: Path, folder: Path) -> None:
        self.archive = archive
        self.session = Session(folder)
        self.check = self.session.check

    @property
    def sge(self) -> Any:
        return bpy.context.scene.sge

    def ours(self, name: str) -> Any:
        return importlib.import_module(f"{MODULE}.ui.{name}")

    @property
    def fit(self) -> Any:
        return self.ours("running_fit").RunningFit.current

    @property
    def comparison(self) -> Any:
        return self.ours("compare").Comparison.current

    @property
    def step(self) -> int:
        return self.fit.progress.step if self.fit is not None and self.fit.progress else 0

    def positions(self) -> np.ndarray:
        mesh = bpy.data.objects["Cage"].data
        result = np.empty(3 * len(mesh.vertices), np.float32)
        mesh.vertices.foreach_get("co", result)
        return result

    def call(self, operator: Any) -> Any:
        """Call an operator as from the viewport; its result, or its error as text."""
        with self.session.in_viewport():
            try:
                return operator("INVOKE_DEFAULT")
            except RuntimeError as error:
                return str(error)

    def begin(self, operator: Any = None, steps: int = STEPS) -> Play:
        """Begin a fit of the cage alone and wait until it has taken some steps."""
        bpy.ops.object.select_all(action="DESELECT")
        cage = bpy.data.objects["Cage"]
        cage.select_set(True)
        bpy.context.view_layer.objects.active = cage
        self.sge.steps = steps
        result = self.call(operator or bpy.ops.sge.fit)
        self.check("the operator runs on", result == {"RUNNING_MODAL"}, result)
        before = self.step
        yield from self.session.wait_for("the fit takes steps", lambda: self.step > before + 5)

    def ended(self) -> Play:
        """Wait for the end of the fit and of its operator."""
        yield from self.session.wait_for("the fit ends", lambda: self.fit is None)
        yield 1.0

    # --- The stages
