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


def tiff(width: int, height: int, order: str = "<", kind: int = 4) -> bytes:
    def entry(tag: int, value: int) -> bytes:
        return struct.pack(order + "HHI", tag, kind, 1) + struct.pack(
            order + ("I" if kind == 4 else "H2x"), value
        )

    start = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 20) + bytes(12)
    return start + struct.pack(order + "H", 3) + entry(256, width) + entry(257, height) + entry(258, 8)


def big_tiff(width: int, height: int) -> bytes:
    return tiff(width, height, ">", 3)


def bmp(width: int, height: int) -> bytes:
    return b"BM" + bytes(12) + struct.pack("<Iii", 40, width, -height) + bytes(10)


def webp(width: int, height: int) -> bytes:
    return (
        b"RIFF\0\0\0\0WEBPVP8 " + bytes(4) + bytes(6) + struct.pack("<HH", width, height | 0x4000) + bytes(10)
    )


def webp_lossless(width: int, height: int) -> bytes:
    bits = (width - 1) | (height - 1) << 14
    return b"RIFF\0\0\0\0WEBPVP8L" + bytes(4) + b"\x2f" + struct.pack("<I", bits) + bytes(15)


def webp_extended(width: int, height: int) -> bytes:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF\0\0\0\0WEBPVP8X" + bytes(4) + bytes(4) + sides + bytes(10)


HEADERS = [png, jpeg, exr, tiff, big_tiff, bmp, webp, webp_lossless, webp_extended]


def size_of(folder: Path, content: bytes) -> tuple[int, int]:
    path = folder / "image"
    path.write_bytes(content)
    return read_image_size(path)


@pytest.mark.parametrize("header", HEADERS)
def test_sizes_are_read(header, tmp_path: Path) -> None:
    assert size_of(tmp_path, header(640, 360)) == (640, 360)


@pytest.mark.parametrize("header", HEADERS)
def test_every_cut_is_an_error(header, tmp_path: Path) -> None:
    whole = header(640, 360)
    refused = 0
    for length in range(len(whole) - 10):
        try:
            assert size_of(tmp_path, whole[:length]) == (640, 360)
        except FitError:
            refused += 1
    assert refused > 15


@pytest.mark.parametrize("content", [b"", b"GIF89a\1\0\1\0", b"%PDF-1.7", b"<svg/>"])
def test_other_formats_are_refused_before_they_are_loaded(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(FitError, match=r"is not a PNG.*save it as one of these"):
        size_of(tmp_path, content)


@pytest.mark.parametrize("content", [png(70000, 2), tiff(30000, 30000), exr(2**31 - 1, 2**31 - 1)])
def test_sizes_that_no_memory_holds_are_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(FitError, match=r"says that it has \d+ x \d+ pixels; at most 65536.*scale it down"):
        size_of(tmp_path, content)


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
