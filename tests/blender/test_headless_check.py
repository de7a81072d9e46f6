# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``--check`` and ``--preset``: all that is wrong without fitting, and settings by one name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import bpy
import pytest

from sge_addon.headless import main
from sge_addon.scene.stored_settings import registered
from tests.blender.small_world import SmallWorld

AXES = ("--forward-axis", "Y", "--up-axis", "Z")


def check(capsys: pytest.CaptureFixture, *flags: str | Path) -> tuple[int, list[str], str]:
    """Exit code, lines on stderr that tell findings, and what stdout says."""
    code = main(["--check", *map(str, flags)])
    told = capsys.readouterr()
    lines = [line for line in told.err.splitlines() if line.startswith(("error:", "warning:"))]
    return code, lines, told.out


def test_nothing_wrong_ends_with_0_and_changes_nothing(
    world: SmallWorld, capsys: pytest.CaptureFixture, tmp_path: Path
) -> None:
    flags = ("--mesh", world.mesh, *AXES, "--references", world.references, "--no-texture")
    code, lines, out = check(capsys, *flags, "--save", tmp_path / "out.blend")
    assert (code, lines) == (0, [])
    assert "SGE check: 0 error(s), 0 warning(s)" in out
    assert not list(tmp_path.iterdir())


def test_everything_wrong_is_told_at_once(
    world: SmallWorld, capsys: pytest.CaptureFixture, tmp_path: Path
) -> None:
    shutil.copytree(world.references.parent, tmp_path / "set")
    path = tmp_path / "set" / world.references.name
    frames = json.loads(path.read_text())["frames"]
    spoilt = [tmp_path / "set" / frame["file_path"] for frame in frames[:2]]
    for image in spoilt:
        image = image if image.suffix else image.with_suffix(".png")
        image.write_bytes(image.read_bytes()[:40])
    flags = ("--mesh", world.mesh, *AXES, "--references", path, "--shading", "normal")
    flags += ("--vertex-group", "Nose", "--save", tmp_path / "no" / "such" / "out.blend")
    code, lines, out = check(capsys, *flags)
    assert code == 2
    text = "\n".join(lines)
    for needle in ("no vertex group 'Nose'", "does not show the texture", "out.blend"):
        assert needle in text
    for image in spoilt:
        assert image.stem in text
    assert f"SGE check: {sum(line.startswith('error') for line in lines)} error(s)" in out
    assert lines == sorted(lines, key=lambda line: not line.startswith("error"))


def test_check_tells_of_missing_objects_and_of_the_references_too(
    world: SmallWorld, capsys: pytest.CaptureFixture
) -> None:
    code, lines, _ = check(capsys, "--object", "Nobody", "--references", "nowhere.json")
    assert code == 2
    assert any("no object 'Nobody'" in line for line in lines)
    assert any("nowhere.json" in line for line in lines)


def test_scene_is_checked_as_the_panel_does_it(
    capsys: pytest.CaptureFixture, tmp_path: Path, gpu_ready: None
) -> None:
    bpy.ops.mesh.primitive_cube_add()
    bpy.context.object.scale.x = -1.0
    path = tmp_path / "scene.blend"
    with registered():
        bpy.ops.wm.save_as_mainfile(filepath=str(path))
    code, lines, _ = check(capsys, path)
    assert code == 2
    assert len(lines) == 3  # mirrored, no references, no material
    assert lines[-1].startswith("warning:")


def test_preset_counts_before_flags_and_after_the_file(
    world: SmallWorld, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    report = tmp_path / "report.json"
    flags = ("--mesh", world.mesh, *AXES, "--references", world.references, "--steps", "2", "--no-texture")
    assert main([*map(str, flags), "--preset", "draft", "--report", str(report), "--quiet"]) == 0
    settings = json.loads(report.read_text())["settings"]
    assert (settings["steps"], settings["resolution"], settings["texture_size"]) == (2, 256, 512)
    assert main([*map(str, flags), "--preset", "nonsense"]) == 2
    assert "there are: Draft, Fine, LOD, Standard, Texture Only" in capsys.readouterr().err
