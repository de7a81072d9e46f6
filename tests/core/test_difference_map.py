# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Compare shows of a difference."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core.difference_map import SCALES, difference, displayed, fitting_scale, in_colours
from sge_addon.core.reference import Reference
from sge_addon.core.view import View


def reference(pixel: list[float], has_alpha: bool = True) -> Reference:
    view = View("one", np.eye(4), np.diag([1.0, 1.0, -1.0, 1.0]), 1, 1)
    return Reference(view, np.array([[pixel]], np.float32), has_alpha)


def pixel(*values: float) -> np.ndarray:
    return np.array([[values]], np.float32)


def test_what_is_transparent_shows_the_background() -> None:
    grey = np.full(3, 0.25, np.float32)
    assert displayed(pixel(0, 0, 0, 0), grey)[0, 0] == pytest.approx([0.5371] * 3, abs=1e-4)  # sRGB of 0.25
    assert displayed(pixel(1, 0, 0, 1), grey)[0, 0] == pytest.approx([1, 0, 0], abs=1e-6)


def test_differences_are_as_the_eye_sees_them() -> None:
    # Linear 0.2140 is sRGB 0.5: halfway between black and white.
    half = difference(reference([0.2140, 0.0, 0.0, 1.0]), pixel(0, 0, 0, 1))
    assert half[0, 0] == pytest.approx(0.5, abs=1e-3)


def test_a_missing_silhouette_counts_only_where_it_is_known() -> None:
    empty = pixel(0, 0, 0, 0)
    assert difference(reference([0, 0, 0, 1]), empty)[0, 0] == 1.0
    assert difference(reference([1, 1, 1, 1], has_alpha=False), empty)[0, 0] == 0.0


def test_the_scale_holds_nearly_all_values() -> None:
    values = np.linspace(0.0, 0.15, 1000, dtype=np.float32)
    assert fitting_scale(values) == 0.2
    assert fitting_scale(np.zeros(4, np.float32)) == SCALES[0]
    assert fitting_scale(np.ones(4, np.float32)) == 1.0


def test_larger_differences_are_brighter_up_to_the_scale() -> None:
    colours = in_colours(np.linspace(0.0, 0.5, 50), 0.5)
    lightness = colours @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(lightness) > 0.0).all()
    assert in_colours(np.array([2.0]), 0.5)[0] == pytest.approx(colours[-1])
