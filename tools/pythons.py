# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds Python interpreters of a wanted version, wherever people keep them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Answer:
    """What an interpreter says of itself."""

    version: str  # "3.11"
    executable: Path  # the real one: neither a launcher's nor a virtual environment's


def first_of(versions: Iterable[str]) -> str | None:
    """The first version that can be had: this very interpreter's, then in the order given.

    Where there is none and uv is installed, uv brings the last, which is the newest.
    """
    wanted = list(versions)
    running = "{}.{}".format(*sys.version_info[:2])
    for version in sorted(wanted, key=lambda each: each != running):
        if find(version):
            return version
    uv = shutil.which("uv")
    if uv:
        print(f"set-up: uv installs Python {wanted[-1]}", file=sys.stderr, flush=True)
        subprocess.run([uv, "python", "install", wanted[-1]], check=False, stdout=sys.stderr)
        if find(wanted[-1]):
            return wanted[-1]
    return None


def find(version: str) -> Path | None:
    """An interpreter of that version that starts, or None."""
    for candidate in _candidates(version):
        answer = ask(candidate)
        if answer and answer.version == version:
            return answer.executable
    return None


def ask(python: str, imports: str = "import sys") -> Answer | None:
    """Start an interpreter; None where it does not start (pyenv's shims often do not) or cannot import."""
    code = f"{imports}; print(*sys.version_info[:2], sys.maxsize > 2**32, sys._base_executable)"
    answer = _output([python, "-c", code]).split(" ", 3)
    if len(answer) != 4 or answer[2] != "True":  # no bpy wheel for 32 bits
        return None
    return Answer(f"{answer[0]}.{answer[1]}", Path(answer[3]))


def _candidates(version: str) -> Iterator[str]:
    """Commands and paths, the cheapest guesses first."""
    if sys.version_info[:2] == tuple(int(part) for part in version.split(".")):
        yield sys.executable
    suffix = ".exe" if os.name == "nt" else ""
    for folder in os.get_exec_path():
        for name in (f"python{version}", "python3"):
            path = Path(folder) / (name + suffix)
            if path.exists():
                yield str(path)
    if os.name == "nt":
        path = _output(["py", f"-{version}", "-c", "import sys; print(sys.executable)"])
        if path:
            yield path
    for name in _output(["pyenv", "versions", "--bare"]).split():
        if name.startswith(version + ".") and "/" not in name:
            yield str(Path(_output(["pyenv", "prefix", name])) / "bin" / "python")
    path = _output(["uv", "python", "find", version])
    if path:
        yield path


def _output(command: list[str]) -> str:
    """What a command prints, stripped; empty where it is not there or fails."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    except OSError:
        return ""
    return "" if done.returncode else done.stdout.strip()
