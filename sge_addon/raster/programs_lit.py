# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs of lit surfaces: variants by what their materials have, and the geometry buffer's pass."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from ..core.texture_pyramid import LEVEL_ROUNDING
from .lit_materials import MATERIAL_ROWS, PACKED, READ_AS_BASE, VIEW_ROWS, atlas_name
from .program import Program, build_program
from .programs_edge import edge_outputs
from .shaders import EDGE_ROWS, match_defines, tilt_feature

# What is drawn of visibility and geometry, besides IDs: written in shaders/geometry.glsl.
GEOMETRY_OUTPUTS = ("geometry_slopes", "geometry_position", "geometry_normal", "geometry_tangent")


@dataclass(frozen=True)
class LitVariant:
    """What programs of lit surfaces differ by.

    textured: the maps that are a texture in any material. has_alpha: some surface lets something through.
    sources, samplers, blocks, defines: what shading by the lights needs.
    """

    textured: tuple[str, ...]
    has_alpha: bool
    sources: tuple[str, ...] = ()
    samplers: tuple[str, ...] = ()
    blocks: tuple[tuple[str, int], ...] = ()
    defines: tuple[str, ...] = ()


@cache
def lit_loss_program(
    variant: LitVariant,
    match: tuple[str, ...],
    loss: str,
    background: bool,
    geometry: bool,
    tilted: bool = False,
) -> Program:
    """Surfaces and a reference -> loss of each pixel, id; with ``geometry`` also GEOMETRY_OUTPUTS.

    match, background, tilted: as of shaders.loss_program.
    """
    more = tilt_feature(tilted)
    return _lit_program(
        ("distance", "matched", "loss_frag"),
        variant,
        colour="colour" in match,
        geometry=geometry,
        outputs={"loss": "FLOAT", "id": "UINT"} | more.outputs,
        samplers=("reference_colour",) + (("reference_normal",) if "normal" in match else ()),
        constants=({"background": "VEC3"} if background else {}) | more.constants,
        defines=match_defines(match, loss, background) + more.defines,
        shared=more.sources,
    )


@cache
def lit_edge_program(variant: LitVariant, match: tuple[str, ...], loss: str, background: bool) -> Program:
    """Surfaces and a reference -> EdgeBuffers; as ``programs_edge.edge_program``."""
    colour = "colour" in match
    return _lit_program(
        ("distance", "matched", *(("surface_lit_turned",) if colour else ()), "edge_frag"),
        variant,
        colour=colour,
        edge=True,
        outputs=edge_outputs(match),
        samplers=("reference_colour",) + (("reference_normal",) if "normal" in match else ()),
        constants={"background": "VEC3"} if background else {},
        defines=match_defines(match, loss, background),
    )


@cache
def lit_render_program(variant: LitVariant, normal: bool) -> Program:
    """Surfaces -> colour, id and, with ``normal``, the world normal as 0.5 + 0.5 n."""
    return _lit_program(
        ("render_frag",),
        variant,
        colour=True,
        outputs={"colour": "VEC4", "id": "UINT"} | ({"shaded_normal": "VEC4"} if normal else {}),
        defines=("SGE_OUTPUT_NORMAL",) if normal else (),
    )


@cache
def geometry_program(variant: LitVariant | None) -> Program:
    """Surfaces -> id, GEOMETRY_OUTPUTS; of the first layer that is not quite transparent.

    variant: of lit surfaces that alpha may cut off; else None.
    """
    return _lit_program(
        ("geometry_frag",),
        variant,
        colour=False,
        geometry=True,
        outputs={"id": "UINT"},
        defines=("SGE_FIRST_LAYER",),
    )


def _lit_program(
    fragment: tuple[str, ...],
    variant: LitVariant | None,
    *,
    colour: bool,
    outputs: dict[str, str],
    geometry: bool = False,
    edge: bool = False,
    samplers: tuple[str, ...] = (),
    constants: dict[str, str] | None = None,
    defines: tuple[str, ...] = (),
    shared: tuple[str, ...] = (),
) -> Program:
    """A pass over surfaces; each feature brings its varyings, textures, constants and define. shared: sources
    that other features may bring, too."""
    constants = {"world_to_clip": "MAT4", "first_triangle": "INT"} | (constants or {})
    samplers = ("positions", "normals", *samplers)
    defines = (*defines, "SGE_NORMAL")
    varyings = {"normal": "VEC3"}
    sources: tuple[str, ...] = ("facing",)
    blocks = {}
    textured = _maps_read(variant, colour)
    if variant is not None and (colour or variant.has_alpha):
        blocks = {"lit_material": MATERIAL_ROWS, "lit_view": VIEW_ROWS}
        defines += ("SGE_LIT_MATERIAL", f"SGE_PACKED {PACKED}", f"SGE_READ_AS_BASE {READ_AS_BASE}")
        sources += ("texture", "signs", "coverage", "lit_maps")
        if variant.has_alpha:
            defines += ("SGE_ALPHA",)
    if textured or geometry:
        varyings["uv"] = "VEC2"
        defines += ("SGE_UV",)
    if textured:
        samplers += tuple(atlas_name(name) for name in textured)
        defines += ("SGE_ATLAS", f"SGE_LEVEL_ROUNDING {LEVEL_ROUNDING}")
        defines += tuple(f"SGE_{atlas_name(name).upper()}" for name in textured)
    if colour or geometry:
        varyings["world_position"] = "VEC3"
        defines += ("SGE_WORLD_POSITION",)
    if geometry or "normal" in textured:
        varyings["tangent"] = "VEC4"
        samplers += ("tangents",)
        defines += ("SGE_TANGENT",)
    if geometry:
        outputs = outputs | dict.fromkeys(GEOMETRY_OUTPUTS, "VEC4")
        defines += ("SGE_GEOMETRY",)
        sources += ("geometry",)
    if edge:
        varyings["edge"] = "VEC3"
        samplers += ("marks",)
        blocks |= {"edge_view": EDGE_ROWS}
        defines += ("SGE_EDGE",)
    if colour and variant is not None:
        blocks |= dict(variant.blocks)
        samplers += variant.samplers
        defines += ("lit_constants lit_material.rows[24]", *variant.defines)
        sources += (*variant.sources, "surface_lit")
    sources = tuple(name for name in shared if name not in sources) + sources
    return build_program(
        sources=(("table", "surface_vert"), (*sources, *fragment)),
        inputs={"corner": "VEC4"},
        outputs=outputs,
        samplers=samplers,
        constants=constants,
        defines=defines,
        varyings=varyings,
        blocks=blocks,
    )


def _maps_read(variant: LitVariant | None, colour: bool) -> tuple[str, ...]:
    """The textured maps that a pass reads: all for colour, else those that say where a surface is."""
    if variant is None:
        return ()
    return tuple(name for name in variant.textured if colour or (variant.has_alpha and name == "alpha"))
