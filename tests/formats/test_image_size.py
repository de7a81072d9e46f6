# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes from image headers: written by hand after the formats' specifications, and by other tools."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from sge_addon.core.errors import FitError
from sge_addon.formats.image_size import read_image_size


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", width, height, 8, 6, 0, 0, 0)


def jpeg(width: int, height: int) -> bytes:
    # Start, a JFIF segment, a restart marker, a fill byte, a Huffman table, then a progressive frame.
    return (
        b"\xff\xd8\xff\xe0\x00\x04ab\xff\xd0\xff\xff\xc4\x00\x03x\xff\xc2"
        + struct.pack(">HBHHB", 17, 8, height, width, 3)
        + bytes(9)
    )


def exr(width: int, height: int, crop: int = 0) -> bytes:
    def attribute(name: str, kind: str, value: bytes) -> bytes:
        return name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(value)) + value

    return (
        b"\x76\x2f\x31\x01"
        + struct.pack("<I", 2)
        + attribute("compression", "compression", b"\x03")
        + attribute("dataWindow", "box2i", struct.pack("<4i", crop, 0, width - 1, height - 1))
        + attribute("displayWindow", "box2i", struct.pack("<4i", 0, 0, width - 1, height - 1))
    )


def size_of(folder: Path, content: bytes) -> tuple[int, int] | None:
    path = folder / "image"
    path.write_bytes(content)
    return read_image_size(path)


@pytest.mark.parametrize("header", [png, jpeg, exr])
def test_sizes_are_read(header, tmp_path: Path) -> None:
    assert size_of(tmp_path, header(640, 360)) == (640, 360)


@pytest.mark.parametrize("header", [png, jpeg, exr])
def test_every_cut_is_an_error_or_unknown(header, tmp_path: Path) -> None:
    whole = header(640, 360)
    for length in range(len(whole) - 10):
        try:
            size = size_of(tmp_path, whole[:length])
        except FitError:
            continue
        assert size in (None, (640, 360))


def test_unknown_formats_are_no_error(tmp_path: Path) -> None:
    assert size_of(tmp_path, b"II*\0 a TIFF file") is None
    assert size_of(tmp_path, b"") is None


@pytest.mark.parametrize("content", [png(0, 4), jpeg(4, 0), exr(0, 4), exr(8, 8, crop=2)])
def test_impossible_and_cropped_sizes_are_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(FitError, match="image"):
        size_of(tmp_path, content)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FitError, match="cannot be read"):
        read_image_size(tmp_path / "nowhere.png")


def test_photos_and_renders_of_other_tools(data: Path) -> None:
    assert read_image_size(data / "fox" / "images" / "0001.jpg") == (1080, 1920)
    assert read_image_size(data / "t1_512" / "train" / "000.png") == (512, 512)
