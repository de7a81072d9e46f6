# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lambert under suns and a constant world."""

from __future__ import annotations

import numpy as np

from sge_addon.core.lights import SunLights

UP, EAST, DOWN = np.float32([[0, 0, 1], [1, 0, 0], [0, 0, -1]])


def test_by_hand() -> None:
    lights = SunLights(
        world=np.float32([0.1, 0.2, 0.3]),
        directions=np.float32([UP, [0.6, 0.0, 0.8]]),
        irradiance=np.float32([[np.pi, 0, 0], [0, 2 * np.pi, 0]]),
    )
    shade = lights.shade(np.stack([UP, EAST, DOWN]))
    np.testing.assert_allclose(shade, [[1.1, 1.8, 0.3], [0.1, 1.4, 0.3], [0.1, 0.2, 0.3]], rtol=1e-6)


def test_without_suns_a_white_world_shows_the_base_colour() -> None:
    assert (SunLights().shade(np.float32([[[0, 0, 1], [0.6, 0.8, 0]]])) == 1.0).all()


def test_a_white_surface_under_a_sun_reflects_what_it_receives() -> None:
    """Radiance over the hemisphere, cosine-weighted, is the irradiance: Lambert's 1 / pi."""
    lights = SunLights(np.zeros(3, np.float32), UP[None], np.float32([[3.0, 3.0, 3.0]]))
    radiance = lights.shade(UP[None])[0, 0]
    angles = (np.arange(2000) + 0.5) * (np.pi / 2 / 2000)
    exitance = (radiance * np.cos(angles) * np.sin(angles)).sum() * (np.pi / 2 / 2000) * 2.0 * np.pi
    assert abs(exitance - 3.0) < 1e-5


def test_table_interleaves_directions_and_irradiance() -> None:
    lights = SunLights(np.float32([1, 2, 3]), np.stack([UP, EAST]), np.float32([[np.pi] * 3, [0, np.pi, 0]]))
    expected = [[1, 2, 3, 0], [0, 0, 1, 0], [1, 1, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0]]
    np.testing.assert_allclose(lights.table(), expected, rtol=1e-6)
