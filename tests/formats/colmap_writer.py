# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""COLMAP models for tests, written after the format's description, and the images that they name."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NUMBERS = {
    "SIMPLE_PINHOLE": 0,
    "PINHOLE": 1,
    "SIMPLE_RADIAL": 2,
    "RADIAL": 3,
    "OPENCV": 4,
    "OPENCV_FISHEYE": 5,
    "FULL_OPENCV": 6,
    "FOV": 7,
    "SIMPLE_RADIAL_FISHEYE": 8,
    "RADIAL_FISHEYE": 9,
}


@dataclass(frozen=True)
class Camera:
    model: str
    width: int
    height: int
    parameters: tuple[float, ...]


@dataclass(frozen=True)
class Image:
    name: str
    camera: int
    rotation: tuple[float, float, float, float]  # w, x, y, z
    translation: tuple[float, float, float]
    points: int = 2


def write_binary(folder: Path, cameras: Mapping[int, Camera], images: Sequence[Image]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    data = struct.pack("<Q", len(cameras))
    for number, camera in cameras.items():
        data += struct.pack("<IiQQ", number, NUMBERS[camera.model], camera.width, camera.height)
        data += struct.pack(f"<{len(camera.parameters)}d", *camera.parameters)
    (folder / "cameras.bin").write_bytes(data)
    data = struct.pack("<Q", len(images))
    for number, image in enumerate(images, start=7):
        data += struct.pack("<I7dI", number, *image.rotation, *image.translation, image.camera)
        data += image.name.encode() + b"\0" + struct.pack("<Q", image.points)
        data += struct.pack("<ddq", 1.5, 2.5, -1) * image.points
    (folder / "images.bin").write_bytes(data)


def write_text(folder: Path, cameras: Mapping[int, Camera], images: Sequence[Image]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["# Camera list with one line of data per camera:", f"# Number of cameras: {len(cameras)}"]
    for number, camera in cameras.items():
        parameters = " ".join(map(repr, camera.parameters))
        lines.append(f"{number} {camera.model} {camera.width} {camera.height} {parameters}")
    (folder / "cameras.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    lines = ["# Image list with two lines of data per image:"]
    for number, image in enumerate(images, start=7):
        pose = " ".join(map(repr, (*image.rotation, *image.translation)))
        lines += [f"{number} {pose} {image.camera} {image.name}", " ".join(["1.5 2.5 -1"] * image.points)]
    (folder / "images.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def add_image(path: Path, width: int = 200, height: int = 100) -> Path:
    """A file with the header of a PNG: the readers decode nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height))
    return path
