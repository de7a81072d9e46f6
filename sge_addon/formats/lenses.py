# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Camera models by the names that COLMAP gave them, which other tools took over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..core.distortion import Distortion

# By their number in binary files, from 0. An empty tuple: a model that is not undistorted here.
_FOCALS = ("fx", "fy", "cx", "cy")
PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "SIMPLE_PINHOLE": ("f", "cx", "cy"),
    "PINHOLE": _FOCALS,
    "SIMPLE_RADIAL": ("f", "cx", "cy", "k1"),
    "RADIAL": ("f", "cx", "cy", "k1", "k2"),
    "OPENCV": (*_FOCALS, "k1", "k2", "p1", "p2"),
    "OPENCV_FISHEYE": (*_FOCALS, "k1", "k2", "k3", "k4"),
    "FULL_OPENCV": (*_FOCALS, "k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6"),
    "FOV": (),
    "SIMPLE_RADIAL_FISHEYE": ("f", "cx", "cy", "k1"),
    "RADIAL_FISHEYE": ("f", "cx", "cy", "k1", "k2"),
    "THIN_PRISM_FISHEYE": (),
    "RAD_TAN_THIN_PRISM_FISHEYE": (),
}
NAMES = tuple(PARAMETERS)
READ = tuple(name for name, parameters in PARAMETERS.items() if parameters)
SHORTEST_FOCAL = 1e-3  # pixels; less is a mistake, and leaves no digits for anything else
RATIONAL = "FULL_OPENCV"
FISHEYE = tuple(name for name in READ if name.endswith("_FISHEYE"))


@dataclass(frozen=True)
class Lens:
    """Focal lengths and principal point in pixels from the top left corner, and None or a distortion."""

    focal_x: float
    focal_y: float
    center_x: float
    center_y: float
    distortion: Distortion | None


def lens_of_model(model: str, parameters: tuple[float, ...]) -> Lens:
    """The lens of a model in READ, from its parameters in COLMAP's order."""
    named = dict(zip(PARAMETERS[model], parameters, strict=True))
    focal_x, focal_y = (named.get(name, named.get("f", 0.0)) for name in ("fx", "fy"))
    return Lens(focal_x, focal_y, named["cx"], named["cy"], distortion(named, model))


def distortion(named: Mapping[str, float], model: str) -> Distortion | None:
    """The distortion with coefficients k1 ... k6, p1, p2, those that are absent being 0; None where all are.

    model: its name, of which counts whether it is a fisheye, and whether k4 stands in the denominator.
    """
    k1, k2, k3, k4, k5, k6, p1, p2 = (
        named.get(name, 0.0) for name in ("k1", "k2", "k3", "k4", "k5", "k6", "p1", "p2")
    )
    rational = model == RATIONAL
    result = Distortion(
        radial=(k1, k2, k3, 0.0 if rational else k4),
        tangential=(p1, p2),
        divisor=(k4, k5, k6) if rational else (0.0, 0.0, 0.0),
        fisheye=model in FISHEYE,
    )
    return None if result.is_none else result
