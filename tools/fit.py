#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fits from the command line, inside Blender or with Blender as a Python module.

    blender --background scene.blend --python tools/fit.py -- [flags]
    .venv/bin/python tools/fit.py scene.blend [flags]
    .venv/bin/python tools/fit.py --mesh model.obj --references transforms.json [flags]

``--help`` among the flags lists them. Exit code: 0 done, 1 failed, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import traceback
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


def main() -> int:
    if importlib.util.find_spec("bpy") is None:
        print(
            f"error: this Python ({sys.executable}) has no Blender in it. Start tools/fit.py with "
            f"{REPOSITORY / '.venv' / 'bin' / 'python'} (python3 tools/demo.py makes it), or with\n"
            "  blender --background scene.blend --python tools/fit.py -- [flags]",
            file=sys.stderr,
        )
        return 2
    sys.path.insert(0, str(REPOSITORY))

    import bpy

    from sge_addon import headless

    arguments = sys.argv[1:]
    if not bpy.app.module:  # the Blender program's own arguments come first
        arguments = arguments[arguments.index("--") + 1 :] if "--" in arguments else []
    return headless.main(arguments)


def leave(code: int) -> None:
    """End the process. As a Python module, Blender ends its GPU threads in an order that may hang
    (seen with 4.5); all is written by then, so its teardown is left out."""
    bpy = sys.modules.get("bpy")
    if bpy is None or not bpy.app.module:
        sys.exit(code)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    try:
        exit_code = main()
    except Exception as error:  # noqa: BLE001 - Blender itself would print it and exit with code 0
        traceback.print_exception(error)
        exit_code = 1
    leave(exit_code)
