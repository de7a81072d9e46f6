#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives the installed zip in a real Blender with a window, on a screen of its own (Xvfb).

    python3 tools/window_test.py                      pictures and checks.json go to out/window
    SGE_BLENDER=/opt/blender/blender python3 tools/window_test.py

Blender is the program that SGE_BLENDER names, else ``blender`` on the PATH. SGE_BLENDER may also name the
folder of a whole Debian system that holds Blender and Xvfb; then root is needed, to change into it. Such
a folder is made by

    mmdebstrap --variant=minbase --include=blender,python3-cattr,python3-requests,libgl1-mesa-dri,libegl1,\
xvfb,xauth,imagemagick,python3-numpy sid FOLDER

Exit code 0 when every check passed, 1 when one failed, 2 where the zip cannot be built, 3 where there is
no such Blender, with the reason.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import build_extension
from environment import REPOSITORY

TIME_LIMIT = 900  # seconds
SCREEN = "1600x900x24"
NO_BLENDER = 3
BLENDER_PYTHONS = {(3, 11), (3, 13)}  # of Blender 4.5 to 5.2, as blender.org builds it
SCENARIO = "window_scenario.py"  # which imports others of tools/window_*.py


class NoBlender(Exception):
    """Why no Blender with a window can be had here."""


@dataclass(frozen=True)
class Place:
    """program: Blender. root: the folder of the Debian system that it is in, or None."""

    program: str
    root: Path | None = None

    def command(self, arguments: list[str], work: Path) -> list[str]:
        """Blender on a screen of its own. arguments name files under ``work``, which it sees there, too."""
        window = ["--window-geometry", "0", "0", *SCREEN.split("x")[:2]]
        blender = [self.program, "--factory-startup", "--enable-event-simulate", *window, *arguments]
        screen = ["xvfb-run", "-a", "-s", f"-screen 0 {SCREEN}", *blender]
        if self.root is None:
            return screen
        mounts = [
            f"mkdir -p {self._inside(work)}",
            f"mount --bind {shlex.quote(str(work))} {self._inside(work)}",
            f"mount -t proc proc {self._inside('/proc')}",
            f"mount --bind /dev {self._inside('/dev')}",
            f"exec chroot {shlex.quote(str(self.root))} {shlex.join(screen)}",
        ]
        return ["unshare", "--mount", "sh", "-e", "-c", "\n".join(mounts)]

    def python(self) -> tuple[int, int]:
        """The version of Blender's Python."""
        enter = ["chroot", str(self.root)] if self.root else []
        ask = "import sys; print('version', *sys.version_info[:2])"
        command = [*enter, self.program, "--background", "--factory-startup", "--python-expr", ask]
        done = subprocess.run(command, capture_output=True, text=True)
        said = re.search(r"^version (\d+) (\d+)$", done.stdout, re.MULTILINE)
        if said is None:
            raise NoBlender(f"{self.program} does not start: {done.stderr.strip() or done.stdout.strip()}")
        return int(said[1]), int(said[2])

    def _inside(self, path: Path | str) -> str:
        return shlex.quote(f"{self.root}{path}")


def find_blender() -> Place:
    """Where Blender is. Raises NoBlender with the reason."""
    named = os.environ.get("SGE_BLENDER", "")
    if named and Path(named).is_dir():
        root = Path(named).resolve()
        if not (root / "usr/bin/blender").exists() or not (root / "usr/bin/xvfb-run").exists():
            raise NoBlender(f"the folder {root} of SGE_BLENDER holds no usr/bin/blender or usr/bin/xvfb-run")
        if not hasattr(os, "geteuid") or os.geteuid() != 0:
            raise NoBlender(f"changing into {root} needs root")
        return Place("/usr/bin/blender", root)
    program = shutil.which(named or "blender")
    if program is None:
        raise NoBlender(f"there is no program '{named or 'blender'}': name one in SGE_BLENDER")
    if shutil.which("xvfb-run") is None:
        raise NoBlender("there is no Xvfb (Debian, Ubuntu: apt install xvfb)")
    return Place(program)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    output = REPOSITORY / "out" / "window"
    parser.add_argument("--output", type=Path, default=output, help="folder of pictures (out/window)")
    options = parser.parse_args(arguments)
    try:
        place = find_blender()
        python = place.python()
    except NoBlender as reason:
        print(f"not run: {reason}")
        return NO_BLENDER
    with tempfile.TemporaryDirectory(prefix="sge_window_") as temporary:
        work = Path(temporary)
        has_wheels = python in BLENDER_PYTHONS
        if build_extension.main(["--output", str(work), *([] if has_wheels else ["--without-wheels"])]):
            return 2
        if not has_wheels:
            _unpack_solver(work / "site")
        (archive,) = work.glob("*.zip")
        for script in (REPOSITORY / "tools").glob("window_*.py"):
            shutil.copy(script, work)
        shots = work / "shots"
        shots.mkdir()
        scenario = ["--python", str(work / SCENARIO), "--", str(archive), str(shots)]
        ending = _run(place.command(scenario, work), work)
        options.output.mkdir(parents=True, exist_ok=True)
        for path in shots.iterdir():
            shutil.copy(path, options.output)
    return _report(options.output / "checks.json", ending)


def _unpack_solver(folder: Path) -> None:
    """For a Blender on another Python than Blender's own, whose zip has no wheel for it: the newest wheel
    keeps to the stable ABI. Without it, shapes are solved for more slowly."""
    wheels = sorted((REPOSITORY / "wheels").glob("*cp313-*manylinux*_x86_64.whl"))
    if wheels:
        with zipfile.ZipFile(wheels[-1]) as wheel:
            wheel.extractall(folder)


def _run(command: list[str], work: Path) -> str:
    """Run Blender; what was wrong about its end, or an empty text."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environ |= {"LIBGL_ALWAYS_SOFTWARE": "1", "BLENDER_USER_RESOURCES": str(work / "user"), "HOME": str(work)}
    process = subprocess.Popen(command, cwd=work, env=environ, start_new_session=True)
    try:
        code = process.wait(TIME_LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 15)
        process.wait()
        return f"Blender was still running after {TIME_LIMIT} seconds"
    return "" if code == 0 else f"Blender ended with exit code {code}"


def _report(record: Path, ending: str) -> int:
    if not record.exists():
        print(f"failed: {ending or 'nothing was recorded'}")
        return 1
    seen = json.loads(record.read_text(encoding="utf-8"))
    failed = 0
    for check in seen["checks"]:
        detail = f"  ({check['detail']})" if check["detail"] and not check["passed"] else ""
        print(f"{'passed' if check['passed'] else 'FAILED'}  {check['what']}{detail}")
        failed += not check["passed"]
    print(f"Blender {seen['blender']}: {len(seen['checks'])} checks, {failed} failed")
    print(f"pictures: {record.parent}")
    for name, values in seen["figures"].items():
        print(f"{name}: " + ", ".join(f"{key} {value:.3g}" for key, value in values.items()))
    if ending:
        print(f"failed: {ending}")
    return 1 if failed or ending else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
