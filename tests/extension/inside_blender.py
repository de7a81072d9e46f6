# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run in a process of its own: install the zip, use it, disable it; print what was seen as JSON.

    python inside_blender.py ZIP [arguments of the fit]

BLENDER_USER_RESOURCES names an empty folder, which Blender reads when bpy is imported.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from typing import Any

import bpy

MODULE = "bl_ext.user_default.sge_fit"


def our_classes() -> list[str]:
    """What of ours is registered with Blender."""
    return sorted(name for name in dir(bpy.types) if name.startswith("SGE_"))


def enabled() -> bool:
    return MODULE in bpy.context.preferences.addons


def solver() -> dict[str, Any]:
    """Solve with the sparse solver that the zip brought, not with the environment's own."""
    resources = os.environ["BLENDER_USER_RESOURCES"]
    version = "python{}.{}".format(*sys.version_info[:2])
    packages = os.path.join(resources, "extensions", ".local", "lib", version, "site-packages")
    sys.path.insert(0, packages)
    import cholespy
    import numpy as np

    rows = columns = np.array([0, 1], dtype=np.int32)
    factor = cholespy.CholeskySolverD(2, rows, columns, np.array([2.0, 4.0]), cholespy.MatrixType.COO)
    solution = np.zeros(2)
    factor.solve(np.array([2.0, 2.0]), solution)
    return {"from_zip": cholespy.__file__.startswith(packages), "solution": solution.tolist()}


def fit(arguments: list[str]) -> int | None:
    """The exit code of a fit through the installed package."""
    if importlib.util.find_spec(f"{MODULE}.headless") is None:
        return None
    return int(importlib.import_module(f"{MODULE}.headless").main(arguments))


def main(archive: str, arguments: list[str]) -> dict[str, Any]:
    seen: dict[str, Any] = {"repository_visible": importlib.util.find_spec("sge_addon") is not None}
    bpy.ops.extensions.package_install_files(filepath=archive, repo="user_default", enable_on_install=True)
    seen["enabled"] = enabled()
    seen["classes"] = our_classes()
    seen["scene_pointer"] = hasattr(bpy.types.Scene, "sge")
    seen["version"] = importlib.import_module(f"{MODULE}.version").version()
    if any(".whl" in name for name in os.listdir(wheel_folder())):
        seen["solver"] = solver()
    if arguments:
        seen["fit"] = fit(arguments)
    for _ in range(2):
        bpy.ops.preferences.addon_disable(module=MODULE)
        seen["enabled_after"] = enabled()
        seen["classes_after"] = our_classes()
        seen["scene_pointer_after"] = hasattr(bpy.types.Scene, "sge")
        bpy.ops.preferences.addon_enable(module=MODULE)
        seen["enabled_again"] = enabled()
    bpy.ops.preferences.addon_disable(module=MODULE)
    return seen


def wheel_folder() -> str:
    return os.path.join(
        os.environ["BLENDER_USER_RESOURCES"], "extensions", "user_default", "sge_fit", "wheels"
    )


if __name__ == "__main__":
    result = main(sys.argv[1], sys.argv[2:])
    print("\n" + json.dumps(result))
