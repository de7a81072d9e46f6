# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Width and height of an image file from its header: PNG, JPEG and OpenEXR, without decoding."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from ..core.errors import FitError

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
EXR_MAGIC = b"\x76\x2f\x31\x01"
JPEG_START = b"\xff\xd8"
# Start-of-frame markers C0..CF without DHT (C4), JPG (C8) and DAC (CC).
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length


def read_image_size(path: Path) -> tuple[int, int] | None:
    """(width, height) in pixels, or None for a format that is not known here.

    Raises FitError where the file cannot be opened, is cut short, or says an impossible size.
    """
    try:
        with path.open("rb") as file:
            size = _read(file, path)
    except OSError as error:
        raise FitError(f"Image '{path}' cannot be read: {error.strerror}.") from error
    except struct.error as error:
        raise FitError(f"Image '{path}' is cut short; save or copy it again.") from error
    if size is not None and min(size) < 1:
        raise FitError(f"Image '{path}' says that it has {size[0]} x {size[1]} pixels; save it again.")
    return size


def _read(file: BinaryIO, path: Path) -> tuple[int, int] | None:
    start = file.read(8)
    if start == PNG_SIGNATURE:
        _, kind, width, height = struct.unpack(">I4sII", file.read(16))
        if kind != b"IHDR":
            raise FitError(f"Image '{path}' is not a valid PNG file; save it again.")
        return width, height
    if start.startswith(JPEG_START):
        file.seek(2)
        return _read_jpeg(file, path)
    if start.startswith(EXR_MAGIC):
        return _read_exr(file, path)
    return None


def _read_jpeg(file: BinaryIO, path: Path) -> tuple[int, int]:
    while True:
        prefix, marker = struct.unpack(">BB", file.read(2))
        if prefix != 0xFF:
            raise FitError(f"Image '{path}' is not a valid JPEG file; save it again.")
        while marker == 0xFF:  # fill bytes
            (marker,) = struct.unpack(">B", file.read(1))
        if marker in JPEG_BARE:
            continue
        (length,) = struct.unpack(">H", file.read(2))
        if marker in JPEG_FRAMES:
            _, height, width = struct.unpack(">BHH", file.read(5))
            return width, height
        file.seek(length - 2, 1)


def _read_exr(file: BinaryIO, path: Path) -> tuple[int, int]:
    """The display window; a data window that differs from it would shift the camera, so it is refused."""
    windows: dict[bytes, tuple[int, int, int, int]] = {}
    while len(windows) < 2:
        name = _read_text(file)
        if not name:
            raise FitError(f"Image '{path}' is an EXR file without windows in its header; save it again.")
        _read_text(file)  # type
        (length,) = struct.unpack("<i", file.read(4))
        if name in (b"dataWindow", b"displayWindow"):
            windows[name] = struct.unpack("<4i", file.read(16))
        elif length < 0:
            raise FitError(f"Image '{path}' is not a valid EXR file; save it again.")
        else:
            file.seek(length, 1)
    if windows[b"dataWindow"] != windows[b"displayWindow"]:
        raise FitError(
            f"Image '{path}' is cropped (its data and display windows differ); save the whole frame."
        )
    left, bottom, right, top = windows[b"displayWindow"]
    return right - left + 1, top - bottom + 1


def _read_text(file: BinaryIO) -> bytes:
    """A string that ends with a zero byte, of at most 255 bytes as the format says."""
    text = bytearray()
    while len(text) < 256:
        (byte,) = struct.unpack("B", file.read(1))
        if byte == 0:
            break
        text.append(byte)
    return bytes(text)
