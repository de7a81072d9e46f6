# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process of one row: its case comes as JSON, its result goes into a file; and what the machine is.

Imported first, because it is what makes our package known to the other modules.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import bpy
from fit import leave

from sge_addon.core.errors import FitError
from sge_addon.raster.context import gpu_name, start_gpu


def answer(measure: Callable[[dict], dict], arguments: list[str]) -> None:
    """Measure the case ``arguments[1]`` in an empty file, write {"machine", "row"} to the file
    ``arguments[2]``, and end the process; with exit code 2 on bad input."""
    case, result = json.loads(arguments[1]), Path(arguments[2])
    try:
        start_gpu()
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        row = measure(case)
    except FitError as error:
        print(f"error: {error}", file=sys.stderr)
        leave(2)
    result.write_text(json.dumps({"machine": machine(), "row": row}), encoding="utf-8")
    leave(0)


def machine() -> str:
    """In one line: processor, cores, GPU, Blender, system."""
    return ", ".join(
        (
            _processor(),
            f"{_cores()} cores",
            gpu_name(),
            f"Blender {bpy.app.version_string}",
            f"Python {platform.python_version()}",
            platform.platform(terse=True),
        )
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
