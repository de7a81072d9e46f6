# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a fit: what was reached, how fast, with what."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median

from ..core.camera_block import CameraCorrection
from ..core.metrics import mean_psnr, psnr
from ..core.reference import Reference
from ..core.settings import FitSettings
from ..version import version

STAGES = ("raster", "read", "estimate", "optimise", "upload", "write_back")
# Where a start is searched, Blender evaluates modifiers, maps are shaded, the light is fitted, cameras are
# refined, values are fitted.
OCCASIONAL = ("search", "modifiers", "shade", "light", "cameras", "parameters")
Errors = list[tuple[float, float]]  # per view: mean squared error over the object, over the image


@dataclass(frozen=True)
class Timing:
    """Seconds. steps: of each step. stages: summed over the steps."""

    total: float
    setup: float
    steps: Sequence[float]
    stages: dict[str, float]


def build_report(
    settings: FitSettings,
    estimators: Sequence[str],
    references: Sequence[Reference],
    corrections: Sequence[CameraCorrection | None],
    before: Errors,
    after: Errors,
    losses: Sequence[tuple[int, float]],
    timing: Timing,
) -> dict:
    """All fields as the README lists them; JSON-ready. ``after`` is empty where a fit was cut short.

    estimators: of the shape, that were really used.
    """
    import bpy

    from ..raster.context import gpu_name

    count = len(timing.steps)
    stages = (*STAGES, *(name for name in OCCASIONAL if name in timing.stages))
    return {
        "version": version(),
        "settings": asdict(settings),
        "estimators": list(estimators),
        "blender": bpy.app.version_string,
        "gpu": gpu_name(),
        "steps": count,
        "seconds": {
            "total": timing.total,
            "setup": timing.setup,
            "per_step_median": median(timing.steps) if count else None,
        },
        "stages": {name: 1e3 * timing.stages.get(name, 0.0) / max(count, 1) for name in stages},
        "psnr": {
            region: _mean_psnrs(references, before, after, column)
            for column, region in enumerate(("object", "image"))
        },
        "views": [
            {
                "name": reference.view.name,
                "held_out": reference.held_out,
                "psnr_before": psnr(before[index][0]) if before else None,
                "psnr_after": psnr(after[index][0]) if after else None,
            }
            | ({"camera": asdict(correction)} if correction else {})
            for index, (reference, correction) in enumerate(zip(references, corrections, strict=True))
        ],
        "loss": [[step, loss] for step, loss in losses],
        "peak_memory_mb": peak_memory_mb(),
    }


def _mean_psnrs(references: Sequence[Reference], before: Errors, after: Errors, column: int) -> dict:
    result = {}
    for prefix, held_out in (("", False), ("held_out_", True)):
        for name, errors in (("before", before), ("after", after)):
            chosen = [
                error[column]
                for reference, error in zip(references, errors, strict=False)
                if reference.held_out == held_out
            ]
            result[prefix + name] = mean_psnr(chosen)
    return result


def peak_memory_mb() -> float | None:
    """Largest resident memory of this process so far, in MB; None where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
