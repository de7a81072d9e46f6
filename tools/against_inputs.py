# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What both tools are given: one file of arrays a task, made in a process with Blender.

Cameras, references, the mesh to begin with and what it should become come from the test data; where that is
missing, from the demo's scene. Rows of images begin at the bottom; colours are linear and premultiplied.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import benchmark_process
import bpy
import numpy as np
from benchmark_quality import TEXTURE_SIZE, data_folder
from demo_scene import VIEWS, held_out_references, make_source
from numpy.typing import NDArray

from sge_addon.core.assembly import assemble
from sge_addon.core.errors import FitError
from sge_addon.core.lights import SunLights
from sge_addon.core.reference import Reference
from sge_addon.core.settings import FitSettings
from sge_addon.core.surface import Surface, smooth_groups
from sge_addon.core.view import View
from sge_addon.formats import transforms_json
from sge_addon.job import make_references, orbit_around
from sge_addon.raster.rasteriser import Rasteriser
from sge_addon.scene.files import import_mesh
from sge_addon.scene.images import load_image
from sge_addon.scene.objects import surface_from_object
from sge_addon.scene.references import references_from_frames

_SUBDIVISIONS = {"ico_2562": 5, "ico_10242": 6}


@dataclass(frozen=True, eq=False)
class Inputs:
    """positions: (V, 3), triangles: (F, 3), uvs: (F, 3, 2) of the mesh to begin with. target_positions,
    target_triangles: of what shapes should become. cameras: (N, 4, 4) to world, projections: (N, 4, 4).
    colour: (N, H, W, 4). held_out: (N,) bool. truth: (T, T, 3) texture, where it is known, else empty."""

    positions: NDArray[np.float32]
    triangles: NDArray[np.int32]
    uvs: NDArray[np.float32]
    target_positions: NDArray[np.float32]
    target_triangles: NDArray[np.int32]
    cameras: NDArray[np.float64]
    projections: NDArray[np.float64]
    colour: NDArray[np.float32]
    held_out: NDArray[np.bool_]
    truth: NDArray[np.float32]
    texture_size: int

    @classmethod
    def read(cls, path: str) -> Inputs:
        with np.load(path) as arrays:
            return cls(**{name: arrays[name] for name in cls.__dataclass_fields__})

    def references(self) -> list[Reference]:
        """As fits take them."""
        height, width = self.colour.shape[1:3]
        views = [
            View(f"view {index}", camera, projection, width, height)
            for index, (camera, projection) in enumerate(zip(self.cameras, self.projections, strict=True))
        ]
        return [
            Reference(view, colour, has_alpha=True, held_out=bool(held_out))
            for view, colour, held_out in zip(views, self.colour, self.held_out, strict=True)
        ]

    def training_views(self) -> list[View]:
        return [each.view for each in self.references() if not each.held_out]

    def target(self) -> Surface:
        """What shapes should become."""
        triangles = self.target_triangles
        return Surface("target", self.target_positions, triangles, smooth_groups(triangles))

    def surface(self, positions: NDArray[np.float32]) -> Surface:
        """The mesh to begin with, with other positions."""
        uvs = self.uvs if len(self.uvs) else None
        return Surface("fit", positions, self.triangles, smooth_groups(self.triangles), uvs)


def measure(case: dict) -> dict:
    """Write the arrays of a task {"kind", "start", "resolution", "path"}; {"source": where they are from}."""
    try:
        folder = data_folder()
    except FitError:
        made, source = _of_demo(case), "the demo's scene"
    else:
        made, source = _of_data(folder, case), "the test data"
    np.savez(case["path"], **vars(made))
    return {"source": source, "vertices": len(made.positions), "views": int((~made.held_out).sum())}


def _of_data(folder: Path, case: dict) -> Inputs:
    (object_,) = import_mesh(folder / "suzanne.obj", "Y", "Z")
    suzanne = surface_from_object(object_)
    is_shape = case["kind"] == "shape"
    task = folder / ("t2_256" if is_shape else "t1_512")
    parts = [
        references_from_frames(
            transforms_json.read(task / f"transforms_{part}.json"), "linear", case["resolution"]
        )
        for part in ("train", "test")
    ]
    references = parts[0] + [replace(each, held_out=True) for each in parts[1]]
    if references[0].view.width != case["resolution"]:  # finer than the data's pictures
        references = [_redrawn(each, suzanne, case["resolution"]) for each in references]
    start = suzanne
    if is_shape:
        (object_,) = import_mesh(folder / f"{case['start']}.ply", None, None)
        start = surface_from_object(object_)
    truth = np.empty(0, np.float32)
    if not is_shape:
        truth = load_image(folder / "texture_512.png", "linear")[0][..., :3]
    return _inputs(start, suzanne, references, truth)


def _redrawn(reference: Reference, surface: Surface, resolution: int) -> Reference:
    view = reference.view.resized(resolution, resolution)
    colour = Rasteriser(assemble([surface]), "normal", SunLights()).render(view).colour.copy()
    return Reference(view, colour, has_alpha=True, held_out=reference.held_out)


def _of_demo(case: dict) -> Inputs:
    shading = "normal" if case["kind"] == "shape" else "unlit"
    settings = FitSettings(shading=shading, resolution=case["resolution"])
    scene, source = bpy.context.scene, make_source()
    bpy.context.view_layer.update()
    views = orbit_around([source], VIEWS, case["resolution"])
    references = make_references([source], views, settings, scene)
    held_out = [each.view for each in held_out_references(source, scene)]
    held_out = [view.resized(case["resolution"], case["resolution"]) for view in held_out]
    references += [
        replace(each, held_out=True) for each in make_references([source], held_out, settings, scene)
    ]
    depsgraph = bpy.context.evaluated_depsgraph_get()
    suzanne = surface_from_object(source, depsgraph=depsgraph)
    start = suzanne
    if case["kind"] == "shape":
        bpy.ops.mesh.primitive_ico_sphere_add(subdivisions=_SUBDIVISIONS[case["start"]], radius=0.9)
        start = surface_from_object(bpy.context.object)
    return _inputs(start, suzanne, references, np.empty(0, np.float32))


def _inputs(
    start: Surface, target: Surface, references: list[Reference], truth: NDArray[np.float32]
) -> Inputs:
    uvs = np.empty(0, np.float32) if start.uvs is None else start.uvs
    return Inputs(
        positions=start.positions.astype(np.float32),
        triangles=start.triangles.astype(np.int32),
        uvs=uvs,
        target_positions=target.positions,
        target_triangles=target.triangles,
        cameras=np.stack([each.view.camera_to_world for each in references]),
        projections=np.stack([each.view.projection for each in references]),
        colour=np.stack([each.colour for each in references]).astype(np.float32),
        held_out=np.array([each.held_out for each in references]),
        truth=truth,
        texture_size=TEXTURE_SIZE,
    )


if __name__ == "__main__":
    benchmark_process.answer(measure, sys.argv)
