# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pixels of references: arrays while there is room, beyond that packed in a temporary file.

What is stored comes back bit for bit, so that a fit ends the same however little room there is. Files that
pixels were read from may go away meanwhile.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .errors import FitError, PixelsLost
from .memory_budget import REFERENCES, UNPACKED
from .packed_pixels import Packed, pack, unpack, unpack_at
from .pixels import Image, Indices, Pixels, PlainPixels, taken


@dataclass(frozen=True, eq=False)
class _Stored:
    """Where one array lies. owner: begins messages."""

    owner: str
    form: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    count: int
    offset: int


class PixelStore:
    """Keeps pixels for as long as anything refers to them.

    resident: bytes of arrays that stay as they are. unpacked: bytes of what was read back last, least
    recently used first out. folder: of the temporary file, which nobody else sees; None for the system's.
    """

    def __init__(self, resident: int = REFERENCES, unpacked: int = UNPACKED, folder: str | None = None):
        self._room = resident
        self._unpacked = unpacked
        self._folder = folder or tempfile.gettempdir()
        self._file: Any = None  # raw, in whatever the system wraps it
        self._recent: OrderedDict[_Stored, Image] = OrderedDict()
        self._recent_bytes = 0

    def kept(self, pixels: PlainPixels, owner: str) -> Pixels:
        """The pixels as they stay: themselves where there is room, else stored.

        owner: whose they are, begins messages, as "Reference 'Left'". Raises FitError where the disk is full.
        """
        if pixels.nbytes <= self._room:
            self._room -= pixels.nbytes
            return pixels
        return StoredPixels(
            self,
            owner,
            self._write(pixels.colour, owner),
            None if pixels.normal is None else self._write(pixels.normal, owner),
            None if pixels.weight is None else self._write(pixels.weight, owner),
        )

    def read(self, stored: _Stored) -> Image:
        """The array, which is not to be written to. Raises PixelsLost."""
        found = self._recent.get(stored)
        if found is not None:
            self._recent.move_to_end(stored)
            return found
        array = unpack(self._packed(stored))
        array.flags.writeable = False  # others will get the same
        self._recent[stored] = array
        self._recent_bytes += array.nbytes
        while self._recent_bytes > self._unpacked and len(self._recent) > 1:
            self._recent_bytes -= self._recent.popitem(last=False)[1].nbytes
        return array

    def read_at(self, stored: _Stored, at: Indices) -> Image:
        """The array's pixels at flat indices (N,), without unpacking the others. Raises PixelsLost."""
        found = self._recent.get(stored)
        if found is not None:
            return taken(found, at)
        return unpack_at(self._packed(stored), at)

    def _write(self, array: Image, owner: str) -> _Stored:
        packed = pack(array)
        try:
            if self._file is None:
                # Open for as long as the store lives, and gone with it.
                self._file = tempfile.TemporaryFile(  # noqa: SIM115
                    prefix="sge_fit_", dir=self._folder, buffering=0
                )
                weakref.finalize(self, self._file.close)
            offset = self._file.seek(0, 2)
            written, data = 0, packed.data.data.cast("B")
            while written < len(data):
                written += self._file.write(data[written:])
        except OSError as error:
            raise FitError(
                f"{owner}: its pixels cannot be put aside in '{self._folder}' ({error.strerror}; "
                f"{_free_space(self._folder)}). Make room, choose another folder for Temporary Files in "
                "Blender's preferences (File Paths), or lower the fit's Resolution."
            ) from error
        return _Stored(owner, packed.form, packed.shape, packed.data.dtype, packed.data.size, offset)

    def _packed(self, stored: _Stored) -> Packed:
        data = np.empty(stored.count, stored.dtype)
        try:
            self._file.seek(stored.offset)
            left = data.data.cast("B")
            while left:
                count = self._file.readinto(left)
                if not count:
                    raise PixelsLost(_lost(stored, self._folder, "it has become shorter"))
                left = left[count:]
        except OSError as error:
            raise PixelsLost(_lost(stored, self._folder, error.strerror or str(error))) from error
        return Packed(stored.form, stored.shape, data)


@dataclass(frozen=True, eq=False)
class StoredPixels:
    """Pixels in a store's file, unpacked when they are asked for."""

    store: PixelStore
    owner: str
    stored_colour: _Stored
    stored_normal: _Stored | None
    stored_weight: _Stored | None

    @property
    def colour(self) -> Image:
        """As of Pixels."""
        return self.store.read(self.stored_colour)

    @property
    def normal(self) -> Image | None:
        """As of Pixels."""
        return None if self.stored_normal is None else self.store.read(self.stored_normal)

    @property
    def weight(self) -> Image | None:
        """As of Pixels."""
        return None if self.stored_weight is None else self.store.read(self.stored_weight)

    def colour_at(self, at: Indices) -> Image:
        """As of Pixels."""
        return self.store.read_at(self.stored_colour, at)

    def normal_at(self, at: Indices) -> Image | None:
        """As of Pixels."""
        return None if self.stored_normal is None else self.store.read_at(self.stored_normal, at)

    @property
    def size(self) -> tuple[int, int]:
        """As of Pixels."""
        return self.stored_colour.shape[0], self.stored_colour.shape[1]

    @property
    def has_normal(self) -> bool:
        """As of Pixels."""
        return self.stored_normal is not None

    def kept(self, pixels: PlainPixels) -> Pixels:
        """As of Pixels."""
        return self.store.kept(pixels, self.owner)

    def divided(self, factors: Image) -> Pixels:
        """As of Pixels."""
        return _DividedPixels(self, factors)


@dataclass(frozen=True, eq=False)
class _DividedPixels:
    """Stored pixels with colours divided each time they are asked for: factors change as a fit goes on."""

    given: StoredPixels
    factors: Image

    @property
    def colour(self) -> Image:
        return self.given.colour / self.factors

    @property
    def normal(self) -> Image | None:
        return self.given.normal

    @property
    def weight(self) -> Image | None:
        return self.given.weight

    def colour_at(self, at: Indices) -> Image:
        return self.given.colour_at(at) / self.factors

    def normal_at(self, at: Indices) -> Image | None:
        return self.given.normal_at(at)

    @property
    def size(self) -> tuple[int, int]:
        return self.given.size

    @property
    def has_normal(self) -> bool:
        return self.given.has_normal

    def kept(self, pixels: PlainPixels) -> Pixels:
        return self.given.kept(pixels)

    def divided(self, factors: Image) -> Pixels:
        return _DividedPixels(self.given, self.factors * factors)


def _free_space(folder: str) -> str:
    try:
        return f"{shutil.disk_usage(Path(folder)).free / 1e9:.1f} GB are free"
    except OSError:
        return "it cannot be looked into"


def _lost(stored: _Stored, folder: str, reason: str) -> str:
    return (
        f"{stored.owner}: its pixels cannot be read back from the temporary file in '{folder}' ({reason}). "
        "What was reached is kept; choose another folder for Temporary Files in Blender's preferences (File "
        "Paths), and fit again."
    )
