# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The headless fit as a process of its own: exit codes, signals, streams."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import bpy
import numpy as np
import pytest

from tests.blender.small_world import AXES, SHORT, SmallWorld, positions_of, read_json

ENDLESS = ("--steps", "100000000", "--resolution", "32", "--texture-size", "16")
PATIENCE = 60  # seconds, before a process that does not end is killed


@pytest.fixture
def script(repository: Path) -> list[str]:
    return [sys.executable, str(repository / "tools" / "fit.py")]


def finished(command: Sequence[str], **environ: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        command, env={**os.environ, **environ}, capture_output=True, text=True, timeout=PATIENCE
    )


def from_files(world: SmallWorld) -> list[str]:
    return ["--mesh", str(world.mesh), *AXES, "--references", str(world.references)]


def test_quiet_success_prints_nothing(world: SmallWorld, script: list[str], tmp_path: Path) -> None:
    outputs = ["--save", str(tmp_path / "a.blend"), "--export", str(tmp_path / "a.obj")]
    done = finished([*script, *SHORT, *from_files(world), *outputs])
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert (tmp_path / "a.blend").is_file()
    assert (tmp_path / "a.obj").is_file()


def test_bad_input_is_code_2(script: list[str], tmp_path: Path) -> None:
    done = finished([*script, str(tmp_path / "none.blend")])
    assert done.returncode == 2
    assert done.stderr.splitlines() == [f"error: File '{tmp_path / 'none.blend'}' does not exist."]


def test_failure_is_code_1(world: SmallWorld, script: list[str], tmp_path: Path) -> None:
    """What cannot be written in the end costs no other result."""
    command = [*script, *ENDLESS, *from_files(world)]
    outputs = ["--export", str(tmp_path / "gone" / "a.obj"), "--report", str(tmp_path / "r.json")]
    (tmp_path / "gone").mkdir()
    process = subprocess.Popen(
        [*command, "--seconds", "2", *outputs], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for_steps(process)
    (tmp_path / "gone").rmdir()
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert any(line.startswith("error: ") and "gone" in line for line in errors.splitlines())
    assert read_json(tmp_path / "r.json")["steps"] > 0


def wait_for_steps(process: subprocess.Popen) -> None:
    for line in process.stdout:
        if line.startswith("SGE Fitting"):
            return
    raise AssertionError(process.stderr.read())


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_fit_saves_what_it_reached(
    world: SmallWorld, script: list[str], tmp_path: Path, number: int
) -> None:
    outputs = {"--save": "a.blend", "--export": "a.obj", "--report": "r.json", "--export-references": "d"}
    words = [word for flag, name in outputs.items() for word in (flag, str(tmp_path / name))]
    process = subprocess.Popen(
        [*script, str(world.scene), *ENDLESS, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for_steps(process)
    process.send_signal(number)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    report = read_json(tmp_path / "r.json")
    assert report["steps"] == len(report["loss"]) > 0
    assert report["psnr"]["object"]["after"] is not None
    assert (tmp_path / "d" / "transforms.json").is_file()
    assert (tmp_path / "a.obj").is_file()
    bpy.ops.wm.open_mainfile(filepath=str(world.scene))
    before = positions_of("Start")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    assert not np.array_equal(positions_of("Start"), before)
    assert bpy.data.images["Start.sge"].packed_file is not None


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_interrupted_before_the_first_step_writes_nothing(
    world: SmallWorld, script: list[str], tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [*script, str(world.scene), *ENDLESS, "--save", str(tmp_path / "a.blend")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        if line.startswith(("Read blend", "SGE Setting up")):
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    if not (tmp_path / "a.blend").exists():  # it may have been quicker
        assert errors.splitlines()[-1].startswith("interrupted before the fit began")


@pytest.mark.skipif(sys.platform != "linux", reason="EGL is asked on Linux only")
def test_no_gpu_is_bad_input_that_names_the_packages(
    world: SmallWorld, script: list[str], tmp_path: Path
) -> None:
    (tmp_path / "none").mkdir()
    done = finished(
        [*script, *SHORT, *from_files(world)],
        __EGL_VENDOR_LIBRARY_DIRS=str(tmp_path / "none"),
        LIBGL_DRIVERS_PATH=str(tmp_path / "none"),
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: No GPU context: EGL is missing or has no driver.")
    assert "libegl1" in done.stderr


def test_help_and_version_need_no_scene(script: list[str], repository: Path) -> None:
    helped = finished([*script, "--help"])
    assert helped.returncode == 0
    assert "--hold-out K|PATH" in helped.stdout
    versioned = finished([*script, "--version"])
    assert versioned.returncode == 0
    assert f'version = "{versioned.stdout.strip()}"' in (repository / "blender_manifest.toml").read_text()
