# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""NumPy arrays to and from GPU textures."""

from __future__ import annotations

import math
from weakref import WeakKeyDictionary

import gpu
import numpy as np
from numpy.typing import NDArray

from ..core.picture_area import Area
from .targets import Target, kind_of

TABLE_WIDTH = 1024  # mirrored in shaders/table.glsl


def table_size(count: int) -> tuple[int, int]:
    """Width and height of a table of ``count`` rows."""
    return TABLE_WIDTH, max(1, -(-count // TABLE_WIDTH))


def upload_table(rows: NDArray[np.float32]) -> gpu.types.GPUTexture:
    """(N, 4) float32 as a table texture; whole rows of the texture are padded with zeros."""
    width, height = table_size(len(rows))
    if len(rows) == width * height and rows.flags.c_contiguous:
        padded = rows
    else:
        padded = np.zeros((width * height, 4), np.float32)
        padded[: len(rows)] = rows
    return _upload(padded, (width, height), "RGBA32F")


def upload_image(image: NDArray[np.float32], format: str = "RGBA32F") -> gpu.types.GPUTexture:
    """(H, W, 4) float32 as a texture of the given format."""
    height, width = image.shape[:2]
    return _upload(np.ascontiguousarray(image, np.float32), (width, height), format)


def _upload(data: NDArray[np.float32], size: tuple[int, int], format: str) -> gpu.types.GPUTexture:
    buffer = gpu.types.Buffer("FLOAT", data.size, data)  # shares memory, checks nothing
    return gpu.types.GPUTexture(size, format=format, data=buffer)


def with_alpha(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """(..., 3) to (..., 4) with 1 in the last channel."""
    rgba = np.ones((*rgb.shape[:-1], 4), np.float32)
    rgba[..., :3] = rgb
    return rgba


class Reader:
    """Reads targets into arrays that are kept from one read to the next.

    An array is overwritten by the next read of the same target and slot.
    """

    def __init__(self) -> None:
        self._arrays: WeakKeyDictionary[Target, dict[int, tuple[gpu.types.Buffer, NDArray]]]
        self._arrays = WeakKeyDictionary()

    def read(self, target: Target, slot: int, channels: int, kind: str, area: Area | None = None) -> NDArray:
        """(height, width) or (height, width, channels); kind 'FLOAT' or 'UINT'. area: None for the whole."""
        arrays = self._arrays.setdefault(target, {})
        if slot not in arrays:
            array = np.empty(
                target.width * target.height * channels, np.float32 if kind == "FLOAT" else np.uint32
            )
            arrays[slot] = (gpu.types.Buffer(kind, array.size, array), array)
        buffer, array = arrays[slot]
        area = area or Area(0, 0, target.width, target.height, target.width)
        target.framebuffer.read_color(
            area.x, area.y, area.width, area.height, channels, slot, kind, data=buffer
        )
        shape = (*area.shape, channels) if channels > 1 else area.shape
        return array[: math.prod(shape)].reshape(shape)

    def wait(self, target: Target) -> None:
        """Return when everything drawn so far is done: one pixel is read."""
        kind = kind_of(next(iter(target.formats.values())))  # another is refused, and waits for nothing
        target.framebuffer.read_color(0, 0, 1, 1, 1, 0, kind, data=gpu.types.Buffer(kind, 1))
