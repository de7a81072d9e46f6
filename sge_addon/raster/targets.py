# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Framebuffers, kept by size from one pass to the next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import gpu


def kind_of(format: str) -> str:
    """What an attachment of a format is cleared and read as: 'FLOAT' or 'UINT'."""
    return "UINT" if format == "R32UI" else "FLOAT"


def channels_of(format: str) -> int:
    """Numbers a pixel."""
    return 4 if format.startswith("RGBA") else 1


class Target:
    """Colour attachments by name, with or without depth, and their framebuffer.

    stale: attachments that keep what was drawn before where nothing is drawn: a clear costs 0.15 ns a byte.
    """

    def __init__(self, width: int, height: int, formats: dict[str, str], depth: bool = True) -> None:
        self.width, self.height = width, height
        self.formats = formats
        self.stale: frozenset[str] = frozenset()
        self._is_clear = False
        self.textures = {
            name: gpu.types.GPUTexture((width, height), format=format) for name, format in formats.items()
        }
        self._depth = gpu.types.GPUTexture((width, height), format="DEPTH_COMPONENT32F") if depth else None
        self.framebuffer = gpu.types.GPUFrameBuffer(
            depth_slot=self._depth, color_slots=list(self.textures.values())
        )

    def clear(self) -> None:
        """Zeros everywhere, if stale only at first; depth at the far plane; the framebuffer must be bound."""
        for name, texture in self.textures.items():
            if name in self.stale and self._is_clear:
                continue
            # An integer attachment is undefined after a framebuffer's colour clear.
            if kind_of(self.formats[name]) == "UINT":
                texture.clear(format="UINT", value=(0,))
            else:
                texture.clear(format="FLOAT", value=(0.0, 0.0, 0.0, 0.0)[: channels_of(self.formats[name])])
        self._is_clear = True
        if self._depth is not None:
            self.framebuffer.clear(depth=1.0)


class TargetPool:
    """Targets by size and formats. Only a few stay, and only while there is use for them: one of 2048 x 2048
    pixels takes up to half a gigabyte, with what it is read into.

    capacity: the most targets. patience: how many requests for others one outlives.
    """

    def __init__(self, capacity: int = 32, patience: int = 64) -> None:
        self._targets: dict[tuple, Target] = {}  # most recent last
        self._last: dict[tuple, int] = {}  # the number of the last request for each
        self._capacity = capacity
        self._patience = patience
        self._requests = 0

    def get(self, use: str, width: int, height: int, formats: dict[str, str], depth: bool = True) -> Target:
        """use: tells targets apart that must not share textures."""
        key = (use, width, height, tuple(formats.items()), depth)
        target = self._targets.pop(key, None) or Target(width, height, formats, depth)
        self._targets[key] = target
        self._requests += 1
        self._last[key] = self._requests
        oldest = next(iter(self._targets))
        while len(self._targets) > self._capacity or self._requests - self._last[oldest] > self._patience:
            del self._targets[oldest], self._last[oldest]
            oldest = next(iter(self._targets))
        return target

    def begin(self) -> None:
        """Begin what was drawn last, if something else is done before it is read: a rasteriser may gather the
        commands for one framebuffer until they are asked for, or another one is drawn into."""
        other = self.get("begin", 1, 1, {"nothing": "R32F"}, depth=False)
        with other.framebuffer.bind():
            other.framebuffer.clear(color=(0.0, 0.0, 0.0, 0.0))


@contextmanager
def drawing(target: Target, depth_test: str) -> Iterator[None]:
    """Bind a target, with the state that our passes need; a window's own comes back afterwards."""
    state = gpu.state
    before = (state.depth_test_get(), state.depth_mask_get(), state.blend_get())
    with target.framebuffer.bind():
        state.depth_test_set(depth_test)
        state.depth_mask_set(depth_test != "NONE")
        state.blend_set("NONE")
        state.face_culling_set("NONE")
        state.front_facing_set(False)  # counter-clockwise, as windows leave it, too
        try:
            yield
        finally:
            state.depth_test_set(before[0])
            state.depth_mask_set(before[1])
            state.blend_set(before[2])
            state.face_culling_set("NONE")
