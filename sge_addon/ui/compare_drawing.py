# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws Compare's pictures, divider, captions and scale of colours into a viewport's region."""

from __future__ import annotations

from typing import Any

import blf
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader

from ..core.difference_map import in_colours
from .compare_layout import Box

Colour = tuple[float, float, float, float]
_WHITE: Colour = (1.0, 1.0, 1.0, 1.0)
_SHADE: Colour = (0.0, 0.0, 0.0, 0.55)  # behind captions
BACKDROP: Colour = (0.12, 0.12, 0.12, 1.0)
_TEXT = 12  # points
_SCALE_STEPS = 64


def picture(texture: gpu.types.GPUTexture, box: Box, begin: float = 0.0, end: float = 1.0) -> None:
    """A texture in a box, or the part of both between two fractions of the width."""
    shader = gpu.shader.from_builtin("IMAGE")
    left, right = box.x + begin * box.width, box.x + end * box.width
    corners = [(left, box.y), (right, box.y), (right, box.top), (left, box.top)]
    uvs = [(begin, 0.0), (end, 0.0), (end, 1.0), (begin, 1.0)]
    batch = batch_for_shader(shader, "TRI_FAN", {"pos": corners, "texCoord": uvs})
    shader.bind()
    shader.uniform_sampler("image", texture)
    batch.draw(shader)


def rectangle(box: Box, colour: Colour) -> None:
    """A filled box."""
    shader: Any = gpu.shader.from_builtin("UNIFORM_COLOR")
    corners = [(box.x, box.y), (box.right, box.y), (box.right, box.top), (box.x, box.top)]
    gpu.state.blend_set("ALPHA")  # each time: drawing text switches it off
    shader.uniform_float("color", colour)
    batch_for_shader(shader, "TRI_FAN", {"pos": corners}).draw(shader)


def divider(box: Box, place: float, pixel: float) -> None:
    """A line from top to bottom with a grip in the middle. place: fraction of the width."""
    x = box.x + place * box.width
    rectangle(Box(x - 1.5 * pixel, box.y, 3 * pixel, box.height), (0.0, 0.0, 0.0, 0.5))
    rectangle(Box(x - 0.5 * pixel, box.y, pixel, box.height), _WHITE)
    middle = box.y + 0.5 * box.height
    rectangle(Box(x - 7 * pixel, middle - 15 * pixel, 14 * pixel, 30 * pixel), (0.0, 0.0, 0.0, 0.5))
    rectangle(Box(x - 6 * pixel, middle - 14 * pixel, 12 * pixel, 28 * pixel), _WHITE)
    for offset in (-2.5, 1.5):
        rectangle(Box(x + offset * pixel, middle - 6 * pixel, pixel, 12 * pixel), (0.2, 0.2, 0.2, 1.0))


def caption(text: str, x: float, y: float, pixel: float, align: str = "LEFT") -> None:
    """Text on a dark ground; (x, y): its bottom left, or bottom right where aligned to the right."""
    font = 0
    blf.size(font, _TEXT * pixel)
    width = blf.dimensions(font, text)[0]
    pad = 5.0 * pixel
    left = x if align == "LEFT" else x - width - 2 * pad
    rectangle(Box(left, y, width + 2 * pad, caption_height(pixel)), _SHADE)
    blf.color(font, *_WHITE)
    blf.position(font, left + pad, y + 1.2 * pad, 0)
    blf.draw(font, text)


def caption_height(pixel: float) -> float:
    """Of one line with its ground."""
    return (_TEXT + 9.0) * pixel


def colour_scale(right: float, y: float, scale: float, pixel: float) -> None:
    """The colours of the difference from 0 to ``scale``, with its numbers; ends at ``right``."""
    font = 0
    blf.size(font, _TEXT * pixel)
    numbers = ("0", f"{scale:g}")
    widths = [blf.dimensions(font, number)[0] for number in numbers]
    pad, height = 5.0 * pixel, caption_height(pixel)
    bar = Box(right - 3 * pad - widths[1] - 100.0 * pixel, y + pad, 100.0 * pixel, height - 2 * pad)
    left = bar.x - widths[0] - 3 * pad
    rectangle(Box(left, y, right - left, height), _SHADE)
    shader: Any = gpu.shader.from_builtin("SMOOTH_COLOR")
    stops = np.linspace(0.0, 1.0, _SCALE_STEPS)
    places, colours = [], []
    for stop, colour in zip(stops.tolist(), in_colours(stops, 1.0).tolist(), strict=True):
        places += [(bar.x + stop * bar.width, bar.y), (bar.x + stop * bar.width, bar.top)]
        colours += [(*colour, 1.0)] * 2
    batch_for_shader(shader, "TRI_STRIP", {"pos": places, "color": colours}).draw(shader)
    blf.color(font, *_WHITE)
    for number, x in ((numbers[0], left + pad), (numbers[1], bar.right + pad)):
        blf.position(font, x, y + 1.2 * pad, 0)
        blf.draw(font, number)
