# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of modifiers and objects fitted by flag, without a window."""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest

from sge_addon.core.settings import FitSettings
from sge_addon.headless import main
from sge_addon.job import make_references, orbit_around
from sge_addon.scene.references import add_reference_cameras
from tests.blender.small_world import read_json
from tests.blender.stacked_objects import painted, with_displace

pytestmark = pytest.mark.usefixtures("gpu_ready")

STRENGTH = 'Cup:modifiers["Displace"].strength'


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """Cameras see the cup where it was, with more displacement than it has now."""
    obj = with_displace(painted(), 0.25)
    bpy.context.view_layer.update()
    references = make_references(
        [obj], orbit_around([obj], 5, 96), FitSettings(resolution=96), bpy.context.scene
    )
    add_reference_cameras(bpy.context.scene, references)
    obj.location, obj.modifiers["Displace"].strength = (0.1, -0.05, 0.08), 0.1
    obj.select_set(True)
    path = tmp_path / "scene.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


def run(scene: Path, *flags: str | Path) -> int:
    return main([str(scene), "--no-shape", "--no-texture", "--steps", "12", *map(str, flags)])


def test_values_are_fitted_by_flag_told_and_saved(scene: Path, tmp_path: Path, capfd):
    saved, report = tmp_path / "saved.blend", tmp_path / "report.json"
    flags = ("--parameters", f"{STRENGTH}; Cup:location", "--save", saved, "--report", report)
    assert run(scene, *flags) == 0
    told = {each["name"]: each for each in read_json(report)["parameters"]}
    assert told[STRENGTH]["before"] == [pytest.approx(0.1)]
    assert told[STRENGTH]["after"] == [pytest.approx(0.25, rel=0.01)]
    assert told["Cup:location"]["after"] == pytest.approx([0.0, 0.0, 0.0], abs=0.003)
    assert f"SGE {STRENGTH} 0.1 -> 0.25" in capfd.readouterr().out
    bpy.ops.wm.open_mainfile(filepath=str(saved))
    obj = bpy.data.objects["Cup"]
    assert obj.modifiers["Displace"].strength == pytest.approx(0.25, rel=0.01)
    assert [modifier.name for modifier in obj.modifiers] == ["Displace"]


def test_stored_values_count_without_a_flag_and_an_empty_flag_takes_them_away(scene: Path, tmp_path: Path):
    from sge_addon.scene.stored_settings import registered

    with registered():
        bpy.ops.wm.open_mainfile(filepath=str(scene))
        bpy.context.scene.sge.parameters = STRENGTH
        bpy.ops.wm.save_mainfile()
    report = tmp_path / "report.json"
    assert run(scene, "--report", report, "--steps", "1") == 0
    assert [each["name"] for each in read_json(report)["parameters"]] == [STRENGTH]
    assert run(scene, "--parameters", "") == 2


def test_what_is_not_there_ends_with_code_2_and_names_what_there_is(scene: Path, capfd):
    assert run(scene, "--parameters", "Cup:modifiers[x].strength") == 2
    error = capfd.readouterr().err
    assert "has no value 'modifiers[x].strength' to fit (it has: location" in error


def test_check_tells_of_every_value_that_cannot_be_fitted(scene: Path, capfd):
    assert run(scene, "--check", "--parameters", "Cup:x", "--parameters", "Mug:location") == 2
    error = capfd.readouterr().err
    assert "Object 'Cup' has no value 'x'" in error
    assert "'Mug:location' names no object" in error
