# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A trial of cages: a spoilt control mesh under its modifiers, fitted back to what it was.

    .venv/bin/python tools/trial_cage.py [--case suzanne|spot] [--estimator sge|edge]

suzanne: a cage of 2 000 triangles under two levels of subdivision (48 000 triangles), whose vertices, height,
normal, base colour and roughness maps are fitted together to lit views. spot: Keenan Crane's control mesh
under two levels, shape and texture, to his tessellation of it. The models are looked for in the folder of
test data (SGE_DATA, else ../shared/data beside the repository). Writes out/cage_<case>.png (held-out views:
start, result, reference, difference), .json and .blend, which it opens again.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import bpy

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

import cage_scene  # noqa: E402
from benchmark_metrics import ChamferDistance  # noqa: E402
from contact_sheet import contact_sheet  # noqa: E402
from fit import leave  # noqa: E402

from sge_addon.core.reference import Reference  # noqa: E402
from sge_addon.core.reference_options import ReferenceOptions  # noqa: E402
from sge_addon.core.settings import FitSettings  # noqa: E402
from sge_addon.core.surface import Surface  # noqa: E402
from sge_addon.core.view import View  # noqa: E402
from sge_addon.headless import show_progress  # noqa: E402
from sge_addon.job import FitJob, orbit_around, references_one_by_one  # noqa: E402
from sge_addon.scene.images import save_png  # noqa: E402
from sge_addon.scene.objects import surface_from_object  # noqa: E402

OUT = REPOSITORY / "out"
HELD_OUT = 6
SHOWN = 3  # held-out views in the picture


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    OUT.mkdir(exist_ok=True)
    is_lit = options.case == "suzanne"
    settings = FitSettings(
        shading="lit" if is_lit else "unlit",
        maps=("base_color", "roughness", "normal", "height"),
        steps=options.steps,
        resolution=options.resolution,
        texture_size=options.texture_size,
        stages=options.stages,
        coarse_levels=options.coarse_levels,
        estimator=options.estimator,
        seed=options.seed,
    )
    cage_scene.make_scene(options.case, options.texture_size)
    truth, start = bpy.data.objects[cage_scene.TRUTH], bpy.data.objects[cage_scene.START]
    views = orbit_around([truth], options.views, options.resolution)
    unseen = [
        replace(view, name=f"held out {number}")
        for number, view in enumerate(orbit_around([truth], HELD_OUT, options.resolution))
    ]

    def pictures(obj: bpy.types.Object, through: Sequence[View]) -> list[Reference]:
        how = ReferenceOptions(render_engine="sge")
        return list(references_one_by_one([obj], through, settings, bpy.context.scene, how))

    references = pictures(truth, views)
    held_out = [replace(each, held_out=True) for each in pictures(truth, unseen)]
    before = pictures(start, unseen[:SHOWN])
    distance = ChamferDistance(_evaluated(truth), views)
    stood = distance(_evaluated(start))
    job = FitJob(bpy.context.scene, [start], [*references, *held_out], settings, live=False)
    show_progress(job.run())
    bpy.context.view_layer.update()

    timing = job.report["seconds"]
    figures = {
        "case": options.case,
        "cage": [len(start.data.vertices), sum(len(each.vertices) - 2 for each in start.data.polygons)],
        "surface": [len(_evaluated(start).positions), len(_evaluated(start).triangles)],
        "notices": job.notices,
        "chamfer": {"before": stood, "after": distance(_evaluated(start))},
        "psnr": job.report["psnr"]["object"],
        "seconds": timing,
        "stages": job.report["stages"],
    }
    sheet = contact_sheet(before, pictures(start, unseen[:SHOWN]), held_out[:SHOWN])
    save_png(OUT / f"cage_{options.case}.png", sheet)
    blend = OUT / f"cage_{options.case}.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(blend), check_existing=False)
    bpy.ops.wm.open_mainfile(filepath=str(blend))
    opened = bpy.data.objects[cage_scene.START]
    bpy.context.view_layer.update()
    figures["reopened"] = {
        "cage": [len(opened.data.vertices), len(opened.data.polygons), len(opened.data.uv_layers)],
        "modifiers": [(each.type, each.name) for each in opened.modifiers],
        "chamfer": distance(_evaluated(opened)),
    }
    (OUT / f"cage_{options.case}.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    print(json.dumps(figures, indent=1))
    return 0


def _evaluated(obj: bpy.types.Object) -> Surface:
    return surface_from_object(obj, depsgraph=bpy.context.evaluated_depsgraph_get())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", choices=cage_scene.CASES, default="suzanne")
    parser.add_argument("--views", type=int, default=32)
    parser.add_argument("--resolution", type=int, default=512)
    parser.add_argument("--texture-size", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--stages", type=int, default=1)
    parser.add_argument("--coarse-levels", action="store_true")
    parser.add_argument("--estimator", choices=("paper", "sge", "edge"), default=FitSettings.estimator)
    parser.add_argument("--seed", type=int, default=0)
    return parser


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
