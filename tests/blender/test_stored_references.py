# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fits whose references lie in a file: bit for bit those from arrays; and what a lost file leaves behind."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import bpy
import numpy as np
import pytest

from sge_addon.core import schedule
from sge_addon.core.errors import PixelsLost
from sge_addon.core.pixel_store import PixelStore, StoredPixels
from sge_addon.core.reference import Reference
from sge_addon.core.settings import FitSettings
from sge_addon.job import FitJob, make_references, orbit_around
from sge_addon.raster import compared_views
from sge_addon.raster.reference_textures import ReferenceTextureCache
from sge_addon.scene.reference_rows import count_used, load_references, references_of_scene
from sge_addon.scene.references import add_reference_cameras
from sge_addon.scene.stored_settings import registered
from tests.blender.small_world import add_sphere, pixels_of, positions_of
from tests.meshes import waves

SETTINGS = FitSettings(steps=24, resolution=32, texture_size=16)
START = (0.9, 0.9, 0.9)


@pytest.fixture(scope="module")
def references(gpu_ready: None) -> list[Reference]:
    """Three views of a longer, coloured sphere, one of them in part."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    source = add_sphere("Source", (0.8, 0.8, 1.1), colour=waves(16, 16))
    views = orbit_around([source], 3, SETTINGS.resolution)
    made = make_references([source], views, SETTINGS, bpy.context.scene)
    weight = np.linspace(0.0, 1.0, SETTINGS.resolution, dtype=np.float32)
    return [*made[:2], replace(made[2], weight=np.tile(weight, (SETTINGS.resolution, 1)))]


def fit(name: str, references: Sequence[Reference], settings: FitSettings) -> tuple[object, ...]:
    job = FitJob(bpy.context.scene, [add_sphere(name, START)], references, settings, live=False)
    deque(job.run(), 0)
    shown = [image.name for image in bpy.data.images if image.name.startswith(name)]
    pixels = [pixels_of(image).tobytes() for image in sorted(shown)]
    return positions_of(name).tobytes(), pixels, job.report["loss"], job.report["psnr"]


@pytest.mark.parametrize(
    "settings",
    [
        SETTINGS,
        replace(SETTINGS, texture=False, match=("colour", "alpha", "normal"), shading="normal"),
        replace(SETTINGS, texture=False, background="random"),
        replace(SETTINGS, shape=False),
        replace(SETTINGS, texture_estimator="texel"),
        replace(SETTINGS, stages=2),
        replace(SETTINGS, refine_cameras=True, refine_gain="channels"),
        replace(SETTINGS, shape=False, shading="lit", light="unknown", maps=("base_color", "roughness")),
    ],
    ids=["joint", "normals", "random", "texture", "texel", "stages", "cameras", "lit"],
)
def test_a_fit_ends_the_same_wherever_its_references_lie(
    references: list[Reference], settings: FitSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "_LEAST_SIDE", 8)  # so that `edge` begins with quarters of these, too
    from_arrays = fit("Ball", references, settings)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    store = PixelStore(resident=0, unpacked=0)
    stored = [each.stored(store) for each in references]
    assert all(isinstance(each.pixels, StoredPixels) for each in stored)
    monkeypatch.setattr(compared_views, "ReferenceTextureCache", partial(ReferenceTextureCache, budget=0))
    assert fit("Ball", stored, settings) == from_arrays


def test_pixels_that_are_lost_in_the_midst_are_named_and_what_was_reached_is_kept(
    references: list[Reference],
) -> None:
    store = PixelStore(resident=0, unpacked=0)
    stored = [each.stored(store) for each in references]
    obj = add_sphere("Ball", START)
    before = positions_of("Ball")
    job = FitJob(bpy.context.scene, [obj], stored, SETTINGS, live=False)
    run = job.run()
    while next(run).step < 8:
        pass
    store._file.truncate(0)
    with pytest.raises(PixelsLost, match=rf"Reference '{stored[0].view.name[:-1]}\d'.*temporary file"):
        deque(run, 0)
    assert np.abs(positions_of("Ball") - before).max() > 1e-3
    assert job.report["steps"] >= 8
    assert job.report["psnr"]["object"]["after"] is None


def test_a_scene_loads_one_after_the_other_into_a_store(references: list[Reference]) -> None:
    with registered():
        scene = bpy.context.scene
        add_reference_cameras(scene, references)
        plain = references_of_scene(scene, 32)
        loading = load_references(scene, 32, PixelStore(resident=0, unpacked=0))
        assert count_used(scene) == len(plain) == 3
        loaded = list(loading)
        assert all(isinstance(each.pixels, StoredPixels) for each in loaded)
        for one, other in zip(loaded, plain, strict=True):
            assert one.colour.tobytes() == other.colour.tobytes()
