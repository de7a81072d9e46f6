# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs of Flamenco as its Manager would compile them by our script, in a JavaScript engine at hand."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "flamenco" / "sge_fit.js"
MANAGER = Path(__file__).resolve().parent / "manager.js"
CREATED = "2026-11-22T18:30:05"


def compiled(**settings: Any) -> dict[str, Any]:
    """What the script makes of a job: type, and tasks and settings, or an error. Skips without node."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no JavaScript engine (node) to run the job type's script")
    job = {"name": "Rocks", "created": CREATED, "settings": {"blendfile": "/studio/rocks.blend", **settings}}
    done = subprocess.run(
        [node, str(MANAGER), str(SCRIPT)], input=json.dumps(job), capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def command_line(task: dict[str, Any], variables: dict[str, str]) -> list[str]:
    """What a worker runs for a task: executable and its arguments, of which it makes words as a shell does,
    blend file, arguments, with the Manager's variables put in."""
    (command,) = task["commands"]
    assert command["name"] == "blender-render"
    given = command["parameters"]
    blendfile = [given["blendfile"]] if given["blendfile"] else []
    words = [given["exe"], *given["exeArgs"].split(), *given["argsBefore"], *blendfile, *given["args"]]
    expanded = []
    for word in words:
        for name, value in variables.items():
            word = word.replace(f"{{{name}}}", value)
        expanded.append(word)
    return [
        part for word in expanded for part in (word.split() if word == variables["blenderArgs"] else [word])
    ]
