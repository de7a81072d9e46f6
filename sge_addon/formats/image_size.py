# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Width and height of an image file from its header alone: PNG, JPEG, OpenEXR, TIFF, WebP and BMP."""

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
TIFF_ORDER = {b"II*\0": "<", b"MM\0*": ">"}
TIFF_WIDTH, TIFF_HEIGHT = 256, 257  # tags
TIFF_NUMBERS = {3: "H2x", 4: "I"}  # by the tag's type, in its field of 4 bytes
LARGEST_SIDE = 65536
LARGEST_PIXELS = 1 << 28  # 4 GB as 32-bit floats with alpha


def read_image_size(path: Path) -> tuple[int, int]:
    """(width, height) in pixels.

    Raises FitError where the file cannot be opened, is cut short, is of another format, or says a size
    that is impossible or beyond what can be held.
    """
    try:
        with path.open("rb") as file:
            width, height = _read(file, path)
    except OSError as error:
        raise FitError(f"Image '{path}' cannot be read: {error.strerror}.") from error
    except struct.error as error:
        raise FitError(f"Image '{path}' is cut short; save or copy it again.") from error
    if min(width, height) < 1:
        raise FitError(f"Image '{path}' says that it has {width} x {height} pixels; save it again.")
    if max(width, height) > LARGEST_SIDE or width * height > LARGEST_PIXELS:
        raise FitError(
            f"Image '{path}' says that it has {width} x {height} pixels; at most {LARGEST_SIDE} a side and "
            f"{LARGEST_PIXELS // 10**6} million in all are read: scale it down."
        )
    return width, height


def _read(file: BinaryIO, path: Path) -> tuple[int, int]:
    start = file.read(12)
    if start.startswith(PNG_SIGNATURE):
        file.seek(8)
        _, kind, width, height = struct.unpack(">I4sII", file.read(16))
        if kind != b"IHDR":
            raise FitError(f"Image '{path}' is not a valid PNG file; save it again.")
        return width, height
    if start.startswith(JPEG_START):
        file.seek(2)
        return _read_jpeg(file, path)
    if start.startswith(EXR_MAGIC):
        file.seek(8)
        return _read_exr(file, path)
    if start[:4] in TIFF_ORDER:
        file.seek(4)
        return _read_tiff(file, path, TIFF_ORDER[start[:4]])
    if start.startswith(b"RIFF") and start.endswith(b"WEBP"):
        return _read_webp(file, path)
    if start.startswith(b"BM"):
        file.seek(14)
        (length,) = struct.unpack("<I", file.read(4))
        width, height = (
            struct.unpack("<HH", file.read(4)) if length == 12 else struct.unpack("<ii", file.read(8))
        )
        return width, abs(height)  # negative where the first row is the top one
    raise FitError(
        f"Image '{path}' is not a PNG, JPEG, EXR, TIFF, WebP or BMP file; save it as one of these."
    )


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


def _read_tiff(file: BinaryIO, path: Path, order: str) -> tuple[int, int]:
    """Of the first image in the file."""
    (offset,) = struct.unpack(order + "I", file.read(4))
    file.seek(offset)
    (count,) = struct.unpack(order + "H", file.read(2))
    sides: dict[int, int] = {}
    for _ in range(count):
        tag, kind, _, value = struct.unpack(order + "HHI4s", file.read(12))
        if tag in (TIFF_WIDTH, TIFF_HEIGHT) and kind in TIFF_NUMBERS:
            (sides[tag],) = struct.unpack(order + TIFF_NUMBERS[kind], value)
    if len(sides) != 2:
        raise FitError(f"Image '{path}' is a TIFF file without a size in its header; save it again.")
    return sides[TIFF_WIDTH], sides[TIFF_HEIGHT]


def _read_webp(file: BinaryIO, path: Path) -> tuple[int, int]:
    """From the first chunk, which is one of three kinds."""
    kind, _, content = struct.unpack("<4sI10s", file.read(18))
    if kind == b"VP8X":
        return 1 + int.from_bytes(content[4:7], "little"), 1 + int.from_bytes(content[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(content[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", content[6:10])
        return width & 0x3FFF, height & 0x3FFF
    raise FitError(f"Image '{path}' is not a valid WebP file; save it again.")


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
