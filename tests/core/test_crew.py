# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Threads that share blocks: all are done once, whoever does them, and errors come through."""

import threading

import numpy as np
import pytest

from sge_addon.core import crew as crew_module
from sge_addon.core.crew import Crew, share_pixels, share_planes
from sge_addon.core.footprint import Footprint
from sge_addon.core.lookups import Lookups
from sge_addon.core.texture_pyramid import PyramidLayout
from sge_addon.core.working_memory import WorkingMemory


@pytest.fixture(params=[1, 3])
def processors(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(crew_module.os, "cpu_count", lambda: request.param)
    return request.param


@pytest.mark.parametrize("count", [0, 1, 2, 7, 12])
def test_every_block_is_done_once(processors: int, count: int) -> None:
    done: list[int] = []
    Crew(list, least_blocks=2).share(range(count), lambda blocks, room: done.extend(blocks))
    assert sorted(done) == list(range(count))


@pytest.mark.parametrize("length", [0, 1, 5, 11, 12, 100, 101])
def test_blocks_are_of_one_size_and_as_many_for_each(processors: int, length: int) -> None:
    blocks = Crew(list, least_blocks=2).blocks_of(length, least=4, most=10)
    assert np.concatenate([np.arange(length)[each] for each in blocks] or [[]]).tolist() == list(
        range(length)
    )
    sizes = [each.stop - each.start for each in blocks]
    assert max(sizes, default=0) <= 10
    assert max(sizes, default=0) - min(sizes, default=0) <= 1
    assert len(blocks) <= 1 or min(sizes) >= 4
    if length >= 4 * processors:
        assert len(blocks) % processors == 0
    else:
        assert len(blocks) == (max(1, length // 4) if length else 0)


@pytest.mark.parametrize("bad", [0, 5])
def test_an_error_comes_through_when_the_others_are_done(processors: int, bad: int) -> None:
    crew = Crew(list, least_blocks=2)
    finished = threading.Event()

    def work(blocks: range, room: list) -> None:
        if bad in blocks:
            raise ValueError("bad block")
        finished.set()

    with pytest.raises(ValueError, match="bad block"):
        crew.share(range(6), work)
    assert finished.is_set() or processors == 1


def test_textures_are_read_with_the_same_bits_by_any_number_of_threads(
    processors: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(5)
    count = 3 * max(crew_module.PIXELS_AT_ONCE)
    layout = PyramidLayout(64, 32)
    lookups = Lookups(
        np.arange(count),
        np.ones((1, count), np.uint32),
        rng.random((4, count), dtype=np.float32),
        rng.random((4, count), dtype=np.float32),
        rng.uniform(-1.0, 3.0, (1, count)).astype(np.float32),
    )
    footprint = Footprint(lookups, np.zeros(1, np.int32), 0, layout)
    pyramid = layout.pack(rng.random((64, 32, 3), dtype=np.float32))
    shared = Crew(WorkingMemory, least_blocks=2)
    monkeypatch.setattr(crew_module, "pixel_crew", lambda: shared)
    found = footprint.read(pyramid)
    first, weights = footprint._first_texels(slice(None)), footprint._weights(slice(None))
    texels = first + np.reshape(footprint._corners, (4, 1, 1))
    for channel, plane in enumerate(pyramid):
        taps = plane[texels].reshape(-1, count), weights.reshape(-1, count)
        assert (found[:, channel] == np.einsum("tp,tp->p", *taps)).all()


@pytest.mark.parametrize("size", [10, crew_module.LARGE_PLANE])
def test_every_plane_and_every_pixel_is_done_once(
    processors: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = Crew(WorkingMemory, least_blocks=2)
    monkeypatch.setattr(crew_module, "pixel_crew", lambda: shared)
    planes: list[int] = []
    share_planes(5, size, planes.append)
    assert sorted(planes) == list(range(5))
    pixels = np.zeros(size, int)

    def count(block: slice, _: WorkingMemory) -> None:
        pixels[block] += 1

    share_pixels(size, count)
    assert (pixels == 1).all()
