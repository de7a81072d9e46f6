# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The estimator's mean is the central difference of lit pictures, too: normal map, metal, highlights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sge_addon.core.scene_lights import Light, SceneLights, World
from sge_addon.core.support import full_support
from sge_addon.core.surface import Surface
from tests.blender.test_raster_gradient import Cells, assert_agrees, sheet, sphere
from tests.blender.test_raster_lit import axes_towards, bumps, lit, one_channel
from tests.meshes import waves

pytestmark = pytest.mark.usefixtures("gpu_ready")

LIGHTS = SceneLights(
    (
        Light(
            "sun", "Sun", np.zeros(3, np.float32), axes_towards((1, 1, 2)), np.float32([2.5, 2.2, 2.0]), 0.3
        ),
    ),
    World(np.float32([0.3, 0.25, 0.2])),
)
COARSE = lit(
    "coarse",
    base_color=waves(16, 16),
    metallic=one_channel(8, 8, 0.1, 0.9),
    roughness=one_channel(8, 16, 0.35, 0.8),
    normal=bumps(8, 8, 0.8),
)


@pytest.mark.parametrize(
    ("surfaces", "match", "calls"),
    [
        pytest.param(sphere(), ("colour", "alpha"), 24, id="silhouette"),
        pytest.param(sheet(), ("colour",), 12, id="inside a surface"),
    ],
)
def test_the_estimate_is_unbiased(surfaces: list[Surface], match: tuple[str, ...], calls: int) -> None:
    shown = [replace(each, materials=(COARSE,)) for each in surfaces]
    cells = Cells(shown, "lit", match, 0.7, lights=LIGHTS)
    (found,) = cells.estimates(calls, full_support)
    assert_agrees(found, cells.central_differences(calls))
