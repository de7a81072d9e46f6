# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sRGB curve and alpha, against values from the standard."""

from __future__ import annotations

import numpy as np
import pytest

from sge_addon.core.colour import (
    linear_to_srgb,
    log_encoded,
    log_encoded_slope,
    premultiplied,
    srgb_to_linear,
    straight,
)


@pytest.mark.parametrize(
    ("encoded", "linear"),
    [(0.0, 0.0), (0.04045, 0.0031308), (0.5, 0.21404114), (188 / 255, 0.50288646), (1.0, 1.0)],
)
def test_known_points_of_the_curve(encoded: float, linear: float) -> None:
    assert srgb_to_linear(np.float32(encoded)) == pytest.approx(linear, abs=1e-6)
    assert linear_to_srgb(np.float32(linear)) == pytest.approx(encoded, abs=1e-6)


def test_decoding_undoes_encoding_also_beyond_the_unit_range() -> None:
    values = np.linspace(-0.5, 8.0, 1001, dtype=np.float32)
    assert np.allclose(srgb_to_linear(linear_to_srgb(values)), values, atol=1e-5)


def test_all_eight_bit_values_survive() -> None:
    values = np.arange(256, dtype=np.float32) / 255
    back = linear_to_srgb(srgb_to_linear(values))
    assert np.array_equal(np.round(back * 255), np.arange(256))


def test_log_encoding_has_known_points_and_its_slope() -> None:
    """sRGB(ln(1 + x)): linear below 0.0031, then 1.055 ln(1 + x)^(1 / 2.4) - 0.055."""
    assert log_encoded(np.float32([-3.0, 0.0, 1.0, np.e - 1.0])) == pytest.approx(
        [0, 0, 0.850586, 1.0], abs=1e-5
    )
    values = np.float64([0.001, 0.01, 0.2, 1.0, 30.0, 1e4])
    differences = log_encoded(values * 1.002) - log_encoded(values * 0.998).astype(np.float64)
    assert log_encoded_slope(values) == pytest.approx(differences / (0.004 * values), rel=5e-3)
    assert log_encoded_slope(np.float32([-1.0, 0.0])) == pytest.approx([12.92, 12.92])


def test_alpha_goes_there_and_back_and_nothing_stays_black() -> None:
    pixels = np.array([[1.0, 0.5, 0.25, 0.5], [0.3, 0.3, 0.3, 0.0], [0.1, 0.2, 0.3, 1.0]], np.float32)
    multiplied = premultiplied(pixels)
    assert np.allclose(multiplied, [[0.5, 0.25, 0.125, 0.5], [0, 0, 0, 0], [0.1, 0.2, 0.3, 1.0]])
    assert np.allclose(straight(multiplied), [[1.0, 0.5, 0.25, 0.5], [0, 0, 0, 0], [0.1, 0.2, 0.3, 1.0]])
