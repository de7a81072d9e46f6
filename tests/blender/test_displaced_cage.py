# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cage and a height map that were fitted together are in Blender what the fit showed of them."""

from __future__ import annotations

from dataclasses import replace

import bpy
import numpy as np
import pytest

from sge_addon.core.displaced_cage_block import DisplacedCageBlock
from sge_addon.core.schedule import ShapeSchedule
from sge_addon.core.stack_probing import probed_map
from sge_addon.scene.displaced_surface import displaced_object
from sge_addon.scene.height_write_back import HeightWriter
from sge_addon.scene.stack_evaluator import ModifierStack
from sge_addon.scene.write_back import target_of, write_positions
from tests.blender.displaced_meshes import add_barrel, add_displace, add_sheet, bumps, evaluated_positions


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
