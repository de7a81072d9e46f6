# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files ``cameras`` and ``images`` of a COLMAP model, binary or text, as they stand in them.

Written after https://colmap.github.io/format.html. Newer models hold ``rigs`` and ``frames`` too; ``images``
states every camera's own pose beside them, so they are not needed.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ..core.errors import FitError
from .fields import LARGEST, found
from .image_size import LARGEST_SIDE
from .lenses import NAMES, PARAMETERS, READ, SHORTEST_FOCAL

CAMERA_BYTES = 24 + 3 * 8  # at least
IMAGE_BYTES = 64 + 2 + 8  # at least
POINT_BYTES = 24
LONGEST_NAME = 4096


@dataclass(frozen=True)
class Camera:
    """parameters: in the model's order, in pixels of an image of width x height."""

    model: str
    width: int
    height: int
    parameters: tuple[float, ...]


@dataclass(frozen=True)
class Image:
    """World to camera, +Y down, +Z forward: rotation as quaternion w, x, y, z, and translation."""

    name: str
    camera: int
    rotation: tuple[float, ...]
    translation: tuple[float, ...]


def has_model(folder: Path) -> bool:
    """Whether a folder holds the files of a model."""
    return _suffix(folder) is not None


def read_model(folder: Path) -> tuple[dict[int, Camera], list[Image]]:
    """Cameras by their number, and images in the file's order. Binary files come before text.

    Raises FitError that names the file and the place: cut short, not numbers, an unknown camera model,
    two cameras or images of one name, an image of a camera that is not there.
    """
    suffix = _suffix(folder)
    if suffix is None:
        raise FitError(f"Folder '{folder}' holds no COLMAP model (cameras and images, .bin or .txt).")
    binary = suffix == ".bin"
    camera_file, image_file = folder / f"cameras{suffix}", folder / f"images{suffix}"
    try:
        cameras: dict[int, Camera] = {}
        for number, camera in (_binary_cameras if binary else _text_cameras)(camera_file):
            if number in cameras:
                raise FitError(f"{camera_file.name}: camera {number} is there twice; export the model again.")
            cameras[number] = camera
        images: dict[str, Image] = {}
        for image in (_binary_images if binary else _text_images)(image_file):
            where = f"{image_file.name}, image {found(image.name)}"
            if image.name in images:
                raise FitError(f"{where}: it is there twice; export the model again.")
            if image.camera not in cameras:
                raise FitError(f"{where}: its camera {image.camera} is not in {camera_file.name}.")
            images[image.name] = image
    except OSError as error:
        raise FitError(f"COLMAP model '{folder}' cannot be read: {error.strerror}.") from error
    return cameras, list(images.values())


def _suffix(folder: Path) -> str | None:
    for suffix in (".bin", ".txt"):
        if all(os.path.isfile(folder / f"{name}{suffix}") for name in ("cameras", "images")):
            return suffix
    return None


def _camera(where: str, model: str, width: int, height: int, parameters: tuple[float, ...]) -> Camera:
    """A camera whose numbers are checked."""
    if not (1 <= width <= LARGEST_SIDE and 1 <= height <= LARGEST_SIDE):
        raise FitError(
            f"{where}: its size is {width} x {height}; expected 1 to {LARGEST_SIDE} pixels a side."
        )
    for name, value in zip(PARAMETERS[model], parameters, strict=True):
        if not _is_sound(value) or (name.startswith("f") and value < SHORTEST_FOCAL):
            raise FitError(f"{where}: its parameter {name} is {value:g}; calibrate it again.")
    return Camera(model, width, height, parameters)


def _model(where: str, name: str) -> str:
    if name not in READ:
        raise FitError(
            f"{where} has the model {found(name)}; read are {', '.join(READ)}. Undistort the images with "
            "'colmap image_undistorter' and take the model that it writes."
        )
    return name


def _image(where: str, name: str, camera: int, pose: tuple[float, ...]) -> Image:
    if not name.strip():
        raise FitError(f"{where}: its name is empty; export the model again.")
    if not all(map(_is_sound, pose)):
        raise FitError(f"{where}: its pose holds NaN, infinite or immense numbers; export the model again.")
    return Image(name, camera, pose[:4], pose[4:])


def _is_sound(value: float) -> bool:
    return math.isfinite(value) and abs(value) < LARGEST


