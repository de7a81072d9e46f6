# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results into the scene while the fit runs, often enough to watch, seldom enough not to cost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.errors import TargetLost
from ..scene.height_write_back import HeightWriter
from ..scene.traces import Traces, object_traces
from ..scene.write_back import object_of, target_of, write_positions
from .problem import Problem
from .written_textures import WrittenBaseColours, WrittenMaps, WrittenTextures

if TYPE_CHECKING:
    import bpy

_SHARE = 0.05  # of the time; redrawing costs about as much again
_SHORTEST = 0.1  # seconds between two writes: nobody sees more


@dataclass(frozen=True, eq=False)
class Reached:
    """What a fit stands at. positions: (V, 3) world, by object; empty where meshes stay as they are.
    textures: (H, W, C) by the names that the fit began with. heights: (H, W) by object, where they are
    fitted."""

    positions: Sequence[NDArray[np.float32]]
    textures: dict[str, NDArray[np.float32]]
    heights: Sequence[NDArray[np.float32]] = ()


class LiveWriter:
    """Writes what a fit has reached back into Blender."""

    def __init__(self, problem: Problem, start: Reached) -> None:
        """problem: its objects are written. start: as the fit begins."""
        settings = problem.settings
        self._targets = [target_of(obj) for obj in problem.objects]
        self._textures: WrittenTextures | None = None
        self._heights: HeightWriter | None = None
        if start.textures:
            made = WrittenMaps if settings.shading == "lit" else WrittenBaseColours
            self._textures = made(problem.objects, start.textures, settings.image_depth)
        if problem.displaced:
            self._heights = HeightWriter(
                problem.objects, problem.displaced, start.heights, settings.image_depth
            )
        self._cost = 0.0
        self._last = time.perf_counter()

    @property
    def notices(self) -> list[str]:
        """What the user should know of how textures are written."""
        return [notice for writer in self._writers for notice in writer.notices]

    @property
    def _writers(self) -> list[WrittenTextures | HeightWriter]:
        return [writer for writer in (self._textures, self._heights) if writer is not None]

    @property
    def is_due(self) -> bool:
        """Whether a write now keeps to its share of the time."""
        return time.perf_counter() - self._last >= max(_SHORTEST, self._cost / _SHARE)

    def check(self) -> None:
        """Raises TargetLost for the first thing that is no longer there to be written."""
        for target in self._targets:
            object_of(target)
        for writer in self._writers:
            writer.check()

    def objects(self) -> list[bpy.types.Object]:
        """The objects under fit. Raises TargetLost for the first that is no longer there to be written."""
        return [object_of(target) for target in self._targets]

    def retarget(self, objects: Sequence[bpy.types.Object]) -> None:
        """Write into the same objects from now on, whose meshes have become others."""
        self._targets = [target_of(obj) for obj in objects]

    def traces(self) -> Traces:
        """What is in the scene of all that is written."""
        traces: Traces = {}
        for target in self._targets:
            traces |= object_traces(object_of(target))
        for writer in self._writers:
            traces |= writer.traces()
        return traces

    def write(self, state: Reached, final: bool = False) -> None:
        """Write everything that is still there; then raise TargetLost for the first thing that is not.

        final: keep the images in the file.
        """
        begin = time.perf_counter()
        lost: list[TargetLost] = []
        for target, of_target in zip(self._targets, state.positions, strict=False):
            try:
                write_positions(target, of_target)
            except TargetLost as error:
                lost.append(error)
        for writer, arrays in ((self._textures, state.textures), (self._heights, state.heights)):
            if writer is not None and arrays:
                try:
                    writer.write(arrays, final)
                except TargetLost as error:
                    lost.append(error)
        self._last = time.perf_counter()
        self._cost = self._last - begin
        if lost:
            raise lost[0]
