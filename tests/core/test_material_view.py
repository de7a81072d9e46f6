# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pixels whose samples are of several pieces of surface are not shaded at a mean that lies on none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sge_addon.core.geometry_buffer import GeometryBuffer
from sge_addon.core.material_view import likeness, mean_points
from sge_addon.core.view import View
from tests.meshes import perspective_view

VIEW: View = perspective_view(200, 200, 1.0, 0.5)


def sample(**changes: object) -> GeometryBuffer:
    """One pixel that sees the plane z = 0."""

    def plane(*values: float) -> np.ndarray:
        return np.float32(values).reshape(1, 1, -1)

    made = GeometryBuffer(
        ids=np.ones((1, 1), np.uint32),
        uv=plane(0.5, 0.5),
        uv_slopes=plane(0, 0, 0, 0),
        position=plane(0, 0, 0),
        normal=plane(0, 0, 1),
        tangent=plane(1, 0, 0, 1),
    )
    return replace(made, **{name: np.float32(value).reshape(1, 1, -1) for name, value in changes.items()})


def likeness_of(*buffers: GeometryBuffer) -> float:
    pixels, mine = np.zeros(1, np.int32), np.ones((len(buffers), 1), bool)
    points = mean_points(VIEW, buffers, pixels, mine, 0)
    return float(likeness(VIEW, buffers, pixels, mine, points)[0])


def test_samples_of_one_surface_are_alike_also_where_it_bends_a_little():
    tilted = sample(normal=(0.1, 0.0, 0.995), tangent=(0.995, 0.0, -0.1, 1.0))
    assert likeness_of(sample(), sample(), tilted, sample()) == 1.0


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"normal": (1, 0, 0)}, id="another direction"),
        pytest.param({"position": (0, 0, -40)}, id="far behind"),
        pytest.param({"tangent": (0, 1, 0, 1)}, id="across a seam"),
        pytest.param({"tangent": (1, 0, 0, -1)}, id="mirrored"),
    ],
)
def test_samples_of_several_surfaces_are_not(other: dict):
    assert likeness_of(sample(), sample(), sample(**other), sample(**other)) == 0.0


def test_what_another_material_shows_is_of_no_account():
    buffers = (sample(), sample(normal=(1, 0, 0)))
    pixels, mine = np.zeros(1, np.int32), np.array([[True], [False]])
    points = mean_points(VIEW, buffers, pixels, mine, 0)
    assert likeness(VIEW, buffers, pixels, mine, points)[0] == 1.0
