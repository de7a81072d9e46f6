# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lengths on a surface, in pixels of the views."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core.pixel_scale import edge_pixels, finest_pixels
from tests.meshes import orthographic_view, perspective_view


def test_length_across_the_line_of_sight_is_what_is_seen() -> None:
    view = perspective_view(64, 48, distance=3.0)
    positions = np.asarray([[-0.2, 0.0, 0.0], [0.3, 0.0, 0.0], [0.3, 0.4, 0.0]])
    edges = np.asarray([[0, 1], [1, 2]])
    seen = view.to_pixels(positions)
    expected = [np.linalg.norm(seen[0] - seen[1]), np.linalg.norm(seen[1] - seen[2])]
    assert edge_pixels(positions, edges, [view]) == pytest.approx(expected)


def test_the_nearest_view_counts_and_what_none_shows_has_no_length() -> None:
    far, near = orthographic_view(64, 64, 0.1), orthographic_view(64, 64, 0.02)
    points = np.asarray([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [50.0, 0.0, 0.0]])
    assert finest_pixels(points, [far, near]) == pytest.approx([0.02, 0.1, np.inf])
    positions = np.asarray([[49.0, 0.0, 0.0], [51.0, 0.0, 0.0]])
    assert edge_pixels(positions, np.asarray([[0, 1]]), [far, near]) == pytest.approx([0.0])
