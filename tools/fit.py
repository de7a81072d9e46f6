#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fits from the command line, inside Blender or with Blender as a Python module.

    blender --background scene.blend --python tools/fit.py -- [flags]
    .venv/bin/python tools/fit.py scene.blend [flags]
    .venv/bin/python tools/fit.py --mesh model.obj --references transforms.json [flags]
    .venv/bin/python tools/fit.py --jobs assets.json

``--help`` among the flags lists them. Exit code: 0 done, 1 failed, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
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

    return headless.main(flags(sys.argv[1:], in_program=not bpy.app.module))


def flags(command: list[str], in_program: bool) -> list[str]:
    """What is ours of the words after the script's name; in the Blender program its own come first."""
    if not in_program:
        return command
    return command[command.index("--") + 1 :] if "--" in command else []


def leave(code: int) -> None:
    """End the process at once; all is written by then. Blender's own teardown is left out: started by
    Python's, it crashes where GPU objects are alive (the program 5.2), or may hang (the module 4.5)."""
    sys.stdout.flush()
    sys.stderr.flush()
    bpy = sys.modules.get("bpy")
    if bpy is None:
        sys.exit(code)
    temporary = Path(bpy.app.tempdir)
    if temporary.name.startswith("blender_"):  # of this process alone, not the system's
        shutil.rmtree(temporary, ignore_errors=True)
    os._exit(code)


if __name__ == "__main__":
    try:
        exit_code = main()
    except KeyboardInterrupt:  # before the fit has its own handler
        exit_code = 130
    except SystemExit as ended:  # of argparse: --help, or a flag that is unknown
        exit_code = int(ended.code or 0)
    except Exception as error:  # noqa: BLE001 - Blender itself would print it and exit with code 0
        traceback.print_exception(error)
        exit_code = 1
    leave(exit_code)
