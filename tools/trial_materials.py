# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A trial of materials: maps that are known in every texel, found again from lit pictures of them.

    .venv/bin/python tools/trial_materials.py [--asset monkey|spot|suzanne] [--engine eevee|sge]

24 views under a sun, a lamp, a panel and a sky; the shape is known. Then everything is lit anew, by a light
that the fit has not seen. Writes out/materials_<asset>_<engine>.png (references, result, difference; the
same relit), ..._maps.png (each map: start, result, truth, difference) and .json. Spot and suzanne are looked
for in the folder of test data (SGE_DATA, else ../shared/data beside the repository).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

import materials_scene  # noqa: E402
from benchmark_metrics import SEEN_TEXEL, texel_weights  # noqa: E402
from contact_sheet import contact_sheet  # noqa: E402
from fit import leave  # noqa: E402

from sge_addon.core.metrics import mean_psnr, squared_errors  # noqa: E402
from sge_addon.core.reference import Reference, resize_area  # noqa: E402
from sge_addon.core.reference_options import ReferenceOptions  # noqa: E402
from sge_addon.core.settings import FitSettings  # noqa: E402
from sge_addon.headless import show_progress  # noqa: E402
from sge_addon.job import FitJob, orbit_around, references_one_by_one  # noqa: E402
from sge_addon.scene.images import save_png  # noqa: E402
from sge_addon.scene.lit_materials import lit_materials_of_objects  # noqa: E402
from sge_addon.scene.objects import surface_from_object  # noqa: E402

OUT = REPOSITORY / "out"
HELD_OUT = 6
SHOWN = 3  # held-out views in the picture


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    OUT.mkdir(exist_ok=True)
    settings = FitSettings(
        shape=False,
        shading="lit",
        match=("colour",),
        steps=options.steps,
        resolution=options.resolution,
        texture_size=options.texture_size,
        margin=8,
    )
    maps = materials_scene.make_scene(options.asset, 1024)
    maps = {name: resize_area(each, *[options.texture_size] * 2) for name, each in maps.items()}
    truth, start = bpy.data.objects["Truth"], bpy.data.objects["Start"]
    views = orbit_around([truth], options.views, options.resolution)
    unseen = [
        replace(view, name=f"held out {i}") for i, view in enumerate(orbit_around([truth], HELD_OUT, 512))
    ]

    def pictures(obj: bpy.types.Object, through: Sequence, shading: str = "lit") -> list[Reference]:
        engine = options.engine if shading == "lit" else "sge"
        made = references_one_by_one(
            [obj],
            through,
            replace(settings, shading=shading),
            bpy.context.scene,
            ReferenceOptions(render_engine=engine, render_samples=options.samples),
        )
        return list(made)

    references = pictures(truth, views)
    held_out = [replace(each, held_out=True) for each in pictures(truth, unseen)]
    before = pictures(start, unseen[:SHOWN])
    job = FitJob(bpy.context.scene, [start], [*references, *held_out], settings, live=False)
    show_progress(job.run())

    weights = texel_weights(surface_from_object(start), views, options.texture_size)
    found = _maps_of(start)
    figures = {
        "asset": options.asset,
        "engine": options.engine,
        "seconds": job.report["seconds"],
        "stages": job.report["stages"],
        "psnr": job.report["psnr"]["object"],
        "base_color_psnr": _psnr(pictures(truth, unseen, "unlit"), pictures(start, unseen, "unlit")),
        "errors": _errors(found, maps, weights > SEEN_TEXEL),
    }
    rows = (before, pictures(start, unseen[:SHOWN]), held_out[:SHOWN])
    materials_scene.relight()
    relit, result = pictures(truth, unseen), pictures(start, unseen)
    figures["relit_psnr"] = {"linear": _psnr(relit, result), "shown": _psnr(relit, result, is_shown=True)}
    materials_scene.set_true_base_colour(found["base_color"])
    mixed = pictures(truth, unseen)  # by the fitted base colour and the other maps as they truly are
    figures["relit_base_color_psnr"] = {
        "linear": _psnr(relit, mixed),
        "shown": _psnr(relit, mixed, is_shown=True),
    }
    name = f"materials_{options.asset}_{options.engine}"
    sheet = [contact_sheet(*rows), contact_sheet(rows[0], result[:SHOWN], relit[:SHOWN])]
    save_png(OUT / f"{name}.png", np.concatenate([_without_normals(each) for each in sheet], axis=1))
    save_png(OUT / f"{name}_maps.png", _map_sheet(found, maps), encode_srgb=False)
    (OUT / f"{name}.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    print(json.dumps(figures, indent=1))
    return 0


def _maps_of(obj: bpy.types.Object) -> dict[str, np.ndarray]:
    """The object's maps as Blender's nodes hold them, (H, W, C)."""
    materials, _ = lit_materials_of_objects([obj])
    maps = materials[0][0].lit.maps
    return {name: each.texture for name, each in maps.items() if each.texture is not None}


def _errors(found: dict, truth: dict, seen: np.ndarray) -> dict[str, float]:
    """Over seen texels: mean absolute errors, of normals in degrees."""
    errors = {}
    for name, true in truth.items():
        if name == "normal":
            true = true / np.linalg.norm(true, axis=-1, keepdims=True)
            cosine = np.clip((found[name] * true).sum(axis=-1), -1.0, 1.0)
            errors[name] = float(np.degrees(np.arccos(cosine))[seen].mean())
        else:
            errors[name] = float(np.abs(found[name] - true)[seen].mean())
    return errors


def _psnr(truth: Sequence[Reference], made: Sequence[Reference], is_shown: bool = False) -> float | None:
    """Over the object, the mean over views of the squared error; is_shown: of values up to 1."""
    highest = 1.0 if is_shown else np.inf
    errors = [
        squared_errors(
            replace(reference, colour=np.minimum(reference.colour, highest)),
            np.minimum(each.colour, highest),
        )[0]
        for reference, each in zip(truth, made, strict=True)
    ]
    return mean_psnr(errors)


def _without_normals(sheet: np.ndarray) -> np.ndarray:
    """The left half of a contact sheet: colours."""
    return sheet[:, : sheet.shape[1] // 2]


def _map_sheet(found: dict, truth: dict) -> np.ndarray:
    """One row a map: result, truth, difference; as images store them."""
    rows = []
    for name in reversed(truth):
        shown = [found[name], truth[name]]
        if name == "normal":
            shown = [0.5 + 0.5 * each for each in shown]
        elif name == "base_color":
            shown = [np.clip(each, 0.0, 1.0) ** (1.0 / 2.2) for each in shown]
        shown.append(np.abs(shown[0] - shown[1]))
        rows.append(np.concatenate([np.broadcast_to(each, (*each.shape[:2], 3)) for each in shown], axis=1))
    return np.concatenate(rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--asset", choices=materials_scene.ASSETS, default="monkey")
    parser.add_argument("--engine", choices=("eevee", "sge"), default="eevee")
    parser.add_argument("--views", type=int, default=24)
    parser.add_argument("--resolution", type=int, default=512)
    parser.add_argument("--texture-size", type=int, default=512)
    parser.add_argument("--steps", type=int, default=480)
    parser.add_argument("--samples", type=int, default=16, help="of EEVEE, a pixel")
    return parser


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
