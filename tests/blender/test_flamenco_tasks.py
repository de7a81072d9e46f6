# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tasks of a Flamenco job run does what they promise, without a farm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import bpy

from tests.blender.small_world import SHORT, SmallWorld, add_sphere, read_json
from tests.flamenco.compiled import command_line, compiled

PATIENCE = 90  # seconds, before a process that does not end is killed


def run(task: dict[str, Any], repository: Path) -> int:
    """The exit code of a task's command; by the program that SGE_BLENDER names, else by Blender as a module,
    which takes a blend file and our flags, but none of Blender's own arguments."""
    script = repository / "tools" / "fit.py"
    program = os.environ.get("SGE_BLENDER", "")
    words = command_line(task, {"blender": program, "blenderArgs": "-b -y", "sgeFit": str(script)})
    if not os.path.isfile(program):
        flags = words[words.index("--") + 1 :]
        words = [sys.executable, words[words.index("--python") + 1], *_blendfile(task), *flags]
    return subprocess.run(words, timeout=PATIENCE, stdout=subprocess.DEVNULL).returncode


def _blendfile(task: dict[str, Any]) -> list[str]:
    given = task["commands"][0]["parameters"]["blendfile"]
    return [given] if given else []


def test_tasks_of_a_blend_file(world: SmallWorld, tmp_path: Path, repository: Path) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(world.scene))
    add_sphere("Second one", (0.8, 0.8, 0.8))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "two.blend"), check_existing=False)
    result = compiled(
        blendfile=str(tmp_path / "two.blend"),
        objects="Second one, Absent",
        frames="2",
        flags=" ".join(SHORT),
        output_path=str(tmp_path / "fits" / "{timestamp}"),
    )
    assert [run(task, repository) for task in result["tasks"]] == [0, 2]
    (folder,) = (tmp_path / "fits").iterdir()
    assert [each.name for each in folder.iterdir()] == ["Second one-0002"]  # nothing of what failed
    assert (folder / "Second one-0002" / "two.blend").is_file()
    assert read_json(folder / "Second one-0002" / "report.json")["steps"] == 6


def test_tasks_of_a_file_of_jobs(world: SmallWorld, tmp_path: Path, repository: Path) -> None:
    """Each runs its own job; run again, as after a worker was lost, it finds it done."""
    jobs = tmp_path / "assets.json"
    defaults = {"scene": str(world.scene), "steps": 6, "resolution": 32, "texture_size": 16}
    names = ["Rock, old", "Bad"]
    rows = [{"name": names[0]}, {"name": names[1], "object": "none"}]
    jobs.write_text(json.dumps({"defaults": defaults, "jobs": rows}))
    result = compiled(jobs_path=str(jobs), job_names=json.dumps(names))
    assert [run(task, repository) for task in result["tasks"]] == [0, 1]
    report = tmp_path / "assets_fits" / "Rock, old" / "report.json"
    assert read_json(report)["job"]["complete"] is True
    written = report.stat().st_mtime_ns
    assert run(result["tasks"][0], repository) == 0
    assert report.stat().st_mtime_ns == written
    assert [each.name for each in (tmp_path / "assets_fits").iterdir()] == ["Rock, old"]
