#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds and validates dist/sge_fit-<version>.zip with Blender's own builder.

    python3 tools/build_extension.py                   with the sparse solver's wheels for all platforms
    python3 tools/build_extension.py --without-wheels  without network, for quick trials

The manifest lies at the root of the repository and the package in its own folder; Blender's builder
wants both in one, so they are staged in a temporary folder.
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import environment
import solver_wheels
from environment import REPOSITORY, SetupError

IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")


class BuildError(Exception):
    """Why no extension was built, in the words of the step that failed."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--without-wheels", action="store_true", help="leave the sparse solver out")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "dist", help="folder of the zip (dist)")
    options = parser.parse_args(arguments)
    try:
        has_blender = importlib.util.find_spec("bpy") is not None
        python = Path(sys.executable) if has_blender else environment.prepare().python
        wheels = [] if options.without_wheels else solver_wheels.fetch(python, REPOSITORY / "wheels")
        archive = build(python, wheels, options.output)
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (BuildError, solver_wheels.WheelError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{archive}  {archive.stat().st_size / 1e6:.1f} MB, {len(wheels)} wheels")
    return 0


def build(python: Path, wheels: list[Path], output: Path) -> Path:
    """Stage, build and validate; the zip's path.

    python: an interpreter that has bpy. Raises BuildError with the builder's own words.
    """
    builder, tags = _builder(python)
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sge_fit_") as temporary:
        staged = Path(temporary, "staged")
        _stage(staged, wheels)
        command = [str(python), str(builder)]
        made = Path(temporary, "made")
        made.mkdir()
        _run([*command, "build", f"--valid-tags={tags}", f"--source-dir={staged}", f"--output-dir={made}"])
        (archive,) = made.glob("*.zip")
        _run([*command, "validate", f"--valid-tags={tags}", str(archive)])
        target = output.resolve() / archive.name
        shutil.move(str(archive), str(target))
    return target


def _stage(folder: Path, wheels: list[Path]) -> None:
    shutil.copytree(REPOSITORY / "sge_addon", folder, ignore=IGNORED)
    shutil.copy(REPOSITORY / "LICENSE", folder)
    manifest = (REPOSITORY / "blender_manifest.toml").read_text(encoding="utf-8")
    if wheels:
        (folder / "wheels").mkdir()
        for wheel in wheels:
            shutil.copy(wheel, folder / "wheels")
        # Before the first table, because what follows a table belongs to it.
        head, table, tail = manifest.partition("[permissions]")
        platforms = sorted({solver_wheels.platform_of(wheel) for wheel in wheels})
        head += (
            f"platforms = {_toml(platforms)}\nwheels = {_toml([f'./wheels/{w.name}' for w in wheels])}\n\n"
        )
        manifest = head + table + tail
    (folder / "blender_manifest.toml").write_text(manifest, encoding="utf-8")


def _toml(values: list[str]) -> str:
    return "[\n" + "".join(f'    "{value}",\n' for value in values) + "]"


def _builder(python: Path) -> tuple[Path, Path]:
    """Blender's stand-alone builder and its list of tags, from the bpy wheel."""
    code = "import importlib.util as u; print(u.find_spec('bpy').submodule_search_locations[0])"
    package = Path(_run([str(python), "-c", code]).strip())
    scripts = next(package.glob("*/scripts"))
    return (
        scripts / "addons_core" / "bl_pkg" / "cli" / "blender_ext.py",
        scripts / "modules" / "_bpy_internal" / "extensions" / "tags.py",
    )


def _run(command: list[str]) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise BuildError(f"{Path(command[1]).name} {command[2]} failed:\n{done.stdout.strip()}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
