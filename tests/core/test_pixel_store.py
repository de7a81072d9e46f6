# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pixels beyond a budget lie in a file, and come back as they were; a few of them stay at hand."""

from __future__ import annotations

import errno
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sge_addon.core import pixel_store
from sge_addon.core.errors import FitError, PixelsLost, TargetLost
from sge_addon.core.pixel_store import PixelStore, StoredPixels
from sge_addon.core.pixels import PlainPixels
from sge_addon.core.reference import Reference
from sge_addon.core.view import View, perspective

SIDE = 16
COLOUR = SIDE * SIDE * 16  # bytes of one image of colour


def reference(name: str, *, seed: int = 0, normal: bool = False, weight: bool = False) -> Reference:
    random = np.random.default_rng(seed)
    view = View(name, np.eye(4), perspective(10, 10, SIDE / 2, SIDE / 2, SIDE, SIDE), SIDE, SIDE)
    return Reference(
        view,
        random.random((SIDE, SIDE, 4), np.float32),
        has_alpha=True,
        normal=random.random((SIDE, SIDE, 3), np.float32) if normal else None,
        weight=random.random((SIDE, SIDE), np.float32) if weight else None,
    )


def bits(shown: Reference) -> list[bytes | None]:
    images = (shown.colour, shown.normal, shown.weight)
    return [None if image is None else image.tobytes() for image in images]


def test_what_fits_stays_as_it_is_and_the_rest_is_put_aside() -> None:
    store = PixelStore(resident=2 * COLOUR, unpacked=0)
    given = [reference(str(number), seed=number) for number in range(4)]
    kept = [each.stored(store) for each in given]
    assert [isinstance(each.pixels, StoredPixels) for each in kept] == [False, False, True, True]
    assert kept[0].pixels is given[0].pixels
    assert [bits(each) for each in kept] == [bits(each) for each in given]


@pytest.mark.parametrize("normal", [False, True])
@pytest.mark.parametrize("weight", [False, True])
def test_all_that_a_reference_shows_comes_back(normal: bool, weight: bool) -> None:
    given = reference("Left", normal=normal, weight=weight)
    kept = given.stored(PixelStore(resident=0))
    assert bits(kept) == bits(given)
    assert kept.has_normal == normal
    assert kept.stored(PixelStore(resident=1 << 30)) is kept  # it lies where it lies


def test_what_was_asked_for_last_stays_at_hand() -> None:
    store = PixelStore(resident=0, unpacked=2 * COLOUR)
    first, second, third = (reference(str(number), seed=number).stored(store) for number in range(3))
    arrays = [first.colour, second.colour]
    assert first.colour is arrays[0]  # now the second is the oldest
    third.colour.sum()
    assert first.colour is arrays[0]
    assert second.colour is not arrays[1]
    np.testing.assert_array_equal(second.colour, arrays[1])


def test_no_more_is_at_hand_than_the_budget() -> None:
    store = PixelStore(resident=0, unpacked=3 * COLOUR)
    kept = [reference(str(number), seed=number).stored(store) for number in range(8)]
    seen: list[weakref.ref[np.ndarray]] = []
    for each in (*kept, *kept):
        seen.append(weakref.ref(each.colour))
        assert sum(array() is not None for array in seen) <= 3


@pytest.mark.parametrize("is_at_hand", [False, True])
def test_a_few_pixels_are_read_without_the_others(is_at_hand: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    given = reference("Left", normal=True)
    kept, at = given.stored(PixelStore(resident=0)), np.array([200, 3, 3, SIDE * SIDE - 1])
    if is_at_hand:
        bits(kept)

    def no_unpacking(_packed: object) -> None:
        raise AssertionError("a whole image was unpacked")

    monkeypatch.setattr(pixel_store, "unpack", no_unpacking)
    colour, factors = given.colour.reshape(-1, 4)[at], np.float32([1.1, 0.9, 2.0, 1.0])
    for each in (given, kept):
        np.testing.assert_array_equal(each.colour_at(at), colour)
        np.testing.assert_array_equal(each.divided(factors).colour_at(at), colour / factors)
        for normals in (each, each.divided(factors)):
            np.testing.assert_array_equal(normals.normal_at(at), given.normal.reshape(-1, 3)[at])
    assert reference("Right").stored(PixelStore(resident=0)).normal_at(at) is None


def test_nobody_may_write_to_what_others_get_too() -> None:
    kept = reference("Left").stored(PixelStore(resident=0))
    with pytest.raises(ValueError, match="read-only"):
        kept.colour[0, 0, 0] = 0.5


def test_a_smaller_copy_is_the_same_from_either_place() -> None:
    given = reference("Left", normal=True, weight=True)
    kept = given.stored(PixelStore(resident=0))
    assert bits(kept.resized(5)) == bits(given.resized(5))
    assert isinstance(kept.resized(5).pixels, StoredPixels)


def test_divided_colours_are_the_same_from_either_place() -> None:
    given = reference("Left", weight=True)
    kept = given.stored(PixelStore(resident=0))
    factors = np.float32([1.1, 0.9, 2.0, 1.0])
    assert bits(kept.divided(factors)) == bits(given.divided(factors))
    again = np.float32([0.5, 4.0, 0.25, 1.0])
    assert bits(kept.divided(factors).divided(again)) == bits(given.divided(factors * again))


def test_other_attributes_change_without_a_look_at_pixels() -> None:
    kept = reference("Left").stored(PixelStore(resident=0))
    assert replace(kept, held_out=True, view=replace(kept.view, name="Right")).pixels is kept.pixels
    brighter = replace(kept, colour=2.0 * kept.colour)
    assert bits(brighter)[0] == (2.0 * kept.colour).tobytes()


def test_a_view_of_another_size_is_refused_for_stored_pixels() -> None:
    kept = reference("Left").stored(PixelStore(resident=0))
    with pytest.raises(FitError, match="Reference 'Left': its image has shape"):
        replace(kept, view=kept.view.resized(SIDE, SIDE // 2))


def test_a_full_disk_names_reference_and_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def seek(self, *_where: int) -> int:
            return 0

        def write(self, _data: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self) -> None:
            pass

    monkeypatch.setattr(pixel_store.tempfile, "TemporaryFile", lambda **_options: Full())
    with pytest.raises(FitError, match=r"Reference 'Left'.*No space left.*GB are free.*Temporary Files"):
        reference("Left").stored(PixelStore(resident=0))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FitError, match=r"Reference 'Left'.*nowhere"):
        reference("Left").stored(PixelStore(resident=0, folder=str(tmp_path / "nowhere")))


def test_a_file_that_was_cut_off_is_named() -> None:
    store = PixelStore(resident=0, unpacked=0)
    left, right = (reference(name, seed=len(name)).stored(store) for name in ("Left", "Right"))
    store._file.truncate(COLOUR + 5)
    assert left.colour.shape == (SIDE, SIDE, 4)
    with pytest.raises(PixelsLost, match=r"Reference 'Right'.*has become shorter"):
        right.colour.sum()
    assert issubclass(PixelsLost, TargetLost)  # drivers keep what was reached


def test_a_plain_copy_costs_nothing() -> None:
    pixels = PlainPixels(np.zeros((SIDE, SIDE, 4), np.float32))
    assert PixelStore(resident=COLOUR).kept(pixels, "Reference 'Left'") is pixels
