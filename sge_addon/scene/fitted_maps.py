# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The maps that a lit fit writes: channels of new images, or the values of a material's inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.errors import TargetLost
from .fitted_images import FittedImage, image_of, pack_image, show

if TYPE_CHECKING:
    import bpy

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Input:
    """An unlinked input of a node of a material, remembered by names and session id."""

    material: str
    session_uid: int
    node: str
    socket: str

    @classmethod
    def of(cls, socket: bpy.types.NodeSocket, material: bpy.types.Material) -> Input:
        """The input as it is now."""
        return cls(material.name, material.session_uid, socket.node.name, socket.identifier)

    def find(self) -> bpy.types.NodeSocket:
        """The input in the file. Raises TargetLost where it is gone."""
        import bpy

        found = bpy.data.materials.get(self.material)
        if found is None or found.session_uid != self.session_uid:
            found = next((each for each in bpy.data.materials if each.session_uid == self.session_uid), None)
        node = found.node_tree.nodes.get(self.node) if found is not None and found.node_tree else None
        if node is not None:
            for socket in node.inputs:
                if socket.identifier == self.socket:
                    return socket
        raise TargetLost(
            f"Material '{self.material}': its node '{self.node}' was deleted while it was being fitted."
        )


@dataclass(frozen=True, eq=False)
class FittedMap:
    """Where one map goes.

    name: of the map. image: that holds it in ``channels``; None where it is a constant. inputs: that take
    the constant. strengths: inputs of emission's strength, and what each is under values up to 1; they grow
    where the map cannot hold larger values itself. flips_green: of a normal map of DirectX.
    """

    name: str
    image: FittedImage | None = None
    channels: tuple[int, ...] = ()
    inputs: tuple[Input, ...] = ()
    strengths: tuple[tuple[Input, float], ...] = ()
    flips_green: bool = False

    def also(self, other: FittedMap) -> FittedMap:
        """With the inputs of another material that shows the same image."""
        return replace(self, inputs=self.inputs + other.inputs, strengths=self.strengths + other.strengths)


def write_map(fitted: FittedMap, array: Array) -> None:
    """Show a map, (H, W, C) as the shading takes it, in the material. Raises TargetLost."""
    _lay(fitted, array)
    if fitted.image is not None:
        show(fitted.image)


def write_maps(fitted: Mapping[str, FittedMap], arrays: Mapping[str, Array]) -> None:
    """Show maps by key, each image once. Whatever is still there is written; then raises TargetLost for the
    first thing that is not."""
    lost: list[TargetLost] = []
    for key, array in arrays.items():
        try:
            _lay(fitted[key], array)
        except TargetLost as error:
            lost.append(error)
    for image in _images(fitted[key] for key in arrays):
        try:
            show(image)
        except TargetLost as error:
            lost.append(error)
    if lost:
        raise lost[0]


def pack_maps(fitted: Mapping[str, FittedMap]) -> None:
    """Keep all pixels in the .blend file, each image once: of what is still there; then raises TargetLost."""
    lost: list[TargetLost] = []
    for image in _images(fitted.values()):
        try:
            pack_image(image)
        except TargetLost as error:
            lost.append(error)
    if lost:
        raise lost[0]


def map_image_of(fitted: FittedMap) -> bpy.types.Image | None:
    """The image that holds the map, None for a constant. Raises TargetLost where either is gone."""
    for target in fitted.inputs:
        target.find()
    return image_of(fitted.image) if fitted.image is not None else None


def _images(fitted: Iterator[FittedMap] | Sequence[FittedMap]) -> list[FittedImage]:
    """Each image once."""
    images = {each.image.session_uid: each.image for each in fitted if each.image is not None}
    return list(images.values())


def _lay(fitted: FittedMap, array: Array) -> None:
    """Put a map beside what else is in its image, or its value into the inputs."""
    stored = _stored(fitted, array)
    if fitted.name == "emission":
        stored = _below_one(fitted, stored)
    if fitted.image is not None:
        fitted.image.pixels[..., list(fitted.channels)] = stored
        return
    value = stored.reshape(-1, stored.shape[-1]).mean(axis=0).tolist()
    for target in fitted.inputs:
        socket = target.find()
        if not hasattr(socket.default_value, "__len__"):
            socket.default_value = value[0]
        elif len(value) == 1:
            socket.default_value = (*value * 3, 1.0)
        else:
            socket.default_value = (*value, 1.0)


def _stored(fitted: FittedMap, array: Array) -> Array:
    """Values as an image holds them."""
    if fitted.name != "normal":
        return array
    stored = 0.5 + 0.5 * array
    if fitted.flips_green:
        stored[..., 1] = 1.0 - stored[..., 1]
    return stored


def _below_one(fitted: FittedMap, array: Array) -> Array:
    """Emission within [0, 1] where its image or input holds no more, the strength grown accordingly."""
    if fitted.image is not None and fitted.image.depth != "8":
        return array
    peak = max(1.0, float(array.max(initial=0.0)))
    for target, strength in fitted.strengths:
        target.find().default_value = strength * peak
    return array / np.float32(peak)