class _Binary:
    """A little-endian file that is never read beyond its end, whatever counts it states."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self.file, self.name = file, path.name
        self.size = path.stat().st_size

    def take(self, layout: str) -> tuple[Any, ...]:
        count = struct.calcsize(layout)
        data = self.file.read(count)
        if len(data) < count:
            raise self.cut_short()
        return struct.unpack(layout, data)

    def count(self, smallest: int) -> int:
        """A number of records of at least ``smallest`` bytes, for which there must be room."""
        (count,) = self.take("<Q")
        left = self.size - self.file.tell()
        if count * smallest > left:
            raise FitError(
                f"{self.name} says that {count} records follow, but only {left} bytes do: it is cut short or "
                "damaged; copy or export it again."
            )
        return int(count)

    def text(self) -> str:
        """Text that ends with a zero byte."""
        data = bytearray()
        while (byte := self.file.read(1)) != b"\0":
            if not byte or len(data) == LONGEST_NAME:
                raise self.cut_short()
            data += byte
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise FitError(f"{self.name}: the image name {found(bytes(data))} is not UTF-8.") from error

    def cut_short(self) -> FitError:
        return FitError(f"{self.name} is cut short or damaged; copy or export it again.")


def _binary_cameras(path: Path) -> Iterator[tuple[int, Camera]]:
    with path.open("rb") as file:
        data = _Binary(file, path)
        for _ in range(data.count(CAMERA_BYTES)):
            number, kind, width, height = data.take("<IiQQ")
            where = f"{path.name}, camera {number}"
            model = _model(where, NAMES[kind] if 0 <= kind < len(NAMES) else f"number {kind}")
            parameters = data.take(f"<{len(PARAMETERS[model])}d")
            yield number, _camera(where, model, width, height, parameters)


def _binary_images(path: Path) -> Iterator[Image]:
    with path.open("rb") as file:
        data = _Binary(file, path)
        for _ in range(data.count(IMAGE_BYTES)):
            _, *pose, camera = data.take("<I7dI")
            name = data.text()
            file.seek(data.count(POINT_BYTES) * POINT_BYTES, 1)
            yield _image(f"{path.name}, image {found(name)}", name, camera, tuple(pose))


def _text_cameras(path: Path) -> Iterator[tuple[int, Camera]]:
    for number, line in _lines(path):
        if not _is_record(line):
            continue
        where = f"{path.name}, line {number}"
        words = line.split()
        if len(words) < 4:
            raise FitError(f"{where}: found {found(line)}; expected CAMERA_ID MODEL WIDTH HEIGHT PARAMS.")
        camera, width, height = (_integer(where, words[index]) for index in (0, 2, 3))
        model = _model(f"{path.name}, camera {camera}", words[1])
        names = PARAMETERS[model]
        if len(words) != 4 + len(names):
            raise FitError(f"{where}: {model} has {len(names)} parameters, found {len(words) - 4}.")
        parameters = tuple(_number(where, word) for word in words[4:])
        yield camera, _camera(f"{path.name}, camera {camera}", model, width, height, parameters)


def _text_images(path: Path) -> Iterator[Image]:
    lines = _lines(path)
    for number, line in lines:
        if not _is_record(line):
            continue
        where = f"{path.name}, line {number}"
        words = line.split(maxsplit=9)  # the name may hold spaces
        if len(words) < 10:
            raise FitError(
                f"{where}: found {found(line)}; expected IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME."
            )
        pose = tuple(_number(where, word) for word in words[1:8])
        yield _image(f"{path.name}, image {found(words[9])}", words[9], _integer(where, words[8]), pose)
        next(lines, None)  # its points, which may be an empty line


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                yield number, line.strip()
    except UnicodeDecodeError as error:
        raise FitError(f"{path.name} is not UTF-8 text; export the model again.") from error


def _is_record(line: str) -> bool:
    return bool(line) and not line.startswith("#")


def _integer(where: str, word: str) -> int:
    try:
        return int(word)
    except ValueError as error:
        raise FitError(f"{where}: found {found(word)}; expected a whole number.") from error


def _number(where: str, word: str) -> float:
    try:
        return float(word)
    except ValueError as error:
        raise FitError(f"{where}: found {found(word)}; expected a number.") from error
