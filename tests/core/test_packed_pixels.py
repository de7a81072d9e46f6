# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packed pixels come back bit for bit, and what came from an 8-bit file takes a quarter of the room."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from sge_addon.core.colour import SRGB_TABLE
from sge_addon.core.packed_pixels import LINEAR_TABLE, ROWS, pack, unpack, unpack_at

HEIGHT, WIDTH = 2 * ROWS + 3, 40
RANDOM = np.random.default_rng(7)


def codes(channels: int) -> NDArray[np.uint8]:
    """Of every value, transparent and opaque pixels among them."""
    made = RANDOM.integers(0, 256, (HEIGHT, WIDTH, channels), np.uint8)
    made[0, :, :] = 255
    made[1, :, -1] = 0
    return made


def file_pixels(table: NDArray[np.float32], *, alpha: bool) -> NDArray[np.float32]:
    """(H, W, 4) premultiplied, as an 8-bit file decodes."""
    stored = codes(4)
    pixels = table[stored]
    pixels[..., 3] = LINEAR_TABLE[stored[..., 3]] if alpha else 1.0
    pixels[..., :3] *= pixels[..., 3:]
    return pixels


CASES: dict[str, tuple[Callable[[], NDArray[np.float32]], int]] = {
    "sRGB photo": (lambda: file_pixels(SRGB_TABLE, alpha=False), 3),
    "sRGB with alpha": (lambda: file_pixels(SRGB_TABLE, alpha=True), 4),
    "raw photo": (lambda: file_pixels(LINEAR_TABLE, alpha=False), 3),
    "raw with alpha": (lambda: file_pixels(LINEAR_TABLE, alpha=True), 4),
    "mask": (lambda: LINEAR_TABLE[codes(1)[..., 0]], 1),
    "normals of 8 bits": (lambda: LINEAR_TABLE[codes(3)], 3),
    "half floats": (lambda: RANDOM.normal(size=(HEIGHT, WIDTH, 4)).astype(np.float16).astype(np.float32), 8),
    "floats": (lambda: RANDOM.normal(size=(HEIGHT, WIDTH, 4)).astype(np.float32), 16),
    "beyond half floats": (lambda: np.full((HEIGHT, WIDTH, 4), 1e6, np.float32), 16),
}


@pytest.mark.parametrize("case", CASES)
def test_every_bit_comes_back_from_as_few_bytes(case: str) -> None:
    make, bytes_a_pixel = CASES[case]
    pixels = make()
    packed = pack(pixels)
    assert packed.data.nbytes == bytes_a_pixel * HEIGHT * WIDTH
    assert unpack(packed).tobytes() == pixels.tobytes()


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("count", [0, 1, 500])
def test_a_few_pixels_come_back_as_with_all(case: str, count: int) -> None:
    pixels = CASES[case][0]()
    at = RANDOM.integers(0, HEIGHT * WIDTH, count)
    found = unpack_at(pack(pixels), at)
    wanted = pixels.reshape(HEIGHT * WIDTH, *pixels.shape[2:])[at]
    assert found.shape == wanted.shape
    assert found.tobytes() == wanted.tobytes()


def test_one_pixel_that_is_none_of_256_values_makes_floats_of_all() -> None:
    pixels = file_pixels(SRGB_TABLE, alpha=True)
    pixels[-1, -1, 0] = np.nextafter(np.float32(0.3), np.float32(1.0))
    packed = pack(pixels)
    assert packed.form == "floats"
    assert unpack(packed).tobytes() == pixels.tobytes()


def test_the_sign_of_zero_counts() -> None:
    pixels = np.zeros((HEIGHT, WIDTH, 4), np.float32)
    pixels[2, 3, 1] = -0.0
    assert unpack(pack(pixels)).tobytes() == pixels.tobytes()


def test_columns_of_a_wider_image_are_packed_too() -> None:
    wide = file_pixels(SRGB_TABLE, alpha=True)
    assert unpack(pack(wide[:, ::2])).tobytes() == np.ascontiguousarray(wide[:, ::2]).tobytes()
