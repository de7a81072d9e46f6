# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shader programs and their resources, compiled on first use."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from ..core.pixel_loss import ALPHA_WEIGHT
from ..core.texture_pyramid import LEVEL_ROUNDING
from .program import Program, build_program

EDGE_ROWS = 5  # of the uniform block edge_view
LOSS_DEFINES: dict[str, tuple[str, ...]] = {"l1": (), "l2": ("SGE_L2",), "log_l1": ("SGE_LOG",)}


class Feature(NamedTuple):
    """What a program has that others have not."""

    sources: tuple[str, ...]
    outputs: dict[str, str]
    constants: dict[str, str]
    defines: tuple[str, ...]


def tilt_feature(tilted: bool) -> Feature:
    """Of programs that tell what a pixel's loss has to do with its normal: PerturbedShape.tilt."""
    if not tilted:
        return Feature((), {}, {}, ())
    constants = {"tilt": "FLOAT", "tilt_key": "INT"}
    return Feature(("signs",), {"tilt_difference": "FLOAT"}, constants, ("SGE_TILTED",))


def match_defines(match: tuple[str, ...], loss: str, background: bool) -> tuple[str, ...]:
    """What programs that compare with a reference are told. background: as of ``loss_program``."""
    return (
        *(f"SGE_MATCH_{name.upper()}" for name in match),
        *LOSS_DEFINES[loss],
        *(("SGE_BACKGROUND", f"SGE_ALPHA_WEIGHT {ALPHA_WEIGHT}") if background else ()),
    )


@cache
def perturb_program(normals: bool, axes: bool) -> Program:
    """positions -> plus, minus; with ``normals`` also normal, normal_minus of each group. axes: along the
    vertices' own."""
    names = ("plus", "minus") + (("normal", "normal_minus") if normals else ())
    return build_program(
        sources=(("screen_vert",), ("table", "signs", "unit_normal", "perturb_frag")),
        inputs={"corner": "VEC2"},
        outputs=dict.fromkeys(names, "VEC4"),
        samplers=(
            "positions",
            *(("group_ranges", "group_edges") if normals else ()),
            *(("axes",) if axes else ()),
        ),
        constants={"depth_row": "VEC4", "pixel_scale": "FLOAT", "nearest": "FLOAT", "key": "INT"},
        defines=(*(("SGE_NORMAL",) if normals else ()), *(("SGE_AXES",) if axes else ())),
    )


@cache
def normals_program() -> Program:
    """positions -> normal of each group."""
    return build_program(
        sources=(("screen_vert",), ("table", "unit_normal", "normals_frag")),
        inputs={"corner": "VEC2"},
        outputs={"normal": "VEC4"},
        samplers=("positions", "group_ranges", "group_edges"),
    )


@cache
def downsample_program() -> Program:
    """source -> mean over samples x samples sub-pixels."""
    return build_program(
        sources=(("screen_vert",), ("downsample_frag",)),
        inputs={"corner": "VEC2"},
        outputs={"mean": "VEC4"},
        samplers=("source",),
        constants={"samples": "INT"},
    )


@cache
def loss_program(
    shading: str,
    match: tuple[str, ...],
    loss: str,
    textured: bool,
    background: bool = False,
    tilted: bool = False,
) -> Program:
    """Surfaces and a reference -> loss of each pixel, id; with ``tilted`` also tilt_difference. match: of
    colour, alpha, normal.

    background: it is another one each step, so that the reference's alpha is not folded into its colour.
    """
    colour = "colour" in match
    more = tilt_feature(tilted)
    return surface_program(
        ("distance", "matched", *more.sources, "loss_frag"),
        shading=shading if colour else "unlit",
        atlas=textured and colour and shading != "normal",
        base_colour=colour and shading != "normal",
        normal="normal" in match,
        outputs={"loss": "FLOAT", "id": "UINT"} | more.outputs,
        samplers=("reference_colour",) + (("reference_normal",) if "normal" in match else ()),
        constants=({"background": "VEC3"} if background else {}) | more.constants,
        defines=match_defines(match, loss, background) + more.defines,
    )


