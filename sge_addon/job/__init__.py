# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fit from Blender's scene and back: where scene and rasteriser meet, for both drivers."""

from .fit_job import FitJob, Progress
from .rendered_references import make_references, orbit_around, place_views, references_one_by_one
from .scene_renderer import SceneRenderer

__all__ = [
    "FitJob",
    "Progress",
    "SceneRenderer",
    "make_references",
    "orbit_around",
    "place_views",
    "references_one_by_one",
]
