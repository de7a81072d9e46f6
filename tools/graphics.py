# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The system libraries that Blender needs to draw without a window, and Mesa's software GL.

Without EGL Blender ends the whole process as soon as its GPU module is started; so it is tried out
beforehand, in a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import debian

# Shared libraries that the bpy wheel loads, and the Debian and Ubuntu packages that hold them.
PACKAGE_OF_LIBRARY = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libXi.so.6": "libxi6",
    "libXrender.so.1": "libxrender1",
    "libXxf86vm.so.1": "libxxf86vm1",
    "libXfixes.so.3": "libxfixes3",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
}
DRIVER_PACKAGES = ("libgl1-mesa-dri", "libegl-mesa0")

_PROBE = """
import ctypes, sys
missing = []
for name in sys.argv[1:]:
    try:
        ctypes.CDLL(name)
    except OSError:
        missing.append(name)
if not missing:
    egl = ctypes.CDLL("libEGL.so.1")
    egl.eglGetPlatformDisplay.restype = ctypes.c_void_p
    egl.eglGetPlatformDisplay.argtypes = [ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p]
    egl.eglInitialize.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    surfaceless = 0x31DD  # EGL_PLATFORM_SURFACELESS_MESA
    display = egl.eglGetPlatformDisplay(surfaceless, None, None)
    if not display or not egl.eglInitialize(display, None, None):
        missing.append("an OpenGL driver that EGL can start without a window")
print("\\n".join(missing))
"""


class GraphicsError(Exception):
    """Which libraries are missing and which packages hold them."""


def ensure(python: Path, import_blender: bool) -> None:
    """Check that Blender can draw, and install what it lacks where we may.

    import_blender: also import bpy, which finds anything else but takes a second. Raises GraphicsError.
    """
    if sys.platform.startswith("linux"):
        missing = _missing(python)
        if missing and debian.install(_packages(missing)):
            missing = _missing(python)
        if missing:
            raise GraphicsError(_advice(missing))
    if import_blender:
        done = _run([str(python), "-c", "import bpy"])
        if done.returncode:
            last_line = (done.stdout.strip() or "no message").splitlines()[-1]
            raise GraphicsError(
                f"Blender's module cannot be loaded by {python} (exit code {done.returncode}): {last_line}\n"
                "If a shared library is named, install the package that holds it and run this again."
            )


def _missing(python: Path) -> list[str]:
    done = _run([str(python), "-c", _PROBE, *PACKAGE_OF_LIBRARY])
    if done.returncode:
        return [f"a working EGL (its probe ended with exit code {done.returncode})"]
    return [line for line in done.stdout.splitlines() if line in PACKAGE_OF_LIBRARY or " " in line]


def _packages(missing: list[str]) -> list[str]:
    named = {PACKAGE_OF_LIBRARY[name] for name in missing if name in PACKAGE_OF_LIBRARY}
    # A missing libEGL hides a missing driver, and the driver is what software GL is made of.
    return sorted(named.union(DRIVER_PACKAGES))


def _advice(missing: list[str]) -> str:
    return (
        f"Blender cannot draw here; missing: {', '.join(missing)}.\n"
        f"On Debian and Ubuntu: apt install {' '.join(_packages(missing))}\n"
        "Elsewhere: Mesa with EGL (software GL is enough) and the X libraries named above."
    )


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
