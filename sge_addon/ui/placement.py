# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which setting stands in which panel. Those without a place of their own stand under Advanced, so that a
new one is never forgotten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from ..core.settings import FitSettings
from ..scene.stored_settings import SGE_PG_fit, SGE_PG_reference

SECTIONS = {
    "main": ("shape", "texture", "match", "shading", "steps", "resolution"),
    "shape": ("vertex_group", "pin_boundary"),
    "parameters": ("parameters",),  # drawn as a list of its own
    "modifiers": ("through_modifiers", "level", "coarse_levels"),
    "texture": ("texture_size", "margin", "image_depth"),
    "material": ("light", "maps", "constant_maps", "search"),
    "stages": ("stages", "remesh", "edge_length"),
    "comparison": ("loss", "background", "background_colour", "colorspace"),
    "optimizer": ("estimator", "pipelined", "support", "texture_estimator"),
}


def _moves_surface(stored: Any) -> bool:
    fits_height = stored.texture and stored.shading == "lit" and "height" in stored.maps
    return stored.shape or fits_height


# Settings that count only where another one says so.
CONDITIONS: dict[str, Callable[[Any], bool]] = {
    "background_colour": lambda stored: stored.background == "colour",
    "search": lambda stored: stored.texture and not stored.shape and stored.light == "scene",
    "level": lambda stored: stored.through_modifiers,
    "coarse_levels": lambda stored: stored.through_modifiers and stored.shape and stored.stages > 1,
    "remesh": lambda stored: stored.stages > 1,
    "edge_length": lambda stored: stored.stages > 1 and stored.remesh != "off",
    "estimator": _moves_surface,
    "pipelined": lambda stored: _moves_surface(stored) and stored.estimator != "paper" and not stored.texture,
    "support": lambda stored: _moves_surface(stored) and stored.estimator != "edge",
    "texture_estimator": lambda stored: stored.texture and stored.shading != "lit",
    "path_camera": lambda stored: stored.placement == "path",
    "lowest_elevation": lambda stored: stored.placement != "path",
    "highest_elevation": lambda stored: stored.placement != "path",
    "render_samples": lambda stored: stored.render_engine != "sge",
    "keep_others": lambda stored: stored.render_engine != "sge",
}
CAMERAS = "refine"  # what the names of camera refinement's settings begin with
IN_ROW = ("enabled", "held_out", "measured", "psnr_before", "psnr_after")  # drawn by the list itself
LISTS = ("references", "active_reference", "losses")


def fields_of(section: str) -> list[str]:
    """Names of the settings in a section: one of SECTIONS, 'cameras' or 'advanced'."""
    names = [item.name for item in fields(FitSettings)]
    if section == "cameras":
        return [name for name in names if name.startswith(CAMERAS)]
    if section == "advanced":
        placed = {name for section in (*SECTIONS, "cameras") for name in fields_of(section)}
        return [name for name in names if name not in placed]
    return [name for name in SECTIONS[section] if name in names]


def counts(stored: Any, name: str) -> bool:
    """Whether a setting of ``Scene.sge`` has an effect as the others stand."""
    return name not in CONDITIONS or CONDITIONS[name](stored)


def row_fields() -> list[str]:
    """Names of the properties of a reference that are shown below the list."""
    return [name for name in SGE_PG_reference.__annotations__ if name not in IN_ROW]


def source_fields() -> list[str]:
    """Names of the scene's properties that say how references are made from an object."""
    settings = {item.name for item in fields(FitSettings)}
    return [name for name in SGE_PG_fit.__annotations__ if name not in settings and name not in LISTS]


# What belongs to the file at hand, to its photos or to the machine, not to a way of working.
NOT_PORTABLE = (
    "vertex_group",
    "parameters",
    "colorspace",
    "seconds",
    "seed",
    "background",
    "background_colour",
)


def portable_fields() -> list[str]:
    """Names of the settings that presets and the preferences hold."""
    return [item.name for item in fields(FitSettings) if item.name not in NOT_PORTABLE]
