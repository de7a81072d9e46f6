# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One scene as COLMAP text, COLMAP binary and transforms.json: one projection, that of OpenCV's formulas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sge_addon.core.frame import Frame
from sge_addon.formats.references import read_references
from tests.formats.colmap_writer import Camera, Image, add_image, write_binary, write_text

WIDTH, HEIGHT = 640, 480
INTRINSICS = {"fl_x": 612.3, "fl_y": 598.7, "cx": 331.25, "cy": 228.5}
LENSES: dict[str, dict[str, float]] = {
    "PINHOLE": {},
    "OPENCV": {"k1": 0.0578421, "k2": -0.0805099, "p1": -0.000980296, "p2": 0.00015575},
    "FULL_OPENCV": {
        "k1": 0.2,
        "k2": -0.1,
        "p1": 0.001,
        "p2": 0.002,
        "k3": 0.03,
        "k4": 0.1,
        "k5": 0.02,
        "k6": 0.01,
    },
    "OPENCV_FISHEYE": {"k1": 0.05, "k2": -0.01, "k3": 0.002, "k4": -0.0003},
}
POINTS = np.random.default_rng(11).uniform(-0.8, 0.8, (200, 3))


def poses(count: int = 6) -> list[tuple[np.ndarray, np.ndarray]]:
    """World-to-camera (w, x, y, z) and translations that put the origin before the camera, +Z forward."""
    rng = np.random.default_rng(5)
    result = []
    for _ in range(count):
        quaternion = rng.normal(size=4)
        result.append((quaternion / np.linalg.norm(quaternion), np.array([*rng.uniform(-0.2, 0.2, 2), 4.0])))
    return result


def rotated(quaternion: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """v + 2 w (q × v) + 2 q × (q × v), which needs no matrix."""
    w, axis = quaternion[0], quaternion[1:]
    turned = np.cross(axis, vectors)
    return vectors + 2.0 * w * turned + 2.0 * np.cross(axis, turned)


def opencv_pixels(quaternion: np.ndarray, translation: np.ndarray, lens: str) -> np.ndarray:
    """(N, 2) from the top left corner, as OpenCV's documentation writes it down."""
    camera = rotated(quaternion, POINTS) + translation
    a, b = camera[:, 0] / camera[:, 2], camera[:, 1] / camera[:, 2]
    k = {name: LENSES[lens].get(name, 0.0) for name in ("k1", "k2", "k3", "k4", "k5", "k6", "p1", "p2")}
    r2 = a**2 + b**2
    if lens == "OPENCV_FISHEYE":
        r = np.sqrt(r2)
        angle = np.arctan(r)
        distorted = angle * (
            1 + k["k1"] * angle**2 + k["k2"] * angle**4 + k["k3"] * angle**6 + k["k4"] * angle**8
        )
        x, y = distorted / r * a, distorted / r * b
    else:
        radial = (1 + k["k1"] * r2 + k["k2"] * r2**2 + k["k3"] * r2**3) / (
            1 + k["k4"] * r2 + k["k5"] * r2**2 + k["k6"] * r2**3
        )
        x = a * radial + 2 * k["p1"] * a * b + k["p2"] * (r2 + 2 * a**2)
        y = b * radial + k["p1"] * (r2 + 2 * b**2) + 2 * k["p2"] * a * b
    return np.stack(
        [INTRINSICS["fl_x"] * x + INTRINSICS["cx"], INTRINSICS["fl_y"] * y + INTRINSICS["cy"]], axis=1
    )


def our_pixels(frame: Frame) -> np.ndarray:
    """(N, 2) from the top left corner of the photo, distorted."""
    focal_x, focal_y, center_x, center_y = frame.view.intrinsics()
    u, v = frame.view.to_pixels(POINTS).T
    x, y = (u - center_x) / focal_x, (frame.view.height - v - center_y) / focal_y
    if frame.distortion is not None:
        x, y = frame.distortion.distorted(x, y)
    return np.stack([focal_x * x + center_x, focal_y * y + center_y], axis=1)


def write_transforms(folder: Path, lens: str) -> None:
    """Camera-to-world, +Y up, looking along -Z: the columns of Rᵀ with y and z turned round, and -Rᵀ t."""
    frames: list[dict[str, Any]] = []
    for index, (quaternion, translation) in enumerate(poses()):
        inverse = quaternion * (1, -1, -1, -1)
        matrix = np.eye(4)
        matrix[:3, :3] = rotated(inverse, np.diag([1.0, -1.0, -1.0])).T
        matrix[:3, 3] = -rotated(inverse, translation)
        frames.append({"file_path": f"images/{index}.png", "transform_matrix": matrix.tolist()})
    content = {**INTRINSICS, "w": WIDTH, "h": HEIGHT, **LENSES[lens], "camera_model": lens, "frames": frames}
    folder.mkdir(exist_ok=True)
    (folder / "transforms.json").write_text(json.dumps(content))


def write_colmap(folder: Path, lens: str, write: Any) -> None:
    camera = Camera(lens, WIDTH, HEIGHT, (*INTRINSICS.values(), *LENSES[lens].values()))
    images = [
        Image(f"{index}.png", 1, tuple(quaternion.tolist()), tuple(translation.tolist()))
        for index, (quaternion, translation) in enumerate(poses())
    ]
    write(folder / "sparse" / "0", {1: camera}, images)


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("lens", LENSES)
def test_every_format_projects_like_opencv(lens: str, scale: int, tmp_path: Path) -> None:
    """scale: the photos on disk are that much smaller than the cameras say."""
    write_transforms(tmp_path / "json", lens)
    write_colmap(tmp_path / "binary", lens, write_binary)
    write_colmap(tmp_path / "text", lens, write_text)
    pixels = {}
    for form in ("json", "binary", "text"):
        for index in range(len(poses())):
            add_image(tmp_path / form / "images" / f"{index}.png", WIDTH // scale, HEIGHT // scale)
        frames = read_references(tmp_path / form)
        assert [frame.view.name for frame in frames] == [str(index) for index in range(len(poses()))]
        pixels[form] = np.stack([our_pixels(frame) for frame in frames])
    expected = np.stack([opencv_pixels(*pose, lens) for pose in poses()]) / scale
    for form, found in pixels.items():
        assert np.abs(found - expected).max() < 1e-4, form
        assert np.abs(found - pixels["json"]).max() < 1e-4, form
    inside = ((expected > 0) & (expected < (WIDTH / scale, HEIGHT / scale))).all(axis=2)
    assert inside.mean() > 0.5  # the points are in the picture, not beside it
