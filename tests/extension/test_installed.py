# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The built zip, installed into a clean user folder of a real Blender."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

if importlib.util.find_spec("bpy") is None:
    pytest.skip("needs the bpy module: run tools/test.py", allow_module_level=True)

PLATFORMS = {"linux-x64", "windows-x64", "macos-arm64", "macos-x64"}


def cube(half: float) -> str:
    """An OBJ file."""
    corners = [(x, y, z) for x in (-half, half) for y in (-half, half) for z in (-half, half)]
    faces = [(1, 2, 4, 3), (5, 7, 8, 6), (1, 5, 6, 2), (3, 4, 8, 7), (1, 3, 7, 5), (2, 6, 8, 4)]
    lines = ["v {} {} {}".format(*corner) for corner in corners]
    lines += ["f {} {} {} {}".format(*face) for face in faces]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def archive(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip as it would be released, built and validated by this Blender's own builder."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, str(repository / "tools" / "build_extension.py"), "--output", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.zip")
    return built


@pytest.fixture(scope="module")
def report_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fit") / "report.json"


@pytest.fixture(scope="module")
def seen(archive: Path, report_path: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What tests/extension/inside_blender.py saw; its fit turns a cube into a larger one."""
    resources = tmp_path_factory.mktemp("user")
    start, target = resources / "start.obj", resources / "target.obj"
    start.write_text(cube(1.0), encoding="utf-8")
    target.write_text(cube(1.2), encoding="utf-8")
    fit = ["--mesh", str(start), "--reference-object", str(target), "--views", "4"]
    fit += ["--shading", "normal", "--no-texture"]
    fit += ["--steps", "3", "--resolution", "64", "--report", str(report_path)]
    environ = dict(os.environ, BLENDER_USER_RESOURCES=str(resources))
    environ.pop("PYTHONPATH", None)
    script = Path(__file__).with_name("inside_blender.py")
    done = subprocess.run(
        [sys.executable, str(script), str(archive), *fit],
        cwd=resources,  # not the repository, so that only the installed package can be imported
        env=environ,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {**json.loads(done.stdout.splitlines()[-1]), "output": done.stdout + done.stderr}


@pytest.fixture(scope="module")
def manifest(repository: Path) -> dict[str, Any]:
    return tomllib.loads((repository / "blender_manifest.toml").read_text(encoding="utf-8"))


def test_zip_holds_the_package_and_nothing_else(archive: Path, manifest: dict[str, Any]) -> None:
    assert archive.name == f"{manifest['id']}-{manifest['version']}.zip"
    with zipfile.ZipFile(archive) as file:
        names = file.namelist()
    assert {"__init__.py", "blender_manifest.toml", "LICENSE"} <= set(names)
    assert any(name.endswith(".glsl") for name in names)
    allowed = (".py", ".glsl", ".whl", "blender_manifest.toml", "LICENSE")
    assert [name for name in names if not name.endswith((*allowed, "/"))] == []


def test_zip_brings_the_solver_for_every_platform_and_python(archive: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        staged = tomllib.loads(file.read("blender_manifest.toml").decode())
        names = set(file.namelist())
    assert set(staged["platforms"]) == PLATFORMS
    assert {wheel.removeprefix("./") for wheel in staged["wheels"]} <= names
    assert len(staged["wheels"]) == 2 * len(PLATFORMS)


def test_only_the_installed_package_was_tested(seen: dict[str, Any]) -> None:
    assert not seen["repository_visible"]


def test_enabling_registers_the_interface(seen: dict[str, Any]) -> None:
    assert seen["enabled"]
    assert seen["scene_pointer"]
    assert "SGE_OT_fit" in seen["classes"]


def test_version_is_the_manifests(seen: dict[str, Any], manifest: dict[str, Any]) -> None:
    assert seen["version"] == manifest["version"]


def test_solver_of_the_zip_works(seen: dict[str, Any]) -> None:
    assert seen["solver"]["from_zip"]
    assert seen["solver"]["solution"] == pytest.approx([1.0, 0.5], abs=1e-12)


def test_short_fit_through_the_installed_package(seen: dict[str, Any], report_path: Path) -> None:
    assert seen["fit"] == 0, seen["output"]
    assert json.loads(report_path.read_text(encoding="utf-8"))["steps"] == 3


def test_disabling_leaves_nothing_behind(seen: dict[str, Any]) -> None:
    assert not seen["enabled_after"]
    assert seen["classes_after"] == []
    assert not seen["scene_pointer_after"]
    assert seen["enabled_again"]
