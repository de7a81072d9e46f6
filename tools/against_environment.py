# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets up Mitsuba 3 in an environment of its own, with the LLVM that its CPU variants compile with.

Standard library only, no syntax newer than Python 3.8. Mitsuba brings no LLVM: it takes the shared library
that DRJIT_LIBLLVM_PATH names. LLVM 19 works; with 15 it aborts, and 14 it refuses.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import debian
import environment
import pythons
from environment import REPOSITORY, SetupError, say

FOLDER = REPOSITORY / ".venv-mitsuba"
PACKAGES = ("mitsuba>=3.6", "cholespy==2.2.*", "numpy", "scipy>=1.11")
LLVM_PACKAGE = "libllvm19"
UNPACKED = REPOSITORY / ".cache" / LLVM_PACKAGE  # where no package may be installed

_LIBRARIES = ("libLLVM.so.19*", "libLLVM-19.so*")
_PLACES = ("/usr/lib/*", "/usr/lib", "/usr/lib/llvm-19/lib", "/usr/lib64", "/usr/local/lib")
_PROBE = """
import drjit, mitsuba
mitsuba.set_variant("llvm_ad_rgb")
drjit.eval(drjit.llvm.Float([1.0, 2.0]) + 1.0)
drjit.sync_thread()
print(mitsuba.__version__)
"""


@dataclass(frozen=True)
class Mitsuba:
    """python: that imports it. llvm: the shared library. version: of Mitsuba."""

    python: Path
    llvm: Path
    version: str

    @property
    def variables(self) -> dict[str, str]:
        """The environment of its processes."""
        return {**os.environ, "DRJIT_LIBLLVM_PATH": str(self.llvm)}


def prepare(main_python: Path) -> Mitsuba:
    """Mitsuba, ready to run. main_python: of the environment with Blender. Raises SetupError."""
    llvm = find_llvm() or _installed_llvm() or _unpacked_llvm()
    if llvm is None:
        raise SetupError(
            f"Mitsuba needs the shared library of LLVM 19. On Debian and Ubuntu: apt install {LLVM_PACKAGE}\n"
            "Elsewhere: name the library in the variable DRJIT_LIBLLVM_PATH."
        )
    python = _environment(main_python)
    done = subprocess.run(
        [str(python), "-c", _PROBE],
        env={**os.environ, "DRJIT_LIBLLVM_PATH": str(llvm)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise SetupError(
            f"Mitsuba in {FOLDER.name} does not run with {llvm} (exit code {done.returncode}):\n"
            f"{done.stdout.strip()}\nRemove {FOLDER} to have it made anew, or name another LLVM in "
            "DRJIT_LIBLLVM_PATH."
        )
    return Mitsuba(python, llvm, done.stdout.split()[-1])


def find_llvm() -> Path | None:
    """The library that DRJIT_LIBLLVM_PATH names, else LLVM 19 where systems and this tool put it."""
    named = os.environ.get("DRJIT_LIBLLVM_PATH")
    if named:
        return Path(named)
    unpacked = [str(path) for path in UNPACKED.glob("usr/lib/*")]
    for place in (*_PLACES, *unpacked):
        for pattern in _LIBRARIES:
            for path in sorted(Path("/").glob(f"{place.lstrip('/')}/{pattern}")):
                return path
    return None


def _installed_llvm() -> Path | None:
    return find_llvm() if debian.install([LLVM_PACKAGE]) else None


def _unpacked_llvm() -> Path | None:
    """Fetch Debian's package and unpack it beside the repository's files; needs no rights."""
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        return None
    UNPACKED.mkdir(parents=True, exist_ok=True)
    say(f"unpacking {LLVM_PACKAGE} into {UNPACKED}")
    fetched = subprocess.run(["apt-get", "-qq", "download", LLVM_PACKAGE], cwd=UNPACKED, stdout=sys.stderr)
    if fetched.returncode:
        return None
    for package in UNPACKED.glob("*.deb"):
        subprocess.run(["dpkg", "-x", str(package), str(UNPACKED)], stdout=sys.stderr)
        package.unlink()
    return find_llvm()


def _environment(main_python: Path) -> Path:
    """The Python of the environment, made where it is missing or incomplete."""
    python = FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = FOLDER / environment.STAMP
    if stamp.exists() and set(json.loads(stamp.read_text(encoding="utf-8"))) >= set(PACKAGES):
        return python
    if not python.exists() or pythons.ask(str(python), "import sys, pip") is None:
        say(f"making {FOLDER.name}")
        _run([str(main_python), "-m", "venv", "--clear", str(FOLDER)], "cannot be made")
    say(f"installing {', '.join(PACKAGES)} into {FOLDER.name} (about 400 MB)")
    pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *PACKAGES]
    _run(pip, "could not be filled (is there a network, and 1 GB of room?)")
    stamp.write_text(json.dumps(sorted(PACKAGES), indent=1) + "\n", encoding="utf-8")
    return python


def _run(command: list[str], what: str) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise SetupError(f"The environment {FOLDER} {what}. Its command says:\n{done.stdout.strip()}")
