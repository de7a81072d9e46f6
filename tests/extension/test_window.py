# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The installed zip in a real Blender with a window; see tools/window_test.py."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

NO_BLENDER = 3


@pytest.mark.window
def test_everything_in_a_real_window(repository: Path, tmp_path: Path) -> None:
    """Fits, stops, undoes, pauses, continues, compares, and loses its objects, file and extension."""
    command = [sys.executable, str(repository / "tools" / "window_test.py"), "--output", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == NO_BLENDER:
        pytest.skip(done.stdout.strip().removeprefix("not run: "))
    assert done.returncode == 0, done.stdout + done.stderr
    seen = json.loads((tmp_path / "checks.json").read_text(encoding="utf-8"))
    assert len(seen["checks"]) > 50
    assert all(check["passed"] for check in seen["checks"])
    assert len(list(tmp_path.glob("*.png"))) >= 10
