# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes of tools/benchmark_memory.py: one makes the references, the other fits to them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import benchmark_process
import bpy
from benchmark_meshes import source_object, start_object

from sge_addon.core.assembly import assemble
from sge_addon.core.frame import Frame
from sge_addon.core.pixel_store import PixelStore
from sge_addon.core.settings import FitSettings
from sge_addon.formats import transforms_json
from sge_addon.formats.references import read_references
from sge_addon.job import FitJob, orbit_around
from sge_addon.job.fit_job import Progress
from sge_addon.job.report import peak_memory_mb
from sge_addon.job.scene_look import scene_look
from sge_addon.job.solver import shape_share
from sge_addon.job.stages import StagedSolver
from sge_addon.raster.rasteriser import Rasteriser
from sge_addon.scene.images import save_png
from sge_addon.scene.loaded_frames import load_frames
from sge_addon.scene.objects import surface_from_object

MEASURED = 2  # views of which the error is taken: all would take most of the time
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Case:
    """As the flags of tools/benchmark_memory.py. folder: of the references. makes: them, else the fit."""

    task: str
    triangles: int
    views: int
    resolution: int
    texture_size: int
    steps: int
    folder: str
    makes: bool

    @property
    def settings(self) -> FitSettings:
        return FitSettings(
            shape=self.task != "texture",
            texture=self.task != "shape",
            shading="unlit",
            resolution=self.resolution,
            texture_size=self.texture_size,
            steps=self.steps,
        )


class Phases:
    """Peak and remaining memory of each phase, where the system tells; else since the start."""

    def __init__(self) -> None:
        self.rows: list[dict] = []
        self._begin = time.perf_counter()

    def end(self, name: str) -> None:
        """Of the phase since the last call."""
        now = time.perf_counter()
        peak, left = _memory("VmHWM"), _memory("VmRSS")
        self.rows.append({"name": name, "seconds": now - self._begin, "peak_mb": peak, "left_mb": left})
        print(f"{name}: peak {peak:.0f} MB, left {left:.0f} MB", flush=True)
        if _RESET.exists():
            _RESET.write_text("5")  # the peak is what is there now
        self._begin = time.perf_counter()


def _memory(name: str) -> float:
    if not _STATUS.exists():
        return peak_memory_mb() or 0.0
    (line,) = (each for each in _STATUS.read_text().splitlines() if each.startswith(name + ":"))
    return int(line.split()[1]) / 1024.0


class _FewMeasured(FitJob):
    """Measures the first views only, and says the same of the others."""

    def _measure(
        self, solver: StagedSolver, errors: list[tuple[float, float]], stage: str, step: int, steps: int
    ) -> Iterator[Progress]:
        count = len(self._problem.references)
        errors += [solver.errors(index) for index in range(min(MEASURED, count))]
        errors += errors[-1:] * (count - len(errors))
        yield Progress(stage, 1.0, step, steps)


def make(case: Case) -> dict:
    """Write the references that are not there yet, one sample a pixel, as 8-bit PNG."""
    begin = time.perf_counter()
    scene, source = bpy.context.scene, source_object()
    views = orbit_around([source], case.views, case.resolution)
    folder = Path(case.folder, f"{case.views}_{case.resolution}")
    folder.mkdir(parents=True, exist_ok=True)
    frames = [Frame(view, folder / f"{index:04}.png") for index, view in enumerate(views)]
    look = scene_look(scene, [source], case.settings, fitted=False)
    rasteriser = Rasteriser(assemble([surface_from_object(source, look.materials[0])]), "unlit", look.lights)
    missing = [frame for frame in frames if not frame.image.exists()]
    for frame in missing:
        save_png(frame.image, rasteriser.render(frame.view, samples=1).colour)
    transforms_json.write(folder / "transforms.json", frames)
    return {"made": len(missing), "seconds": time.perf_counter() - begin}


def fit(case: Case) -> dict:
    """Load, check, fit and write, as the command line does; JSON-ready."""
    phases = Phases()
    phases.end("Blender")
    start = start_object(case.triangles)
    phases.end("Mesh")
    store = PixelStore()
    frames = read_references(str(Path(case.folder, f"{case.views}_{case.resolution}", "transforms.json")))
    references = [each.stored(store) for each in load_frames(frames, "srgb", case.resolution)]
    phases.end("Loading references")
    job = _FewMeasured(bpy.context.scene, [start], references, case.settings, live=False)
    phases.end("Checking")
    seconds: dict[str, list[float]] = {}
    share = shape_share(case.settings) if case.settings.shape else 0.0
    last, phase = time.perf_counter(), "Setting up"
    for progress in job.run():
        current = progress.stage
        if current == "Fitting":
            current = "Steps of the shape" if progress.fraction <= share else "Steps of the texture alone"
            now = time.perf_counter()
            seconds.setdefault(current, []).append(now - last)
        if current != phase:
            # Between two stages lies what a new one needs first: the step itself, or writing.
            phases.end(phase)
            phase = current
        last = time.perf_counter()
    phases.end(phase)
    assert job.report is not None
    return {
        "phases": phases.rows,
        "ms_per_step": {kind: 1e3 * median(each) for kind, each in seconds.items()},
        "peak_memory_mb": max(row["peak_mb"] for row in phases.rows),
        "stages": job.report["stages"],
    }


if __name__ == "__main__":
    benchmark_process.answer(
        lambda arguments: (make if arguments["makes"] else fit)(Case(**arguments)), sys.argv
    )
