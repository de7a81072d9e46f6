# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What --references and --hold-out take: files, folders, COLMAP models and other .blend files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from sge_addon.formats import transforms_json
from tests.blender.small_world import AXES, VIEWS, SmallWorld, run
from tests.formats.colmap_writer import Camera, Image, write_binary, write_text


@pytest.fixture
def colmap(world: SmallWorld, tmp_path: Path) -> Path:
    """The references of the small world as a COLMAP project."""
    frames = transforms_json.read(world.references)
    cameras, images = {}, []
    for index, frame in enumerate(frames, start=1):
        view = frame.view
        cameras[index] = Camera("PINHOLE", view.width, view.height, view.intrinsics())
        world_to_camera = np.diag([1.0, -1.0, -1.0, 1.0]) @ np.linalg.inv(view.camera_to_world)
        images.append(
            Image(
                frame.image.name,
                index,
                quaternion(world_to_camera[:3, :3]),
                tuple(world_to_camera[:3, 3].tolist()),
            )
        )
    project = tmp_path / "project"
    shutil.copytree(world.references.parent / "images", project / "images")
    write_binary(project / "sparse" / "0", cameras, images)
    write_text(tmp_path / "text", cameras, images)
    shutil.copytree(project / "images", tmp_path / "text" / "images")
    return project


def quaternion(rotation: np.ndarray) -> tuple[float, ...]:
    """w, x, y, z: the null direction of q v = (R v) q over all v, by its singular vectors."""
    rows = []
    for vector in np.eye(3):
        a, b = vector, rotation @ vector
        rows.append(left(np.array([0.0, *b])) - right(np.array([0.0, *a])))
    return tuple(np.linalg.svd(np.concatenate(rows))[2][-1].tolist())


def left(q: np.ndarray) -> np.ndarray:
    """The matrix of p -> q p."""
    w, x, y, z = q
    return np.array([[w, -x, -y, -z], [x, w, -z, y], [y, z, w, -x], [z, -y, x, w]])


def right(q: np.ndarray) -> np.ndarray:
    """The matrix of p -> p q."""
    w, x, y, z = q
    return np.array([[w, -x, -y, -z], [x, w, z, -y], [y, -z, w, x], [z, y, -x, w]])


def fitted(world: SmallWorld, path: Path, folder: Path, *flags: str | Path) -> dict[str, Any]:
    """The report of a texture-only fit to some references."""
    report = folder / "report.json"
    arguments = ("--references", path, "--no-shape", "--report", report, *flags)
    assert run("--mesh", world.mesh, *AXES, *arguments) == 0
    return json.loads(report.read_text())


def test_colmap_and_transforms_json_give_the_same_fit(
    world: SmallWorld, colmap: Path, tmp_path: Path
) -> None:
    expected = fitted(world, world.references, tmp_path, "--match", "colour")
    for path in (colmap, tmp_path / "text", world.references.parent):
        report = fitted(world, path, tmp_path, "--match", "colour")
        assert [view["name"] for view in report["views"]] == [view["name"] for view in expected["views"]]
        gained = report["psnr"]["object"]
        assert gained["after"] == pytest.approx(expected["psnr"]["object"]["after"], abs=0.1)
        assert gained["after"] > gained["before"] + 1.0


def test_another_blend_file_gives_its_cameras(world: SmallWorld, tmp_path: Path) -> None:
    report = fitted(world, world.scene, tmp_path, "--hold-out", "2")
    assert len(report["views"]) == VIEWS
    assert report["psnr"]["object"]["after"] > report["psnr"]["object"]["before"]
    assert not bpy.data.libraries
    assert not any(obj.type == "CAMERA" for obj in bpy.data.objects)


def test_views_of_other_kinds_are_held_out(world: SmallWorld, colmap: Path, tmp_path: Path) -> None:
    for other in (colmap, world.scene):
        report = fitted(world, world.references, tmp_path, "--hold-out", other)
        assert [view["held_out"] for view in report["views"]] == [False] * VIEWS + [True] * VIEWS


def test_missing_images_are_told(
    world: SmallWorld, colmap: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (colmap / "images" / "view_001.png").unlink()
    assert len(fitted(world, colmap, tmp_path)["views"]) == VIEWS - 1
    told = capsys.readouterr().err
    assert f"note: 1 of {VIEWS} images is not on disk and left out: 'view_001.png'." in told
