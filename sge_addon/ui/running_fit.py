# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fit that runs at the moment: driven in slices of time, shown by the panel and the status bar."""

from __future__ import annotations

import time
from typing import Any, ClassVar

import bpy

from ..core.errors import FitError
from ..scene.reference_rows import references_of_scene, store_psnr
from ..scene.stored_settings import settings_from_scene, store_losses

PLOTTED_POINTS = 256


def targets(context: bpy.types.Context) -> list[bpy.types.Object]:
    """The selected meshes by name, without the object that references are made from."""
    selected = [obj for obj in context.view_layer.objects if obj.select_get()]
    source = context.scene.sge.source
    return sorted((obj for obj in selected if obj.type == "MESH" and obj != source), key=lambda obj: obj.name)


class RunningFit:
    """Drives a job of ``sge_addon.job`` on the context's scene and selected meshes.

    progress: the last one, or None. losses: (step, loss) pairs. Raises FitError from the constructor
    before anything is changed, and from ``advance`` where the fit cannot go on.
    """

    current: ClassVar[RunningFit | None] = None

    def __init__(self, context: bpy.types.Context) -> None:
        from ..job import FitJob  # late: with it comes the rasteriser

        if RunningFit.current is not None:
            raise FitError("A fit is running already: stop it first.")
        context.view_layer.update()  # transforms set by a script would be stale
        scene = context.scene
        settings = settings_from_scene(scene)
        objects = targets(context)
        if not objects:
            raise FitError("No object to fit: select at least one mesh.")
        references = references_of_scene(scene, settings.resolution)
        self._job = FitJob(scene, objects, references, settings)
        self._generator: Any = self._job.run()
        self._scene = scene.session_uid
        self.progress: Any = None
        self.losses: list[tuple[int, float]] = []
        self.stopping = False
        self.finished = False
        RunningFit.current = self

    @property
    def notices(self) -> list[str]:
        """What the user should know; more may come while it runs."""
        return list(self._job.notices)

    def advance(self, seconds: float, *, live: bool = False) -> None:
        """Run for about ``seconds``, at least one step. Sets ``finished`` at the end.

        live: results may go into the scene meanwhile, which makes Blender redraw.
        """
        self._job.live = live
        deadline = time.perf_counter() + seconds
        try:
            while not self.finished:
                self.progress = next(self._generator, None)
                if self.progress is None:
                    self._finish(self._job.report)
                else:
                    self._remember_loss()
                if time.perf_counter() >= deadline:
                    break
        except BaseException:
            self._finish(None)
            raise

    def stop(self) -> None:
        """Ask for an orderly end; a second time: end at once, without measuring."""
        if self.stopping:
            self.close()
        self.stopping = True
        self._job.stop()

    def close(self) -> None:
        """End at once and keep what was reached."""
        if not self.finished:
            try:
                self._generator.close()
            finally:
                self._finish(None)

    def status(self) -> str:
        """One line for the status bar."""
        if self.progress is None:
            return "SGE: setting up · Esc: stop"
        loss = "" if self.progress.loss is None else f" · loss {self.progress.loss:.4f}"
        stage = "" if self.progress.stage == "Fitting" else f" · {self.progress.stage.lower()}"
        return f"SGE {self.progress.step}/{self.progress.steps}{stage}{loss} · Esc: stop"

    def _remember_loss(self) -> None:
        if self.progress.loss is None or (self.losses and self.losses[-1][0] >= self.progress.step):
            return
        self.losses.append((self.progress.step, self.progress.loss))
        if len(self.losses) >= 2 * PLOTTED_POINTS:
            self.losses = self.losses[::2]

    def _finish(self, report: dict[str, Any] | None) -> None:
        self.finished = True
        RunningFit.current = None
        scene = next((scene for scene in bpy.data.scenes if scene.session_uid == self._scene), None)
        if scene is None:
            return
        store_losses(scene, self.losses)
        if report is not None:
            store_psnr(scene, report["views"])
