#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets up what it needs and runs every check and every test, inside each Blender at hand.

    python3 tools/test.py                    all of it
    python3 tools/test.py tests/core -k view only these tests (arguments go to pytest)

Exit code 0 when all passed, 1 when something failed, 2 when the machine could not be set up.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import environment
from environment import REPOSITORY, Environment, SetupError

CHECKS = (
    ("ruff", "check", "--quiet"),
    ("ruff", "format", "--quiet", "--check"),
    ("mypy", "--no-error-summary"),
)


def main(arguments: list[str]) -> int:
    if arguments in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0
    try:
        environments, absent = environment.prepare_all()
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    failures = []
    if not arguments:
        failures += [" ".join(check) for check in CHECKS if not _check(environments[0], check)]
    for each in environments:
        problem = _pytest(each, arguments)
        if problem:
            failures.append(f"tests on Python {each.version}: {problem}")
    for reason in absent:
        print(f"not run: {reason}")
    for failure in failures:
        print(f"failed: {failure}")
    return 1 if failures else 0


def _check(where: Environment, check: tuple[str, ...]) -> bool:
    done = subprocess.run([str(where.python), "-m", *check], cwd=REPOSITORY)
    print(f"{' '.join(check)}: {'failed' if done.returncode else 'passed'}", flush=True)
    return done.returncode == 0


def _pytest(where: Environment, arguments: list[str]) -> str | None:
    """Run pytest; what went wrong, or None."""
    print(f"\n{where.folder.name}: Python {where.version}", flush=True)
    record = REPOSITORY / ".cache" / f"tests-{where.version}.xml"
    record.unlink(missing_ok=True)
    command = [str(where.python), "-m", "pytest", f"--junitxml={record}", *arguments]
    done = subprocess.run(command, cwd=REPOSITORY, env=_environ())
    finished = _finished(record)
    if done.returncode < 0:
        # Blender's own code runs in this process and may crash it, also after the last test.
        return f"killed by signal {-done.returncode}, {'after' if finished else 'before'} the last test"
    if done.returncode:
        return f"pytest's exit code {done.returncode}" + (", no test was run" if done.returncode == 5 else "")
    # Something that quits Blender ends the process with exit code 0.
    return None if finished else "the process ended before the last test"


def _finished(record: Path) -> bool:
    try:
        return ElementTree.parse(record).getroot().tag == "testsuites"
    except (OSError, ElementTree.ParseError):
        return False


def _environ() -> dict[str, str]:
    """Without what would change the tests: the person's own Python path and Blender folders."""
    changed = ("PYTHONPATH", "PYTHONHOME", "BLENDER_USER_RESOURCES", "BLENDER_USER_CONFIG")
    return {name: value for name, value in os.environ.items() if name not in changed}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
