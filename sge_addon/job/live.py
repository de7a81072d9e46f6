# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results into the scene while the fit runs, often enough to watch, seldom enough not to cost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.errors import TargetLost
from ..core.settings import FitSettings
from ..scene.traces import Traces, object_traces
from ..scene.write_back import object_of, target_of, write_positions
from .written_textures import WrittenBaseColours, WrittenMaps, WrittenTextures

if TYPE_CHECKING:
    import bpy

_SHARE = 0.05  # of the time; redrawing costs about as much again
_SHORTEST = 0.1  # seconds between two writes: nobody sees more


class LiveWriter:
    """Writes positions and textures of the fit back into Blender.

    positions and textures are what was given at the start: by object, by name of the block.
    """

    def __init__(
        self,
        objects: Sequence[bpy.types.Object],
        textures: dict[str, NDArray[np.float32]],
        settings: FitSettings,
    ) -> None:
        self._targets = [target_of(obj) for obj in objects]
        self._textures: WrittenTextures | None = None
        if textures:
            made = WrittenMaps if settings.shading == "lit" else WrittenBaseColours
            self._textures = made(objects, textures, settings.image_depth)
        self._cost = 0.0
        self._last = time.perf_counter()

    @property
    def notices(self) -> list[str]:
        """What the user should know of how textures are written."""
        return self._textures.notices if self._textures else []

    @property
    def is_due(self) -> bool:
        """Whether a write now keeps to its share of the time."""
        return time.perf_counter() - self._last >= max(_SHORTEST, self._cost / _SHARE)

    def check(self) -> None:
        """Raises TargetLost for the first thing that is no longer there to be written."""
        for target in self._targets:
            object_of(target)
        if self._textures is not None:
            self._textures.check()

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
        return traces | self._textures.traces() if self._textures else traces

    def write(
        self,
        positions: Sequence[NDArray[np.float32]],
        textures: dict[str, NDArray[np.float32]],
        final: bool = False,
    ) -> None:
        """Write everything that is still there; then raise TargetLost for the first thing that is not.

        positions: (V, 3) world by target, empty where the shape is not fitted. final: keep the images
        in the file.
        """
        begin = time.perf_counter()
        lost: list[TargetLost] = []
        for target, of_target in zip(self._targets, positions, strict=False):
            try:
                write_positions(target, of_target)
            except TargetLost as error:
                lost.append(error)
        if self._textures is not None and textures:
            try:
                self._textures.write(textures, final)
            except TargetLost as error:
                lost.append(error)
        self._last = time.perf_counter()
        self._cost = self._last - begin
        if lost:
            raise lost[0]
