# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fitted textures in the scene: what holds them is made once, then shown anew as often as asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from ..core.errors import TargetLost
from ..scene.fitted_images import image_of, pack_image, prepare_fitted_images, write_image
from ..scene.fitted_maps import map_image_of, pack_maps, write_maps
from ..scene.map_preparation import prepare_fitted_maps
from ..scene.traces import Traces, image_traces, map_traces

if TYPE_CHECKING:
    import bpy

Textures = Mapping[str, NDArray[np.float32]]


class WrittenTextures(Protocol):
    """notices: what was done differently from what one might expect."""

    notices: list[str]

    def check(self) -> None:
        """Raises TargetLost for the first thing that is no longer there to be written."""
        ...

    def traces(self) -> Traces:
        """What is in the scene of what is written."""
        ...

    def write(self, textures: Textures, final: bool) -> None:
        """Show all that is still there, then raise TargetLost for the first that is not. final: keep the
        images in the file."""
        ...


class WrittenBaseColours:
    """WrittenTextures: a base colour image a material, by material key."""

    def __init__(self, objects: Sequence[bpy.types.Object], textures: Textures, depth: str) -> None:
        self._images, self.notices = prepare_fitted_images(objects, dict(textures), depth)

    def check(self) -> None:
        """As of WrittenTextures."""
        for image in self._images.values():
            image_of(image)

    def traces(self) -> Traces:
        """As of WrittenTextures."""
        traces: Traces = {}
        for image in self._images.values():
            traces |= image_traces(image_of(image))
        return traces

    def write(self, textures: Textures, final: bool) -> None:
        """As of WrittenTextures."""
        lost: list[TargetLost] = []
        for key, texture in textures.items():
            try:
                write_image(self._images[key], texture)
                if final:
                    pack_image(self._images[key])
            except TargetLost as error:
                lost.append(error)
        if lost:
            raise lost[0]


class WrittenMaps:
    """WrittenTextures: every fitted map of lit materials, by key of the map."""

    def __init__(self, objects: Sequence[bpy.types.Object], textures: Textures, depth: str) -> None:
        self._maps, self.notices = prepare_fitted_maps(objects, textures, depth)

    def check(self) -> None:
        """As of WrittenTextures."""
        for fitted in self._maps.values():
            map_image_of(fitted)

    def traces(self) -> Traces:
        """As of WrittenTextures."""
        traces: Traces = {}
        for fitted in self._maps.values():
            traces |= map_traces(fitted)
        return traces

    def write(self, textures: Textures, final: bool) -> None:
        """As of WrittenTextures."""
        try:
            write_maps(self._maps, textures)
        finally:
            if final:
                pack_maps(self._maps)
