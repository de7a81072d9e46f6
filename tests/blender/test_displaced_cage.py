# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cage and a height map that were fitted together are in Blender what the fit showed of them."""

from __future__ import annotations

from dataclasses import replace

import bpy
import numpy as np
import pytest

from sge_addon.core.displaced_cage_block import DisplacedCageBlock
from sge_addon.core.errors import FitError
from sge_addon.core.schedule import ShapeSchedule
from sge_addon.core.settings import FitSettings
from sge_addon.core.stack_probing import probed_map
from sge_addon.job import FitJob, make_references, orbit_around
from sge_addon.scene.displaced_surface import displaced_object
from sge_addon.scene.height_write_back import HeightWriter
from sge_addon.scene.stack_evaluator import ModifierStack
from sge_addon.scene.write_back import target_of, write_positions
from tests.blender.displaced_meshes import (
    add_barrel,
    add_displace,
    add_sheet,
    add_suns,
    bumps,
    evaluated_positions,
)


@pytest.mark.parametrize("make", [add_sheet, add_barrel])
def test_what_is_written_is_what_was_shown(make) -> None:  # type: ignore[no-untyped-def]
    """Of a sheet that is turned and unevenly scaled, where normals are not the world's, and of a barrel."""
    obj = make()
    add_displace(obj, bumps(64), 0.15)
    bpy.context.view_layer.update()
    displaced = displaced_object(obj, texture_size=192)
    stack = ModifierStack(obj, muted=frozenset({"Displace"}))
    bare = stack.surface()
    assert bare.positions == pytest.approx(displaced.surface.height.base, abs=1e-6)
    cage = replace(bare.cage, map=probed_map(bare.cage, bare, stack))
    surface = replace(displaced.surface, cage=cage)
    block = DisplacedCageBlock("both", surface, ShapeSchedule())
    assert block.shown == pytest.approx(evaluated_positions(obj), abs=2e-6)
    writer = HeightWriter([obj], [displaced], [block.texture()], "float")
    rng = np.random.default_rng(0)
    for step in range(6):
        waves = np.sin(surface.positions @ rng.normal(0.0, 6.0, (3, 3)))
        block.step(waves.astype(np.float32), step / 6)
    size = np.ptp(surface.positions, axis=0).max()
    assert np.linalg.norm(block.value - cage.positions, axis=1).mean() > 0.02 * size
    assert np.abs(block.heights - surface.height.heights).mean() > 0.02
    write_positions(target_of(obj), block.value)
    writer.write([block.texture()])
    assert np.abs(block.shown - evaluated_positions(obj)).max() < 1e-4 * size


def test_cage_and_heights_are_fitted_at_once() -> None:
    """A whole lit fit of a barrel under Subdivision Surface and the Displace that it has, which do not get in
    the way of a linear map: both move, and Blender shows what was measured."""
    obj = add_barrel(levels=2)
    modifier = add_displace(obj, bumps(64, seed=3), 0.2, 0.5)
    obj.data.materials.append(bpy.data.materials.new("Clay"))
    scene = bpy.context.scene
    add_suns()
    truth = evaluated_positions(obj)
    settings = FitSettings(shading="lit", maps=("height",), steps=120, resolution=96, texture_size=96)
    references = make_references([obj], orbit_around([obj], 12, 96), settings, scene)
    modifier.texture, modifier.mid_level = None, 1.0
    base = np.array([vertex.co[:] for vertex in obj.data.vertices])
    obj.data.vertices.foreach_set("co", (0.9 * base).astype(np.float32).ravel())
    obj.data.update()
    start = evaluated_positions(obj)
    job = FitJob(scene, [obj], references, settings)
    for _ in job.run():
        pass
    assert not any("evaluates its modifiers" in notice for notice in job.notices)
    assert [each.type for each in obj.modifiers] == ["SUBSURF", "DISPLACE"]
    assert np.ptp(red_of(modifier.texture.image)) > 0.05
    errors = [np.linalg.norm(each - truth, axis=1).mean() for each in (start, evaluated_positions(obj))]
    assert errors[1] < 0.75 * errors[0]
    assert job.report["psnr"]["object"]["after"] > job.report["psnr"]["object"]["before"] + 3.0


def test_heights_go_through_viewport_modifiers_and_linear_ones_alone() -> None:
    obj = add_barrel(levels=2)
    obj.data.materials.append(bpy.data.materials.new("Clay"))
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN")))
    settings = FitSettings(shading="lit", maps=("height",), steps=2, resolution=32, texture_size=32)
    references = make_references([obj], orbit_around([obj], 2, 32), settings, bpy.context.scene)
    with pytest.raises(FitError, match=r"'Barrel'.*Level Viewport"):
        FitJob(bpy.context.scene, [obj], references, replace(settings, level="render"))
    with pytest.raises(FitError, match=r"'Barrel'.*same vertices"):
        FitJob(bpy.context.scene, [obj], references, replace(settings, through_modifiers=False))
    obj.modifiers.new("Bend", "SIMPLE_DEFORM")
    job = FitJob(bpy.context.scene, [obj], references, settings)
    with pytest.raises(FitError, match=r"'Barrel'.*'Bend'"):
        list(job.run())


def red_of(image: bpy.types.Image) -> np.ndarray:
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(-1, 4)[:, 0]
