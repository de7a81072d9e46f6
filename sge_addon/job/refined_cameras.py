# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cameras of a fit: what may change of them, when, and as what they are seen."""

from __future__ import annotations

import numpy as np

from ..core.background import Background
from ..core.camera_block import CameraBlock
from ..core.camera_refinement import CameraFreedom
from ..core.camera_schedule import CameraSchedule
from ..core.settings import FitSettings
from ..core.stopwatch import Stopwatch
from ..raster.camera_source import CameraSource
from ..raster.fitted_surfaces import FittedSurfaces
from .problem import Problem

# Part of a fit after which cameras are refined: before, a moving shape is too far from what they see.
_AFTER_SHAPE = 0.25
# Part of a fit at whose end they rest, so that textures can settle.
_BEFORE_END = 0.9


def camera_freedom(settings: FitSettings) -> CameraFreedom:
    """What the settings let change."""
    gains = {"off": 0, "exposure": 1, "channels": 3}[settings.refine_gain]
    return CameraFreedom(settings.refine_cameras, settings.refine_focal, gains)


def camera_block(problem: Problem, before: CameraBlock | None) -> CameraBlock:
    """The training views' cameras; before: of the stage before, from which they go on."""
    if before is not None:
        return before.at(problem.training)
    points = problem.assembly.positions
    return CameraBlock(
        problem.training,
        0.5 * (points.min(axis=0) + points.max(axis=0)).astype(np.float64),
        holds_pose=problem.settings.moves_surface,
        holds_gain=problem.settings.texture and problem.settings.refine_gain != "off",
    )


def camera_source(
    problem: Problem,
    surfaces: FittedSurfaces,
    block: CameraBlock,
    is_first_stage: bool,
    background: Background,
    stopwatch: Stopwatch,
) -> CameraSource | None:
    """The source of the block's changes; None where nothing of cameras may change."""
    settings, freedom = problem.settings, camera_freedom(problem.settings)
    if not (freedom.numbers or freedom.gains):
        return None
    visits = settings.steps / len(problem.training)
    start, end = 0.0, 1.0
    if settings.texture or settings.moves_surface:
        end = _BEFORE_END
    if is_first_stage and settings.moves_surface:
        start = _AFTER_SHAPE
    elif is_first_stage and settings.texture and visits >= 2.0:
        start = 1.0 / visits  # every view has shown the texture once
    return CameraSource(
        surfaces,
        block,
        freedom,
        CameraSchedule(visits, start, end),
        settings.match,
        settings.loss,
        background,
        stopwatch,
    )