@cache
def render_program(shading: str, textured: bool, normal: bool) -> Program:
    """Surfaces -> colour, id and, with ``normal``, the world normal as 0.5 + 0.5 n."""
    return surface_program(
        ("render_frag",),
        shading=shading,
        atlas=textured and shading != "normal",
        base_colour=shading != "normal",
        normal=normal,
        outputs={"colour": "VEC4", "id": "UINT"} | ({"shaded_normal": "VEC4"} if normal else {}),
        defines=("SGE_OUTPUT_NORMAL",) if normal else (),
    )


@cache
def uv_program(shading: str, slopes: bool = False) -> Program:
    """Surfaces -> lookup (u, v, mip level, 1 if of a back face), id; ``slopes``; with shading "sun" shade."""
    outputs = {"lookup": "VEC4", "id": "UINT"} | ({"shade": "VEC4"} if shading == "sun" else {})
    return surface_program(
        ("uv_frag",),
        shading=shading,
        uv=True,
        outputs=outputs | ({"slopes": "VEC4"} if slopes else {}),
        constants={"atlas_size": "IVEC2"},
        defines=("SGE_SLOPES",) if slopes else (),
    )


@cache
def texel_loss_program(shading: str, loss: str) -> Program:
    """Surfaces and a reference -> losses by channel with texels perturbed both ways, lookup, id."""
    return surface_program(
        ("signs", "texel_signs", "distance", "texel_loss_frag"),
        shading=shading,
        atlas=True,
        base_colour=True,
        outputs={"loss_plus": "VEC4", "loss_minus": "VEC4", "lookup": "VEC4", "id": "UINT"},
        samplers=("reference_colour",),
        constants={"texel_key": "INT", "texel_epsilon": "FLOAT", "background": "VEC4"},
        defines=LOSS_DEFINES[loss],
    )


def surface_program(
    fragment: tuple[str, ...],
    *,
    shading: str,
    outputs: dict[str, str],
    samplers: tuple[str, ...] = (),
    constants: dict[str, str] | None = None,
    defines: tuple[str, ...] = (),
    atlas: bool = False,
    base_colour: bool = False,
    uv: bool = False,
    normal: bool = False,
    edge: bool = False,
) -> Program:
    """A pass over the surfaces; each feature brings its varyings, textures, constants and define."""
    constants = {"world_to_clip": "MAT4", "first_triangle": "INT"} | (constants or {})
    samplers = ("positions", *samplers)
    defines = (*defines, f"SGE_SHADE_{shading.upper()}")
    varyings = {}
    if base_colour:
        constants["base_colour"] = "VEC3"
    if uv or atlas:
        varyings["uv"] = "VEC2"
        defines += ("SGE_UV",)
    if atlas:
        constants |= {"atlas_size": "IVEC2", "texture_levels": "INT"}
        samplers += ("atlas",)
        defines += ("SGE_ATLAS", f"SGE_LEVEL_ROUNDING {LEVEL_ROUNDING}")
    if normal or shading in ("normal", "sun"):
        varyings["normal"] = "VEC3"
        samplers += ("normals",)
        defines += ("SGE_NORMAL",)
    blocks = {}
    if edge:
        varyings["edge"] = "VEC3"
        samplers += ("marks",)
        blocks["edge_view"] = EDGE_ROWS
        defines += ("SGE_EDGE",)
    if shading == "sun":
        constants["light_count"] = "INT"
        samplers += ("lights",)
    return build_program(
        sources=(("table", "surface_vert"), ("texture", "shading", "surface", *fragment)),
        inputs={"corner": "VEC4"},
        outputs=outputs,
        samplers=samplers,
        constants=constants,
        defines=defines + (("SGE_BASE_COLOUR",) if base_colour else ()),
        varyings=varyings,
        blocks=blocks,
    )
