# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that contradict each other, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .errors import FitError


def contradictions(values: Mapping[str, Any]) -> Iterator[FitError]:
    """What contradicts itself among the values of all settings of a fit."""
    refines = values["refine_cameras"] or values["refine_focal"] or values["refine_gain"] != "off"
    lights = values["shading"] == "lit" and values["light"] != "scene"
    if not (values["shape"] or values["texture"] or refines or lights or values["parameters"]):
        yield FitError("Nothing to fit: switch on Shape, Texture or both, or choose Parameters.")
    if values["refine_gain"] != "off" and values["shading"] == "normal":
        yield FitError("Per-View Gain means colors, which shading 'normal' does not show: switch it off.")
    if values["refine_gain"] != "off" and values["match"] and "colour" not in values["match"]:
        yield FitError("Per-View Gain needs colour among what is matched.")
    if not values["match"]:
        yield FitError("Nothing to match: choose colour, alpha or normal.")
    if values["texture"] and values["shading"] == "normal":
        yield FitError(
            "Shading 'normal' does not show the texture: choose another shading, or switch Texture off."
        )
    if values["remesh"] != "off" and not (values["shape"] and values["stages"] > 1):
        yield FitError(
            f"Remesh '{values['remesh']}' works on the shape between stages: set Stages to 2 or more and "
            "switch Shape on, or set Remesh to off."
        )
    if values["texture"] and values["match"] and "colour" not in values["match"]:
        yield FitError("Fitting a texture needs colour among what is matched.")
    yield from _lit_problems(values)


def _lit_problems(values: Mapping[str, Any]) -> Iterator[FitError]:
    """What contradicts the shading 'lit'."""
    if values["shading"] != "lit":
        return
    if values["texture"] and not values["maps"]:
        yield FitError("Shading 'lit': no map to fit is chosen: choose some, or switch Texture off.")
    if values["texture"] and values["texture_estimator"] == "texel":
        yield FitError(
            "Texture Estimator 'texel' perturbs base colours alone, not the maps of shading 'lit': set it to "
            "'filtered', or choose shading 'unlit' or 'sun'."
        )
    if values["texture"] and values["remesh"] == "voxel":
        yield FitError(
            "Remesh 'voxel' makes a new UV map, into which the maps of shading 'lit' cannot be taken over: "
            "fit the shape first, with Texture off."
        )
    if values["light"] != "scene" and values["match"] and "colour" not in values["match"]:
        yield FitError(f"Light '{values['light']}' needs colour among what is matched.")
