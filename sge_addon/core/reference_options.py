# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How references are made from an object: the one place that knows names, defaults, ranges and texts.

Command line and panel are generated from these fields, as from those of ``FitSettings``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from .errors import FitError
from .setting_fields import range_problems, setting


@dataclass(frozen=True)
class ReferenceOptions:
    """``metadata`` of each field: label, description, choices, minimum, maximum, notes."""

    view_count: int = setting(
        16, "Views", "Number of references made from the source", minimum=1, maximum=1000
    )
    placement: str = setting(
        "orbit",
        "Placement",
        "Where they are taken from: evenly from all around; only from above; or from where a camera stands "
        "in as many frames of its animation, evenly over the scene's frame range",
        choices=("orbit", "dome", "path"),
    )
    lowest_elevation: float = setting(
        -90.0,
        "Lowest",
        "Elevation in degrees above the horizon below which no camera of an orbit or dome is placed",
        minimum=-90.0,
        maximum=90.0,
    )
    highest_elevation: float = setting(
        90.0,
        "Highest",
        "Elevation in degrees above the horizon above which no camera of an orbit or dome is placed",
        minimum=-90.0,
        maximum=90.0,
    )
    reference_size: int = setting(
        0,
        "Size",
        "Long side of the made references in pixels; 0 for the fit's resolution",
        minimum=0,
        maximum=8192,
    )
    render_engine: str = setting(
        "sge",
        "Renderer",
        "What draws the references: the fit's own rasteriser, with the fit's shading; or EEVEE or Cycles, "
        "with the scene's lights and world and the whole material, in scene-linear color before any view "
        "transform",
        choices=("sge", "eevee", "cycles"),
    )
    render_samples: int = setting(
        64, "Samples", "Samples a pixel of EEVEE or Cycles", minimum=1, maximum=65536
    )
    keep_others: bool = setting(
        False,
        "Keep Other Objects",
        "With EEVEE or Cycles: let the scene's other objects be seen, too, and cast their shadows. The "
        "fitted objects are always hidden, lights never",
    )

    def __post_init__(self) -> None:
        for item in fields(self):
            for problem in range_problems(item.name, getattr(self, item.name), item.metadata):
                raise problem
        low, high = self.elevations
        if low > high:
            raise FitError(
                f"No elevation lies between {low:g} and {high:g} degrees: make the lowest elevation smaller "
                "than the highest."
            )

    @property
    def elevations(self) -> tuple[float, float]:
        """Lowest and highest elevation of cameras, in degrees: a dome's are not below the horizon."""
        low = max(self.lowest_elevation, 0.0) if self.placement == "dome" else self.lowest_elevation
        return low, self.highest_elevation

    def size(self, resolution: int) -> int:
        """Long side in pixels where the fit has ``resolution``."""
        return self.reference_size or resolution
