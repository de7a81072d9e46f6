# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of the deterministic gradient's picture (core/edge_buffers.py), and what it reads of a view."""

from __future__ import annotations

from functools import cache

import gpu
import numpy as np

from ..core.view import View, jittered
from .program import Program
from .shaders import EDGE_ROWS, match_defines, surface_program


def edge_formats(match: tuple[str, ...]) -> dict[str, str]:
    """The attachments, by the names of EdgeBuffers."""
    planes = ("force", "turn", "seen") + (("seen_normal",) if "normal" in match else ())
    return {"loss": "R32F", "id": "R32UI"} | dict.fromkeys(planes, "RGBA32F")


def edge_outputs(match: tuple[str, ...]) -> dict[str, str]:
    """The same as a program declares them."""
    types = {"R32F": "FLOAT", "R32UI": "UINT", "RGBA32F": "VEC4"}
    return {name: types[format] for name, format in edge_formats(match).items()}


@cache
def edge_program(
    shading: str, match: tuple[str, ...], loss: str, textured: bool, background: bool
) -> Program:
    """Surfaces and a reference -> EdgeBuffers. match, background: as of shaders.loss_program."""
    colour = "colour" in match
    return surface_program(
        ("distance", "matched", "shading_turned", "edge_frag"),
        shading=shading if colour else "unlit",
        atlas=textured and colour and shading != "normal",
        base_colour=colour and shading != "normal",
        normal="normal" in match,
        edge=True,
        outputs=edge_outputs(match),
        samplers=("reference_colour",) + (("reference_normal",) if "normal" in match else ()),
        constants={"background": "VEC3"} if background else {},
        defines=match_defines(match, loss, background),
    )


def edge_block(view: View, jitter: tuple[float, float]) -> gpu.types.GPUUniformBuf:
    """edge_view: the rows of the jittered world_to_clip that give clip x, y and w; the row from a world
    position to the distance along the view; the picture's size in pixels."""
    clip = jittered(view.world_to_clip, *jitter, view.width, view.height)
    rows = np.zeros((EDGE_ROWS, 4), np.float32)
    rows[:3] = clip[[0, 1, 3]]
    rows[3] = view.distance_row
    rows[4, :2] = view.width, view.height
    return gpu.types.GPUUniformBuf(gpu.types.Buffer("FLOAT", rows.size, rows))
