# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pixels in fewer bytes, to the last bit the same again: 8-bit codes, half floats, or floats as they are.

What came from an 8-bit file and was neither scaled nor undistorted takes 3 or 4 bytes a pixel instead of 16.
Nothing need say where pixels came from: a packing is taken where unpacking gives back every bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .colour import SRGB_TABLE, linear_to_srgb

Array = NDArray[np.float32]

ROWS = 64  # packed and unpacked at once: what stays in the processor's cache
# Blender multiplies 8-bit values by 1 / 255.
LINEAR_TABLE = np.arange(256, dtype=np.float32) * np.float32(1.0 / 255.0)


@dataclass(frozen=True, eq=False)
class Packed:
    """Pixels of ``shape`` in ``data``, in the way that ``form`` names."""

    form: str
    shape: tuple[int, ...]
    data: NDArray[Any]


@dataclass(frozen=True, eq=False)
class _Form:
    """pack: rows to what stands for them. unpack: back, into float32 rows of the shape given last."""

    pack: Callable[[Array], NDArray[Any]]
    unpack: Callable[[NDArray[Any], Array], None]
    is_for: Callable[[Array], bool]


def pack(pixels: Array) -> Packed:
    """Pixels (H, W) or (H, W, C) float32 in the shortest form that gives back every bit."""
    for name, form in _FORMS.items():
        if form.is_for(pixels):
            data = _packed(pixels, form)
            if data is not None:
                return Packed(name, pixels.shape, data)
    return Packed("floats", pixels.shape, np.ascontiguousarray(pixels))


def unpack(packed: Packed) -> Array:
    """The pixels that were packed."""
    if packed.form == "floats":
        return packed.data.reshape(packed.shape)
    form = _FORMS[packed.form]
    pixels = np.empty(packed.shape, np.float32)
    data = packed.data.reshape(*packed.shape[:2], -1)
    for start in range(0, packed.shape[0], ROWS):
        form.unpack(data[start : start + ROWS], pixels[start : start + ROWS])
    return pixels


def unpack_at(packed: Packed, at: NDArray[np.intp]) -> Array:
    """(N,) or (N, C): the pixels at flat indices (N,)."""
    height, width, *channels = packed.shape
    if not len(at):
        return np.empty((0, *channels), np.float32)
    data = packed.data.reshape(height * width, -1).take(at, axis=0)
    return unpack(Packed(packed.form, (1, len(at), *channels), data))[0]  # as a picture of one row


def _packed(pixels: Array, form: _Form) -> NDArray[np.uint8] | NDArray[np.float16] | None:
    """None as soon as a pixel does not come back as it was."""
    blocks = []
    back = np.empty_like(pixels[:ROWS])
    for start in range(0, pixels.shape[0], ROWS):
        rows = pixels[start : start + ROWS]
        data = form.pack(rows)
        again = back[: len(rows)]
        form.unpack(data.reshape(*rows.shape[:2], -1), again)
        if not np.array_equal(again.view(np.uint32), np.ascontiguousarray(rows).view(np.uint32)):
            return None
        blocks.append(data)
    return np.concatenate(blocks)


def _nearest_codes(values: Array) -> NDArray[np.uint8]:
    return (np.clip(values, 0.0, 1.0) * np.float32(255.0) + np.float32(0.5)).astype(np.uint8)


def _pack_opaque(rows: Array, is_srgb: bool) -> NDArray[np.uint8]:
    colours = rows[..., :3]
    return _nearest_codes(linear_to_srgb(colours) if is_srgb else colours)


def _pack_with_alpha(rows: Array, is_srgb: bool) -> NDArray[np.uint8]:
    alpha = rows[..., 3:]
    colours = np.divide(rows[..., :3], alpha, out=np.zeros_like(rows[..., :3]), where=alpha > 0.0)
    codes = _nearest_codes(linear_to_srgb(colours) if is_srgb else colours)
    return np.concatenate((codes, _nearest_codes(alpha)), axis=2)


def _unpack_opaque(data: NDArray[np.uint8], rows: Array, table: Array) -> None:
    rows[..., :3] = np.take(table, data)
    rows[..., 3] = 1.0


def _unpack_with_alpha(data: NDArray[np.uint8], rows: Array, table: Array) -> None:
    np.take(table, data, out=rows, mode="clip")
    alpha = LINEAR_TABLE.take(data[..., 3])
    rows[..., 3] = alpha
    if (alpha < 1.0).any():
        for channel in range(3):
            rows[..., channel] *= alpha


def _unpack_plain(data: NDArray[Any], rows: Array) -> None:
    rows[...] = data.reshape(rows.shape)


def _unpack_codes(data: NDArray[np.uint8], rows: Array) -> None:
    np.take(LINEAR_TABLE, data.reshape(rows.shape), out=rows, mode="clip")


def _is_colour(pixels: Array) -> bool:
    return pixels.ndim == 3 and pixels.shape[2] == 4


def _is_opaque(pixels: Array) -> bool:
    return _is_colour(pixels) and bool((pixels[..., 3] == 1.0).all())


def _is_anything(pixels: Array) -> bool:
    return True


def _halves(rows: Array) -> NDArray[np.float16]:
    with np.errstate(over="ignore"):  # infinite: not what was there
        return rows.astype(np.float16)


# Shortest first. In each, what does not come back is found in the first rows, as a rule.
_FORMS = {
    "opaque sRGB": _Form(
        lambda rows: _pack_opaque(rows, True),
        lambda data, rows: _unpack_opaque(data, rows, SRGB_TABLE),
        _is_opaque,
    ),
    "opaque linear": _Form(
        lambda rows: _pack_opaque(rows, False),
        lambda data, rows: _unpack_opaque(data, rows, LINEAR_TABLE),
        _is_opaque,
    ),
    "sRGB": _Form(
        lambda rows: _pack_with_alpha(rows, True),
        lambda data, rows: _unpack_with_alpha(data, rows, SRGB_TABLE),
        _is_colour,
    ),
    "linear": _Form(
        lambda rows: _pack_with_alpha(rows, False),
        lambda data, rows: _unpack_with_alpha(data, rows, LINEAR_TABLE),
        _is_colour,
    ),
    "codes": _Form(_nearest_codes, _unpack_codes, lambda pixels: not _is_colour(pixels)),
    "halves": _Form(_halves, _unpack_plain, _is_anything),
}
