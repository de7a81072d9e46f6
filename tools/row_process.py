# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a benchmark's row in a process of its own. Standard library only, no syntax newer than Python 3.8."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from environment import REPOSITORY


class RowFailed(Exception):
    """What the process of a row said before it ended; code: its exit code."""

    def __init__(self, code: int, said: str):
        super().__init__(said)
        self.code = code


def run_row(python: Path, script: str, case: dict, variables: Mapping[str, str] | None = None) -> dict:
    """Run one row's process: {"machine", "row"}. variables: its whole environment, None for ours.

    Raises RowFailed.
    """
    with tempfile.TemporaryDirectory(prefix="sge_fit_") as folder:
        answer = Path(folder, "row.json")
        done = subprocess.run(
            [str(python), str(REPOSITORY / "tools" / script), json.dumps(case), str(answer)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=variables,
        )
        if done.returncode or not answer.exists():
            # Mesa's complaint about its own contexts means nothing.
            said = [line for line in done.stdout.splitlines() if not line.startswith("EGL Error (0x3009)")]
            said.append(f"ended with exit code {done.returncode}")
            raise RowFailed(2 if done.returncode == 2 else 1, "\n".join(said))
        return json.loads(answer.read_text(encoding="utf-8"))
