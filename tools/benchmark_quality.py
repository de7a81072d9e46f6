# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One fit of the test data, or of the demo, and what it reached; a process of its own.

The data's fits go the way of a user: the headless command line, and then the scene that it leaves.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean

import benchmark_process
import bpy
from benchmark_metrics import ChamferDistance, coverage_iou, texel_psnr, texel_weights
from demo_scene import SETTINGS, VIEWS, held_out_references, make_source, make_sphere

from sge_addon import headless
from sge_addon.core.errors import FitError
from sge_addon.core.reference import Reference
from sge_addon.core.settings import FitSettings
from sge_addon.core.view import View
from sge_addon.formats import transforms_json
from sge_addon.job import FitJob, make_references, orbit_around
from sge_addon.scene.files import import_mesh
from sge_addon.scene.images import load_image
from sge_addon.scene.materials import materials_of_objects
from sge_addon.scene.objects import surface_from_object
from sge_addon.scene.references import references_from_frames

TEXTURE_SIZE = 512
REPOSITORY = Path(__file__).resolve().parents[1]


def measure(task: str, start: str, steps: int | None, seed: int) -> dict:
    """One run; see ``benchmark_cases.QualityCase``. Raises FitError where the data is missing."""
    if task == "both":
        return _demo(seed)
    folder = data_folder()
    run = _texture(folder, steps, seed) if task == "texture" else _shape(folder, start, steps, seed)
    return {"seed": seed, "steps": steps, **run}


def data_folder() -> Path:
    """The test data: $SGE_DATA, else ../shared/data beside the repository."""
    folder = Path(os.environ.get("SGE_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "t1_512" / "transforms_train.json").is_file():
        raise FitError(f"There is no test data in '{folder}': name its folder in the variable SGE_DATA.")
    return folder


def _texture(folder: Path, steps: int | None, seed: int) -> dict:
    task = folder / "t1_512"
    flags = ["--forward-axis", "Y", "--up-axis", "Z", "--shading", "unlit", "--no-shape", "--texture"]
    flags += ["--texture-size", str(TEXTURE_SIZE)]
    report = _fit(folder / "suzanne.obj", task, steps, seed, flags)
    (fitted,) = bpy.context.scene.objects
    texture = materials_of_objects([fitted])[0][0].texture
    truth, _ = load_image(folder / "texture_512.png", "linear")
    weights = texel_weights(surface_from_object(fitted), _views(task, "train"), TEXTURE_SIZE)
    return _figures(report) | {"texel_psnr": texel_psnr(texture, truth[..., :3], weights)}


def _shape(folder: Path, start: str, steps: int | None, seed: int) -> dict:
    task = folder / "t2_256"
    report = _fit(folder / f"{start}.ply", task, steps, seed, ["--shading", "normal", "--no-texture"])
    (fitted,) = bpy.context.scene.objects
    (target,) = import_mesh(folder / "suzanne.obj", "Y", "Z")
    chamfer = ChamferDistance(surface_from_object(target), _views(task, "train"))
    held_out = references_from_frames(
        transforms_json.read(task / "transforms_test.json"), "linear", FitSettings.resolution
    )
    return _figures(report) | {
        "chamfer": chamfer(surface_from_object(fitted)),
        "iou": mean(_ious(fitted, held_out)),
    }


def _ious(fitted: bpy.types.Object, references: Sequence[Reference]) -> list[float]:
    views = [reference.view for reference in references]
    made = make_references([fitted], views, FitSettings(), bpy.context.scene)
    return [
        coverage_iou(own.colour[..., 3], reference.colour[..., 3])
        for own, reference in zip(made, references, strict=True)
    ]


def _demo(seed: int) -> dict:
    """The demo's fit, at another seed."""
    scene = bpy.context.scene
    settings = replace(SETTINGS, seed=seed)
    source, sphere = make_source(), make_sphere()
    bpy.context.view_layer.update()
    training = make_references([source], orbit_around([source], VIEWS, settings.resolution), settings, scene)
    job = FitJob(scene, [sphere], [*training, *held_out_references(source, scene)], settings, live=False)
    for _ in job.run():
        pass
    figures = _figures(job.report)
    gain = figures["object_psnr"] - job.report["psnr"]["object"]["held_out_before"]
    return {"seed": seed, "steps": settings.steps, **figures, "object_gain": gain}


def _fit(mesh: Path, task: Path, steps: int | None, seed: int, flags: Sequence[str]) -> dict:
    """Fit a mesh file to a task of the data, headless; the report. The fit stays in the scene."""
    with tempfile.TemporaryDirectory(prefix="sge_fit_") as temporary:
        report = Path(temporary, "report.json")
        arguments = ["--mesh", str(mesh), "--references", str(task / "transforms_train.json")]
        arguments += ["--hold-out", str(task / "transforms_test.json"), "--colorspace", "linear"]
        arguments += ["--steps", str(steps), "--seed", str(seed), "--report", str(report), *flags]
        code = headless.main(arguments)
        if code:
            raise RuntimeError(f"the fit ended with exit code {code}")
        return json.loads(report.read_text(encoding="utf-8"))


def _views(task: Path, part: str) -> list[View]:
    return [frame.view for frame in transforms_json.read(task / f"transforms_{part}.json")]


def _figures(report: dict) -> dict:
    """What every fit has: held-out PSNR over the object and over the image, and seconds."""
    return {
        "object_psnr": report["psnr"]["object"]["held_out_after"],
        "image_psnr": report["psnr"]["image"]["held_out_after"],
        "seconds": report["seconds"]["total"],
    }


if __name__ == "__main__":
    benchmark_process.answer(lambda arguments: measure(**arguments), sys.argv)
