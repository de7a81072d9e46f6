# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``--check``: everything that is wrong with a fit, told without fitting."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import bpy

from ..command_line import LABEL
from ..core.errors import FitError
from ..core.reference import Reference
from ..core.settings import FitSettings
from ..formats.references import read_references
from ..job.check import Finding, check_fit, check_scene
from ..scene.loaded_frames import load_frame
from .inputs import objects_to_fit, references_to_fit
from .results import check_maps_export, check_outputs, check_references_export

_SMALL = 64  # pixels: pictures are loaded only to see whether they can be


def find_all(arguments: argparse.Namespace, values: Mapping[str, Any]) -> list[Finding]:
    """All findings on the fit that the flags describe in the open scene, errors first. values: settings."""
    found: list[Finding] = []
    objects = None
    try:
        check_outputs(arguments)
    except FitError as error:
        found.append(Finding.of(error))
    try:
        objects = objects_to_fit(arguments)
        if not found:
            check_maps_export(arguments, values, objects)
    except FitError as error:
        found.append(Finding.of(error))
    held_out_file = arguments.hold_out and not arguments.hold_out.isdigit()
    if arguments.references or arguments.reference_object or held_out_file:
        references = _references(arguments, values, objects, found)
        found += check_fit(bpy.context.scene, objects, references, values)
    else:
        found += check_scene(bpy.context.scene, objects, values)
    return sorted(dict.fromkeys(found), key=lambda finding: not finding.is_error)


def _references(
    arguments: argparse.Namespace,
    values: Mapping[str, Any],
    objects: Sequence[bpy.types.Object] | None,
    found: list[Finding],
) -> Sequence[Reference] | None:
    """The references of the flags, small; None, and findings, where they cannot all be had."""
    if objects is None:
        found += _broken_frames(arguments, values)
        return None
    settings = FitSettings(colorspace=values["colorspace"], resolution=_SMALL)
    try:
        references = references_to_fit(arguments, settings, objects)
        check_references_export(arguments, references)
    except FitError as error:
        found += _broken_frames(arguments, values) or [Finding.of(error)]
        return None
    found += [Finding(False, notice) for notice in references.notices]
    return references.all


def _broken_frames(arguments: argparse.Namespace, values: Mapping[str, Any]) -> list[Finding]:
    """Each file of references, and each image of one, that cannot be read."""
    found = []
    for path in (arguments.references, arguments.hold_out):
        if not path or path.isdigit() or path.lower().endswith(".blend"):
            continue
        try:
            frames = read_references(path)
        except FitError as error:
            found.append(Finding.of(error))
            continue
        found += [Finding(False, notice) for notice in frames.notices]
        for frame in frames:
            try:
                load_frame(frame, values["colorspace"], _SMALL, arguments.mask or "auto")
            except FitError as error:
                found.append(Finding.of(error))
    return found if any(finding.is_error for finding in found) else []


def print_findings(findings: Sequence[Finding], quiet: bool, label: str = LABEL) -> int:
    """A line for each on stderr, and how many there are; returns the number of errors. label: of the job."""
    errors = sum(finding.is_error for finding in findings)
    for finding in findings:
        kind = "error" if finding.is_error else "warning"
        told = " ".join(finding.text.splitlines())
        print(f"{kind}:", told if label == LABEL else f"{label} {told}", file=sys.stderr, flush=True)
    if not quiet:
        print(f"{label} check: {errors} error(s), {len(findings) - errors} warning(s)", flush=True)
    return errors
