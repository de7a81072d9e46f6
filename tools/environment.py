# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets up what the other tools run in: a Python with Blender as a module, and software GL.

Standard library only, and no syntax newer than Python 3.8: any ``python3`` may start the tools, also
one that no bpy wheel fits. ``.venv`` holds the wheel that follows the Python at hand; a second
folder, ``.venv-311`` or ``.venv-313``, the other one. ``.venv*`` is ignored by git.
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
import graphics
import pythons

REPOSITORY = Path(__file__).resolve().parents[1]
MAIN_FOLDER = REPOSITORY / ".venv"
STAMP = "sge-installed.json"

# Blender needs exactly the Python that it was built with.
BPY_OF_PYTHON = {"3.11": "bpy==4.5.*", "3.13": "bpy==5.2.*"}
RUN = ("cholespy==2.2.*",)
# hypothesis makes up broken files for the readers and shortens those that break them.
TEST = (*RUN, "pytest>=8", "scipy>=1.11", "hypothesis>=6.100")
# matplotlib draws the figures of benchmark.py --scaling: a licence like Python's own, 100 MB installed with
# what it needs, kept by its developers under NumFOCUS since 2003.
PLOT = (*RUN, "matplotlib>=3.9,<4")
LINT = ("ruff>=0.17,<0.18", "mypy>=2.4,<3", "fake-bpy-module-4.5")


class SetupError(Exception):
    """What is missing and how to get it; the tools print it and exit with code 2."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment that holds Blender as a module."""

    folder: Path
    version: str  # of Python, such as "3.11"

    @property
    def python(self) -> Path:
        return _python_in(self.folder)


def prepare(needed: tuple[str, ...] = RUN) -> Environment:
    """The main environment, ready to run. Raises SetupError."""
    version = _version_in(MAIN_FOLDER) or pythons.first_of(BPY_OF_PYTHON)
    if version is None:
        raise SetupError(
            "Blender as a Python module needs Python 3.11 (Blender 4.5) or 3.13 (Blender 5.2), and neither "
            f"was found; this is Python {sys.version.split()[0]}. Install one, for example with\n"
            "  apt install python3.11 python3.11-venv    (Debian 12, or Ubuntu with the deadsnakes archive)\n"
            "  pyenv install 3.13    or    uv python install 3.13\n"
            "and run this again."
        )
    environment = Environment(MAIN_FOLDER, version)
    _make_ready(environment, needed)
    return environment


def prepare_all(needed: tuple[str, ...] = TEST) -> tuple[list[Environment], list[str]]:
    """The main environment and the one of the other Python; and, for people, what could not be had.

    Raises SetupError where there is not even the main one.
    """
    main = prepare((*needed, *LINT))
    ready, absent = [main], []
    for version in BPY_OF_PYTHON:
        if version == main.version:
            continue
        other = Environment(REPOSITORY / f".venv-{version.replace('.', '')}", version)
        try:
            _make_ready(other, needed)
            ready.append(other)
        except SetupError as error:
            absent.append(f"{BPY_OF_PYTHON[version]} on Python {version}: {error}")
    return ready, absent


def _make_ready(environment: Environment, needed: tuple[str, ...]) -> None:
    needed = (BPY_OF_PYTHON[environment.version], *needed)
    if _version_in(environment.folder) != environment.version:
        _create(environment)
    installed = _installed(environment)
    fresh = not set(needed) <= set(installed)
    if fresh:
        _install(environment, needed)
    try:
        graphics.ensure(environment.python, import_blender=fresh)
    except graphics.GraphicsError as error:
        raise SetupError(str(error)) from error
    if fresh:
        # Last of all, so that whatever was interrupted before is done again.
        stamp = environment.folder / STAMP
        stamp.write_text(json.dumps(sorted({*installed, *needed}), indent=1) + "\n", encoding="utf-8")


def _create(environment: Environment) -> None:
    python = pythons.find(environment.version)
    if python is None:
        raise SetupError(f"Python {environment.version} was not found.")
    folder = environment.folder
    if folder.exists():
        say(f"{folder.name} is incomplete: making it anew")
        shutil.rmtree(folder)
    say(f"making {folder.name} with {python}")
    done = _make(python, folder)
    venv_package = f"python{environment.version}-venv"  # Debian's own Python comes without it
    if done.returncode and debian.install([venv_package]):
        done = _make(python, folder)
    if done.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        raise SetupError(
            f"{python} cannot make a virtual environment; on Debian and Ubuntu: apt install {venv_package}\n"
            f"It says: {done.stdout.strip()}"
        )


def _make(python: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    uv = shutil.which("uv")
    command = (
        [uv, "venv", "-q", "--seed", "-p", str(python)] if uv else [str(python), "-m", "venv", "--clear"]
    )
    return subprocess.run(
        [*command, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )


def _install(environment: Environment, needed: tuple[str, ...]) -> None:
    say(f"installing {', '.join(needed)} into {environment.folder.name} (about 1 GB with Blender)")
    uv = shutil.which("uv")
    if uv:
        command = [uv, "pip", "install", "-q", "-p", str(environment.python)]
    else:
        command = [str(environment.python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    done = subprocess.run([*command, *needed], stdout=sys.stderr)
    if done.returncode:
        raise SetupError(
            f"The packages above could not be installed into {environment.folder} (the reason stands above; "
            "is there a network, and 2 GB of room?). Run this again: it goes on where it stopped."
        )


def _installed(environment: Environment) -> list[str]:
    """What the stamp says was installed; nothing where set-up did not come to its end."""
    try:
        return list(json.loads((environment.folder / STAMP).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return []


def _version_in(folder: Path) -> str | None:
    """The Python version of a working environment of ours, else None."""
    python = _python_in(folder)
    found = pythons.ask(str(python), "import sys, pip") if python.exists() else None
    return found.version if found and found.version in BPY_OF_PYTHON else None


def _python_in(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def say(text: str) -> None:
    """One line of progress, apart from what the tools print as their result."""
    print(f"set-up: {text}", file=sys.stderr, flush=True)
