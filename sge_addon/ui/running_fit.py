# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fit that runs at the moment: driven in slices of time, shown by the panel and the status bar."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any, ClassVar

import bpy

from ..core.errors import FitError, TargetLost
from ..core.pixel_store import PixelStore
from ..core.reference import Reference
from ..scene.reference_rows import count_used, load_references, store_psnr
from ..scene.references import temporary_folder
from ..scene.stored_settings import settings_from_scene, store_losses
from ..scene.traces import check_unchanged, reference_traces
from .live_rate import LiveRate
from .watched_references import WatchedReferences

PLOTTED_POINTS = 256


def targets(context: bpy.types.Context) -> list[bpy.types.Object]:
    """The selected meshes by name, without the object that references are made from."""
    selected = [obj for obj in context.view_layer.objects if obj.select_get()]
    source = context.scene.sge.source
    return sorted((obj for obj in selected if obj.type == "MESH" and obj != source), key=lambda obj: obj.name)


class RunningFit:
    """Drives a job of ``sge_addon.job`` on the context's scene and selected meshes.

    current: the one that runs or is paused. kept: the last one that ended, with all that it needs to go
    on. progress: the last one, or None. losses: (step, loss) pairs. Raises FitError from the constructor
    before anything is changed, and from ``advance`` where the fit cannot go on.
    """

    current: ClassVar[RunningFit | None] = None
    kept: ClassVar[RunningFit | None] = None

    def __init__(self, context: bpy.types.Context) -> None:
        from ..job import FitJob  # late: with it comes the rasteriser

        if RunningFit.current is not None:
            raise FitError("A fit is running already: stop it first.")
        context.view_layer.update()  # transforms set by a script would be stale
        scene = context.scene
        self._settings = settings_from_scene(scene)
        objects = targets(context)
        if not objects:
            raise FitError("No object to fit: select at least one mesh.")
        references = _loaded_references(context, self._settings.resolution)
        self._job = FitJob(scene, objects, references, self._settings)
        self._watched = WatchedReferences(scene)
        self._scene = scene.session_uid
        self._traces: dict[str, bytes] = {}
        self.progress: Any = None
        self.losses: list[tuple[int, float]] = []
        self._begin()

    @classmethod
    def go_on(cls, context: bpy.types.Context) -> RunningFit:
        """The kept fit, running again from where it was. Raises FitError where something has changed."""
        fit = cls.kept
        if cls.current is not None:
            raise FitError("A fit is running already: stop it first.")
        if fit is None:
            raise FitError("No fit can go on: press Fit to begin one.")
        context.view_layer.update()
        scene = context.scene
        if scene.session_uid != fit._scene:
            raise FitError("The fit cannot go on: it belongs to another scene. Switch to that scene.")
        settings = settings_from_scene(scene)
        check_unchanged(fit._traces, fit._traces_now(scene))
        fit._check_settings(settings)
        fit._job.more = settings.steps
        fit._watched = WatchedReferences(scene)
        fit._begin()
        return fit

    def _traces_now(self, scene: bpy.types.Scene) -> dict[str, bytes]:
        try:
            return self._job.traces() | reference_traces(scene)
        except TargetLost as error:
            raise FitError(
                "The fit cannot go on, because what it left behind is no longer there: redo what was undone, "
                "or press Fit to begin anew."
            ) from error

    def _begin(self) -> None:
        self._generator: Any = self._job.run()
        self.stopping = self.paused = self.finished = False
        self.ended_by = ""  # what ended it from outside, as a sentence
        self.has_undo_step = False  # where it ended in the midst of an undo
        self.rate = LiveRate(time.perf_counter())
        RunningFit.current, RunningFit.kept = self, None

    @property
    def notices(self) -> list[str]:
        """What the user should know; more may come while it runs."""
        return list(self._job.notices)

    @property
    def has_ended(self) -> bool:
        """Whether its last step was taken, so that going on means steps beyond."""
        return self._job.has_ended

    @property
    def seconds_writing(self) -> float:
        """Spent so far on writing results into the scene."""
        return self._job.seconds_writing

    def render(self, view: Any) -> Any:
        """(H, W, 4) linear premultiplied: what it stands at, through a view; None before it began."""
        try:
            return self._job.render(view)
        finally:
            self._job.release()

    def advance(self, seconds: float, *, live: bool = False) -> None:
        """Run for about ``seconds``, at least one step. Sets ``finished`` at the end.

        live: results may go into the scene meanwhile, which makes Blender redraw.
        """
        self.check()
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
            self._finish(None, keep=False)
            raise
        finally:
            self._job.release()

    def check(self) -> None:
        """Raises FitError, and ends the fit, where something it needs has gone away."""
        try:
            self._job.check_targets()
            self._watched.check()
        except FitError:
            with suppress(TargetLost):  # what is left has been written
                self.close()
            raise

    def pause(self) -> None:
        """Take no step until ``resume``."""
        self.paused = True
        self._job.pause()

    def resume(self) -> None:
        """End a pause."""
        self.paused = False
        self._job.resume()

    def stop(self) -> None:
        """Ask for an orderly end; a second time: end at once, without measuring."""
        if self.paused:
            self.resume()
        if self.stopping:
            self.close()
        self.stopping = True
        self._job.stop()

    def close(self, because: str = "", *, keep: bool = True) -> None:
        """End at once and keep what was reached. keep: it may go on later. because: what to tell."""
        if not self.finished:
            self.ended_by = because
            try:
                self._generator.close()
            finally:
                self._finish(None, keep=keep)

    def save(self) -> None:
        """Write what is reached, so that a file that is saved now holds it."""
        self._job.save()

    def status(self) -> str:
        """One line for the status bar."""
        if self.progress is None:
            return "SGE: setting up · Esc: stop"
        loss = "" if self.progress.loss is None else f" · loss {self.progress.loss:.4f}"
        stage = "" if self.progress.stage == "Fitting" else f" · {self.progress.stage.lower()}"
        keys = "paused · Space: resume" if self.paused else "Space: pause"
        return f"SGE {self.progress.step}/{self.progress.steps}{stage}{loss} · {keys} · Esc: stop"

    def _check_settings(self, settings: Any) -> None:
        """Raises FitError for the first setting that is not as it was."""
        for name, item in settings.__dataclass_fields__.items():
            before, now = getattr(self._settings, name), getattr(settings, name)
            # Beyond the last step, Steps says how many are added.
            if before != now and not (name == "steps" and self._job.has_ended):
                label = item.metadata["label"]
                raise FitError(
                    f"The fit cannot go on, because {label} was {_shown(before)} and is now {_shown(now)}: "
                    "set it back, or press Fit to begin anew."
                )

    def _remember_loss(self) -> None:
        if self.progress.loss is None or (self.losses and self.losses[-1][0] >= self.progress.step):
            return
        self.losses.append((self.progress.step, self.progress.loss))
        if len(self.losses) >= 2 * PLOTTED_POINTS:
            self.losses = self.losses[::2]

    def _finish(self, report: dict[str, Any] | None, *, keep: bool = True) -> None:
        self.finished = True
        self.paused = False
        RunningFit.current = None
        scene = next((scene for scene in bpy.data.scenes if scene.session_uid == self._scene), None)
        if scene is None:
            return
        store_losses(scene, self.losses)
        if report is not None:
            store_psnr(scene, report["views"])
        if keep:
            with suppress(FitError):  # then something is gone that it would need
                left = self._job.traces()
                self._traces = left | reference_traces(scene)
                RunningFit.kept = self if left else None


def _loaded_references(context: bpy.types.Context, resolution: int) -> list[Reference]:
    """Those of the scene; the pointer counts the images."""
    manager, scene = context.window_manager, context.scene
    loaded = load_references(scene, resolution, PixelStore(folder=temporary_folder()))
    references = []
    manager.progress_begin(0, count_used(scene))
    try:
        for reference in loaded:
            references.append(reference)
            manager.progress_update(len(references))
    finally:
        manager.progress_end()
    return references


def _shown(value: Any) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)
